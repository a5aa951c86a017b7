"""Real SCIM servers that nobody here wrote, each started once, by the first test that asks for it."""

from __future__ import annotations

import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final

import pytest

from apps import npm
from integration.servers import TOKEN, Server

PATIENCE: Final = 60.0
"""Seconds in which a server has to listen."""
SCIMMY: Final = Path(__file__).parents[1] / "apps" / "scimmy"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        assert process.poll() is None, "scim2-server ended while it started"
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError("scim2-server did not start")


def first_line(output: IO[str]) -> str:
    ready, _, _ = select.select([output], [], [], PATIENCE)
    line = output.readline().strip() if ready else ""
    assert line, "scimmy ended, or said nothing, while it started"
    return line


@pytest.fixture(scope="session")
def scim2_server() -> Iterator[Server]:
    port = free_port()
    program = Path(sys.executable).with_name("scim2-server")
    command: list[str | Path] = [program, "--port", str(port), "--bearer-token", TOKEN]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(process, port)
        with Server(f"http://127.0.0.1:{port}/v2") as server:
            yield server
    finally:
        process.terminate()
        process.wait(timeout=10)


@pytest.fixture(scope="session")
def scimmy() -> Iterator[Server]:
    environment = {**os.environ, "NODE_PATH": str(npm.install(SCIMMY))}
    command: list[str | Path] = [npm.program("node"), SCIMMY / "server.js", "0", TOKEN]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        try:
            with Server(first_line(process.stdout)) as server:
                yield server
        finally:
            process.terminate()
            process.wait(timeout=10)
