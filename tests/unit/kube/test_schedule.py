"""Due times on a clock that the test owns."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from random import Random

from usher.kube.objects import Kind, ObjectKey
from usher.kube.schedule import Schedule, backoff, spread
from usher.testing.clock import FakeClock, fake_runtime

A, B = (ObjectKey(Kind.CONNECTOR, "identity", name) for name in "ab")


def test_keys_are_due_in_the_order_of_their_times_and_once() -> None:
    clock = FakeClock()
    schedule = Schedule(fake_runtime(clock=clock))
    schedule.at(A, 10)
    schedule.at(B, 5)

    assert schedule.take_due() == []
    clock.advance(10)
    assert schedule.take_due() == [B, A]
    assert schedule.take_due() == []


def test_the_last_word_on_a_key_counts_whether_earlier_or_later() -> None:
    clock = FakeClock()
    schedule = Schedule(fake_runtime(clock=clock))
    schedule.at(A, 10)
    schedule.at(A, 20)
    schedule.at(B, 20)
    schedule.at(B, 10)
    clock.advance(10)

    assert schedule.take_due() == [B]


def test_a_key_that_was_cancelled_is_not_due() -> None:
    clock = FakeClock()
    schedule = Schedule(fake_runtime(clock=clock))
    schedule.at(A, 10)
    schedule.cancel(A)
    clock.advance(10)

    assert schedule.take_due() == []


async def test_a_time_that_is_set_while_it_sleeps_is_kept() -> None:
    clock = FakeClock()
    schedule = Schedule(fake_runtime(clock=clock))
    found: list[tuple[ObjectKey, float]] = []
    task = asyncio.ensure_future(schedule.run(lambda key: found.append((key, clock.monotonic()))))
    await asyncio.sleep(0)

    schedule.at(A, 30)
    schedule.at(B, 5)
    for _ in range(50):
        await asyncio.sleep(0)
    task.cancel()

    assert found == [(B, 5), (A, 30)]


def test_what_began_together_spreads_out_and_is_never_late() -> None:
    random = Random(1)
    delays = [spread(timedelta(seconds=100), random) for _ in range(200)]

    assert 90 <= min(delays) < 92
    assert 98 < max(delays) <= 100


def test_backoff_doubles_up_to_the_interval() -> None:
    random, interval = Random(1), timedelta(seconds=60)
    ranges = [[backoff(failures, interval, random) for _ in range(100)] for failures in (1, 3, 30)]

    assert [max(delays) for delays in ranges] <= [2, 8, 60]
    assert [min(delays) >= bound for delays, bound in zip(ranges, (1, 4, 30), strict=True)] == [True] * 3
