"""Time and chance that a test owns."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from itertools import count
from random import Random
from typing import Final

from usher.contracts.runtime import Runtime
from usher.core.expressions.signatures import Surroundings

EPOCH: Final = datetime(2026, 1, 1, tzinfo=UTC)


def fake_surroundings(default_domain: str = "example.com") -> Surroundings:
    """What expressions may ask: it is always `EPOCH`, and chance takes the same turns each time."""
    return Surroundings(lambda: EPOCH, Random(0), default_domain)  # noqa: S311 - a test wants to know what comes


class FakeClock:
    """A clock that stands still until somebody sleeps or a test moves it.

    Tasks that sleep at the same time wake in the order of their due times, each at its due time: ten tasks that sleep
    five seconds side by side take five seconds, not fifty. `slept` holds every duration asked for, in order.
    """

    def __init__(self, start: datetime = EPOCH) -> None:
        self._start = start
        self._elapsed = 0.0
        self._sleepers: list[tuple[float, int]] = []
        self._cancelled: set[int] = set()
        self._tickets = count()
        self.slept: list[float] = []

    def now(self) -> datetime:
        """The time of day, aware, in UTC."""
        return self._start + timedelta(seconds=self._elapsed)

    def monotonic(self) -> float:
        """Seconds since the clock was made."""
        return self._elapsed

    def advance(self, seconds: float) -> None:
        """Moves the clock without anybody sleeping."""
        self._elapsed += seconds

    async def sleep(self, seconds: float) -> None:
        """Lets every other task run, then moves the clock to the end of this sleep, once no other one ends earlier."""
        self.slept.append(seconds)
        ticket = next(self._tickets)
        due = self._elapsed + max(seconds, 0.0)
        heappush(self._sleepers, (due, ticket))
        try:
            await asyncio.sleep(0)
            while not self._is_next(ticket):  # noqa: ASYNC110 - an event would need a task that fires it
                await asyncio.sleep(0)
        except BaseException:
            self._cancelled.add(ticket)
            raise
        heappop(self._sleepers)
        self._elapsed = max(self._elapsed, due)

    def _is_next(self, ticket: int) -> bool:
        while self._sleepers[0][1] in self._cancelled:
            self._cancelled.discard(heappop(self._sleepers)[1])
        return self._sleepers[0][1] == ticket


def real_runtime(seed: int = 0) -> Runtime:
    """A runtime on the machine's own clock with seeded randomness."""
    return Runtime(
        now=lambda: datetime.now(UTC),
        monotonic=time.monotonic,
        sleep=asyncio.sleep,
        random=Random(seed),  # noqa: S311 - a test has to repeat, not to be secret
    )


def fake_runtime(seed: int = 0, clock: FakeClock | None = None) -> Runtime:
    """A runtime on a fake clock (its own, unless one is given) with seeded randomness."""
    own = FakeClock() if clock is None else clock
    return Runtime(now=own.now, monotonic=own.monotonic, sleep=own.sleep, random=Random(seed))  # noqa: S311 - it must repeat
