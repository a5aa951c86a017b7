"""What a plan may do at once, and what waits for an approval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from usher.contracts.log import LogEntry
from usher.contracts.store import StoredHold
from usher.core.model.plans import PlannedChange
from usher.core.model.reports import HeldPlan
from usher.core.sync.policies import (
    Counted,
    HeldSet,
    HoldEvent,
    SafetyDecision,
    SafetyView,
    count,
    decide_safety,
    never_more,
    plan_hash,
    subject_of,
)
from usher.engine.job import ConnectorJob, Ports

PLAN_HELD = "PlanHeld"
"""Why somebody waits beside a held set."""


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a decision depends on besides the plan.

    `mapping_changed`: since the last cycle, so that what was held is about something else. `guarded`: no cycle has
    ended under this mapping yet, and no change is too small for the budget.
    """

    live: Mapping[Counted, int]
    source_is_empty: bool
    mapping_changed: bool
    guarded: bool


@dataclass(frozen=True, slots=True)
class Judgement:
    """The set that is held after this decision (None: nothing is), with its rows, and the decision itself."""

    hold: StoredHold | None
    rows: Sequence[PlannedChange]
    decision: SafetyDecision


async def judge(
    job: ConnectorJob, ports: Ports, destructive: Sequence[PlannedChange], circumstances: Circumstances
) -> Judgement:
    """Decides without writing anything: what a dry run shows is what `enforce` would do."""
    now = ports.runtime.now()
    stored = None if circumstances.mapping_changed else await ports.store.held(job.connector)
    held = None
    if stored is not None:
        hold, members = stored
        held = HeldSet(
            members={subject_of(row): row.action for row in members},
            count=hold.count,
            live=hold.live,
            expired=now >= hold.expires and not hold.approved,
            guarded=hold.guarded,
        )
    empty = circumstances.source_is_empty
    decision = decide_safety(
        SafetyView(destructive, circumstances.live, job.budgets, held, empty, circumstances.guarded)
    )
    if decision.event is HoldEvent.HELD:
        hold = StoredHold(
            hash=plan_hash(decision.hold),
            reason=decision.reason,
            summary=_summary(count(decision.hold), circumstances.live),
            count=count(decision.hold),
            live=circumstances.live,
            created=now,
            expires=now + job.hold_for,
            approved=False,
            guarded=decision.guarded,
        )
        return Judgement(hold, decision.hold, decision)
    if decision.event is HoldEvent.KEPT and stored is not None:
        shown = {subject_of(row): row for row in stored[1]}
        due = [row for row in destructive if subject_of(row) in decision.keep]
        return Judgement(stored[0], [never_more(row, shown[subject_of(row)]) for row in due], decision)
    return Judgement(None, (), decision)


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
