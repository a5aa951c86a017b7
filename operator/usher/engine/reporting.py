"""What a cycle came to, in figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from usher.core.errors import ComeBackLater, UsherError
from usher.core.model.plans import Action
from usher.core.model.reports import Counts, CycleKind, CycleReport, CycleResult
from usher.core.model.resources import Lane, ResourceType, SourceId
from usher.core.model.standing import Credential
from usher.core.sync.references import REFERENCES_PENDING
from usher.engine.bench import Bench
from usher.engine.drafting import Draft
from usher.engine.job import Job, Ports
from usher.engine.preparing import Prepared
from usher.engine.recorder import Recorder
from usher.engine.referring import refers
from usher.engine.undone import LeftUndone


@dataclass(frozen=True, slots=True)
class Opened:
    """The bench of a cycle, with when it began; `stale` and `credential` are as in `CycleReport`."""

    bench: Bench
    started: datetime
    stale: str
    credential: Credential | None


async def due_holders(ports: Ports, job: Job) -> Sequence[SourceId]:
    """Whose references are not as they can be by now."""
    return await ports.store.due_holders(job.lane) if refers(job) else ()


async def make_report(
    opened: Opened,
    prepared: Prepared,
    counts: Mapping[ResourceType, Counts],
    due: Mapping[Lane, Sequence[SourceId]],
) -> CycleReport:
    """The report of a cycle that came to a plan. `due` are the holders whose references are not right."""
    ports, users, resolution = opened.bench.ports, prepared.lanes[0].job, prepared.resolution
    left, waiting, now = LeftUndone(), 0, ports.runtime.now()
    for lane in prepared.lanes:
        unsettled = await ports.store.unsettled(lane.job.lane)
        left.add(unsettled.values(), now)
        left.reasons.update(REFERENCES_PENDING for one in due.get(lane.job.lane, ()) if one not in unsettled)
        waiting += await ports.store.count_waiting_references(lane.job.lane)
    linked, _ = await ports.store.count_links(users.lane_in_force)
    return CycleReport(
        kind=prepared.kind,
        result=CycleResult.PARTIAL,
        started=opened.started,
        completed=now,
        counts=counts[ResourceType.USER],
        groups=counts.get(ResourceType.GROUP),
        reasons=left.reasons,
        in_scope=await ports.store.count_claimants(users.lane),
        linked=linked,
        pending=left.reasons.total(),
        escrowed=left.escrowed,
        given_up=left.given_up,
        next_retry=left.next_retry,
        due_references=sum(map(len, due.values())),
        waiting_references=waiting,
        unresolved=() if resolution is None else tuple(map(str, resolution.unresolved)),
        comparisons={
            lane.job.resource_type.value: lane.compared for lane in prepared.lanes if lane.compared is not None
        },
        stale=opened.stale,
        credential=opened.credential,
    )


def make_failure(ports: Ports, started: datetime, error: UsherError) -> CycleReport:
    """The report of a cycle that came to nothing."""
    return CycleReport(
        kind=CycleKind.INCREMENTAL,
        result=CycleResult.FAILED,
        started=started,
        completed=ports.runtime.now(),
        counts=Counts(),
        error_reason=error.reason,
        error=error.message,
        not_before=rest_after(error),
    )


def failed_with(report: CycleReport, error: UsherError) -> CycleReport:
    """The report of what ended before its end, for this error."""
    return replace(
        report,
        result=CycleResult.FAILED,
        error_reason=error.reason,
        error=error.message,
        not_before=rest_after(error),
    )


def rest_after(error: UsherError) -> datetime | None:
    """Until when the target wants to be left alone, None where it does not say."""
    return error.until if isinstance(error, ComeBackLater) else None


def _skipped_and_failed(draft: Draft) -> tuple[int, int]:
    settled = sum(1 for skip in draft.skips if skip.settled)
    return settled, len(draft.skips) - settled


def final_counts(draft: Draft, recorder: Recorder) -> Counts:
    """What was done in a lane."""
    skipped, failed = _skipped_and_failed(draft)
    return recorder.counts(draft.unchanged, skipped, failed)


def planned_counts(draft: Draft) -> Counts:
    """What would be done in a lane."""
    skipped, failed = _skipped_and_failed(draft)
    return Counts(
        created=draft.actions[Action.CREATE],
        linked=draft.actions[Action.LINK],
        updated=draft.actions[Action.UPDATE],
        disabled=draft.actions[Action.DISABLE],
        deleted=draft.actions[Action.DELETE],
        unchanged=draft.unchanged,
        skipped=skipped,
        failed=failed,
    )
