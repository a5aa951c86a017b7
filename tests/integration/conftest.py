"""Real programs that nobody here wrote, started for the tests of one module."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True, slots=True)
class Scim2Server:
    """A running scim2-server: its base address and the bearer token it takes."""

    url: str
    token: str


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        assert process.poll() is None, "scim2-server ended while it started"
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError("scim2-server did not start")


@pytest.fixture(scope="module")
def scim2_server() -> Iterator[Scim2Server]:
    """A fresh scim2-server without accounts, shared by the tests of one module."""
    port = free_port()
    program = Path(sys.executable).with_name("scim2-server")
    command: list[str | Path] = [program, "--port", str(port), "--bearer-token", "let-me-in"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(process, port)
        yield Scim2Server(f"http://127.0.0.1:{port}/v2", "let-me-in")
    finally:
        process.terminate()
        process.wait(timeout=10)
