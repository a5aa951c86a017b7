"""The operator as a process: its signals, its probes, its logs."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest

from integration.conftest import free_port
from integration.operator.conftest import Stage, config_map, people
from usher.testing.faults import Fault, FaultKind, Operation, every

pytestmark = pytest.mark.apiserver


class Program:
    """`usher operator`, with all that it said."""

    def __init__(self, process: Process, port: int) -> None:
        self.process, self.port = process, port
        self.lines: list[dict[str, object]] = []
        self.text = ""
        self.printed = ""
        self._reading = asyncio.gather(self._read(), self._read_output())

    async def _read(self) -> None:
        assert self.process.stderr is not None
        async for line in self.process.stderr:
            self.text += line.decode()
            self.lines.append(json.loads(line))

    async def _read_output(self) -> None:
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            self.printed += line.decode()

    async def probe(self, path: str) -> tuple[int, str]:
        """Status and body."""
        async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{self.port}{path}") as answer:
            return answer.status, await answer.text()

    async def terminate(self) -> tuple[int, float]:
        """Sends SIGTERM; gives the exit code and the seconds until it ended."""
        started = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        code = await asyncio.wait_for(self.process.wait(), 40)
        await self._reading
        return code, time.monotonic() - started


@asynccontextmanager
async def program(stage: Stage, *options: str) -> AsyncIterator[Program]:
    port = free_port()
    arguments = [
        *("operator", "--namespace", stage.namespace.name, "--kubeconfig", str(stage.namespace.kubeconfig)),
        *("--state", str(stage.state), "--listen", f"127.0.0.1:{port}", "--allow-cidr", "127.0.0.0/8"),
        *options,
    ]
    command = (sys.executable, "-m", "usher.cli.main", *arguments)
    process = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=PIPE)
    try:
        yield Program(process, port)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_sigterm_in_the_middle_of_a_cycle_ends_it_within_seconds_and_loses_nothing(stage: Stage) -> None:
    await stage.end()
    everybody = [f"p{number:03}" for number in range(300)]
    stage.app.faults.add(every(Operation.CREATE, 20, Fault(FaultKind.THROTTLED, retry_after=1)))
    await stage.set_up(*everybody)
    async with program(stage) as one:
        await stage.until_true(lambda: len(stage.accounts) > 20)
        code, seconds = await one.terminate()

    assert (code, seconds < 10) == (0, True)
    assert len(stage.accounts) < 300
    async with program(stage):
        await stage.until_condition("pconn/app", "InSync", "True")
    assert sorted(stage.accounts) == everybody


async def test_probes_and_metrics_are_served_and_logs_are_json_that_names_nobody(stage: Stage) -> None:
    await stage.end()
    await stage.set_up("canary", "bob")
    async with program(stage) as one:
        await stage.until_condition("pconn/app", "InSync", "True")
        await stage.apply(config_map(people("canary", "bob") + "id-x,canary@example.com,x,X,false\n"))
        await stage.until_condition("pconn/app", "InSync", "False", "ObjectsFailed")

        assert (await one.probe("/healthz"))[0] == 200
        assert (await one.probe("/readyz"))[0] == 200
        metrics = (await one.probe("/metrics"))[1]
        await one.terminate()

    assert 'provisioning_cycles_total{connector="app"' in metrics
    cycles = [line for line in one.lines if line["message"] == "cycle"]
    assert cycles[0]["connector"] == f"{stage.namespace.name}/app"
    assert cycles[0]["created"] == 2
    told = one.text + metrics + str(await stage.events()) + str(await stage.status("pconn/app"))
    assert "canary" not in told.lower()
    assert stage.app.token not in told
    assert one.printed == ""


async def test_the_provisioning_log_is_printed_where_somebody_wants_it_and_after_a_restart_goes_on(
    stage: Stage,
) -> None:
    await stage.end()
    await stage.set_up("ada", "bob")
    async with program(stage, "--log-people") as one:
        await stage.until_condition("pconn/app", "InSync", "True")
        await one.terminate()
    lines = [json.loads(line) for line in one.printed.splitlines()]
    assert {(line["connector"], line["action"], line["result"]) for line in lines} == {
        (f"{stage.namespace.name}/app", "Create", "Success")
    }
    assert len(lines) == 2
    assert "ada" not in one.text

    await stage.apply(config_map(people("ada", "bob", "cyd")))
    async with program(stage, "--log-people") as two:
        await stage.until_true(lambda: len(stage.accounts) == 3)
        await two.terminate()
    more = [json.loads(line) for line in two.printed.splitlines()]
    assert [line["number"] > lines[-1]["number"] for line in more] == [True]
