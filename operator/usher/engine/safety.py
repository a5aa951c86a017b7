"""What a plan may do at once, and what waits for an approval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from usher.contracts.store import LogEntry, StoredHold
from usher.core.model.plans import PlannedChange
from usher.core.model.reports import HeldPlan
from usher.core.sync.policies import (
    HeldSet,
    HoldEvent,
    SafetyDecision,
    SafetyView,
    decide_safety,
    plan_hash,
)
from usher.engine.drafting import Draft
from usher.engine.job import Job, Ports

PLAN_HELD = "PlanHeld"
"""Why somebody waits beside a held set."""


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a decision depends on besides the plan.

    `mapping_changed`: since the last cycle, so that what was held is about something else. `guarded`: no cycle has
    ended under this mapping yet, and no change is too small for the budget.
    """

    live: int
    source_is_empty: bool
    mapping_changed: bool
    guarded: bool


@dataclass(frozen=True, slots=True)
class Judgement:
    """The set that is held after this decision (None: nothing is), with its rows, and the decision itself."""

    hold: StoredHold | None
    rows: Sequence[PlannedChange]
    decision: SafetyDecision


async def judge(job: Job, ports: Ports, draft: Draft, circumstances: Circumstances) -> Judgement:
    """Decides without writing anything: what a dry run shows is what `enforce` would do."""
    now = ports.runtime.now()
    stored = None if circumstances.mapping_changed else await ports.store.held(job.connector)
    held = None
    if stored is not None:
        hold, members = stored
        held = HeldSet(
            members={row.source_id: row.action for row in members},
            count=hold.count,
            live=hold.live,
            expired=now >= hold.expires and not hold.approved,
        )
    budget = replace(job.budget, min_count=0) if circumstances.guarded else job.budget
    decision = decide_safety(
        SafetyView(draft.destructive, circumstances.live, budget, held, circumstances.source_is_empty)
    )
    if decision.event is HoldEvent.HELD:
        hold = StoredHold(
            hash=plan_hash(decision.hold, job.resource_type),
            reason=decision.reason,
            summary=f"{len(decision.hold)} disables of {circumstances.live} live links",
            count=len(decision.hold),
            live=circumstances.live,
            created=now,
            expires=now + job.hold_for,
            approved=False,
        )
        return Judgement(hold, decision.hold, decision)
    if decision.event is HoldEvent.KEPT and stored is not None:
        return Judgement(stored[0], [row for row in draft.destructive if row.source_id in decision.keep], decision)
    return Judgement(None, (), decision)


async def enforce(job: Job, ports: Ports, judgement: Judgement, approval: str) -> HeldPlan | None:
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
        await store.add_changes(job.connector, judgement.rows)
        return None
    return describe_hold(hold, len(judgement.rows))


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
