"""A loop that has nothing to do until standard input ends: how late it is all the same is the machine's doing.

python -m bench.drivers.idle_loop

Its last line is JSON: lag, milliseconds as in usher_sync.
"""

from __future__ import annotations

import asyncio
import json
import sys

from bench.watch import Watch


def main() -> None:
    """Runs it and tells."""
    watch = Watch()
    watch.run(asyncio.to_thread(sys.stdin.read))
    print(json.dumps({"lag": watch.told()}))  # noqa: T201 - what a driver prints is its result


if __name__ == "__main__":
    main()
