"""The hostile server is a correct SCIM server while nothing is planned to fail; it also runs as a program."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import httpx
import pytest

from usher.testing.history import read_history
from usher.testing.hostile_server import HostileServer, HostileSettings, hostile_server
from usher.testing.memory_settings import MemorySettings

AUTHORIZED: Final = {"Authorization": f"Bearer {HostileSettings().token}"}
ADA: Final = {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "ada"}


async def judge(server: HostileServer) -> tuple[int, list[str]]:
    """How many checks of scim2-tester the server passed, and what it failed."""
    scim2 = Path(sys.executable).with_name("scim2")
    arguments = ("--url", server.url, "--header", f"Authorization: Bearer {server.token}", "test")
    process = await asyncio.create_subprocess_exec(scim2, *arguments, stdout=PIPE, stderr=STDOUT)
    output, _ = await process.communicate()
    lines = output.decode().splitlines()
    failures = [line for line in lines if line.startswith(("ERROR", "CRITICAL", "Traceback"))]
    return sum(line.startswith("SUCCESS") for line in lines), failures


@pytest.mark.parametrize(
    "settings",
    [
        HostileSettings(),
        HostileSettings(app=MemorySettings(unique=None, versioned=False), patch_status=204),
    ],
)
async def test_a_referee_finds_nothing_wrong_with_the_strict_server(settings: HostileSettings) -> None:
    async with hostile_server(settings) as server:
        passed, failures = await judge(server)
    assert failures == []
    assert passed > 100


async def test_the_server_counts_requests_and_admits_nobody_without_the_token() -> None:
    async with hostile_server() as server, httpx.AsyncClient(trust_env=False) as client:
        refused = await client.post(f"{server.url}/Users", json=ADA)
        made = await client.post(f"{server.url}/Users", json=ADA, headers=AUTHORIZED)
        read = await client.get(f"{server.url}/Users/{made.json()['id']}", headers=AUTHORIZED)
    assert [refused.status_code, made.status_code, read.status_code] == [401, 201, 200]
    assert read.json() == made.json()
    assert dict(server.requests) == {"POST": 2, "GET": 1}
    assert (server.writes, len(server.history.writes)) == (2, 1)


@asynccontextmanager
async def program(*arguments: str) -> AsyncIterator[tuple[Process, str]]:
    command = (sys.executable, "-m", "usher.testing.hostile_server", *arguments)
    process = await asyncio.create_subprocess_exec(*command, stdout=PIPE)
    try:
        assert process.stdout is not None
        yield process, (await process.stdout.readline()).decode().strip()
    finally:
        process.terminate()
        assert await process.wait() == 0


async def test_the_program_serves_and_writes_its_history(tmp_path: Path) -> None:
    history = tmp_path / "history.jsonl"
    async with (
        program("--history", str(history), "--no-unique") as (_, url),
        httpx.AsyncClient(trust_env=False) as client,
    ):
        for _ in range(2):
            (await client.post(f"{url}/Users", json=ADA, headers=AUTHORIZED)).raise_for_status()
    assert read_history(history).live_accounts_by("userName") == {"ada": ("u1", "u2")}


@pytest.mark.parametrize(("kind", "made"), [("kill-before", 0), ("kill-after", 1)])
async def test_the_program_kills_its_client_at_the_planned_request(tmp_path: Path, kind: str, made: int) -> None:
    history, pid_file = tmp_path / "history.jsonl", tmp_path / "pid"
    victim = await asyncio.create_subprocess_exec("sleep", "60", stdout=DEVNULL)
    pid_file.write_text(str(victim.pid))
    options = ("--history", str(history), "--kill-pid-file", str(pid_file), "--fault", f"create:1:{kind}")
    async with program(*options) as (_, url), httpx.AsyncClient(trust_env=False) as client:
        with pytest.raises(httpx.TransportError):
            await client.post(f"{url}/Users", json=ADA, headers=AUTHORIZED)
        assert await victim.wait() == -9
    assert len(read_history(history).accounts()) == made
