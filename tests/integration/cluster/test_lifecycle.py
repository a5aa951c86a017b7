"""What the command and the fixtures do with a cluster of their own, from nothing to nothing."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest

from cluster import lifecycle
from cluster.control_plane import NAMES, ControlPlane, Ports
from cluster.kind import docker_answers
from cluster.places import ClusterError, Places
from cluster.processes import Stamp

pytestmark = pytest.mark.apiserver

COMMAND = Path(__file__).parents[2] / "cluster" / "cluster.py"


def command(verb: str, name: str, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """The command line, in an environment whose KUBECONFIG would break whoever reads it."""
    given = {**os.environ, "KUBECONFIG": "/dev/null/garbage", **(environment or {})}
    line = [sys.executable, str(COMMAND), verb, "--name", name]
    return subprocess.run(line, env=given, capture_output=True, text=True, check=False, timeout=120)


def stamps(name: str) -> dict[str, Stamp | None]:
    return {each: Stamp.read(Places(name).root / f"{each}.pid") for each in NAMES}


def still_running(before: dict[str, Stamp | None]) -> list[str]:
    return [name for name, stamp in before.items() if stamp is not None and stamp.runs]


@pytest.fixture
def fresh() -> Iterator[str]:
    """The name of a cluster that nobody else uses; it is ended whatever the test does."""
    if docker_answers():
        pytest.skip(reason="these tests look at processes, and kind has none of its own")
    name = f"own-{uuid4().hex[:8]}"
    yield name
    lifecycle.down(name)
    assert not Places(name).lock.exists()


def test_up_starts_repairs_and_repeats_and_down_leaves_nothing(fresh: str) -> None:
    first = command("up", fresh)
    assert first.returncode == 0, first.stderr
    assert first.stdout.splitlines()[-1] == f"KUBECONFIG={Places(fresh).kubeconfig}"
    started = stamps(fresh)
    assert still_running(started) == list(NAMES)

    again = command("up", fresh)
    assert again.stdout == first.stdout
    assert stamps(fresh) == started

    server = started["kube-apiserver"]
    assert server is not None
    os.kill(server.pid, signal.SIGKILL)
    kubeconfig = Places(fresh).kubeconfig.read_bytes()
    assert command("status", fresh).stdout == "down\n"
    assert command("up", fresh).returncode == 0
    assert command("status", fresh).stdout.startswith("up\n")
    assert stamps(fresh)["etcd"] == started["etcd"]
    assert Places(fresh).kubeconfig.read_bytes() == kubeconfig

    last = stamps(fresh)
    assert command("down", fresh).returncode == 0
    assert still_running({**started, **last}) == []
    assert not Places(fresh).root.exists()


def test_the_last_one_to_leave_ends_a_cluster_that_nobody_keeps(fresh: str) -> None:
    with ExitStack() as first:
        first.enter_context(lifecycle.used(fresh))
        another = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
        with another:
            other = Stamp.of(another.pid)
            assert other is not None
            other.write(Places(fresh).users / str(another.pid))
            first.close()
            assert lifecycle.is_up(fresh)

        killed = Places(fresh).users / str(another.pid)
        assert killed.exists()
        with lifecycle.used(fresh):
            running = stamps(fresh)

    assert still_running(running) == []
    assert not Places(fresh).root.exists()


def test_a_cluster_that_a_person_started_stays_up(fresh: str) -> None:
    lifecycle.up(fresh)

    with lifecycle.used(fresh):
        pass

    assert ControlPlane(Places(fresh)).is_up


def test_a_cluster_whose_port_was_taken_starts_anew(fresh: str) -> None:
    lifecycle.up(fresh)
    before = Ports.read(Places(fresh))
    assert before is not None
    ControlPlane(Places(fresh)).end()
    with socket.create_server(("127.0.0.1", 0)) as somebody:
        taken = replace(before, server=somebody.getsockname()[1])
        taken.write(Places(fresh))

        lifecycle.up(fresh)

        assert lifecycle.is_up(fresh)
    assert Ports.read(Places(fresh)) not in (before, taken)


def test_a_cluster_that_can_not_start_leaves_no_process(fresh: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ControlPlane, "_server_arguments", lambda *_: ("--no-such-flag",))

    with pytest.raises(ClusterError, match="kube-apiserver ended while it started"):
        lifecycle.up(fresh)

    assert still_running(stamps(fresh)) == []
    assert not Places(fresh).kept.exists()
