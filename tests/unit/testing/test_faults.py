from __future__ import annotations

import pytest

from usher.testing.faults import (
    Fault,
    FaultKind,
    FaultSchedule,
    Operation,
    every,
    nth,
    parse_rule,
    request,
    when,
)

LOST = Fault(FaultKind.LOST_AFTER)
BUSY = Fault(FaultKind.THROTTLED, retry_after=3)


def test_a_rule_counts_its_own_operation_only() -> None:
    schedule = FaultSchedule([nth(Operation.CREATE, 2, LOST)])
    asked = [Operation.CREATE, Operation.UPDATE, Operation.UPDATE, Operation.CREATE, Operation.CREATE]
    assert [schedule.next(operation) for operation in asked] == [None, None, None, LOST, None]


def test_a_rule_on_every_fifth_strikes_again_and_again() -> None:
    schedule = FaultSchedule([every(Operation.UPDATE, 5, BUSY)])
    struck = [n for n in range(1, 16) if schedule.next(Operation.UPDATE) is BUSY]
    assert struck == [5, 10, 15]


def test_the_first_rule_that_matches_wins_and_what_was_done_is_kept() -> None:
    schedule = FaultSchedule([request(1, LOST), when(lambda call: call.subject == "u1", BUSY)])
    assert schedule.next(Operation.GET, "u1") is LOST
    assert schedule.next(Operation.GET, "u1") is BUSY
    assert [(call.ordinal, kind) for call, kind in schedule.injected] == [(1, LOST.kind), (2, BUSY.kind)]


def test_a_healed_schedule_goes_on_counting() -> None:
    schedule = FaultSchedule([every(Operation.DELETE, 1, LOST)])
    schedule.next(Operation.DELETE)
    schedule.heal()
    assert schedule.next(Operation.DELETE) is None
    assert (schedule.count(Operation.DELETE), schedule.calls, schedule.writes) == (2, 2, 2)


@pytest.mark.parametrize(
    ("text", "struck"),
    [("create:2:lost-after", [3]), ("update:*2:throttled=2.5", [4]), ("any:1:html-200", [1])],
)
def test_a_rule_can_be_written_in_one_word(text: str, struck: list[int]) -> None:
    schedule = FaultSchedule([parse_rule(text)])
    for operation in (Operation.CREATE, Operation.UPDATE, Operation.CREATE, Operation.UPDATE):
        schedule.next(operation)
    assert [call.ordinal for call, _ in schedule.injected] == struck


@pytest.mark.parametrize("text", ["create:lost-after", "create:x:lost-after", "create:1:lost", "make:1:lost-after"])
def test_a_rule_that_nobody_understands_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"not|literal|unpack"):
        parse_rule(text)
