from __future__ import annotations

import asyncio

import pytest

from usher.testing.clock import EPOCH, FakeClock, fake_runtime


async def test_the_clock_stands_still_until_somebody_sleeps() -> None:
    clock = FakeClock()
    assert clock.now() == EPOCH
    await clock.sleep(90)
    assert (clock.now() - EPOCH).total_seconds() == clock.monotonic() == 90
    assert clock.slept == [90]


async def test_sleepers_side_by_side_take_the_time_of_the_longest() -> None:
    clock = FakeClock()
    await asyncio.gather(*(clock.sleep(5) for _ in range(10)))
    assert clock.monotonic() == 5


async def test_sleepers_wake_in_the_order_of_their_due_times() -> None:
    clock = FakeClock()
    woken: list[tuple[float, float]] = []

    async def nap(seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append((seconds, clock.monotonic()))

    await asyncio.gather(nap(30), nap(10), nap(20))
    assert woken == [(10, 10), (20, 20), (30, 30)]


async def test_a_cancelled_sleeper_holds_nobody_up() -> None:
    clock = FakeClock()
    first = asyncio.create_task(clock.sleep(1))
    second = asyncio.create_task(clock.sleep(2))
    await asyncio.sleep(0)
    first.cancel()
    await second
    with pytest.raises(asyncio.CancelledError):
        await first
    assert clock.monotonic() == 2


def test_equal_seeds_give_equal_chance() -> None:
    assert fake_runtime(7).random.random() == fake_runtime(7).random.random() != fake_runtime(8).random.random()
