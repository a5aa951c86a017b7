"""The programs that the demo keeps running, each with a log and a record by which a later demo ends it after a kill."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cluster.processes import Stamp

PATIENCE: Final = 15.0
"""Seconds that a program has to end by itself before it is killed."""
TAIL: Final = 15
_POLL: Final = 0.05


class ProgramEnded(Exception):
    """A program ended by itself, or never answered; `program` has the log that says why."""

    def __init__(self, program: Program) -> None:
        super().__init__(f"the {program.name} ended by itself, or does not answer")
        self.program = program


@dataclass(frozen=True, slots=True)
class Program:
    """A program in the background: `<folder>/<name>.pid` names it, `<folder>/<name>.log` has what it prints.

    The record holds the pid and when the process started, so that it never names somebody else's process.
    """

    folder: Path
    name: str

    @property
    def log(self) -> Path:
        return self.folder / f"{self.name}.log"

    @property
    def _record(self) -> Path:
        return self.folder / f"{self.name}.pid"

    def start(self, command: Sequence[str | Path], root: Path) -> None:
        """Starts it in a session of its own, so that Ctrl-C reaches the demo alone and the demo ends it in order.

        Of the environment it gets the PATH alone: no kubeconfig of the user, and no proxy on the way to 127.0.0.1.
        """
        with self.log.open("wb") as output:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=root,
                env={"PATH": os.environ.get("PATH", os.defpath), "HOME": str(self.folder)},
                start_new_session=True,
            )
        stamp = Stamp.of(process.pid)
        if stamp is None:
            raise ProgramEnded(self)
        stamp.write(self._record)

    def require(self) -> None:
        """Raises ProgramEnded unless it runs."""
        stamp = Stamp.read(self._record)
        if stamp is None or not stamp.runs:
            raise ProgramEnded(self)

    def end(self) -> None:
        """Asks it to end, waits, and kills it if it does not; fine when it does not run."""
        stamp = Stamp.read(self._record)
        if stamp is not None:
            for sent in (signal.SIGTERM, signal.SIGKILL):
                _send(stamp, sent)
        self._record.unlink(missing_ok=True)

    def last_words(self) -> str:
        """The end of its log."""
        return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-TAIL:])


def _send(stamp: Stamp, sent: signal.Signals) -> None:
    """Sends the signal, and waits for a while until the process is gone."""
    if stamp.runs:
        with suppress(ProcessLookupError):
            os.kill(stamp.pid, sent)
    deadline = time.monotonic() + PATIENCE
    while stamp.runs and time.monotonic() < deadline:
        time.sleep(_POLL)
    with suppress(ChildProcessError):
        os.waitpid(stamp.pid, os.WNOHANG)
