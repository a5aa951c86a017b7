"""A queue of keys: each waits at most once, and is worked on by one worker at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from usher.contracts.runtime import Runtime
from usher.kube.objects import ObjectKey

WORKERS: Final = 8


class WorkQueue:
    """Keys in the order in which they came. One that comes while it is worked on is worked on once more afterwards."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._since: dict[ObjectKey, float] = {}
        self._active: set[ObjectKey] = set()
        self._ready: asyncio.Queue[ObjectKey] = asyncio.Queue()
        self.adds = 0

    @property
    def depth(self) -> int:
        """How many keys wait."""
        return len(self._since)

    @property
    def idle(self) -> bool:
        """Nothing waits and nothing is worked on."""
        return not self._since and not self._active

    @property
    def oldest(self) -> float:
        """For how many seconds the key that has waited longest has."""
        first = next(iter(self._since.values()), None)
        return 0.0 if first is None else self._runtime.monotonic() - first

    def put(self, key: ObjectKey) -> None:
        """The key shall be worked on."""
        if key in self._since:
            return
        self.adds += 1
        self._since[key] = self._runtime.monotonic()
        if key not in self._active:
            self._ready.put_nowait(key)

    async def work(self, reconcile: Callable[[ObjectKey], Awaitable[None]]) -> None:
        """Works for ever; run several of these. `reconcile` does not raise."""
        while True:
            key = await self._ready.get()
            del self._since[key]
            self._active.add(key)
            try:
                await reconcile(key)
            finally:
                self._active.discard(key)
                if key in self._since:
                    self._ready.put_nowait(key)
