"""How late an event loop comes to what is due."""

from __future__ import annotations

import asyncio
import time
from array import array
from collections.abc import Coroutine
from typing import Any, Final

_NAP: Final = 0.005
_RUN: Final = asyncio.run


class Watch:
    """A task that sleeps 5 ms, again and again, beside some work in the same loop."""

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
        """Milliseconds: p50, p99, max; empty where it never slept."""
        ordered = sorted(self.lateness)
        if not ordered:
            return []
        return [1000 * ordered[min(len(ordered) - 1, int(len(ordered) * part))] for part in (0.5, 0.99, 1.0)]
