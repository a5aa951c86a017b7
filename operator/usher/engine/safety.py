"""What a plan may do at once, and what waits for an approval."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from usher.contracts.log import LogEntry
from usher.contracts.store import StoredHold
from usher.core.model.plans import Action, PlannedChange
from usher.core.model.reports import HeldPlan
from usher.core.model.resources import ResourceType
from usher.core.sync.policies import (
    APPROVAL_REQUIRED,
    Counted,
    HeldSet,
    HoldEvent,
    SafetyDecision,
    SafetyView,
    count,
    decide_for_chosen,
    decide_safety,
    plan_hash,
    step_of,
)
from usher.engine.job import ConnectorJob, Job, Ports

PLAN_HELD = "PlanHeld"
"""Why somebody waits beside a held set."""
COUNTED: Final = {ResourceType.USER: Counted.ACCOUNTS, ResourceType.GROUP: Counted.GROUPS}
"""By which budget the leavers of a lane are counted."""


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a decision depends on besides the plan.

    `mapping_changed`: since the last cycle, so that what was held is about something else. `guarded`: no cycle has
    ended under this mapping yet, and no change is too small for the budget. `whole`: nothing is written without an
    approval. `beside` are as many that are due as well, and not in the plan.
    """

    live: Mapping[Counted, int]
    source_is_empty: bool
    mapping_changed: bool
    guarded: bool
    whole: bool
    beside: Mapping[Counted, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Judgement:
    """The set that is held after this decision (None: nothing is), with its rows, and the decision itself.

    `whole`: nothing is written that is not among its rows, and only once they are approved.
    """

    hold: StoredHold | None
    rows: Sequence[PlannedChange]
    decision: SafetyDecision
    whole: bool


async def judge(
    job: ConnectorJob, ports: Ports, due: Sequence[PlannedChange], circumstances: Circumstances
) -> Judgement:
    """Decides without writing anything: what a dry run shows is what `enforce` would do.

    `due` are the destructive rows of the plan, or all of them where the whole of it needs an approval.
    """
    now, whole = ports.runtime.now(), circumstances.whole
    stored = None if circumstances.mapping_changed else await held_of(job.lanes[0], ports)
    held = None if stored is None else _as_held(*stored, now, circumstances)
    live, empty, guarded = circumstances.live, circumstances.source_is_empty, circumstances.guarded
    decision = decide_safety(SafetyView(due, live, job.budgets, held, empty, guarded, whole))
    if decision.event is HoldEvent.HELD:
        hold = StoredHold(
            hash=plan_hash(decision.hold),
            reason=decision.reason,
            summary=_tell(job, decision.hold) if whole else _summary(count(decision.hold), circumstances.live),
            count=count(decision.hold),
            live=circumstances.live,
            created=now,
            expires=now + job.hold_for,
            approved=False,
            guarded=decision.guarded,
            whole=whole,
            anew=job.anew is not None,
        )
        return Judgement(hold, decision.hold, decision, whole)
    if decision.event is HoldEvent.KEPT and stored is not None:
        return Judgement(stored[0], decision.keep, decision, whole)
    return Judgement(None, (), decision, whole)


async def held_of(job: Job, ports: Ports) -> tuple[StoredHold, Sequence[PlannedChange]] | None:
    """The set that is held, with its rows, unless it is about links that are not those of this cycle."""
    held = await ports.store.held(job.connector)
    return held if held is not None and held[0].anew is (job.anew is not None) else None


def postpone(rows: Sequence[PlannedChange]) -> Judgement:
    """Nothing is done, and nothing is shown that could be approved."""
    wait = frozenset(map(step_of, rows))
    return Judgement(None, (), SafetyDecision(HoldEvent.NONE, wait=wait, reason=APPROVAL_REQUIRED), whole=True)


def _as_held(
    hold: StoredHold, members: Sequence[PlannedChange], now: datetime, circumstances: Circumstances
) -> HeldSet:
    """What was approved stays so, by whichever rule the plan is judged now."""
    return HeldSet(
        members={step_of(row): row for row in members},
        count=hold.count,
        live=hold.live,
        expired=now >= hold.expires and not hold.approved,
        guarded=hold.guarded,
        whole=circumstances.whole if hold.approved else hold.whole,
    )


async def judge_chosen(
    job: ConnectorJob, ports: Ports, due: Sequence[PlannedChange], circumstances: Circumstances
) -> Judgement:
    """The same of a few who were asked for by name: none is held by it, whoever has to wait is left alone.

    Where the whole of a plan needs an approval, there is no plan here that could get one.
    """
    if circumstances.whole:
        return postpone(due)
    stored = await held_of(job.lanes[0], ports)
    held = None if stored is None else _as_held(*stored, ports.runtime.now(), circumstances)
    live, empty, guarded = circumstances.live, circumstances.source_is_empty, circumstances.guarded
    view = SafetyView(due, live, job.budgets, held, empty, guarded, beside=circumstances.beside)
    return Judgement(None, (), decide_for_chosen(view), whole=False)


async def enforce(job: ConnectorJob, ports: Ports, judgement: Judgement, approval: str) -> HeldPlan | None:
    """Takes the held set out of the running plan.

    Returns the set that is held now, None where nothing is (or it was approved).

    `approval` is the word somebody gave: it counts once, and only for the set that is held at this moment.
    """
    store, hold = ports.store, judgement.hold
    if hold is None:
        await store.release(job.connector)
        await store.approve(job.connector, approval)
        return None
    await store.hold(job.connector, hold, judgement.rows)
    newly = await store.approve(job.connector, approval)
    if newly:
        await store.append_log(job.connector, [_approval_entry(ports, hold)])
    if newly or hold.approved:
        for lane in job.lanes:
            mine = [row for row in judgement.rows if row.resource_type is lane.resource_type]
            await store.add_changes(lane.lane, mine)
        return None
    return describe_hold(hold, len(judgement.rows))


def _summary(lost: Mapping[Counted, int], live: Mapping[Counted, int]) -> str:
    """`3 of 20 live accounts, 1 of 1 live membership`: in figures, as a status shows it."""
    return ", ".join(f"{many} of {_live(live.get(one, 0), one)}" for one, many in lost.items())


_TOLD: Final = {
    Action.CREATE: "to create",
    Action.LINK: "to take over",
    Action.UPDATE: "to update",
    Action.DISABLE: "to disable",
    Action.DELETE: "to delete",
}


def _tell(job: ConnectorJob, rows: Sequence[PlannedChange]) -> str:
    """What a whole plan does, and why it is one where links are found again."""
    why = "" if job.anew is None else f"{job.anew.words}. Accounts were matched anew and nobody leaves: "
    return f"{why}{_actions(rows)}"


def _actions(rows: Sequence[PlannedChange]) -> str:
    """`12 to create, 3 with other references`: people and groups in figures, those who only refer to others apart."""
    actions = Counter(row.action for row in rows)
    referring = {(row.resource_type, row.source_id) for row in rows if row.action not in _TOLD}
    parts = [f"{actions[action]} {told}" for action, told in _TOLD.items() if actions[action]]
    return ", ".join(parts + ([f"{len(referring)} with other references"] if referring else []))


def _live(many: int, what: Counted) -> str:
    return f"{many} live {what.removesuffix('s') if many == 1 else what}"


def describe_hold(hold: StoredHold, count: int) -> HeldPlan:
    """The held set as a report shows it; `count` is how many of its members still wait."""
    return HeldPlan(hold.hash, hold.reason, count, hold.summary, hold.created, hold.expires)


def _approval_entry(ports: Ports, hold: StoredHold) -> LogEntry:
    return LogEntry(
        time=ports.runtime.now(),
        cycle="",
        source_id=None,
        target_id=None,
        step="action",
        action="Approve",
        result="Success",
        reason=hold.reason,
        detail=f"the held plan {hold.hash} was approved: {hold.summary}",
    )
