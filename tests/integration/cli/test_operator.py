"""`usher operator` as a process: it starts, answers probes, and ends well on SIGTERM."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from cluster.fixtures import Namespace

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


def test_without_a_cluster_it_says_so(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "usher.cli.main", "operator", "-A", "--state", str(tmp_path / "state.db")]

    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert "--kubeconfig" in done.stderr
