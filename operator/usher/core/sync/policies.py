"""Safety as pure functions on a plan: budgets, and what is held, kept, dropped and released.

A budget counts what is taken away from people: disables (and deletes). What is over it waits, as a set that is named by
a hash, until somebody approves exactly that set.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import blake2b

from usher.core.model.plans import Action, PlannedChange
from usher.core.model.resources import ResourceType, SourceId

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


def plan_hash(changes: Iterable[PlannedChange], resource_type: ResourceType) -> str:
    """16 hexadecimal digits over the sorted (type, target id or, of a create, source id, action) of a set."""
    rows = sorted(f"{resource_type}\x00{c.target_id or c.source_id}\x00{c.action}" for c in changes)
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

    `count` and `live` are its size and the live links when it was first held.
    """

    members: Mapping[SourceId, Action]
    count: int
    live: int
    expired: bool


@dataclass(frozen=True, slots=True)
class SafetyView:
    """What the decision looks at: the destructive changes that are due, the live links, and what is held."""

    due: Sequence[PlannedChange]
    live: int
    budget: Budget
    held: HeldSet | None
    source_is_empty: bool


@dataclass(frozen=True, slots=True)
class SafetyDecision:
    """`keep`: members of the former set that still wait. `drop`: members that came back. `hold`: a new set to hold.

    `wait`: destructive changes that are not in the set and must not be applied now. Everything else may be applied.
    """

    event: HoldEvent
    keep: frozenset[SourceId] = frozenset()
    drop: frozenset[SourceId] = frozenset()
    hold: tuple[PlannedChange, ...] = ()
    wait: frozenset[SourceId] = frozenset()
    reason: str = ""


def decide_safety(view: SafetyView) -> SafetyDecision:
    """Which destructive changes go on, which wait, and in which set.

    A held set is kept while its members are due; members that came back leave it. Others are judged by the budget
    alone:
    within it they go on, over it they wait until the first set is gone and then form the next. A set is released by
    itself only when the budget was raised above its first size.
    """
    held = view.held
    if held is None or held.expired:
        former = frozenset() if held is None else frozenset(held.members)
        event = HoldEvent.NONE if held is None else HoldEvent.EXPIRED
        return _judge_all(view, event, former)
    due = {change.source_id: change.action for change in view.due}
    keep = frozenset(i for i, action in held.members.items() if due.get(i) == action)
    drop = frozenset(held.members) - keep
    if not keep:
        return _judge_all(view, HoldEvent.NONE, drop)
    others = [change for change in view.due if change.source_id not in keep]
    over = _violation(view, others)
    if view.budget.allows(held.count, held.live) and not view.source_is_empty:
        event = HoldEvent.HELD if over else HoldEvent.RELEASED
        return SafetyDecision(event, drop=frozenset(held.members), hold=tuple(others) if over else (), reason=over)
    wait = frozenset(change.source_id for change in others) if over else frozenset[SourceId]()
    return SafetyDecision(HoldEvent.KEPT, keep=keep, drop=drop, wait=wait, reason=over)


def _judge_all(view: SafetyView, event: HoldEvent, former: frozenset[SourceId]) -> SafetyDecision:
    over = _violation(view, view.due)
    if over:
        return SafetyDecision(HoldEvent.HELD, drop=former, hold=tuple(view.due), reason=over)
    return SafetyDecision(event, drop=former)


def _violation(view: SafetyView, changes: Collection[PlannedChange]) -> str:
    if not changes:
        return ""
    if view.source_is_empty:
        return EMPTY_SOURCE
    return "" if view.budget.allows(len(changes), view.live) else OVER_BUDGET
