"""The queue under the reconciles."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from usher.kube.objects import Kind, ObjectKey
from usher.kube.workqueue import WorkQueue
from usher.testing.clock import FakeClock, fake_runtime


def key(name: str) -> ObjectKey:
    return ObjectKey(Kind.CONNECTOR, "identity", name)


class Work:
    """Reconciles that last until they are released."""

    def __init__(self) -> None:
        self.started: list[str] = []
        self.running: set[str] = set()
        self.gate = asyncio.Semaphore(0)

    async def reconcile(self, one: ObjectKey) -> None:
        assert one.name not in self.running
        self.running.add(one.name)
        self.started.append(one.name)
        await self.gate.acquire()
        self.running.discard(one.name)

    async def release(self, count: int = 1) -> None:
        for _ in range(count):
            self.gate.release()
        await settle()


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


@asynccontextmanager
async def workers(queue: WorkQueue, work: Work, count: int) -> AsyncIterator[None]:
    tasks = [asyncio.ensure_future(queue.work(work.reconcile)) for _ in range(count)]
    await settle()
    yield
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_key_that_waits_already_waits_once() -> None:
    queue, work = WorkQueue(fake_runtime()), Work()
    for name in ("a", "b", "a"):
        queue.put(key(name))

    async with workers(queue, work, 1):
        await work.release(5)

    assert work.started == ["a", "b"]
    assert queue.adds == 2


async def test_a_key_that_comes_while_it_is_worked_on_is_worked_on_once_more_and_not_at_the_same_time() -> None:
    queue, work = WorkQueue(fake_runtime()), Work()
    queue.put(key("a"))

    async with workers(queue, work, 2):
        queue.put(key("a"))
        queue.put(key("a"))
        await settle()
        assert work.started == ["a"]
        assert not queue.idle
        await work.release(2)

    assert work.started == ["a", "a"]
    assert queue.idle


async def test_keys_are_worked_on_side_by_side() -> None:
    queue, work = WorkQueue(fake_runtime()), Work()
    for name in ("a", "b", "c"):
        queue.put(key(name))

    async with workers(queue, work, 2):
        assert work.running == {"a", "b"}
        assert queue.depth == 1
        await work.release(3)

    assert work.started == ["a", "b", "c"]


async def test_the_age_of_the_oldest_key_is_known() -> None:
    clock = FakeClock()
    queue = WorkQueue(fake_runtime(clock=clock))
    assert queue.oldest == 0

    queue.put(key("a"))
    clock.advance(3)
    queue.put(key("b"))

    assert queue.oldest == 3
