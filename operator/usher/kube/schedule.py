"""Due times: a heap of keys, each with one time at which it is put into the queue."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from heapq import heappop, heappush
from random import Random
from typing import Any, Final

from usher.contracts.runtime import Runtime
from usher.kube.objects import ObjectKey

EARLIEST_SHARE: Final = 0.9
"""A delay is cut at random to between this share of it and the whole, so that what began together spreads out."""


class Schedule:
    """One due time a key, in seconds of the runtime's monotonic clock; the last word on a key counts."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._heap: list[tuple[float, ObjectKey]] = []
        self._due: dict[ObjectKey, float] = {}
        self._changed = asyncio.Event()

    def at(self, key: ObjectKey, due: float) -> None:
        """The key is due at this time."""
        if self._due.get(key) == due:
            return
        self._due[key] = due
        heappush(self._heap, (due, key))
        self._changed.set()

    def cancel(self, key: ObjectKey) -> None:
        """The key is due no more."""
        self._due.pop(key, None)

    def take_due(self) -> list[ObjectKey]:
        """The keys whose time has come, in the order of their times; they are due no more."""
        now, found = self._runtime.monotonic(), []
        while self._heap and self._heap[0][0] <= now:
            due, key = heappop(self._heap)
            if self._due.get(key) == due:
                del self._due[key]
                found.append(key)
        return found

    async def run(self, put: Callable[[ObjectKey], None]) -> None:
        """Puts every key when it is due, for ever."""
        while True:
            self._changed.clear()
            for key in self.take_due():
                put(key)
            waiting: list[asyncio.Future[Any]] = [asyncio.ensure_future(self._changed.wait())]
            if self._heap:
                waiting.append(asyncio.ensure_future(self._sleep_until(self._heap[0][0])))
            try:
                await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in waiting:
                    task.cancel()

    async def _sleep_until(self, due: float) -> None:
        await self._runtime.sleep(max(0.0, due - self._runtime.monotonic()))


def spread(delay: timedelta, random: Random) -> float:
    """Seconds until the next time of something that is due at the latest after `delay`."""
    return delay.total_seconds() * random.uniform(EARLIEST_SHARE, 1.0)


def backoff(failures: int, interval: timedelta, random: Random) -> float:
    """Seconds until the next attempt after so many failures in a row: doubling, jittered, never beyond the interval."""
    bound: float = min(interval.total_seconds(), 2.0 ** min(failures, 20))
    return bound * random.uniform(0.5, 1.0)
