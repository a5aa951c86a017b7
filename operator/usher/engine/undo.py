"""What one cycle did is taken back, as far as nobody has changed it since.

The undo is a run of its own, with lines and a journal of its own. The consumed version, the held plan and the
quarantine stay as they are, and whoever is touched is looked at by the next cycle, which does again what the source and
the mapping still say: whoever starts an undo sees to it that the connector is suspended, and that no other cycle of it
runs. The journal of one cycle is held in memory whole, as a plan is of which all needs an approval.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from usher.contracts.store import Record
from usher.core.errors import CycleError, UsherError
from usher.core.model.escrow import Unsettled
from usher.core.model.plans import Action, Phase, PlannedChange
from usher.core.model.reports import Counts, CycleKind, CycleReport, CycleResult
from usher.core.model.resources import Lane, ResourceType, SourceId
from usher.core.sync.planning import UNDONE
from usher.core.sync.policies import Approval, Counted, Enforcement, SafetyView, count, decide_for_chosen
from usher.core.sync.undoing import set_apart
from usher.engine.apply import Applier
from usher.engine.bench import Bench
from usher.engine.concurrency import in_chunks
from usher.engine.expecting import Expecting
from usher.engine.job import ConnectorJob, Control, Ports
from usher.engine.opening import name_cycle, open_bench
from usher.engine.progress import Stage
from usher.engine.ranks import apply_rank
from usher.engine.recorder import CHUNK, Recorder
from usher.engine.relating import Relating
from usher.engine.reporting import Opened, failed_with, make_failure
from usher.engine.safety import COUNTED, PLAN_HELD
from usher.engine.standing import conclude_rest
from usher.engine.undo_planning import Gathered, Undoing

CYCLE_NOT_FOUND: Final = "CycleNotFound"
NOTHING_TO_UNDO: Final = "NothingToUndo"


async def run_undo(job: ConnectorJob, ports: Ports, control: Control, cycle: str) -> CycleReport:
    """Takes back what the cycle of that name did. Reports, and never raises, what an end did."""
    started = ports.runtime.now()
    name = name_cycle(ports, started)
    try:
        if job.ending:
            message = "the connector is being deleted: nothing is done for it any more"
            raise CycleError(message, reason="Ending")
        async with open_bench(job, ports, control, started, name) as opened:
            report = await _undo(opened, cycle)
    except UsherError as error:
        report = replace(make_failure(ports, started, error), kind=CycleKind.UNDO)
    report = replace(report, name=name)
    await conclude_rest(job, ports, report)
    await ports.store.save_cycle(job.connector, name, report)
    return report


async def _undo(opened: Opened, cycle: str) -> CycleReport:
    """Raises CycleError where nothing is undone."""
    bench = opened.bench
    if bench.job.anew is not None:
        message = f"{bench.job.anew.words}: nothing is undone before a cycle has matched all accounts anew"
        raise CycleError(message, reason=PLAN_HELD)
    gathered = await _gather(bench, cycle)
    reborn = {account: one for each in gathered.values() for account, one in each.reborn.items()}
    lanes = [Undoing(bench, lane, reborn) for lane in bench.job.lanes]
    for undoing in lanes:
        await undoing.plan(gathered[undoing.lane.resource_type])
    leaving = (row.target_id for undoing in lanes for row in undoing.rows if row.action is Action.DISABLE)
    disabled = frozenset(one for one in leaving if one is not None)
    for undoing in lanes:
        undoing.rows = set_apart(undoing.rows, disabled)
    await _judge(bench, [row for undoing in lanes for row in undoing.rows])
    writings = [_Writing.of(undoing) for undoing in lanes]
    error = None if bench.job.enforcement is Enforcement.OBSERVE else await _apply(bench, writings)
    return _report(opened, writings, error)


async def _gather(bench: Bench, cycle: str) -> Mapping[ResourceType, Gathered]:
    store, connector, found = bench.ports.store, bench.job.connector, {}
    known = False
    await _refuse_unmapped(bench, cycle)
    for lane in bench.job.lanes:
        gathered = found[lane.resource_type] = Gathered()
        journal = await store.journal(lane.lane, cycle)
        if journal is None:
            continue
        known = True
        if journal.address != lane.address:
            message = f"the cycle {cycle} was about another address: its accounts are not those of this one"
            raise CycleError(message, reason="InvalidSpec")
        async for entries in store.journal_entries(lane.lane, cycle):
            for entry in entries:
                gathered.add(entry)
    if known:
        return found
    if await store.knows_cycle(connector, cycle):
        message = f"the cycle {cycle} changed nothing, or its journal has gone with spec.provisioningLog.retention"
        raise CycleError(message, reason=NOTHING_TO_UNDO)
    message = (
        f"this connector had no cycle {cycle}: its status.lastCycle and status.history have names, and usher logs more"
    )
    raise CycleError(message, reason=CYCLE_NOT_FOUND)


async def _refuse_unmapped(bench: Bench, cycle: str) -> None:
    """Raises CycleError where a half of what the cycle did is about resources that no mapping is for by now."""
    for kind in ResourceType:
        if bench.job.lane(kind) is None and await bench.ports.store.journal(Lane(bench.job.connector, kind), cycle):
            message = (
                f"the cycle {cycle} changed {kind.value.lower()}s, and no mapping for them is in use: put one into "
                "spec.mappings, for as long as it takes"
            )
            raise CycleError(message, reason="InvalidSpec")


async def _judge(bench: Bench, rows: Sequence[PlannedChange]) -> None:
    """An undo is done as a whole or not begun: nothing of it is held. Raises CycleError."""
    store, job, live = bench.ports.store, bench.job, Counter[Counted]()
    for lane in job.lanes:
        _, active = await store.count_links(lane.lane)
        live[COUNTED[lane.resource_type]] += active
        live[Counted.MEMBERSHIPS] += await store.count_references(lane.lane)
    whole = job.approval is Approval.ALWAYS
    due = [row for row in rows if whole or row.destructive]
    reason = decide_for_chosen(SafetyView(due, live, job.budgets, None, source_is_empty=False, whole=whole)).reason
    if not reason:
        return
    if whole:
        message = "all that is written needs an approval, and an undo can't get one: set safety.approval: OnViolation"
    else:
        lost = ", ".join(f"{many} of {live[one]} {one}" for one, many in count(due).items())
        message = f"it would take away {lost}, and nothing was undone: raise the budgets in spec.safety for it"
    raise CycleError(message, reason=reason)


@dataclass(frozen=True, slots=True)
class _Writing:
    """One lane while it is written to."""

    undoing: Undoing
    applier: Applier
    recorder: Recorder

    @classmethod
    def of(cls, undoing: Undoing) -> _Writing:
        bench, lane = undoing.bench, undoing.lane
        expecting = Expecting(bench.job, lane, bench.ports, bench.session, bench.retrier)
        relating = Relating(lane, bench.session, bench.retrier, expecting)
        applier = Applier(lane, bench.ports, bench.session, bench.retrier, relating, bench.licences)
        return cls(undoing, applier, Recorder(lane, bench.ports, bench.cycle, {}, ()))

    async def announce(self) -> None:
        """Whoever is touched is looked at by the next cycle, however far this comes."""
        ports, lane, now = self.undoing.bench.ports, self.undoing.lane.lane, self.undoing.bench.ports.runtime.now()
        await ports.store.record(lane, Record(log=self.undoing.left, holding=self.undoing.holdings))
        for ids in in_chunks(sorted({row.source_id for row in self.undoing.rows}), CHUNK):
            entries = [Unsettled(one, UNDONE, 1, now) for one in ids]
            await ports.store.record(lane, Record(unsettled=entries, waking=self._holders(ids)))

    def _holders(self, ids: Sequence[SourceId]) -> Sequence[SourceId]:
        return ids if self.undoing.lane.mapping.references else ()

    async def apply(self, phase: Phase, control: Control) -> None:
        """The rows of one phase. What came of them is in the state when it returns."""
        await apply_rank(self.applier, self.recorder, control, self._chunks(phase))
        await self.recorder.flush()

    async def _chunks(self, phase: Phase) -> AsyncIterator[Sequence[PlannedChange]]:
        for rows in in_chunks([row for row in self.undoing.rows if row.phase is phase], CHUNK):
            yield rows


async def _apply(bench: Bench, writings: Sequence[_Writing]) -> CycleError | None:
    """In the order of every apply. Returns the error that ended it before its end, if one did."""
    bench.control.progress.enter(Stage.APPLY, sum(len(writing.undoing.rows) for writing in writings))
    try:
        for writing in writings:
            await writing.announce()
        for phase in sorted({row.phase for writing in writings for row in writing.undoing.rows}):
            for writing in writings:
                await writing.apply(phase, bench.control)
    except CycleError as error:
        return error
    finally:
        for writing in writings:
            await writing.recorder.flush()
    return None


def _report(opened: Opened, writings: Sequence[_Writing], error: CycleError | None) -> CycleReport:
    bench, counts = opened.bench, {}
    for writing in writings:
        results = Counter(line.result for line in writing.undoing.left)
        counts[writing.undoing.lane.resource_type] = writing.recorder.counts(0, results["Skipped"], results["Failure"])
    reasons = Counter(line.reason for writing in writings for line in writing.undoing.left)
    failed = sum(writing.recorder.tally.failed for writing in writings)
    report = CycleReport(
        kind=CycleKind.UNDO,
        result=CycleResult.PARTIAL if reasons or failed else CycleResult.SUCCEEDED,
        started=opened.started,
        completed=bench.ports.runtime.now(),
        counts=counts.get(ResourceType.USER, Counts()),
        groups=counts.get(ResourceType.GROUP),
        reasons=reasons,
        pending=reasons.total() + failed,
        stale=opened.stale,
        credential=opened.credential,
    )
    if error is not None:
        return failed_with(report, error)
    if bench.control.stop.is_set():
        return replace(report, result=CycleResult.INTERRUPTED)
    return replace(report, result=CycleResult.PLANNED) if bench.job.enforcement is Enforcement.OBSERVE else report
