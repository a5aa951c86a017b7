"""Processes in the background, each known by its pid and its start time: a stale record never names another process."""

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

from cluster.places import ClusterError

_END_SECONDS: Final = 10.0
_PROC: Final = Path("/proc/self/stat")


@dataclass(frozen=True, slots=True)
class Stamp:
    """A process: its pid and when it started, in the words of the system."""

    pid: int
    started: str

    @classmethod
    def of(cls, pid: int) -> Stamp | None:
        """None when no such process runs; one that has ended but was not reaped doesn't run."""
        started = _started_by_proc(pid) if _PROC.exists() else _started_by_ps(pid)
        return None if started is None else cls(pid, started)

    @classmethod
    def read(cls, file: Path) -> Stamp | None:
        try:
            pid, _, started = file.read_text(encoding="utf-8").strip().partition(" ")
            return cls(int(pid), started)
        except (FileNotFoundError, ValueError):
            return None

    def write(self, file: Path) -> None:
        file.write_text(f"{self.pid} {self.started}\n", encoding="utf-8")

    @property
    def runs(self) -> bool:
        return Stamp.of(self.pid) == self


@dataclass(frozen=True, slots=True)
class Process:
    """One program of one cluster: `<folder>/<name>.pid` says which process it is, `<name>.log` has what it prints."""

    folder: Path
    name: str

    @property
    def log(self) -> Path:
        return self.folder / f"{self.name}.log"

    @property
    def _record(self) -> Path:
        return self.folder / f"{self.name}.pid"

    @property
    def runs(self) -> bool:
        stamp = Stamp.read(self._record)
        return stamp is not None and stamp.runs

    def start(self, command: Sequence[str]) -> None:
        """Starts it in a session of its own, out of reach of Ctrl-C; of the environment it gets the PATH alone."""
        out = (os.POSIX_SPAWN_OPEN, 1, str(self.log), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        pid = os.posix_spawn(
            command[0],
            list(command),
            {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(self.folder)},
            file_actions=[(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0), out, (os.POSIX_SPAWN_DUP2, 1, 2)],
            setsid=True,
        )
        stamp = Stamp.of(pid)
        if stamp is None:
            raise ClusterError(f"{self.name} ended at once:\n{self.last_words()}")
        stamp.write(self._record)

    def end(self) -> None:
        """Ends it and waits until it is gone. It gets no time to end in order: its state is thrown away."""
        stamp = Stamp.read(self._record)
        if stamp is not None and stamp.runs:
            with suppress(ProcessLookupError):
                os.kill(stamp.pid, signal.SIGKILL)
            deadline = time.monotonic() + _END_SECONDS
            while Stamp.of(stamp.pid) == stamp:
                if time.monotonic() > deadline:
                    raise ClusterError(f"{self.name} (pid {stamp.pid}) does not end")
                time.sleep(0.02)
            with suppress(ChildProcessError):
                os.waitpid(stamp.pid, os.WNOHANG)
        self._record.unlink(missing_ok=True)

    def last_words(self) -> str:
        """The end of its log."""
        with suppress(FileNotFoundError):
            return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-15:])
        return ""


def _started_by_proc(pid: int) -> str | None:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in {"Z", "X"} else fields[19]


def _started_by_ps(pid: int) -> str | None:
    shown = subprocess.run(
        ["ps", "-o", "stat=,lstart=", "-p", str(pid)],
        capture_output=True,
        text=True,
        check=False,
        env={"LC_ALL": "C", "TZ": "UTC", "PATH": os.defpath},
    )
    state, _, started = shown.stdout.strip().partition(" ")
    return None if not state or state.startswith("Z") else started.strip()
