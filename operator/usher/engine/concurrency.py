"""Work on many items with a bounded number in flight."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
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
    async with aclosing(one_ahead(chunks)) as ready:
        supply = _Supply(ready)

        async def worker() -> None:
            while True:
                items = supply.items
                for item in items:
                    await work(item)
                if not await supply.go_on_from(items):
                    return

        await _run_workers(worker, limit)


def in_chunks(items: Sequence[ItemT], size: int) -> Iterator[Sequence[ItemT]]:
    """The items in their order, at most `size` at a time."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


async def one_ahead(source: AsyncGenerator[ItemT, None]) -> AsyncGenerator[ItemT, None]:
    """The same items; the next one is got while there is work on the one before."""

    async def get() -> tuple[ItemT] | None:
        async for item in source:
            return (item,)
        return None

    async with aclosing(source):
        ahead = asyncio.create_task(get())
        try:
            while (item := await ahead) is not None:
                ahead = asyncio.create_task(get())
                yield item[0]
        finally:
            ahead.cancel()
            await asyncio.wait([ahead])
            if not ahead.cancelled():
                ahead.exception()  # nobody asks for it any more


class Behind:
    """Writes that run while what comes after them is prepared: one at a time, in their order."""

    def __init__(self) -> None:
        self._running: asyncio.Task[None] | None = None

    async def start(self, write: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Returns when it has begun: when the one before has ended. Raises what became of that one."""
        await self.finish()
        self._running = asyncio.create_task(write())

    async def finish(self) -> None:
        """Waits for the last one, and raises what became of it."""
        running, self._running = self._running, None
        if running is not None:
            await running


@asynccontextmanager
async def writing_behind() -> AsyncIterator[Behind]:
    """When it is left in good order, everything is written; after an error, nothing is running any more."""
    behind = Behind()
    try:
        yield behind
        await behind.finish()
    except BaseException:
        with suppress(Exception):
            await behind.finish()
        raise


class _Supply(Generic[ItemT]):
    """Items of chunks that are shared out."""

    def __init__(self, chunks: AsyncGenerator[Sequence[ItemT], None]) -> None:
        self.items: Iterator[ItemT] = iter(())
        self._chunks = chunks
        self._turn = asyncio.Lock()

    async def go_on_from(self, ended: Iterator[ItemT]) -> bool:
        """Whether `items` are others than those that ended: somebody else may have put them there meanwhile."""
        async with self._turn:
            if self.items is ended:
                chunk = await anext(self._chunks, None)
                if chunk is None:
                    return False
                self.items = iter(chunk)
            return True


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
