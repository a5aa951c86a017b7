"""Budgets and held sets as pure rules: a table of the edges, as the API defines them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from usher.core.model.plans import Action, Amend, Phase, PlannedChange, Refer, Replace
from usher.core.model.resources import AttributePath, Fingerprint, ResourceType, SourceId, TargetId
from usher.core.sync.policies import (
    Budget,
    Budgets,
    Counted,
    HeldSet,
    HoldEvent,
    SafetyView,
    count,
    decide_safety,
    never_more,
    plan_hash,
    step_of,
)

TITLE, MEMBERS = AttributePath("title"), AttributePath("members")
PHASES = {
    Action.CREATE: Phase.CREATE,
    Action.UPDATE: Phase.UPDATE,
    Action.LINK: Phase.UPDATE,
    Action.DISABLE: Phase.DISABLE,
    Action.DELETE: Phase.DELETE,
    Action.REMOVE: Phase.REMOVE,
    Action.REFER: Phase.REFER,
}


def change(
    who: str, action: Action = Action.DISABLE, kind: ResourceType = ResourceType.USER, wish: str = "a", **delta: str
) -> PlannedChange:
    made = action is Action.CREATE
    return PlannedChange(
        resource_type=kind,
        source_id=SourceId(who),
        target_id=None if made else TargetId(f"t-{who}"),
        action=action,
        phase=PHASES[action],
        rank=0,
        delta={AttributePath(path): Replace(value) for path, value in delta.items()},
        before={},
        version=None,
        fingerprint=Fingerprint(wish.encode()),
    )


def removal(group: str, *members: str, phase: Phase = Phase.REMOVE) -> PlannedChange:
    row = change(group, Action.REMOVE, ResourceType.GROUP)
    return replace(row, phase=phase, delta={MEMBERS: Amend(remove=tuple({"value": one} for one in members))})


def leavers(many: int, first: int = 0) -> list[PlannedChange]:
    return [change(f"p{number}") for number in range(first, first + many)]


def view(
    due: Sequence[PlannedChange],
    live: int | Mapping[Counted, int] = 1000,
    budget: Budget | Budgets | None = None,
    held: HeldSet | None = None,
) -> SafetyView:
    there = {Counted.ACCOUNTS: live} if isinstance(live, int) else live
    budgets = budget if isinstance(budget, Budgets) else Budgets(accounts=budget or Budget())
    return SafetyView(due, there, budgets, held, source_is_empty=False)


def held(rows: Sequence[PlannedChange], live: int = 1000, *, whole: bool = False) -> HeldSet:
    members = {step_of(row): row for row in rows}
    return HeldSet(members, count(rows), {Counted.ACCOUNTS: live}, expired=False, whole=whole)


@pytest.mark.parametrize(
    ("many", "live", "budget", "allowed"),
    [
        (0, 0, Budget(0, 0, 0), True),  # nobody leaves
        (5, 1000, Budget(max_count=5, max_percent=100, min_count=0), True),  # as many as maxCount
        (6, 1000, Budget(max_count=5, max_percent=100, min_count=0), False),
        (6, 1000, Budget(max_count=5, max_percent=100, min_count=10), False),  # maxCount is looked at first
        (10, 10, Budget(max_percent=0, min_count=10), True),  # as many as minCount, whatever the share
        (11, 1000, Budget(max_percent=0, min_count=10), False),
        (10, 100, Budget(max_percent=10, min_count=0), True),  # the share exactly
        (10, 99, Budget(max_percent=10, min_count=0), False),
        (1, 10, Budget(max_percent=10, min_count=0), True),
        (1, 9, Budget(max_percent=10, min_count=0), False),  # 11.1 percent: no share is ever rounded down
        (1, 11, Budget(max_percent=9, min_count=0), False),  # 9.09 percent
        (1, 0, Budget(max_percent=100, min_count=0), False),  # of nobody, one is more than any share
        (1, 0, Budget(max_percent=0, min_count=1), True),
        (1000, 1000, Budget(max_count=1000, max_percent=100, min_count=0), True),
    ],
)
def test_a_budget_is_exceeded_above_the_count_or_above_minimum_and_share(
    many: int, live: int, budget: Budget, allowed: bool
) -> None:
    decision = decide_safety(view(leavers(many), live, budget))

    assert decision.event is (HoldEvent.NONE if allowed else HoldEvent.HELD)
    assert len(decision.hold) == (0 if allowed else many)


STRICT = Budget(0, 0, 0)
GENEROUS = Budget(1000, 100, 1000)


@pytest.mark.parametrize(
    ("row", "counted"),
    [
        (change("p1"), Counted.ACCOUNTS),
        (change("p1", Action.DELETE), Counted.ACCOUNTS),
        (change("g1", Action.DISABLE, ResourceType.GROUP), Counted.GROUPS),
        (change("g1", Action.DELETE, ResourceType.GROUP), Counted.GROUPS),
        (removal("g1", "t1"), Counted.MEMBERSHIPS),
        (removal("g1", "t1", phase=Phase.TRIM), Counted.MEMBERSHIPS),
    ],
)
def test_each_thing_that_is_taken_away_counts_in_its_own_budget(row: PlannedChange, counted: Counted) -> None:
    for strict in Counted:
        budgets = Budgets(*(STRICT if one is strict else GENEROUS for one in Counted))
        decision = decide_safety(view([row], dict.fromkeys(Counted, 100), budgets))
        assert (decision.event is HoldEvent.HELD) is (strict is counted)


def test_each_member_that_is_taken_out_counts() -> None:
    assert count([removal("g1", "t1", "t2"), removal("g2", "t1")]) == {Counted.MEMBERSHIPS: 3}


@pytest.mark.parametrize(
    "row",
    [
        removal("g1", "t1", phase=Phase.FOLLOW),  # whoever is disabled has been counted
        change("p1", Action.CREATE, title="x"),
        change("p1", Action.UPDATE, title="x"),
        change("p1", Action.LINK),
        change("g1", Action.REFER, ResourceType.GROUP),
    ],
)
def test_what_follows_from_a_disable_or_takes_nothing_away_counts_nowhere(row: PlannedChange) -> None:
    assert not row.destructive
    assert count([row]) == {}


def test_one_budget_that_is_exceeded_holds_all_that_is_destructive() -> None:
    rows = [change("p1"), removal("g1", "t1", "t2")]
    budgets = Budgets(GENEROUS, GENEROUS, STRICT)

    decision = decide_safety(view(rows, dict.fromkeys(Counted, 100), budgets))

    assert decision.hold == tuple(rows)


@pytest.mark.parametrize(("more", "wait"), [(10, 0), (11, 11)])
def test_held_members_do_not_count_again(more: int, wait: int) -> None:
    first, others = leavers(60), leavers(more, first=60)

    decision = decide_safety(view([*first, *others], 100, held=held(first, 100)))

    assert decision.event is HoldEvent.KEPT
    assert len(decision.keep) == 60
    assert len(decision.wait) == wait


@pytest.mark.parametrize(("percent", "released"), [(59, False), (60, True)])
def test_a_raised_budget_releases_what_is_then_within_it(percent: int, released: bool) -> None:
    rows = leavers(60)

    decision = decide_safety(view(rows, 100, Budget(max_percent=percent), held(rows, 100)))

    assert decision.event is (HoldEvent.RELEASED if released else HoldEvent.KEPT)


def test_a_set_is_measured_by_its_first_size_though_members_came_back() -> None:
    rows = leavers(60)

    decision = decide_safety(view(rows[:5], 100, held=held(rows, 100)))

    assert decision.event is HoldEvent.KEPT
    assert decision.drop == {step_of(row) for row in rows[5:]}


def test_where_all_needs_an_approval_even_one_create_waits() -> None:
    row = change("p1", Action.CREATE, title="x")

    decision = decide_safety(replace(view([row], 100, GENEROUS), whole=True))

    assert (decision.event, decision.hold, decision.reason) == (HoldEvent.HELD, (row,), "ApprovalRequired")


def test_no_budget_releases_a_plan_that_needs_an_approval_in_any_case() -> None:
    rows = leavers(3)

    decision = decide_safety(replace(view(rows, 100, GENEROUS, held(rows, whole=True)), whole=True))

    assert decision.event is HoldEvent.KEPT


def test_beside_a_plan_that_is_held_whole_whatever_is_new_waits() -> None:
    first, later = change("p1", Action.CREATE, title="x"), change("p2", Action.UPDATE, title="x")

    decision = decide_safety(replace(view([first, later], 100, held=held([first], whole=True)), whole=True))

    assert decision.keep == (first,)
    assert decision.wait == {step_of(later)}


def test_another_rule_of_approval_judges_everything_anew() -> None:
    rows = [change("p1")]

    decision = decide_safety(view(rows, 100, held=held(rows, whole=True)))

    assert decision.event is HoldEvent.NONE


CREATE = change("p1", Action.CREATE, title="x")
MADE = replace(change("p1", Action.LINK), target_id=TargetId("t-new"))


@pytest.mark.parametrize(
    ("due", "shown", "left"),
    [
        (CREATE, CREATE, CREATE),
        (change("p1", Action.CREATE, wish="b", title="y"), CREATE, None),  # another value than was shown
        (change("p1", Action.CREATE, title="x", nickName="y"), CREATE, None),  # and one more
        (change("p1", Action.UPDATE, title="x"), CREATE, None),
        (MADE, CREATE, MADE),  # its account is there by now, and lacks nothing
        (CREATE, MADE, None),
        (change("p1", wish="b"), change("p1"), change("p1", wish="b")),  # whoever leaves is disabled, however called
        (change("p1", Action.DELETE), change("p1"), None),
        (removal("g1", "t1", "t2"), removal("g1", "t2", "t3"), removal("g1", "t2")),
        (removal("g1", "t1"), removal("g1", "t2"), None),
    ],
)
def test_never_more_of_a_change_is_due_than_was_shown(
    due: PlannedChange, shown: PlannedChange, left: PlannedChange | None
) -> None:
    assert never_more(due, shown) == left


def test_references_are_given_to_those_who_were_shown() -> None:
    row = change("g1", Action.REFER, ResourceType.GROUP)
    shown = replace(row, delta={MEMBERS: Refer((SourceId("p1"), SourceId("p2")))})
    due = replace(row, delta={MEMBERS: Refer((SourceId("p2"), SourceId("p3")))})

    assert never_more(due, shown) == replace(row, delta={MEMBERS: Refer((SourceId("p2"),))})


def test_a_hash_is_over_type_account_or_source_id_and_action_in_any_order() -> None:
    rows = [change("p1"), change("p2", Action.CREATE), change("p1", Action.DISABLE, ResourceType.GROUP)]

    assert plan_hash(rows) == plan_hash(reversed(rows))
    assert plan_hash([change("p1", wish="b")]) == plan_hash([change("p1", wish="a")])
    assert len({plan_hash([row]) for row in rows} | {plan_hash(rows)}) == 4
