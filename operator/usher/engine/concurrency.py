"""Work on many items with a bounded number in flight."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Iterable, Iterator, Sequence
from contextlib import aclosing
from typing import Any, Generic, TypeVar

ItemT = TypeVar("ItemT")


async def for_each(items: Iterable[ItemT], work: Callable[[ItemT], Awaitable[None]], limit: int) -> None:
    """Calls `work` for every item, at most `limit` at a time. The first error ends the rest and is raised as it is."""
    remaining = iter(items)

    async def worker() -> None:
        for item in remaining:
            await work(item)

    await _run_workers(worker, limit)


async def for_each_of_chunks(
    chunks: AsyncGenerator[Sequence[ItemT], None], work: Callable[[ItemT], Awaitable[None]], limit: int
) -> None:
    """As `for_each`, for the items of all chunks. A chunk is got while there is work on the one before it."""
    async with aclosing(chunks):
        supply = _Supply(chunks)

        async def worker() -> None:
            while True:
                items = supply.items
                for item in items:
                    await work(item)
                if not await supply.go_on_from(items):
                    return

        try:
            await _run_workers(worker, limit)
        finally:
            await supply.close()


class _Supply(Generic[ItemT]):
    """Items that are shared out, and one chunk of them ahead."""

    def __init__(self, chunks: AsyncGenerator[Sequence[ItemT], None]) -> None:
        self.items: Iterator[ItemT] = iter(())
        self._chunks = chunks
        self._turn = asyncio.Lock()
        self._ahead = asyncio.create_task(self._get())

    async def go_on_from(self, ended: Iterator[ItemT]) -> bool:
        """Whether `items` are others than those that ended: somebody else may have put them there meanwhile."""
        async with self._turn:
            if self.items is ended:
                chunk = await self._ahead
                if chunk is None:
                    return False
                self.items = iter(chunk)
                self._ahead = asyncio.create_task(self._get())
            return True

    async def close(self) -> None:
        """Gives up the chunk ahead."""
        self._ahead.cancel()
        await asyncio.wait([self._ahead])
        if not self._ahead.cancelled():
            self._ahead.exception()  # a worker has raised it, or everything ends for another reason

    async def _get(self) -> Sequence[ItemT] | None:
        return await anext(self._chunks, None)


async def _run_workers(worker: Callable[[], Coroutine[Any, Any, None]], limit: int) -> None:
    try:
        async with asyncio.TaskGroup() as tasks:
            for _ in range(limit):
                tasks.create_task(worker())
    except BaseExceptionGroup as group:
        raise _first(group) from None


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
