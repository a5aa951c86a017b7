"""When a change that failed is tried again: the schedule, what is never put off, and when it begins anew."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from usher.core.model.escrow import Duty, Escrow, Unsettled
from usher.core.model.plans import Action, Amend, Phase, PlannedChange, PlannedDelta, Refer, Replace
from usher.core.model.resources import AttributePath, Fingerprint, Json, ResourceType, SourceId
from usher.core.sync.escrow import duty_of, next_try, put_in_escrow, wish_of

FIRST = datetime(2026, 3, 1, 12, tzinfo=UTC)
ADA = SourceId("id-ada")
MINUTES, HOURS, DAYS = timedelta(minutes=5), timedelta(hours=1), timedelta(days=1)
ONE_WISH, ANOTHER = Fingerprint(b"one"), Fingerprint(b"another")
ROLES, TITLE, MANAGER = AttributePath("roles"), AttributePath("title"), AttributePath("manager")


def fail(former: Unsettled | None, at: datetime, tried: Fingerprint = ONE_WISH, duty: Duty = Duty.ACCOUNT) -> Unsettled:
    return put_in_escrow(ADA, former, "Timeout", (duty, tried), at)


def due(entry: Unsettled) -> datetime | None:
    assert entry.escrow is not None
    return entry.escrow.due


def change(action: Action, delta: PlannedDelta, before: dict[AttributePath, Json] | None = None) -> PlannedChange:
    return PlannedChange(
        resource_type=ResourceType.USER,
        source_id=ADA,
        target_id=None,
        action=action,
        phase=Phase.UPDATE,
        rank=0,
        delta=delta,
        before=before or {},
        version=None,
        fingerprint=ONE_WISH,
    )


@pytest.mark.parametrize(
    ("attempts", "passed", "expected"),
    [
        (3, 2 * MINUTES, 6 * HOURS),
        (4, 6 * HOURS, 12 * HOURS),
        (5, 12 * HOURS, DAYS),
        (6, DAYS, 2 * DAYS),
        (7, 2 * DAYS + MINUTES, 3 * DAYS),
        (9, 5 * DAYS + 5 * HOURS, 6 * DAYS),  # nobody came to it for some days
        (30, 27 * DAYS, 28 * DAYS),
        (31, 28 * DAYS, None),
        (31, 29 * DAYS, None),
    ],
)
def test_the_next_try_follows_the_schedule_from_the_first_failure_on(
    attempts: int, passed: timedelta, expected: timedelta | None
) -> None:
    assert next_try(FIRST, attempts, FIRST + passed) == (None if expected is None else FIRST + expected)


def test_the_first_two_tries_wait_for_no_time_even_if_the_clock_goes_back() -> None:
    once = fail(None, FIRST)
    twice = fail(once, FIRST + MINUTES)

    assert not once.waits(FIRST - HOURS)
    assert not twice.waits(FIRST - HOURS)
    assert fail(twice, FIRST + 2 * MINUTES).waits(FIRST + 6 * HOURS - timedelta(seconds=1))


def test_who_fails_every_time_is_tried_thirty_times_on_schedule_in_28_days_and_then_no_more() -> None:
    entry = fail(None, FIRST)
    tries = 0
    for hour in range(24 * 40):
        now = FIRST + hour * HOURS
        if not entry.waits(now):
            entry = fail(entry, now)
            tries += 1

    assert tries == 2 + 30
    assert due(entry) is None
    assert entry.since == FIRST


@pytest.mark.parametrize("duty", [Duty.LEAVE, Duty.REMOVE])
def test_what_takes_something_away_is_tried_in_every_cycle_for_ever(duty: Duty) -> None:
    entry = fail(None, FIRST, duty=duty)
    for day in range(60):
        entry = fail(entry, FIRST + day * DAYS, duty=duty)
        assert not entry.waits(FIRST + day * DAYS + MINUTES)

    assert due(entry) is not None
    assert entry.attempts == 61


def test_another_wish_begins_anew() -> None:
    old = fail(fail(fail(None, FIRST), FIRST), FIRST)

    new = fail(old, FIRST + 3 * DAYS, ANOTHER)

    assert (new.attempts, new.since) == (1, FIRST + 3 * DAYS)


def test_what_is_left_of_references_goes_on_where_all_of_them_began() -> None:
    old = fail(fail(None, FIRST, duty=Duty.REFER), FIRST, duty=Duty.REFER)

    left = fail(old, FIRST + MINUTES, ANOTHER, Duty.REFER)

    assert (left.attempts, left.since, due(left)) == (3, FIRST, FIRST + 6 * HOURS)


def test_who_only_waited_has_not_failed_before() -> None:
    waited = Unsettled(ADA, "PlanHeld", 40, FIRST)

    assert not waited.waits(FIRST)
    assert fail(waited, FIRST + DAYS) == Unsettled(
        ADA, "Timeout", 1, FIRST + DAYS, Escrow(Duty.ACCOUNT, FIRST + DAYS, ONE_WISH)
    )


@pytest.mark.parametrize(
    ("failed", "duty"),
    [
        (change(Action.CREATE, {TITLE: Replace("Boss")}), Duty.ACCOUNT),
        (change(Action.UPDATE, {TITLE: Replace(None)}, {TITLE: "Boss"}), Duty.ACCOUNT),
        (change(Action.UPDATE, {ROLES: Replace(None)}, {ROLES: [{"value": "admin"}]}), Duty.LEAVE),
        (change(Action.UPDATE, {ROLES: Amend(remove=({"value": "admin"},))}), Duty.LEAVE),
        (change(Action.UPDATE, {ROLES: Amend(add=({"value": "admin"},))}), Duty.ACCOUNT),
        (change(Action.UPDATE, {ROLES: Replace(["a"])}, {ROLES: ["a", "b"]}), Duty.LEAVE),
        (change(Action.UPDATE, {ROLES: Replace(["a", "b"])}, {ROLES: ["a"]}), Duty.ACCOUNT),
        (change(Action.DISABLE, {}), Duty.LEAVE),
        (change(Action.DELETE, {}), Duty.LEAVE),
        (change(Action.REMOVE, {}), Duty.REMOVE),
        (change(Action.REFER, {MANAGER: Refer((ADA,))}), Duty.REFER),
    ],
)
def test_access_that_is_taken_away_is_a_duty_of_every_cycle(failed: PlannedChange, duty: Duty) -> None:
    assert duty_of(failed) is duty


def test_the_wish_of_references_is_whom_they_mean() -> None:
    bob = SourceId("id-bob")
    one, same, other = (change(Action.REFER, {MANAGER: Refer(to)}) for to in [(ADA, bob), (bob, ADA), (bob,)])

    assert wish_of(one) == wish_of(same) != wish_of(other)
    assert wish_of(change(Action.CREATE, {})) == ONE_WISH
