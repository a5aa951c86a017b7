"""Safety as pure functions on a plan: budgets, and what is held, kept, dropped and released.

A budget counts what is taken away from people: disables (and deletes). What is over it waits, as a set that is named by
a hash, until somebody approves exactly that set.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from hashlib import blake2b
from typing import TypeAlias

from usher.core.model.plans import Action, Amend, PlannedChange, PlannedEdit
from usher.core.model.resources import AttributePath, ResourceType, SourceId

OVER_BUDGET = "OverBudget"
EMPTY_SOURCE = "EmptySource"


@dataclass(frozen=True, slots=True)
class Budget:
    """Exceeded when count > max_count, or when count > min_count and count > max_percent of the live links."""

    max_count: int = 500
    max_percent: int = 10
    min_count: int = 10

    def allows(self, count: int, live: int) -> bool:
        """Whether so many may go at once, with so many live links before the cycle."""
        if count > self.max_count:
            return False
        return count <= self.min_count or count * 100 <= self.max_percent * live


class Enforcement(StrEnum):
    """Whether a cycle writes to the target what it plans, in the words of the API."""

    ENFORCE = "Enforce"
    OBSERVE = "Observe"


class OnStateLoss(StrEnum):
    """What is done, after the state was lost, with accounts of people who may have left meanwhile.

    In the words of the API.
    """

    REPORT = "Report"
    DISABLE = "Disable"


class Counted(StrEnum):
    """What a budget counts."""

    ACCOUNTS = "accounts"
    GROUPS = "groups"
    MEMBERSHIPS = "memberships"


@dataclass(frozen=True, slots=True)
class Budgets:
    """One for each thing that is counted."""

    accounts: Budget = field(default_factory=Budget)
    groups: Budget = field(default_factory=Budget)
    memberships: Budget = field(default_factory=Budget)

    def of(self, counted: Counted) -> Budget:
        """The budget of these."""
        match counted:
            case Counted.ACCOUNTS:
                return self.accounts
            case Counted.GROUPS:
                return self.groups
            case Counted.MEMBERSHIPS:
                return self.memberships

    def without_minimum(self) -> Budgets:
        """The same where nothing is too little to be looked at."""
        return Budgets(*(replace(self.of(one), min_count=0) for one in Counted))


Subject: TypeAlias = tuple[ResourceType, SourceId]
"""Whom a destructive change is about; each has one at the most."""


def subject_of(change: PlannedChange) -> Subject:
    """Whom the change is about."""
    return change.resource_type, change.source_id


def count(changes: Iterable[PlannedChange]) -> Counter[Counted]:
    """How many of each these changes take away."""
    found: Counter[Counted] = Counter()
    for change in changes:
        if change.action is Action.REMOVE:
            found[Counted.MEMBERSHIPS] += removals(change)
        else:
            found[Counted.ACCOUNTS if change.resource_type is ResourceType.USER else Counted.GROUPS] += 1
    return found


def removals(change: PlannedChange) -> int:
    """How many references it takes away."""
    return sum(len(edit.remove) for edit in change.delta.values() if isinstance(edit, Amend))


def never_more(due: PlannedChange, held: PlannedChange) -> PlannedChange:
    """What of a held change is still due: of the references that it takes away those that were shown, and no other."""
    if due.action is not Action.REMOVE:
        return due
    delta: dict[AttributePath, PlannedEdit] = {}
    for path, edit in due.delta.items():
        shown = held.delta.get(path)
        if isinstance(edit, Amend) and isinstance(shown, Amend):
            delta[path] = Amend(remove=tuple(one for one in edit.remove if one in shown.remove))
    return replace(due, delta=delta)


def plan_hash(changes: Iterable[PlannedChange]) -> str:
    """16 hexadecimal digits over the sorted (type, target id or, of a create, source id, action) of a set."""
    rows = sorted(f"{c.resource_type}\x00{c.target_id or c.source_id}\x00{c.action}" for c in changes)
    return blake2b("\x01".join(rows).encode(), digest_size=8).hexdigest()


class HoldEvent(StrEnum):
    """What became of the held set in this cycle."""

    NONE = "None"
    KEPT = "Kept"
    HELD = "Held"
    EXPIRED = "Expired"
    RELEASED = "Released"


@dataclass(frozen=True, slots=True)
class HeldSet:
    """The set that is held since an earlier cycle.

    `count` and `live` are its size and the live ones when it was first held, by what is counted. `guarded`: nothing was
    too little to be looked at when it was judged, which holds for its members until somebody has decided on them.
    """

    members: Mapping[Subject, Action]
    count: Mapping[Counted, int]
    live: Mapping[Counted, int]
    expired: bool
    guarded: bool = False


@dataclass(frozen=True, slots=True)
class SafetyView:
    """What the decision looks at: the destructive changes that are due, what is live, and what is held.

    `guarded`: mapping or scope is new, and nothing is too little to be looked at.
    """

    due: Sequence[PlannedChange]
    live: Mapping[Counted, int]
    budgets: Budgets
    held: HeldSet | None
    source_is_empty: bool
    guarded: bool = False


@dataclass(frozen=True, slots=True)
class SafetyDecision:
    """`keep`: members of the former set that still wait. `drop`: members that came back. `hold`: a new set to hold.

    `wait`: destructive changes that are not in the set and must not be applied now. Everything else may be applied.
    `guarded` is said of `hold`.
    """

    event: HoldEvent
    keep: frozenset[Subject] = frozenset()
    drop: frozenset[Subject] = frozenset()
    hold: tuple[PlannedChange, ...] = ()
    wait: frozenset[Subject] = frozenset()
    reason: str = ""
    guarded: bool = False


def decide_safety(view: SafetyView) -> SafetyDecision:
    """Which destructive changes go on, which wait, and in which set.

    A held set is kept while its members are due; members that came back leave it. Others are judged by the budget
    alone:
    within it they go on, over it they wait until the first set is gone and then form the next. A set is released by
    itself only when the budget was raised above its first size.
    """
    held = view.held
    if held is None:
        return _judge_all(view, HoldEvent.NONE, frozenset(), guarded=view.guarded)
    due = {subject_of(change): change.action for change in view.due}
    keep = frozenset(i for i, action in held.members.items() if due.get(i) == action)
    drop = frozenset(held.members) - keep
    guarded = view.guarded or (held.guarded and bool(keep))
    if held.expired:
        return _judge_all(view, HoldEvent.EXPIRED, frozenset(held.members), guarded=guarded)
    if not keep:
        return _judge_all(view, HoldEvent.NONE, drop, guarded=guarded)
    others = [change for change in view.due if subject_of(change) not in keep]
    over = _violation(view, others, guarded=view.guarded)
    if _within(_budgets(view, guarded=guarded), held.count, held.live) and not view.source_is_empty:
        event = HoldEvent.HELD if over else HoldEvent.RELEASED
        hold = tuple(others) if over else ()
        return SafetyDecision(event, drop=frozenset(held.members), hold=hold, reason=over, guarded=view.guarded)
    wait = frozenset(map(subject_of, others)) if over else frozenset[Subject]()
    return SafetyDecision(HoldEvent.KEPT, keep=keep, drop=drop, wait=wait, reason=over)


def _judge_all(view: SafetyView, event: HoldEvent, former: frozenset[Subject], *, guarded: bool) -> SafetyDecision:
    over = _violation(view, view.due, guarded=guarded)
    if over:
        return SafetyDecision(HoldEvent.HELD, drop=former, hold=tuple(view.due), reason=over, guarded=guarded)
    return SafetyDecision(event, drop=former)


def _violation(view: SafetyView, changes: Collection[PlannedChange], *, guarded: bool) -> str:
    if not changes:
        return ""
    if view.source_is_empty:
        return EMPTY_SOURCE
    return "" if _within(_budgets(view, guarded=guarded), count(changes), view.live) else OVER_BUDGET


def _budgets(view: SafetyView, *, guarded: bool) -> Budgets:
    return view.budgets.without_minimum() if guarded else view.budgets


def _within(budgets: Budgets, lost: Mapping[Counted, int], live: Mapping[Counted, int]) -> bool:
    return all(budgets.of(one).allows(many, live.get(one, 0)) for one, many in lost.items() if many)
