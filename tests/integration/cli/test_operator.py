"""`usher operator` as a process: it starts, answers probes, and ends well on SIGTERM."""

from __future__ import annotations

import asyncio
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

import httpx
import pytest

from cluster.fixtures import Namespace
from database.keys import make_keys
from database.postgres import PASSWORD, Postgres
from usher.state.places import Server
from usher.state.store import open_store

pytestmark = pytest.mark.apiserver


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until_ready(process: subprocess.Popen[str], url: str) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert process.poll() is None, process.communicate()[1]
        try:
            if httpx.get(url).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    raise TimeoutError("the operator did not get ready")


def test_it_gets_ready_and_ends_on_sigterm(crds: tuple[str, ...], namespace: Namespace, tmp_path: Path) -> None:
    port = free_port()
    arguments = ["--kubeconfig", str(namespace.kubeconfig), "--namespace", namespace.name]
    arguments += ["--state", str(tmp_path / "state.db"), "--listen", f"127.0.0.1:{port}"]
    command = [sys.executable, "-m", "usher.cli.main", "operator", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            wait_until_ready(process, f"http://127.0.0.1:{port}/readyz")
        finally:
            process.send_signal(signal.SIGTERM)
            printed, logged = process.communicate(timeout=60)

    assert process.returncode == 0, logged
    assert printed == ""
    assert all(re.match(r"\{.*\}$", line) for line in logged.splitlines())


def test_it_gets_ready_with_an_encrypted_state_on_a_server(
    crds: tuple[str, ...], namespace: Namespace, tmp_path: Path, state_server: Server, postgres: Postgres
) -> None:
    port = free_port()
    arguments = ["--kubeconfig", str(namespace.kubeconfig), "--namespace", namespace.name]
    arguments += [
        "--state-url-file",
        str(state_server.url_file),
        "--state-keys",
        str(make_keys(tmp_path / "keys", "1")),
    ]
    arguments += ["--listen", f"127.0.0.1:{port}"]
    command = [sys.executable, "-m", "usher.cli.main", "operator", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            wait_until_ready(process, f"http://127.0.0.1:{port}/readyz")
            taken = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        finally:
            process.send_signal(signal.SIGTERM)
            _, logged = process.communicate(timeout=60)

    assert process.returncode == 0, logged
    assert taken.returncode == 1
    assert "is in use by usher on" in taken.stderr
    assert PASSWORD not in logged + taken.stderr


def test_it_ends_when_another_one_took_its_state_over(
    crds: tuple[str, ...], namespace: Namespace, state_server: Server, postgres: Postgres
) -> None:
    port = free_port()
    arguments = ["--kubeconfig", str(namespace.kubeconfig), "--namespace", namespace.name]
    arguments += ["--state-url-file", str(state_server.url_file), "--listen", f"127.0.0.1:{port}"]
    command = [sys.executable, "-m", "usher.cli.main", "operator", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            wait_until_ready(process, f"http://127.0.0.1:{port}/readyz")
            asyncio.run(take_over(state_server, postgres))
            _, logged = process.communicate(timeout=60)
        finally:
            process.kill()

    assert process.returncode == 1
    assert "another process has taken the state over" in logged


async def take_over(server: Server, postgres: Postgres) -> None:
    """As if it had said nothing for long: its connection is ended, and the state is somebody else's."""
    postgres.execute("postgres", CUT)
    async with open_store(server):
        await asyncio.sleep(0.1)


CUT: Final = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name LIKE 'usher on%'"


def test_two_places_of_the_state_are_refused(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "usher.cli.main", "operator", "-A", "--state", "a", "--state-url-file", "b"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "either --state or --state-url-file" in done.stderr


def test_without_a_cluster_it_says_so(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "usher.cli.main", "operator", "-A", "--state", str(tmp_path / "state.db")]

    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert "--kubeconfig" in done.stderr
