"""What is sent again, when, and what makes a cycle give up."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

import pytest

from usher.contracts.permits import FOR_EVER, is_permitted
from usher.core.errors import CycleError, NotSent, OutcomeUnknown, Overdue, ResourceError, Throttled, UsherError
from usher.engine.concurrency import for_each
from usher.engine.retry import Retrier, RetryPolicy
from usher.testing.clock import FakeClock, fake_runtime

POLICY = RetryPolicy(attempts=3, give_up=2)
LOST = NotSent("lost")
UNKNOWN = OutcomeUnknown("no answer")
REFUSED = ResourceError("refused", reason="UnprocessableEntity")


class Target:
    """Fails as the script says, one word a request, then answers."""

    def __init__(self, clock: FakeClock, script: Sequence[UsherError | None] = ()) -> None:
        self._clock = clock
        self._script = list(script)
        self.asked_at: list[float] = []

    async def ask(self) -> str:
        self.asked_at.append(self._clock.monotonic())
        await asyncio.sleep(0)
        error = self._script.pop(0) if self._script else None
        if error is not None:
            raise error
        return "answer"


Send = Callable[[Retrier, Target], Awaitable[str]]


async def write(retrier: Retrier, target: Target) -> str:
    return await retrier.write(target.ask)


async def read(retrier: Retrier, target: Target) -> str:
    return await retrier.read(target.ask)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def retrier(clock: FakeClock) -> Retrier:
    return Retrier(fake_runtime(1, clock), POLICY)


@pytest.mark.parametrize(("send", "error"), [(write, LOST), (read, LOST), (read, UNKNOWN)])
async def test_what_had_no_effect_is_sent_again_after_a_pause(
    send: Send, error: UsherError, retrier: Retrier, clock: FakeClock
) -> None:
    target = Target(clock, [error, error])

    assert await send(retrier, target) == "answer"

    assert len(target.asked_at) == 3
    assert sorted(set(target.asked_at)) == target.asked_at


async def test_a_write_of_unknown_end_is_sent_once_and_slows_down_the_next_request(
    retrier: Retrier, clock: FakeClock
) -> None:
    target = Target(clock, [UNKNOWN])

    with pytest.raises(OutcomeUnknown):
        await retrier.write(target.ask)
    assert len(target.asked_at) == 1

    await retrier.read(target.ask)
    assert target.asked_at[1] > target.asked_at[0]


async def test_nobody_asks_before_the_retry_after_of_an_unknown_write_has_passed(
    retrier: Retrier, clock: FakeClock
) -> None:
    target = Target(clock, [OutcomeUnknown("away", retry_after=30.0)])

    with pytest.raises(OutcomeUnknown):
        await retrier.write(target.ask)
    await retrier.read(target.ask)

    assert target.asked_at == [0.0, 30.0]


async def test_one_throttled_request_holds_back_all_others(retrier: Retrier, clock: FakeClock) -> None:
    throttled, other = Target(clock, [Throttled("slowly", retry_after=60.0)]), Target(clock)

    async def send(target: Target) -> None:
        while target is other and clock.slept == []:  # noqa: ASYNC110 - until the other one waits
            await asyncio.sleep(0)
        await retrier.write(target.ask)

    await for_each([throttled, other], send, 2)

    assert throttled.asked_at[0] == 0.0
    assert min(*throttled.asked_at[1:], *other.asked_at) >= 60.0


async def test_a_retry_after_of_the_last_attempt_holds_back_the_next_request(
    retrier: Retrier, clock: FakeClock
) -> None:
    target = Target(clock, [LOST, LOST, Throttled("slowly", retry_after=60.0)])

    with pytest.raises(Throttled):
        await retrier.write(target.ask)
    await retrier.write(target.ask)

    assert target.asked_at[3] >= target.asked_at[2] + 60.0


@pytest.mark.parametrize("send", [write, read])
@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (Throttled("fewer requests", retry_after=3600.0), "TooManyRequests"),
        (Throttled("away", retry_after=3600.0, reason="TargetUnreachable"), "TargetUnreachable"),
        (OutcomeUnknown("away", retry_after=3600.0), "TargetUnreachable"),
    ],
)
async def test_a_retry_after_beyond_patience_ends_the_cycle_and_says_when_to_come_back(
    send: Send, error: UsherError, reason: str, retrier: Retrier, clock: FakeClock
) -> None:
    target = Target(clock, [error])

    with pytest.raises(CycleError, match="come back at 2026-01-01T01:00:00Z") as caught:
        await send(retrier, target)

    assert caught.value.reason == reason


async def test_after_a_retry_after_beyond_patience_nobody_asks_any_more(retrier: Retrier, clock: FakeClock) -> None:
    target = Target(clock, [Throttled("later", retry_after=3600.0)])

    async def send(_: int) -> None:
        await retrier.write(target.ask)

    with pytest.raises(CycleError):
        await for_each(range(40), send, 4)
    with pytest.raises(CycleError):
        await retrier.read(target.ask)

    assert len(target.asked_at) <= 4
    assert clock.monotonic() == 0.0


@pytest.mark.parametrize(("send", "error", "sent"), [(write, LOST, 6), (read, UNKNOWN, 6), (write, UNKNOWN, 6)])
async def test_a_target_that_leaves_request_after_request_unanswered_is_unreachable(
    send: Send, error: UsherError, sent: int, retrier: Retrier, clock: FakeClock
) -> None:
    target = Target(clock, [error] * 20)

    async def send_until_the_end() -> None:
        while True:
            with suppress(NotSent, OutcomeUnknown):
                await send(retrier, target)

    with pytest.raises(CycleError) as caught:
        await send_until_the_end()

    assert caught.value.reason == "TargetUnreachable"
    assert len(target.asked_at) == sent


async def test_queries_that_are_answered_do_not_hide_that_no_write_is(retrier: Retrier, clock: FakeClock) -> None:
    writes, reads = Target(clock, [UNKNOWN] * 20), Target(clock)

    for _ in range(5):
        with pytest.raises(OutcomeUnknown):
            await retrier.write(writes.ask)
        await retrier.read(reads.ask)
    with pytest.raises(CycleError):
        await retrier.write(writes.ask)


@pytest.mark.parametrize("answer", [None, REFUSED])
async def test_any_answer_shows_that_the_target_is_there(
    answer: UsherError | None, retrier: Retrier, clock: FakeClock
) -> None:
    target = Target(clock, [*[UNKNOWN] * 5, answer, *[UNKNOWN] * 5])

    for _ in range(11):
        with suppress(OutcomeUnknown, ResourceError):
            await retrier.write(target.ask)

    assert len(target.asked_at) == 11


async def test_before_each_attempt_of_a_write_it_is_asked_whether_the_state_is_still_ours(clock: FakeClock) -> None:
    asked: list[int] = []
    target = Target(clock, [LOST, LOST])

    async def confirm() -> float:
        asked.append(len(target.asked_at))
        if len(asked) == 3:
            raise CycleError("taken over", reason="StateTaken")
        return FOR_EVER

    retrier = Retrier(fake_runtime(1, clock), POLICY, confirm)
    await retrier.read(target.ask)
    assert asked == []
    target.asked_at.clear()
    taken = Target(clock, [LOST, LOST])
    with pytest.raises(CycleError, match="taken over"):
        await retrier.write(taken.ask)
    assert len(taken.asked_at) == 2


async def test_a_write_whose_permit_ended_before_its_turn_is_confirmed_anew_and_counts_as_no_failure(
    clock: FakeClock,
) -> None:
    late = Overdue("waited for too long")
    target, permits = Target(clock, [late] * 10), iter([time.monotonic() - 1, *[FOR_EVER] * 10])
    seen: list[bool] = []

    async def confirm() -> float:
        return next(permits)

    async def ask() -> str:
        seen.append(is_permitted())
        return await target.ask()

    retrier = Retrier(fake_runtime(1, clock), RetryPolicy(attempts=1, spare=0, give_up=1), confirm)
    assert await retrier.write(ask) == "answer"
    assert seen == [False, *[True] * 10]
    assert clock.monotonic() == target.asked_at[0]


async def test_a_storm_of_failures_makes_few_more_requests_than_there_is_to_do(clock: FakeClock) -> None:
    """Every second request is lost, each time: without a budget each of those would be sent four times."""
    retrier = Retrier(fake_runtime(1, clock), RetryPolicy(spare=10, share=0.2))
    sent = 0

    async def ask(number: int) -> None:
        nonlocal sent
        sent += 1
        if number % 2:
            raise LOST

    for number in range(1000):
        with suppress(NotSent):
            await retrier.write(lambda number=number: ask(number))  # type: ignore[misc]  # mypy can't infer it

    assert sent <= 1000 + 10 + 200


@pytest.mark.parametrize("seed", range(5))
async def test_the_pause_before_a_repetition_is_any_between_nothing_and_its_bound(seed: int) -> None:
    clock = FakeClock()
    retrier = Retrier(fake_runtime(seed, clock), RetryPolicy(attempts=4, base=0.5, cap=1.5))

    await retrier.write(Target(clock, [LOST] * 3).ask)

    assert [0.0 <= wait <= bound for wait, bound in zip(clock.slept, (0.5, 1.0, 1.5), strict=True)] == [True] * 3
    assert len(set(clock.slept)) == 3
