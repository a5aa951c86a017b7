"""One cycle: read what changed, plan, decide what is safe, apply, record, report.

A cycle reports, it never raises for what an end did: a target that is away ends in a report that says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from usher.core.errors import CycleError, UsherError
from usher.core.model.plans import Skip
from usher.core.model.reports import Counts, CycleKind, CycleReport, CycleResult, HeldPlan
from usher.core.model.resources import ResourceType, TargetId
from usher.core.sync.policies import Enforcement, Step, step_of
from usher.engine.anchoring import conclude_anchoring
from usher.engine.assessing import assess
from usher.engine.assigning import conclude_assigning
from usher.engine.consumption import consumption_of
from usher.engine.job import ConnectorJob, Control, Job, Ports
from usher.engine.log_retention import trim_log
from usher.engine.opening import name_cycle, open_bench
from usher.engine.preparing import Prepared, prepare
from usher.engine.reporting import (
    Opened,
    due_holders,
    failed_with,
    final_counts,
    make_failure,
    make_report,
    planned_counts,
)
from usher.engine.safety import describe_hold, enforce
from usher.engine.standing import conclude_standing
from usher.engine.writing import Writing, apply_plans, learn


@dataclass(frozen=True, slots=True)
class Preview:
    """What a cycle would do. Its changes are the running plan in the store; those of `waiting` would not be applied.

    `skips` are the resources for which nothing would be done, and why; `orphans` accounts that nobody in scope
    matches, a thousand at the most. All of these name people: for a terminal only. `lanes`
    have the mappings that were in force, typed as the target says, as far as the cycle came to ask it.
    """

    report: CycleReport
    lanes: tuple[Job, ...]
    skips: Mapping[ResourceType, Sequence[Skip]]
    waiting: frozenset[Step] = frozenset()
    orphans: Mapping[ResourceType, Sequence[TargetId]] = field(default_factory=dict)


async def plan_cycle(job: ConnectorJob, ports: Ports, control: Control) -> CycleReport:
    """The report of `preview_cycle`."""
    return (await preview_cycle(job, ports, control)).report


async def try_target(job: ConnectorJob, ports: Ports, control: Control) -> CycleReport:
    """Whether the target answers, and takes the mappings: a cycle that ends before it has looked at anybody."""
    started = ports.runtime.now()
    try:
        async with open_bench(job, ports, control, started):
            return CycleReport(CycleKind.INCREMENTAL, CycleResult.PLANNED, started, ports.runtime.now(), Counts())
    except UsherError as error:
        return make_failure(ports, started, error)


async def preview_cycle(job: ConnectorJob, ports: Ports, control: Control) -> Preview:
    """The cycle stopped before it writes anything to the target or decides anything for good."""
    started = ports.runtime.now()
    try:
        async with open_bench(job, ports, control, started) as opened:
            return await _look(opened, await prepare(opened.bench))
    except UsherError as error:
        return Preview(make_failure(ports, started, error), job.lanes, {})


async def _look(opened: Opened, prepared: Prepared) -> Preview:
    """What the plan comes to, and what the target holds beside it."""
    judgement = prepared.judgement
    held, waiting = None, judgement.decision.wait
    if judgement.hold is not None and not judgement.hold.approved:
        held = describe_hold(judgement.hold, len(judgement.rows))
        waiting |= frozenset(map(step_of, judgement.rows))
    counts = {lane.job.resource_type: planned_counts(lane.draft) for lane in prepared.lanes}
    assessed = {lane.job.resource_type: await assess(opened.bench, lane.job) for lane in prepared.lanes}
    known = {kind: one for kind, one in assessed.items() if one is not None}
    report = replace(
        await make_report(opened, prepared, counts, {}),
        result=CycleResult.INTERRUPTED if opened.bench.control.stop.is_set() else CycleResult.PLANNED,
        held=held,
        assessments={kind.value: one.assessment for kind, one in known.items()},
    )
    skips = {lane.job.resource_type: lane.draft.skips for lane in prepared.lanes}
    orphans = {kind: one.orphans for kind, one in known.items()}
    return Preview(report, opened.bench.job.lanes, skips, waiting, orphans)


async def run_cycle(job: ConnectorJob, ports: Ports, control: Control) -> CycleReport:
    """One whole cycle. Its report is saved; what failed for one resource is looked at again in the next one."""
    started = ports.runtime.now()
    cycle = name_cycle(ports, started)
    try:
        async with open_bench(job, ports, control, started, cycle) as opened:
            prepared = await prepare(opened.bench)
            if job.enforcement is Enforcement.OBSERVE:
                report = replace((await _look(opened, prepared)).report, held=None)  # nobody could approve it
            else:
                report = await _carry_out(opened, prepared)
    except UsherError as error:
        report = make_failure(ports, started, error)
    report = await conclude_standing(job, ports, replace(report, name=cycle))
    await ports.store.save_cycle(job.connector, cycle, report)
    await trim_log(ports, job.connector, job.log_retention)
    return report


# --- stages ---------------------------------------------------------------------------------------------------------


async def _carry_out(opened: Opened, prepared: Prepared) -> CycleReport:
    """The writing half of a cycle. A cycle that was stopped before has concluded nothing."""
    bench = opened.bench
    store = bench.ports.store
    if bench.control.stop.is_set():
        return await _conclude(opened, prepared, _writings(opened, prepared), None, None)
    if prepared.mapping_changed:
        await store.release(bench.job.connector)
    for lane in prepared.lanes:
        if lane.mapping_changed:
            guarded = replace(consumption_of(lane.job, lane.snapshot, None), guarded=True)
            await store.save_consumption(lane.job.lane, guarded)
        await learn(bench, lane)
    held = await enforce(bench.job, bench.ports, prepared.judgement, bench.control.approval)
    if bench.job.anew is not None and held is None and prepared.judgement.hold is not None:
        opened, prepared = await _anchor(opened, prepared)
    bench, lanes = opened.bench, _writings(opened, prepared)
    for writing in lanes:
        await writing.skip()
        await writing.tell_held(held)
    error = await apply_plans(bench, lanes)
    for writing in lanes:
        await store.drop_held(writing.prepared.job.lane, sorted(writing.recorder.tally.applied))
        await store.clear_plan(writing.prepared.job.lane)
    return await _conclude(opened, prepared, lanes, error, held)


def _writings(opened: Opened, prepared: Prepared) -> list[Writing]:
    return [Writing.of(opened.bench, lane, prepared.judgement) for lane in prepared.lanes]


async def _anchor(opened: Opened, prepared: Prepared) -> tuple[Opened, Prepared]:
    """From here on what was found again is in force, and the approved plan is that of the connector's own lanes."""
    bench = opened.bench
    found = {lane.job.resource_type: consumption_of(lane.job, lane.snapshot, None) for lane in prepared.lanes}
    job = await conclude_anchoring(bench.job, bench.ports, prepared.judgement.rows, found)
    lost = job.lanes[0].lost
    lanes = tuple([replace(lane, job=replace(lane.job, anew=None, lost=lost)) for lane in prepared.lanes])
    return replace(opened, bench=replace(bench, job=job)), replace(prepared, lanes=lanes)


async def _conclude(
    opened: Opened,
    prepared: Prepared,
    lanes: Sequence[Writing],
    error: CycleError | None,
    held: HeldPlan | None,
) -> CycleReport:
    bench = opened.bench
    counts = {w.prepared.job.resource_type: final_counts(w.prepared.draft, w.recorder) for w in lanes}
    due = {} if held else {lane.job.lane: await due_holders(bench.ports, lane.job) for lane in prepared.lanes}
    recovered = sum(writing.recorder.undone.recovered for writing in lanes)
    report = replace(await make_report(opened, prepared, counts, due), held=held, recovered=recovered)
    if error is not None:
        return failed_with(report, error)
    if bench.control.stop.is_set():
        return replace(report, result=CycleResult.INTERRUPTED)
    if prepared.assigning is not None or prepared.kind is CycleKind.INITIAL:
        await conclude_assigning(bench.job, bench.ports, prepared.assigning, [lane.job for lane in prepared.lanes])
    for lane in prepared.lanes:
        done = consumption_of(lane.job, lane.snapshot, lane.snapshot.version)
        await bench.ports.store.save_consumption(lane.job.lane, done)
    done_all = report.pending == 0 and not report.unresolved and held is None
    return replace(report, result=CycleResult.SUCCEEDED if done_all else CycleResult.PARTIAL)
