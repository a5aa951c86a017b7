"""How fast one origin is asked: requests in flight, requests a second, and when not at all.

Every request of a client passes here, so that no target can forget it. The number in flight goes down by itself where
the origin asks for patience or becomes slow, at once and by a half or a quarter, and comes back one by one.
"""

from __future__ import annotations

from asyncio import Future, get_running_loop
from collections import deque
from dataclasses import dataclass
from typing import Final

from usher.contracts.runtime import Runtime

HALVED: Final = 0.5
EASED: Final = 0.75
ANSWERS_FOR_ONE_MORE: Final = 4
"""So many answers a request in flight let one more be in flight: from one to sixteen it takes 480."""
SLOW: Final = 1.0
"""Seconds: a mean time below is never too slow."""
SLOWER: Final = 3.0
"""So many times slower than at its best is too slow."""
_WEIGHT: Final = 0.1
"""Of the newest answer in the mean."""
_FORGOTTEN: Final = 0.01
"""So much of the best is forgotten with each answer: an origin that stays slow is not slow because of us."""
_ROUNDING: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Limits:
    """Requests in flight at the most, and requests a second (0: as many as there are)."""

    in_flight: int = 16
    a_second: float = 0.0


class Pace:
    """Shared by all requests to one origin."""

    def __init__(self, limits: Limits, runtime: Runtime) -> None:
        self._limits, self._runtime = limits, runtime
        self._room = float(limits.in_flight)
        self._in_flight = 0
        self._waiting: deque[Future[None]] = deque()
        self._next = float("-inf")
        self._resume = float("-inf")
        self._changed = float("-inf")
        self._mean = self._best = 0.0

    @property
    def room(self) -> int:
        """How many requests may be in flight now."""
        return int(self._room + _ROUNDING)

    async def begin(self) -> float:
        """Returns, with the time, when a request may go out. Each `begin` needs its `end`."""
        if self._in_flight >= self.room or self._waiting:
            await self._wait_for_room()
        else:
            self._in_flight += 1
        try:
            while (start := max(self._next, self._resume)) > (now := self._runtime.monotonic()):
                await self._runtime.sleep(start - now)
        except BaseException:
            self.end()
            raise
        if self._limits.a_second:
            self._next = max(now, self._next) + 1 / self._limits.a_second
        return now

    def end(self) -> None:
        """The request is over, whatever came of it."""
        self._in_flight -= 1
        self._let_in()

    def answered(self, began: float) -> None:
        """A request that went out then has its answer, or is given up; one that took long makes room for fewer."""
        now = self._runtime.monotonic()
        took = now - began
        self._mean += (took - self._mean) * (_WEIGHT if self._mean else 1.0)
        better = not self._best or self._mean < self._best
        self._best += (self._mean - self._best) * (1.0 if better else _FORGOTTEN)
        if self._mean > max(SLOW, SLOWER * self._best):
            self._lower(EASED, began, now)
        elif self._room < self._limits.in_flight:
            grown = self._room + 1 / (ANSWERS_FOR_ONE_MORE * self.room)
            self._room = min(float(self._limits.in_flight), grown)

    def refused(self, began: float, retry_after: float | None) -> None:
        """The origin asked for patience: nothing goes out before `retry_after` seconds are over, if it named a time."""
        now = self._runtime.monotonic()
        if retry_after is not None:
            self._resume = max(self._resume, now + retry_after)
        self._lower(HALVED, began, now)

    def _lower(self, share: float, began: float, now: float) -> None:
        """Once for all requests that were in flight together: what went out before the last change says nothing."""
        if began >= self._changed:
            self._room, self._changed = max(1.0, self._room * share), now

    async def _wait_for_room(self) -> None:
        turn: Future[None] = get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except BaseException:
            if turn.cancelled():
                self._waiting.remove(turn)
            else:  # it was our turn already
                self.end()
            raise

    def _let_in(self) -> None:
        while self._waiting and self._in_flight < self.room:
            turn = self._waiting.popleft()
            self._in_flight += 1
            turn.set_result(None)
