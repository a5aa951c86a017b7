"""What runs beside the workers: reads and cycles, at most one a key, and so many at once in all."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from usher.kube.objects import ObjectKey

AT_ONCE: Final = 8


class Runs:
    """Runs one piece of work a key, then wakes the key. The work does not raise."""

    def __init__(self, wake: Callable[[ObjectKey], None], at_once: int = AT_ONCE) -> None:
        self._wake = wake
        self._slots = asyncio.Semaphore(at_once)
        self._tasks: dict[ObjectKey, asyncio.Task[None]] = {}

    def __contains__(self, key: ObjectKey) -> bool:
        return key in self._tasks

    @property
    def count(self) -> int:
        """How many run or wait for their turn."""
        return len(self._tasks)

    def start(self, key: ObjectKey, work: Callable[[], Awaitable[None]]) -> None:
        """Starts the work of a key for which none runs."""
        self._tasks[key] = asyncio.get_running_loop().create_task(self._run(key, work), name=f"run {key}")

    async def _run(self, key: ObjectKey, work: Callable[[], Awaitable[None]]) -> None:
        try:
            async with self._slots:
                await work()
        finally:
            del self._tasks[key]
            self._wake(key)

    async def finish(self, grace: float) -> None:
        """Waits for all of it, for `grace` seconds; what has not ended by then is cancelled."""
        tasks = list(self._tasks.values())
        if not tasks:
            return
        _, late = await asyncio.wait(tasks, timeout=grace)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
