"""Work on chunks: one is got ahead, nobody waits at the end of one, and the first error ends everything."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence

import pytest

from usher.engine.concurrency import for_each_of_chunks


class Chunks:
    """Gives its chunks, and tells how many were asked for and whether it was closed."""

    def __init__(self, *chunks: Sequence[int], error: Exception | None = None) -> None:
        self._chunks = chunks
        self._error = error
        self.given = 0
        self.closed = False

    async def get(self) -> AsyncGenerator[Sequence[int], None]:
        try:
            for chunk in self._chunks:
                await asyncio.sleep(0)
                self.given += 1
                yield chunk
            if self._error is not None:
                raise self._error
        finally:
            self.closed = True


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def test_every_item_of_every_chunk_is_worked_on_once() -> None:
    done: list[int] = []

    async def work(item: int) -> None:
        await asyncio.sleep(0)
        done.append(item)

    chunks = Chunks([1, 2, 3], [], [4], [5, 6])
    await for_each_of_chunks(chunks.get(), work, 4)

    assert sorted(done) == [1, 2, 3, 4, 5, 6]
    assert chunks.closed


async def test_one_chunk_is_got_ahead_and_no_more() -> None:
    chunks, go_on = Chunks([1], [2], [3]), asyncio.Event()

    async def work(_: int) -> None:
        await go_on.wait()

    running = asyncio.create_task(for_each_of_chunks(chunks.get(), work, 1))
    await settle()
    assert chunks.given == 2
    go_on.set()
    await running
    assert chunks.given == 3


async def test_the_last_item_of_a_chunk_holds_up_none_of_the_next() -> None:
    slow, done = asyncio.Event(), list[int]()

    async def work(item: int) -> None:
        if item == 1:
            await slow.wait()
        done.append(item)

    running = asyncio.create_task(for_each_of_chunks(Chunks([1, 2], [3, 4], [5]).get(), work, 2))
    await settle()
    assert done == [2, 3, 4, 5]
    slow.set()
    await running


async def test_no_more_items_are_worked_on_at_a_time_than_the_limit() -> None:
    running, most = 0, 0

    async def work(_: int) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1

    await for_each_of_chunks(Chunks([1, 2], [3, 4, 5], [6]).get(), work, 3)

    assert most == 3


async def test_the_first_error_of_an_item_ends_the_rest_and_the_chunks() -> None:
    done: list[int] = []

    async def work(item: int) -> None:
        if item == 2:
            raise LookupError
        await asyncio.sleep(0)
        done.append(item)

    chunks = Chunks([1, 2], [3], [4])
    with pytest.raises(LookupError):
        await for_each_of_chunks(chunks.get(), work, 1)

    assert done == [1]
    assert chunks.closed


async def test_a_chunk_that_cannot_be_got_ends_with_its_error() -> None:
    done: list[int] = []

    async def work(item: int) -> None:
        done.append(item)

    with pytest.raises(LookupError):
        await for_each_of_chunks(Chunks([1, 2], error=LookupError()).get(), work, 2)

    assert done == [1, 2]


async def test_whoever_is_cancelled_leaves_nothing_running() -> None:
    chunks = Chunks([1], [2], [3])

    async def work(_: int) -> None:
        await asyncio.Event().wait()

    running = asyncio.create_task(for_each_of_chunks(chunks.get(), work, 2))
    await settle()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    assert chunks.closed
    assert asyncio.all_tasks() == {asyncio.current_task()}
