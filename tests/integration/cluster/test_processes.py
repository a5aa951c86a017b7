"""A record of a process never names another one."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from cluster.places import ClusterError
from cluster.processes import Process, Stamp


def test_a_pid_that_belongs_to_another_process_by_now_is_left_alone(tmp_path: Path) -> None:
    mine = Stamp.of(os.getpid())
    assert mine is not None
    Stamp(mine.pid, "before").write(tmp_path / "etcd.pid")
    process = Process(tmp_path, "etcd")

    assert not process.runs
    process.end()

    assert not (tmp_path / "etcd.pid").exists()


def test_a_process_has_a_session_and_little_of_the_environment_and_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", "garbage")
    process = Process(tmp_path, "sleeper")

    process.start(("/bin/sh", "-c", "env; sleep 60"))
    stamp = Stamp.read(tmp_path / "sleeper.pid")
    assert stamp is not None
    assert process.runs
    assert os.getsid(stamp.pid) == stamp.pid
    while "HOME" not in process.last_words():
        time.sleep(0.01)
    assert "KUBECONFIG" not in process.last_words()
    process.end()

    assert not stamp.runs


def test_a_process_that_has_ended_but_was_not_reaped_does_not_run(tmp_path: Path) -> None:
    process = Process(tmp_path, "short")
    try:
        process.start(("/bin/sh", "-c", "exit 0"))
    except ClusterError:
        return
    deadline = time.monotonic() + 10

    while process.runs:
        assert time.monotonic() < deadline
        time.sleep(0.01)
