"""`make demo EXIT=1`, as a user runs it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from cluster.places import Places
from cluster.processes import Stamp

ROOT = Path(__file__).parents[3]
PATIENCE = 240.0
INTERVAL = 5.0
PROMISE = 5.0 + INTERVAL
"""Seconds in which the app follows a change in the directory: five, and the interval of the source."""

pytestmark = pytest.mark.apiserver


@pytest.fixture
def name() -> Iterator[str]:
    """A demo of its own beside one that may be running, and nothing of it left afterwards."""
    given = f"demo-{uuid4().hex[:8]}"
    yield given
    (ROOT / "build" / f".{given}.lock").unlink(missing_ok=True)
    Places(given).lock.unlink(missing_ok=True)


def start(name: str, *arguments: str) -> subprocess.Popen[str]:
    demo = [sys.executable, str(ROOT / "tests" / "demo" / "demo.py"), "--name", name, *arguments]
    environment = {**os.environ, "KUBECONFIG": "/nonexistent/kubeconfig"}
    return subprocess.Popen(demo, cwd="/", env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def run(name: str) -> str:
    with start(name, "--exit") as demo:
        output, _ = demo.communicate(timeout=PATIENCE)
    assert demo.returncode == 0, output
    return output


def end_by_ctrl_c(name: str) -> str:
    with start(name) as demo:
        assert demo.stdout is not None
        lines = []
        for line in demo.stdout:
            lines.append(line)
            if "until Ctrl-C" in line:
                demo.send_signal(signal.SIGINT)
        demo.wait(PATIENCE)
    output = "".join(lines)
    assert demo.returncode == 0, output
    return output


def running(name: str) -> list[str]:
    """The command lines of all processes that have a folder of the demo in their words or as their home."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words, home = ((process / part).read_bytes().decode(errors="replace") for part in ("cmdline", "environ"))
        except OSError:
            continue
        if f"/{name}" in words + home and process.name != str(os.getpid()):
            found.append(words.replace("\0", " "))
    return found


def test_the_demo_shows_people_joining_moving_and_leaving_and_leaves_nothing_behind(name: str) -> None:
    output = run(name)

    assert "500 accounts and 20 groups" in output
    assert re.search(r"^  directory +True +500 +20 ", output, re.MULTILINE), output
    for line in (
        r"mover   abebe\.suzuki is Engineering Manager, was Senior Software Engineer",
        r"The app counted in that cycle: 1 read, 0 written",
    ):
        assert re.search(line, output), output
    followed = {
        who: float(seconds) for seconds, who in re.findall(r"(\d+\.\d) s  (joiner|member|mover|leaver)  ", output)
    }
    assert followed.keys() == {"joiner", "member", "mover", "leaver"}, output
    assert max(followed.values()) <= PROMISE, output
    assert max(map(len, output.splitlines())) <= 100
    assert "\x1b" not in output
    assert running(name) == []
    assert not (ROOT / "build" / name).exists()


def test_a_demo_that_was_killed_is_cleaned_up_by_the_next_one_and_that_by_ctrl_c(name: str) -> None:
    folder = ROOT / "build" / name
    with start(name) as killed:
        deadline = time.monotonic() + PATIENCE
        while not (folder / "operator.pid").exists():
            assert killed.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.1)
        killed.send_signal(signal.SIGKILL)
        killed.wait()
        left = [Stamp.read(folder / f"{program}.pid") for program in ("app", "directory", "operator")]
    assert all(stamp is not None and stamp.runs for stamp in left)

    output = end_by_ctrl_c(name)

    assert "500 accounts and 20 groups" in output
    assert "Everything is being removed." in output
    assert not any(stamp is not None and stamp.runs for stamp in left)
    assert running(name) == []
    assert not folder.exists()
