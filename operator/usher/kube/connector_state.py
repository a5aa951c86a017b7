"""What this process knows of one connector between two reconciles, and when that calls for a cycle."""

from __future__ import annotations

from asyncio import Event
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from usher.api.conditions import ConditionType, Contact, End, Finding, Reason, Verdict, find_condition, keep
from usher.api.connector_conditions import CycleVerdict
from usher.api.v1alpha1.connector_status import (
    MAX_HISTORY,
    ConnectorCounts,
    ConnectorStatus,
    CycleSummary,
    RunningCycle,
    TargetStatus,
)
from usher.contracts.assignments import Resolution
from usher.contracts.store import Consumption, StoredHold
from usher.core.errors import OF_THE_STATE, UsherError
from usher.core.model.reports import CycleKind, CycleReport, CycleResult
from usher.core.model.resources import ResourceType
from usher.core.model.standing import Quarantine, Standing
from usher.engine.progress import Progress, Stage
from usher.kube.connector_drift import Comparisons
from usher.kube.cycle_summaries import is_worth_remembering, summarize
from usher.kube.errands import Errand
from usher.kube.secrets import Witness

NOT_THE_TARGETS: Final = OF_THE_STATE | {
    Reason.MAPPING_INVALID,
    Reason.INVALID_SPEC,
    Reason.SOURCE_UNREACHABLE,
    "InternalError",
}
"""Reasons for which a cycle fails though its target answers."""


NEW: Final = Standing()
"""Of a connector that has not run yet."""


@dataclass(frozen=True, slots=True)
class Memory:
    """What the state store knows of a connector: by resource type, as far as there is one, and the held plan.

    `versions` are those of the source's snapshots; `resolution` is what the entries of the scope meant, if it has some.
    `comparisons` are the last full ones, and `standing` is how the connector stands with its target.
    """

    versions: Mapping[ResourceType, int]
    consumed: Mapping[ResourceType, Consumption]
    held: StoredHold | None
    resolution: Resolution | None = None
    comparisons: Comparisons = field(default_factory=dict)
    standing: Standing = NEW

    def is_initial(self, lanes: Iterable[ResourceType]) -> bool:
        """Whether for any of these no initial cycle has ended."""
        return any(lane not in self.consumed or self.consumed[lane].version is None for lane in lanes)


class LaneInputs(NamedTuple):
    """What a cycle depends upon in one lane: the mapping's digest, and the version of the source's snapshot."""

    resource_type: ResourceType
    mapping: str
    version: int


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a cycle depends upon. Another one of these asks for another cycle at once.

    `assigned` is the version of the groups that the scope looks into, None where it names none. `documents` are the
    versions of the ConfigMaps that the spec names. `ending`: the connector is being deleted, and everybody leaves.
    """

    uid: str
    generation: int
    lanes: tuple[LaneInputs, ...]
    assigned: int | None
    documents: str
    requested: str
    approval: str
    ending: bool = False

    def same_job(self, other: Inputs) -> bool:
        """Whether a cycle that runs with the one is still wanted with the other."""
        return self._job == other._job

    @property
    def asked(self) -> Inputs:
        """Without what changes by itself: a new version of the source is no reason to disturb a quarantine."""
        lanes = tuple(lane._replace(version=0) for lane in self.lanes)
        return replace(self, lanes=lanes, assigned=None)

    @property
    def _job(self) -> tuple[object, ...]:
        return self.uid, self.generation, self.ending, [(lane.resource_type, lane.mapping) for lane in self.lanes]


@dataclass(slots=True)
class RunningState:
    """A cycle that runs. `shown` is what the status tells of it, from `next_shown` (monotonic seconds) on.

    `errand` is what asked for it, None where it was due. One that is no cycle of the connector's own is not told in
    its status, and nothing follows from it.
    """

    inputs: Inputs
    kind: CycleKind
    started: datetime
    next_shown: float
    errand: Errand | None = None
    stop: Event = field(default_factory=Event)
    progress: Progress = field(default_factory=Progress)
    shown: RunningCycle | None = None

    @property
    def counts(self) -> bool:
        """Whether it is a cycle of the connector's own."""
        return self.errand is None or self.errand.is_cycle

    def show(self) -> None:
        """Takes a new picture for the status."""
        self.shown = RunningCycle(
            kind=self.kind.value,
            stage=self.progress.stage.value,
            done=self.progress.done,
            total=self.progress.total or None,
            start_time=self.started,
        )


@dataclass(slots=True)
class ConnectorState:
    """One connector. `target` is known under `generation`; `due` is in monotonic seconds, `due_time` by the clock.

    `discovered` is what the target says of itself, as of the end of the last cycle. `ran_with` is None until this
    process has run a cycle. While the connector is being deleted, `attempts` counts its cycles, and `settled` says that
    the last one left nothing to do. `witness` has seen credentials that the target rejected: while they read as before,
    it is not asked again but by schedule; `renewed` says that they don't.
    `quarantine` is that of the last cycle whose next one has its time: the store knows of it a moment earlier.
    """

    generation: int
    failures: int
    handled: str | None
    last_cycle: CycleSummary | None
    history: tuple[CycleSummary, ...]
    counts: ConnectorCounts | None
    due_time: datetime | None
    discovered: TargetStatus | None = None
    due: float | None = None
    target: End = Contact.UNTRIED
    verdict: CycleVerdict | Verdict | None = None
    ran_with: Inputs | None = None
    running: RunningState | None = None
    attempts: int = 0
    settled: bool = False
    witness: Witness | None = None
    renewed: bool = False
    quarantine: Quarantine | None = None

    @classmethod
    def resume(cls, generation: int, former: ConnectorStatus) -> ConnectorState:
        """What the status tells of an earlier process."""
        return cls(
            generation=generation,
            failures=former.consecutive_failures or 0,
            handled=former.last_handled_reconcile_at,
            last_cycle=former.last_cycle,
            history=former.history or (),
            counts=former.counts,
            due_time=former.next_cycle_time,
            discovered=former.target,
            verdict=_verdict_of(former),
        )

    def enter(self, generation: int) -> None:
        """The spec has this generation: what was known of the target under another one does not hold."""
        if generation != self.generation:
            self.generation, self.target = generation, Contact.UNTRIED

    def learn(self, memory: Memory) -> None:
        """What is known between two cycles."""
        if self.running is None:
            self.quarantine = memory.standing.quarantine

    def plan_none(self) -> None:
        """No cycle is due until something changes."""
        self.due = self.due_time = None

    def plan_next(self, monotonic: float, now: datetime, delay: timedelta) -> None:
        """The next cycle is due after this time."""
        self.due_time = (now + delay).replace(microsecond=0)
        self.due = monotonic + delay.total_seconds()

    def observe_target(self) -> End:
        """What is known of the target now: a cycle that has begun to evaluate has had its answer."""
        running = self.running
        if running is None or running.inputs.generation != self.generation:
            return self.target
        return self.target if running.progress.stage is Stage.SNAPSHOT else Contact.ANSWERED

    def absorb(self, generation: int, report: CycleReport) -> None:
        """A cycle under this generation has ended."""
        summary = summarize(report)
        self.last_cycle = summary
        if is_worth_remembering(report):
            self.history = (summary, *self.history)[:MAX_HISTORY]
        if report.result is CycleResult.FAILED:
            self.fail(generation, UsherError(report.error, reason=report.error_reason))
            return
        if report.result is CycleResult.INTERRUPTED:
            return
        self.failures = 0
        self.counts = ConnectorCounts(
            in_scope=report.in_scope,
            linked=report.linked,
            pending=report.pending,
            escrowed=report.escrowed or None,
            waiting_references=report.waiting_references or None,
            orphans=sum(one.orphans for one in report.assessments.values()) if report.assessments else None,
        )
        self.verdict = CycleVerdict(
            generation,
            report.pending,
            report.due_references,
            report.reasons,
            unresolved=report.unresolved,
            observed=_observed(report),
            escrow=report.describe_escrow(),
        )
        if generation == self.generation:
            self.target = Contact.ANSWERED

    def fail(self, generation: int, error: UsherError) -> None:
        """A cycle under this generation came to nothing."""
        self.failures += 1
        finding = Finding(error.reason, error.message)
        self.verdict = CycleVerdict(generation, failure=finding)
        if generation == self.generation:
            self.target = Contact.ANSWERED if error.reason in NOT_THE_TARGETS else finding


def _observed(report: CycleReport) -> str:
    """What a cycle found that was not to write, empty for any other."""
    if report.result is not CycleResult.PLANNED:
        return ""
    found = [f"{kind.lower()}s: {one}" for kind, one in report.assessments.items()] or ["the app can't be listed"]
    return f"{'; '.join(found)}. usher plan names them"


def _verdict_of(former: ConnectorStatus) -> Verdict | None:
    """What a status says of the last cycle, where it speaks of the cycle and not of something that hid it."""
    in_sync = find_condition(former.conditions, ConditionType.IN_SYNC)
    if in_sync is None or in_sync.reason not in (
        Reason.SUCCEEDED,
        Reason.OBJECTS_FAILED,
        Reason.REFERENCES_PENDING,
        Reason.SCOPE_UNRESOLVED,
        Reason.OBSERVING,
    ):
        return None
    return keep(in_sync, ConditionType.IN_SYNC)


def is_settled(former: ConnectorStatus, inputs: Inputs, memory: Memory) -> bool:
    """Whether an earlier process has done all that these inputs ask for: the next cycle can wait for its time."""
    if former.next_cycle_time is None or former.cycle is not None:
        return False
    held = memory.held
    approved = held is not None and held.hash == inputs.approval
    in_force = find_condition(former.conditions, ConditionType.RECONCILING) is None
    source = find_condition(former.conditions, ConditionType.SOURCE_REACHABLE)
    hidden = source is not None and source.status == "False"  # then the status does not say what the last cycle left
    return (
        in_force
        and not hidden
        and not approved
        and former.observed_generation == inputs.generation
        and (former.last_handled_reconcile_at or "") == inputs.requested
        and (memory.resolution is None or memory.resolution.groups == inputs.assigned)
        and all(_has_consumed(memory.consumed.get(lane.resource_type), lane) for lane in inputs.lanes)
    )


def _has_consumed(consumed: Consumption | None, lane: LaneInputs) -> bool:
    if consumed is None or consumed.retired:
        return False
    return (consumed.version, consumed.mapping) == (lane.version, lane.mapping)
