"""Safety as pure functions on a plan: budgets, and what is held, kept, dropped and released.

A budget counts what is taken away from people: disables (and deletes). What is over it waits, as a set that is named by
a hash, until somebody approves exactly that set. A plan that needs an approval in any case waits whole.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from hashlib import blake2b
from typing import Final, TypeAlias

from usher.core.model.plans import Action, Amend, Phase, PlannedChange, PlannedEdit, Refer
from usher.core.model.resources import ResourceType, SourceId

APPROVAL_REQUIRED = "ApprovalRequired"
OVER_BUDGET = "OverBudget"
EMPTY_SOURCE = "EmptySource"
GUARDED = "Guarded"


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


class Approval(StrEnum):
    """What waits for an approval, in the words of the API: what is over a budget, or all that a cycle would write."""

    ON_VIOLATION = "OnViolation"
    ALWAYS = "Always"


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
"""Whom a change is about."""
Step: TypeAlias = tuple[ResourceType, SourceId, Phase]
"""Which change of a subject it is; each has one of a phase at the most."""
_SAME: Final = {Phase.TRIM: Phase.REMOVE, Phase.FREE_KEYS: Phase.UPDATE, Phase.CREATE: Phase.UPDATE}
"""What is done in one of two phases, by what the rest of the plan is, is the same step."""


def subject_of(change: PlannedChange) -> Subject:
    """Whom the change is about."""
    return change.resource_type, change.source_id


def step_of(change: PlannedChange) -> Step:
    """Which change it is: by this a later cycle knows it again."""
    return change.resource_type, change.source_id, _SAME.get(change.phase, change.phase)


def count(changes: Iterable[PlannedChange]) -> Counter[Counted]:
    """How many of each these changes take away."""
    found: Counter[Counted] = Counter()
    for change in changes:
        if not change.destructive:
            continue
        if change.action is Action.REMOVE:
            found[Counted.MEMBERSHIPS] += removals(change)
        else:
            found[Counted.ACCOUNTS if change.resource_type is ResourceType.USER else Counted.GROUPS] += 1
    return found


def removals(change: PlannedChange) -> int:
    """How many references it takes away."""
    return sum(len(edit.remove) for edit in change.delta.values() if isinstance(edit, Amend))


def never_more(due: PlannedChange, held: PlannedChange) -> PlannedChange | None:
    """What of a held change is still due, never more than was shown; None where nothing is.

    Of references those that were shown, and no other. Whoever is to be created or updated is still wanted exactly as
    then, and nothing else of the account is written; where the account of a create is there by now, with all that it
    was to have, only its link is left. To leave is the same whatever else is said of somebody.
    """
    if due.action is not held.action and not (due.action is Action.LINK and held.action is Action.CREATE):
        return None
    match due.action:
        case Action.DISABLE | Action.DELETE:
            return due
        case Action.REMOVE | Action.REFER:
            shown = {path: _shared(edit, held.delta.get(path)) for path, edit in due.delta.items()}
            delta = {path: edit for path, edit in shown.items() if edit is not None}
            return replace(due, delta=delta) if delta else None
        case Action.CREATE | Action.UPDATE | Action.LINK:
            same = due.fingerprint == held.fingerprint and held.target_id in (None, due.target_id)
            return due if same and due.delta.keys() <= held.delta.keys() else None


def _shared(due: PlannedEdit, held: PlannedEdit | None) -> PlannedEdit | None:
    """The references of both edits."""
    match due, held:
        case Amend(remove=gone), Amend(remove=shown):
            removed = tuple(one for one in gone if one in shown)
            return Amend(remove=removed) if removed else None
        case Refer(to=to), Refer(to=shown_to):
            given = tuple(one for one in to if one in set(shown_to))
            return Refer(given) if given else None
        case _:
            return due if due == held else None


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
    `whole`: it was all that was planned then.
    """

    members: Mapping[Step, PlannedChange]
    count: Mapping[Counted, int]
    live: Mapping[Counted, int]
    expired: bool
    guarded: bool = False
    whole: bool = False


@dataclass(frozen=True, slots=True)
class SafetyView:
    """What the decision looks at: the changes that are due and may be held, what is live, and what is held.

    `guarded`: mapping or scope is new, and nothing is too little to be looked at. `whole`: whatever is due needs an
    approval; otherwise only destructive changes are looked at. `beside` are as many that are due, and not asked about.
    """

    due: Sequence[PlannedChange]
    live: Mapping[Counted, int]
    budgets: Budgets
    held: HeldSet | None
    source_is_empty: bool
    guarded: bool = False
    whole: bool = False
    beside: Mapping[Counted, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SafetyDecision:
    """`keep`: members of the former set that still wait. `drop`: members that came back. `hold`: a new set to hold.

    `wait`: changes that are not in the set and must not be applied now. Everything else may be applied.
    `guarded` is said of `hold`.
    """

    event: HoldEvent
    keep: tuple[PlannedChange, ...] = ()
    drop: frozenset[Step] = frozenset()
    hold: tuple[PlannedChange, ...] = ()
    wait: frozenset[Step] = frozenset()
    reason: str = ""
    guarded: bool = False


def decide_safety(view: SafetyView) -> SafetyDecision:
    """Which changes go on, which wait, and in which set.

    A held set is kept while its members are due; members that came back leave it. Others are judged by themselves:
    within the budget they go on, over it (and in any case where all needs an approval) they wait until the first set is
    gone and then form the next. A set is released by itself only when the budget was raised above its first size.
    """
    held = view.held
    if held is None:
        return _judge_all(view, HoldEvent.NONE, frozenset(), guarded=view.guarded)
    due = {step_of(change): change for change in view.due}
    found = {one: never_more(due[one], shown) for one, shown in held.members.items() if one in due}
    keep = {one: change for one, change in found.items() if change is not None}
    drop = frozenset(held.members.keys() - keep.keys())
    guarded = view.guarded or (held.guarded and bool(keep))
    if held.expired:
        return _judge_all(view, HoldEvent.EXPIRED, frozenset(held.members), guarded=guarded)
    if not keep or held.whole is not view.whole:
        return _judge_all(view, HoldEvent.NONE, frozenset(held.members), guarded=guarded)
    others = [change for one, change in due.items() if one not in keep]
    over = _violation(view, others, guarded=view.guarded)
    raised = not view.whole and _within(_budgets(view, guarded=guarded), held.count, held.live)
    if raised and not view.source_is_empty:
        event = HoldEvent.HELD if over else HoldEvent.RELEASED
        hold = tuple(others) if over else ()
        return SafetyDecision(event, drop=frozenset(held.members), hold=hold, reason=over, guarded=view.guarded)
    wait = frozenset(map(step_of, others)) if over else frozenset[Step]()
    return SafetyDecision(HoldEvent.KEPT, keep=tuple(keep.values()), drop=drop, wait=wait, reason=over)


def decide_for_chosen(view: SafetyView) -> SafetyDecision:
    """Which destructive changes of a few, who were asked for by name, go on; nothing is held or released by it.

    Whoever is held waits. The others go only where a cycle would let all go who are due; a guarded one goes first.
    """
    members = () if view.held is None else view.held.members
    held = {(kind, source_id) for kind, source_id, _ in members}
    fresh = [change for change in view.due if subject_of(change) not in held]
    over = GUARDED if fresh and view.guarded else _violation(view, fresh, guarded=False)
    waiting = view.due if over else [change for change in view.due if subject_of(change) in held]
    return SafetyDecision(HoldEvent.NONE, wait=frozenset(map(step_of, waiting)), reason=over)


def _judge_all(view: SafetyView, event: HoldEvent, former: frozenset[Step], *, guarded: bool) -> SafetyDecision:
    over = _violation(view, view.due, guarded=guarded)
    if over:
        return SafetyDecision(HoldEvent.HELD, drop=former, hold=tuple(view.due), reason=over, guarded=guarded)
    return SafetyDecision(event, drop=former)


def _violation(view: SafetyView, changes: Collection[PlannedChange], *, guarded: bool) -> str:
    if not changes:
        return ""
    if view.source_is_empty:
        return EMPTY_SOURCE
    if view.whole:
        return APPROVAL_REQUIRED
    lost = count(changes)
    lost.update(view.beside)
    return "" if _within(_budgets(view, guarded=guarded), lost, view.live) else OVER_BUDGET


def _budgets(view: SafetyView, *, guarded: bool) -> Budgets:
    return view.budgets.without_minimum() if guarded else view.budgets


def _within(budgets: Budgets, lost: Mapping[Counted, int], live: Mapping[Counted, int]) -> bool:
    return all(budgets.of(one).allows(many, live.get(one, 0)) for one, many in lost.items() if many)
