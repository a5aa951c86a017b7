"""Work on chunks: one is got ahead, one is written behind, and the first error ends everything."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from functools import partial

import pytest

from usher.engine.concurrency import for_each_of_chunks, one_ahead, writing_behind


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


# --- reads ahead, writes behind ---------------------------------------------------------------------------------------


async def test_the_next_is_got_while_there_is_work_on_the_one_before() -> None:
    chunks = Chunks([1], [2], [3])
    seen: list[tuple[Sequence[int], int]] = []

    async with aclosing(one_ahead(chunks.get())) as ahead:
        async for chunk in ahead:
            await settle()
            seen.append((chunk, chunks.given))

    assert seen == [([1], 2), ([2], 3), ([3], 3)]
    assert chunks.closed


async def test_whoever_stops_asking_leaves_nothing_running() -> None:
    chunks = Chunks([1], [2], [3])

    async with aclosing(one_ahead(chunks.get())) as ahead:
        async for _ in ahead:
            break

    assert chunks.closed
    assert asyncio.all_tasks() == {asyncio.current_task()}


class Writes:
    """Writes that end when they are let, in the order in which they began."""

    def __init__(self) -> None:
        self.begun: list[int] = []
        self.done: list[int] = []
        self.go_on = asyncio.Event()
        self.error: Exception | None = None

    async def write(self, number: int) -> None:
        self.begun.append(number)
        await self.go_on.wait()
        if self.error is not None:
            raise self.error
        self.done.append(number)


async def test_one_write_runs_behind_and_the_next_waits_for_it() -> None:
    writes = Writes()
    async with writing_behind() as behind:
        await behind.start(partial(writes.write, 1))
        waiting = asyncio.create_task(behind.start(partial(writes.write, 2)))
        await settle()
        assert (writes.begun, writes.done, waiting.done()) == ([1], [], False)
        writes.go_on.set()
        await waiting

    assert writes.done == [1, 2]


async def test_what_became_of_a_write_is_told_to_the_next_or_at_the_end() -> None:
    writes = Writes()
    writes.error = LookupError()
    writes.go_on.set()

    async def write(*numbers: int) -> None:
        async with writing_behind() as behind:
            for number in numbers:
                await behind.start(partial(writes.write, number))

    with pytest.raises(LookupError):
        await write(1)
    with pytest.raises(LookupError):
        await write(2, 3)

    assert writes.begun == [1, 2]


async def test_an_error_elsewhere_leaves_no_write_running() -> None:
    writes = Writes()
    writes.go_on.set()

    async def fail() -> None:
        async with writing_behind() as behind:
            await behind.start(partial(writes.write, 1))
            raise KeyError

    with pytest.raises(KeyError):
        await fail()

    assert writes.done == [1]
    assert asyncio.all_tasks() == {asyncio.current_task()}
