"""The status of a connector, as a pure function of what is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from usher.api.conditions import PATIENCE, VOID, Condition, Contact, End, Finding, Reason
from usher.api.connector_conditions import ConnectorObservation, connector_conditions
from usher.api.names import APPROVE_PLAN
from usher.api.v1alpha1.connector_status import (
    ConnectorCounts,
    ConnectorScheduleStatus,
    ConnectorStatus,
    PlanStatus,
)
from usher.api.v1alpha1.kinds import ProvisioningConnector
from usher.contracts.store import StoredHold
from usher.core.errors import UsherError
from usher.core.model.reports import CycleReport
from usher.core.model.standing import Quarantine
from usher.core.sync.quarantine import is_stopped
from usher.explanations import Again, explain_cycle
from usher.kube.connector_drift import Comparisons, count_orphans, find_drifted, find_lost
from usher.kube.connector_state import ConnectorState
from usher.kube.objects import ObjectKey
from usher.kube.quarantine import show, tell


@dataclass(frozen=True, slots=True)
class SourceView:
    """A connector's source as others see it. `failures` counts its failed reads in a row.

    `unread` is why the last read came to nothing, in the source's words. `version` is that of the last complete read,
    None before there was one.
    """

    end: End
    failures: int
    unread: Finding | None = None
    version: int | None = None

    @property
    def is_void(self) -> bool:
        """It answered with something that is not believed, and the last complete version stays in force."""
        return self.unread is not None and self.unread.reason in VOID and self.version is not None


@dataclass(frozen=True, slots=True)
class Facts:
    """What a reconcile found besides the connector's own state.

    `schedule` is None where the spec can't be read. `held` waits for an approval. `ending` is what goes on while the
    connector is being deleted. `comparisons` are the last full ones; `lost` says of each lane whether what is left of a
    loss of the state still has to be found. `quarantine` is that of the last cycle, and `expiring` what is to be told
    of the credential that it used.
    """

    key: ObjectKey
    suspended: bool
    schedule: ConnectorScheduleStatus | None
    blocker: Finding | None
    source: SourceView
    initial: bool
    held: StoredHold | None
    ending: Finding | None = None
    comparisons: Comparisons = field(default_factory=dict)
    lost: Sequence[bool] = ()
    quarantine: Quarantine | None = None
    expiring: Finding | None = None


def view_of_source(end: End, failures: int, version: int | None) -> SourceView:
    """What a failed read of the source is to its connectors: they stay on the last version that was complete."""
    if not isinstance(end, Finding):
        return SourceView(end, 0, version=version)
    told = Finding(Reason.SOURCE_UNREACHABLE, f"{end.reason}: {end.message}")
    return SourceView(told, failures, end, version)


def missing_source(key: ObjectKey) -> Finding:
    """The connector names a source that is not there."""
    message = f"spec.sourceRef: {key} does not exist: apply it; another source needs another connector"
    return Finding(Reason.SOURCE_UNREACHABLE, message)


def missing_mapping(key: ObjectKey, index: int) -> Finding:
    """The connector names a mapping that is not there, in this place of its list."""
    message = f"spec.mappings[{index}].name: {key} does not exist: apply it, or name another one"
    return Finding(Reason.MAPPING_INVALID, message)


def explained(
    key: ObjectKey, manifest: ProvisioningConnector | Finding, came: CycleReport | UsherError
) -> CycleReport | UsherError:
    """What a cycle came to; a failure as a whole says which object, which field, and the way out."""
    if isinstance(manifest, Finding):
        return came
    if isinstance(came, UsherError):
        told = explain_cycle(key.name, manifest.spec, came, Again.BY_ITSELF)
        return UsherError(str(told), reason=came.reason)
    if not came.error_reason:
        return came
    error = UsherError(came.error, reason=came.error_reason)
    return replace(came, error=str(explain_cycle(key.name, manifest.spec, error, Again.BY_ITSELF)))


def render(state: ConnectorState, facts: Facts, former: Sequence[Condition], now: datetime) -> ConnectorStatus:
    """The status to be written now."""
    idle = facts.suspended or facts.blocker is not None
    running, due = state.running, None if idle else state.due_time
    return ConnectorStatus(
        observed_generation=state.generation,
        last_handled_reconcile_at=state.handled,
        conditions=connector_conditions(_observation(state, facts, now), former, now),
        next_cycle_time=due,
        consecutive_failures=state.failures,
        schedule=facts.schedule,
        last_cycle=state.last_cycle,
        cycle=None if running is None else running.shown,
        counts=None if state.counts is None else _with_orphans(state.counts, facts.comparisons),
        history=state.history or None,
        plan=None if facts.held is None else _plan(facts.held),
        quarantine=None if facts.quarantine is None else show(facts.quarantine, due),
        target=state.discovered,
    )


def _observation(state: ConnectorState, facts: Facts, now: datetime) -> ConnectorObservation:
    failures = state.failures if facts.source.is_void else max(state.failures, facts.source.failures)
    return ConnectorObservation(
        generation=state.generation,
        suspended=facts.suspended,
        blocker=facts.blocker,
        source=facts.source.end if facts.blocker is None else Contact.UNTRIED,
        unread=facts.source.unread,
        void=facts.source.is_void,
        target=state.observe_target(),
        initial=facts.initial,
        cycle=state.verdict,
        consecutive_failures=failures if facts.blocker is None else max(failures, PATIENCE),
        held=None if facts.held is None else _how_to_approve(facts.key, facts.held),
        ending=facts.ending,
        drifted=find_drifted(facts.key, facts.comparisons),
        lost=find_lost(facts.key, facts.lost, facts.comparisons),
        quarantine=None if facts.quarantine is None else tell(facts.key, facts.quarantine, now),
        expiring=facts.expiring,
        stopped=facts.quarantine is not None and is_stopped(facts.quarantine, now),
    )


def _with_orphans(counts: ConnectorCounts, comparisons: Comparisons) -> ConnectorCounts:
    """Those that the last full comparison found, unless a cycle that only observes has just counted them."""
    if counts.orphans is not None:
        return counts
    return counts.model_copy(update={"orphans": count_orphans(comparisons)})


def _plan(held: StoredHold) -> PlanStatus:
    return PlanStatus(hash=held.hash, summary=held.summary[:256], expires=held.expires)


def _how_to_approve(key: ObjectKey, held: StoredHold) -> Finding:
    rest = "nothing of it was done" if held.whole else "the rest was applied"
    message = (
        f"{held.summary} wait for an approval until {held.expires:%Y-%m-%d %H:%M}Z; {rest}. If they are "
        f"right: kubectl -n {key.namespace} annotate pconn/{key.name} --overwrite {APPROVE_PLAN}={held.hash}"
    )
    return Finding(held.reason, message)
