"""One cycle: read what changed, plan, decide what is safe, apply, record, report.

A cycle reports, it never raises for what an end did: a target that is away ends in a report that says so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from usher.contracts.snapshots import Snapshot
from usher.contracts.store import Record, Unsettled
from usher.contracts.target import TargetSession
from usher.core.errors import CycleError, UsherError
from usher.core.model.plans import Action, Skip
from usher.core.model.reports import Counts, CycleKind, CycleReport, CycleResult
from usher.core.model.resources import SourceId
from usher.core.sync.flaws import refuse_errors
from usher.core.sync.linting import find_unknown_attributes, fit
from usher.core.sync.rules import CompiledMapping
from usher.engine.apply import Applier, apply_rank
from usher.engine.consumption import consume, consumption_of
from usher.engine.discovering import know_target
from usher.engine.drafting import Draft, Drafting
from usher.engine.evaluation import Extra, Feed, evaluate
from usher.engine.job import Control, Job, Ports
from usher.engine.progress import Stage
from usher.engine.recorder import Recorder
from usher.engine.retry import Retrier
from usher.engine.safety import PLAN_HELD, Circumstances, Judgement, describe_hold, enforce, judge

KEY_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A cycle up to the point where it would begin to write.

    Its plan is in the store, its judgement is not enforced.
    """

    kind: CycleKind
    snapshot: Snapshot
    draft: Draft
    former: Mapping[SourceId, Unsettled]
    judgement: Judgement
    mapping_changed: bool


@dataclass(frozen=True, slots=True)
class _Bench:
    """What every stage of one cycle shares.

    The mapping of its job has the types of the target's own schema; `stale` is as in `CycleReport`.
    """

    job: Job
    ports: Ports
    control: Control
    session: TargetSession
    retrier: Retrier
    started: datetime
    stale: str


@dataclass(frozen=True, slots=True)
class Preview:
    """What a cycle would do. Its changes are the running plan in the store; those of `waiting` would not be applied.

    `skips` are the people for whom nothing would be done, and why. Both name people: for a terminal only. `mapping` is
    the one that was in force, typed as the target says, as far as the cycle came to ask it.
    """

    report: CycleReport
    mapping: CompiledMapping
    skips: Sequence[Skip] = ()
    waiting: frozenset[SourceId] = frozenset()


async def plan_cycle(job: Job, ports: Ports, control: Control) -> CycleReport:
    """The report of `preview_cycle`."""
    return (await preview_cycle(job, ports, control)).report


async def preview_cycle(job: Job, ports: Ports, control: Control) -> Preview:
    """The cycle stopped before it writes anything to the target or decides anything for good."""
    started = ports.runtime.now()
    try:
        async with _open(job, ports, control, started) as bench:
            prepared = await _prepare(bench)
    except UsherError as error:
        return Preview(_failure(ports, started, error), job.mapping)
    judgement = prepared.judgement
    held, waiting = None, judgement.decision.wait
    if judgement.hold is not None and not judgement.hold.approved:
        held = describe_hold(judgement.hold, len(judgement.rows))
        waiting |= {row.source_id for row in judgement.rows}
    report = await _report(bench, prepared, _planned_counts(prepared.draft))
    report = replace(report, result=CycleResult.PLANNED, held=held)
    return Preview(report, bench.job.mapping, prepared.draft.skips, waiting)


async def run_cycle(job: Job, ports: Ports, control: Control) -> CycleReport:
    """One whole cycle. Its report is saved; what failed for one person is looked at again in the next one."""
    started = ports.runtime.now()
    cycle = f"{started:%Y%m%dT%H%M%SZ}-{ports.runtime.random.getrandbits(16):04x}"
    try:
        async with _open(job, ports, control, started) as bench:
            prepared = await _prepare(bench)
            held = {row.source_id for row in prepared.judgement.rows}
            recorder = Recorder(bench.job, ports, cycle, prepared.former, held)
            report = await _carry_out(bench, prepared, recorder)
    except UsherError as error:
        report = _failure(ports, started, error)
    await ports.store.save_cycle(job.connector, cycle, report)
    return report


# --- stages ---------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def _open(job: Job, ports: Ports, control: Control, started: datetime) -> AsyncIterator[_Bench]:
    retrier = Retrier(ports.runtime)
    async with job.open_target() as session:
        await retrier.read(session.check)
        known = await know_target(job.address, ports, session, retrier)
        mapping = fit(job.mapping, known.discovery)
        if mapping.kept_up:
            mapping = replace(mapping, key=await ports.store.seal_key(ports.runtime.random.randbytes(KEY_BYTES)))
        typed = replace(job, mapping=mapping)
        yield _Bench(typed, ports, control, session, retrier, started, known.stale)


async def _prepare(bench: _Bench) -> _Prepared:
    job, store = bench.job, bench.ports.store
    snapshot = await _snapshot_of(bench)
    consumption = await consume(job, bench.ports, snapshot)
    mapping_changed = consumption is not None and consumption.mapping != job.mapping.digest
    same_rules = consumption is not None and not mapping_changed and consumption.schema == job.mapping.schema
    since = consumption.version if consumption is not None and same_rules else None
    kind = CycleKind.INITIAL if since is None or since > snapshot.version else CycleKind.INCREMENTAL
    former = await store.unsettled(job.connector)
    held = await store.held(job.connector)
    _, live = await store.count_links(job.connector)
    extra = Extra(
        intents=await store.intents(job.connector),
        unsettled=former.keys(),
        held=() if held is None else [row.source_id for row in held[1]],
    )
    bench.control.progress.enter(Stage.EVALUATE, snapshot.count)
    batch = await evaluate(job, bench.ports, Feed(kind, snapshot, since, extra))
    draft = await Drafting(job, bench.ports, bench.session, bench.retrier, bench.control).draft(batch)
    circumstances = Circumstances(
        live=live,
        source_is_empty=snapshot.count == 0,
        mapping_changed=mapping_changed,
        guarded=mapping_changed or (consumption is not None and consumption.guarded),
    )
    judgement = await judge(job, bench.ports, draft, circumstances)
    return _Prepared(kind, snapshot, draft, former, judgement, mapping_changed)


async def _carry_out(bench: _Bench, prepared: _Prepared, recorder: Recorder) -> CycleReport:
    """The writing half of a cycle. A cycle that was stopped before has concluded nothing."""
    job, store, draft = bench.job, bench.ports.store, prepared.draft
    if bench.control.stop.is_set():
        return await _conclude(bench, prepared, recorder, error=None)
    if prepared.mapping_changed:
        await store.release(job.connector)
        guarded = replace(consumption_of(job, prepared.snapshot, None), guarded=True)
        await store.save_consumption(job.connector, guarded)
    await store.record(job.connector, Record(links=draft.adopted, unlinked=draft.lost))
    waiting = prepared.judgement.decision.wait
    held = await enforce(job, bench.ports, prepared.judgement, bench.control.approval)
    skips = [
        *draft.skips,
        *(Skip(i, PLAN_HELD, "over the budget, beside a held plan", settled=False) for i in waiting),
    ]
    await recorder.add_skips(skips, draft.settled, draft.closed)
    error = await _apply(bench, recorder, waiting)
    await store.drop_held(job.connector, sorted(recorder.tally.applied))
    report = replace(await _conclude(bench, prepared, recorder, error), held=held)
    return replace(report, result=CycleResult.PARTIAL) if held and report.result is CycleResult.SUCCEEDED else report


async def _snapshot_of(bench: _Bench) -> Snapshot:
    job = bench.job
    snapshot = await bench.ports.store.snapshot(job.source, job.resource_type)
    if snapshot is None:
        message = f"IdentitySource/{job.source} has not been read completely yet"
        raise CycleError(message, reason="SourceUnreachable")
    source = f"IdentitySource/{job.source.partition('/')[2]}"
    refuse_errors(find_unknown_attributes(job.requires, snapshot.attributes, source))
    return snapshot


async def _apply(bench: _Bench, recorder: Recorder, waiting: frozenset[SourceId]) -> CycleError | None:
    """Applies the running plan in its order. Returns the error that ended it before its end, if one did."""
    job, store, control = bench.job, bench.ports.store, bench.control
    total = sum((await store.count_changes(job.connector)).values())
    control.progress.enter(Stage.APPLY, total)
    applier = Applier(job, bench.ports, bench.session, bench.retrier)
    try:
        for phase, rank in await store.ranks(job.connector):
            if control.stop.is_set():
                return None
            chunks = store.changes_of(job.connector, phase, rank)
            due = ([row for row in rows if row.source_id not in waiting] async for rows in chunks)
            await apply_rank(applier, recorder, control, due)
    except CycleError as error:
        return error
    finally:
        await recorder.flush()
    return None


async def _conclude(bench: _Bench, prepared: _Prepared, recorder: Recorder, error: CycleError | None) -> CycleReport:
    job, ports = bench.job, bench.ports
    report = await _report(bench, prepared, _final_counts(prepared.draft, recorder))
    if error is not None:
        return replace(report, result=CycleResult.FAILED, error_reason=error.reason, error=error.message)
    if bench.control.stop.is_set():
        return replace(report, result=CycleResult.INTERRUPTED)
    done = consumption_of(job, prepared.snapshot, prepared.snapshot.version)
    await ports.store.save_consumption(job.connector, done)
    return replace(report, result=CycleResult.SUCCEEDED if report.pending == 0 else CycleResult.PARTIAL)


async def _report(bench: _Bench, prepared: _Prepared, counts: Counts) -> CycleReport:
    job, ports = bench.job, bench.ports
    unsettled = await ports.store.unsettled(job.connector)
    linked, _ = await ports.store.count_links(job.connector)
    return CycleReport(
        kind=prepared.kind,
        result=CycleResult.PARTIAL,
        started=bench.started,
        completed=ports.runtime.now(),
        counts=counts,
        reasons=Counter(entry.reason for entry in unsettled.values()),
        in_scope=await ports.store.count_claimants(job.connector),
        linked=linked,
        pending=len(unsettled),
        stale=bench.stale,
    )


def _failure(ports: Ports, started: datetime, error: UsherError) -> CycleReport:
    return CycleReport(
        kind=CycleKind.INCREMENTAL,
        result=CycleResult.FAILED,
        started=started,
        completed=ports.runtime.now(),
        counts=Counts(),
        error_reason=error.reason,
        error=error.message,
    )


def _skipped_and_failed(draft: Draft) -> tuple[int, int]:
    settled = sum(1 for skip in draft.skips if skip.settled)
    return settled, len(draft.skips) - settled


def _final_counts(draft: Draft, recorder: Recorder) -> Counts:
    skipped, failed = _skipped_and_failed(draft)
    return recorder.counts(draft.unchanged, skipped, failed)


def _planned_counts(draft: Draft) -> Counts:
    skipped, failed = _skipped_and_failed(draft)
    return Counts(
        created=draft.actions[Action.CREATE],
        linked=draft.actions[Action.LINK],
        updated=draft.actions[Action.UPDATE],
        disabled=draft.actions[Action.DISABLE],
        unchanged=draft.unchanged,
        skipped=skipped,
        failed=failed,
    )
