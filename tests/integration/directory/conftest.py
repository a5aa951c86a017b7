"""What tests of connections to a directory are held to: nothing of them stays."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest


def sockets() -> int:
    """How many this process has open."""
    count = 0
    for descriptor in Path("/proc/self/fd").iterdir():
        with suppress(OSError):  # the one by which the folder is read
            count += str(descriptor.readlink()).startswith("socket:")
    return count


@pytest.fixture
async def nothing_stays() -> AsyncIterator[None]:
    """Sockets, tasks and threads are as before; what a directory at the other end still closes has a second for it."""
    before, tasks = sockets(), asyncio.all_tasks()
    yield
    gc.collect()
    for _ in range(100):
        threads = [thread.name for thread in threading.enumerate() if thread.name.startswith("usher-ldap")]
        left = asyncio.all_tasks() - tasks - {asyncio.current_task()}
        if (sockets(), threads, left) == (before, [], set()):
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"{sockets() - before} sockets, threads {threads} and tasks {left} stayed")
