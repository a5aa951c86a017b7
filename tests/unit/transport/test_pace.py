"""How fast one origin is asked: it goes down at once, comes back slowly, and never before a Retry-After has passed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from usher.testing.clock import FakeClock, fake_runtime
from usher.transport.pace import ANSWERS_FOR_ONE_MORE, Limits, Pace

Answer = Callable[[Pace, float], None]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def make_pace(clock: FakeClock, in_flight: int = 16, a_second: float = 0.0) -> Pace:
    return Pace(Limits(in_flight, a_second), fake_runtime(0, clock))


async def send(pace: Pace, clock: FakeClock, took: float = 0.1) -> float:
    """One request that is answered after so many seconds; when it went out."""
    began = await pace.begin()
    clock.advance(took)
    pace.answered(began)
    pace.end()
    return began


async def refuse(pace: Pace, retry_after: float | None = None) -> None:
    began = await pace.begin()
    pace.refused(began, retry_after)
    pace.end()


async def test_no_more_requests_are_in_flight_than_there_is_room_for(clock: FakeClock) -> None:
    pace, flying, most = make_pace(clock, in_flight=3), 0, 0

    async def one() -> None:
        nonlocal flying, most
        await pace.begin()
        flying += 1
        most = max(most, flying)
        await asyncio.sleep(0)
        flying -= 1
        pace.end()

    await asyncio.gather(*(one() for _ in range(20)))

    assert most == 3


async def test_whoever_is_cancelled_while_they_wait_takes_nobodys_place(clock: FakeClock) -> None:
    pace = make_pace(clock, in_flight=1)
    await pace.begin()
    early, late = asyncio.create_task(pace.begin()), asyncio.create_task(pace.begin())
    await asyncio.sleep(0)

    early.cancel()
    await asyncio.wait([early])
    pace.end()

    await asyncio.wait_for(late, 1)
    waits = asyncio.create_task(pace.begin())
    await asyncio.sleep(0)
    assert not waits.done()
    waits.cancel()


async def test_whoever_is_cancelled_when_their_turn_has_come_gives_it_on(clock: FakeClock) -> None:
    pace = make_pace(clock, in_flight=1)
    await pace.begin()
    chosen, next_one = asyncio.create_task(pace.begin()), asyncio.create_task(pace.begin())
    await asyncio.sleep(0)

    pace.end()
    chosen.cancel()
    await asyncio.wait([chosen])

    await asyncio.wait_for(next_one, 1)


async def test_requests_a_second_are_spread_evenly_even_after_a_pause(clock: FakeClock) -> None:
    pace = make_pace(clock, a_second=10)
    assert [await send(pace, clock, took=0.0) for _ in range(3)] == pytest.approx([0.0, 0.1, 0.2])

    clock.advance(60)

    assert [await send(pace, clock, took=0.0) for _ in range(3)] == pytest.approx([60.2, 60.3, 60.4])


async def test_nothing_goes_out_before_a_retry_after_has_passed_not_even_what_waited_already(clock: FakeClock) -> None:
    pace = make_pace(clock, a_second=1)
    first = await pace.begin()
    queued = [asyncio.create_task(pace.begin()) for _ in range(3)]
    await asyncio.sleep(0)

    pace.refused(first, retry_after=30.0)

    assert min(await asyncio.gather(*queued)) >= 30.0


async def test_a_429_halves_what_is_in_flight_once_for_all_that_were_in_flight_together(clock: FakeClock) -> None:
    pace = make_pace(clock)
    together = [await pace.begin() for _ in range(16)]
    clock.advance(0.1)

    for began in together:
        pace.refused(began, None)
        pace.end()

    assert pace.room == 8


async def test_it_never_falls_below_one_and_comes_back_one_by_one(clock: FakeClock) -> None:
    pace = make_pace(clock, in_flight=4)
    for _ in range(10):
        clock.advance(1)
        await refuse(pace)
    assert pace.room == 1

    answers = 0
    while pace.room < 2:
        await send(pace, clock)
        answers += 1
    assert answers == ANSWERS_FOR_ONE_MORE
    for _ in range(1000):
        await send(pace, clock)
    assert pace.room == 4


async def test_an_origin_that_becomes_slow_is_asked_less_until_it_is_quick_again(clock: FakeClock) -> None:
    pace = make_pace(clock)
    for _ in range(50):
        await send(pace, clock, took=0.2)
    assert pace.room == 16

    for _ in range(30):
        await send(pace, clock, took=4.0)
    assert pace.room < 8

    for _ in range(1000):
        await send(pace, clock, took=0.2)
    assert pace.room == 16


@pytest.mark.parametrize("took", [0.05, 5.0])
async def test_an_origin_that_always_takes_its_time_is_not_asked_less_for_it(clock: FakeClock, took: float) -> None:
    pace = make_pace(clock)
    for _ in range(200):
        await send(pace, clock, took)
    assert pace.room == 16


async def test_a_quick_origin_may_become_many_times_slower_as_long_as_it_is_quick(clock: FakeClock) -> None:
    pace = make_pace(clock)
    for took in [0.001] * 50 + [0.5] * 50:
        await send(pace, clock, took)
    assert pace.room == 16


async def test_an_origin_that_stays_slow_is_asked_as_before_in_the_end(clock: FakeClock) -> None:
    pace = make_pace(clock)
    for took in [0.3] * 50 + [3.0] * 3000:
        await send(pace, clock, took)
    assert pace.room == 16
