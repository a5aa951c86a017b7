"""Starts `usher` over and over: a process that has imported everything and forks one child for each run.

As a program: reads a JSON list of arguments a line, answers with the pid of the child, and with its wait status when it
has ended. A child is a process of its own in every respect; only the second that Python takes to import is saved.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from usher.cli.main import usher

ROOT = Path(__file__).parents[3]


class Nursery:
    """The parent of the runs."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT / "operator")},
        )

    def run(self, arguments: Sequence[str], started: Callable[[int], None]) -> int:
        """Runs `usher` to its end; `started` is told the pid. Returns the exit code, or minus the signal."""
        self._say(json.dumps(arguments))
        pid = int(self._hear())
        started(pid)
        self._say("go")
        return os.waitstatus_to_exitcode(int(self._hear()))

    def close(self) -> None:
        """Ends the parent."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait(timeout=10)
        if self._process.stdout is not None:
            self._process.stdout.close()

    def _say(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()

    def _hear(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()


def serve() -> None:
    """The program."""
    for line in iter(sys.stdin.readline, ""):
        arguments = json.loads(line)
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(writing)
            os.read(reading, 1)
            quiet = os.open(os.devnull, os.O_RDWR)
            for descriptor in (0, 1, 2):
                os.dup2(quiet, descriptor)
            usher(arguments)
        os.close(reading)
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()
        sys.stdin.readline()
        os.write(writing, b".")
        os.close(writing)
        sys.stdout.write(f"{os.waitpid(pid, 0)[1]}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    serve()
