"""One `usher sync` in a process of its own: the very command, called after everything is imported.

python -m bench.drivers.usher_sync FOLDER STATE [--watch]

Its last line is JSON:
  began            when it began, seconds since 1970
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
from pathlib import Path
from unittest.mock import patch

from bench.watch import Watch
from usher.cli.main import usher
from usher.targets.scim.settings import ScimSettings


def main(folder: str, state: str, *options: str) -> int:
    """Runs it and tells; the exit code of the command."""
    watch = Watch()
    runner = watch.run if "--watch" in options else asyncio.run
    began, cpu, start = time.time(), time.process_time(), time.perf_counter()
    with patch.object(asyncio, "run", runner):
        code = usher.main(["sync", "-f", folder, "--state", state], standalone_mode=False)
    seconds, spent = time.perf_counter() - start, time.process_time() - cpu
    used = resource.getrusage(resource.RUSAGE_SELF)
    figures = {
        "began": began,
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
