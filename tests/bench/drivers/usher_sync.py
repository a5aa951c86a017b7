"""One `usher sync` in a process of its own: the very command, called after everything is imported.

python -m bench.drivers.usher_sync FOLDER STATE [--watch]

Its last line is JSON:
  seconds, cpu     from before the manifests are read until the last record is saved; CPU of all threads
  process_cpu      the same and the start of the interpreter and all imports
  rss, peak        resident now, and at the most since the process began, in MB of 1,000,000 bytes
  concurrency      requests in flight at the most
  lag              with --watch, milliseconds by which a task that sleeps 5 ms was late: p50, p99, max
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import time
from array import array
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

from usher.cli.main import usher
from usher.targets.scim.settings import ScimSettings

_NAP: Final = 0.005
_RUN: Final = asyncio.run


class Watch:
    """Measures in the loop of a command how late the loop comes to what is due."""

    def __init__(self) -> None:
        self.lateness = array("d")

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Stands in for `asyncio.run`."""
        return _RUN(self._beside(work))

    async def _beside(self, work: Coroutine[Any, Any, Any]) -> Any:
        watching = asyncio.create_task(self._watch())
        try:
            return await work
        finally:
            watching.cancel()

    async def _watch(self) -> None:
        while True:
            due = time.perf_counter() + _NAP
            await asyncio.sleep(_NAP)
            self.lateness.append(time.perf_counter() - due)

    def told(self) -> list[float]:
        """Milliseconds: p50, p99, max."""
        ordered = sorted(self.lateness)
        if not ordered:
            return []
        return [1000 * ordered[min(len(ordered) - 1, int(len(ordered) * part))] for part in (0.5, 0.99, 1.0)]


def main(folder: str, state: str, *options: str) -> int:
    """Runs it and tells; the exit code of the command."""
    watch = Watch()
    runner = watch.run if "--watch" in options else _RUN
    cpu, start = time.process_time(), time.perf_counter()
    with patch.object(asyncio, "run", runner):
        code = usher.main(["sync", "-f", folder, "--state", state], standalone_mode=False)
    seconds, spent = time.perf_counter() - start, time.process_time() - cpu
    used = resource.getrusage(resource.RUSAGE_SELF)
    figures = {
        "seconds": seconds,
        "cpu": spent,
        "process_cpu": used.ru_utime + used.ru_stime,
        "rss": _memory("VmRSS"),
        "peak": _memory("VmHWM"),
        "concurrency": ScimSettings.__dataclass_fields__["connections"].default,
        "lag": watch.told(),
    }
    print(json.dumps(figures))  # noqa: T201 - what a driver prints is its result
    return int(code or 0)


def _memory(name: str) -> float:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith(f"{name}:"))
    return int(line.split()[1]) * 1024 / 1e6


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
