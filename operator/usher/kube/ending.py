"""What is due for a connector that is being deleted, as a decision on what is known of it.

Without our finalizer a connector is gone as soon as it is deleted, and its accounts stay. With it, the object waits
until everybody has left, or the time is over. Nothing of this lives in memory alone: the time of the deletion is on the
object, the accounts are in the state.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Any, Final

from usher.api.conditions import Finding, Reason
from usher.api.names import DEPROVISION
from usher.api.v1alpha1.connectors import ProvisioningConnectorSpec
from usher.api.v1alpha1.durations import parse_duration
from usher.api.v1alpha1.kinds import ProvisioningConnector
from usher.contracts.store import Store
from usher.core.model.reports import CycleReport, CycleResult
from usher.core.model.resources import ConnectorKey, Lane, ResourceType
from usher.core.sync.leaving import Policy
from usher.engine.job import ConnectorJob
from usher.kube.events import Note
from usher.kube.objects import Document, deleted_at, finalizers

_DEFAULT_TIMEOUT: Final[timedelta] = ProvisioningConnectorSpec.model_fields["deprovision_timeout"].default


@dataclass(frozen=True, slots=True)
class Ending:
    """A connector that is being deleted and waits for us. `deprovisions`: its policy is not Orphan by now."""

    deprovisions: bool
    deadline: datetime


def reluctance(manifest: ProvisioningConnector | Finding) -> str:
    """Why nothing may be written to the app, empty where anything may."""
    if isinstance(manifest, Finding):
        return ""
    if manifest.spec.suspend:
        return "spec.suspend is true, so nothing is written"
    return "spec.policy is Observe, so nothing is written" if manifest.spec.policy == "Observe" else ""


def wants_finalizer(document: Document) -> bool:
    """Whether the spec says Deprovision, as far as it can be read: one that is invalid otherwise may still say so."""
    return _spec(document).get("deletionPolicy") == "Deprovision"


def holds(document: Document) -> bool:
    """Whether our finalizer is on the object."""
    return DEPROVISION in finalizers(document)


def ending_of(document: Document) -> Ending | None:
    """None where nobody deleted the object."""
    since = deleted_at(document)
    return None if since is None else Ending(wants_finalizer(document), since + _timeout(document))


def _timeout(document: Document) -> timedelta:
    text = _spec(document).get("deprovisionTimeout")
    try:
        return parse_duration(text) if isinstance(text, str) else _DEFAULT_TIMEOUT
    except ValueError:
        return _DEFAULT_TIMEOUT


def _spec(document: Document) -> dict[str, Any]:
    spec = document.get("spec")
    return spec if isinstance(spec, dict) else {}


class Step(Enum):
    """What to do now with a connector that is being deleted."""

    ORPHAN = auto()
    """Let it go, its accounts stay: the policy says so by now."""
    GIVE_UP = auto()
    """Let it go with the accounts as they are: the time is over."""
    FINISH = auto()
    """Let it go: nothing is left to do."""
    STOP = auto()
    """End the cycle that runs, and look again."""
    WAIT = auto()
    """Look again later: a cycle runs, or nothing can be done, or it is not time yet."""
    RUN = auto()
    """Start a cycle in which everybody leaves."""


@dataclass(frozen=True, slots=True)
class EndingView:
    """All that the step depends upon.

    `running`: a cycle does, and it is `wanted` if it is one that takes everybody out, under the present spec. `linked`:
    the state knows accounts of this connector. `able`: cycles may run. `settled`: the last one under the present spec
    left nothing to do. `due`: it is time for the next one.
    """

    ending: Ending
    now: datetime
    running: bool = False
    wanted: bool = True
    linked: bool = True
    able: bool = True
    settled: bool = False
    due: bool = True


def next_step(view: EndingView) -> Step:
    """Whoever changes the policy or the time while it goes on is obeyed; accounts are never written after the time."""
    over = not view.ending.deprovisions or view.now >= view.ending.deadline
    if view.running:
        return Step.STOP if over or not (view.wanted and view.able) else Step.WAIT
    if not view.ending.deprovisions:
        return Step.ORPHAN
    if view.now >= view.ending.deadline:
        return Step.GIVE_UP
    if not view.linked or (view.able and view.settled):
        return Step.FINISH
    return Step.RUN if view.able and view.due else Step.WAIT


# --- what the state says ------------------------------------------------------------------------------------------


async def has_accounts(store: Store, connector: ConnectorKey) -> bool:
    """Whether a connector that ran has accounts, or may have made one: none of those that others took since."""
    for lane in (Lane(connector, kind) for kind in ResourceType):
        consumed = await store.consumption(lane)
        if consumed is None or consumed.retired:
            continue
        linked, _ = await store.count_links(lane)
        if linked or await store.intents(lane):
            return True
    return False


async def is_settled_by(report: CycleReport, job: ConnectorJob, store: Store, deadline: datetime) -> bool:
    """Whether a cycle in which everybody left has left nothing to do until the deadline.

    Who is disabled and is to be deleted later is waited for, where the time comes before.
    """
    if report.result is not CycleResult.SUCCEEDED or report.held is not None:
        return False
    deprovisioning = job.lanes[0].deprovisioning
    after = deprovisioning.delete_after
    if deprovisioning.on_unassigned is not Policy.DELETE or after is None:
        return True
    for lane in job.lanes:
        looked_at = set(await store.ripe(lane.lane, report.started - after))  # what still waits of these may not go
        if not looked_at.issuperset(await store.ripe(lane.lane, deadline - after)):
            return False
    return True


async def count_active(store: Store, connector: ConnectorKey) -> int:
    """How many accounts and groups of the connector are as they were."""
    counts = [await store.count_links(Lane(connector, kind)) for kind in ResourceType]
    return sum(enabled for _, enabled in counts)


# --- what is told -------------------------------------------------------------------------------------------------


def describe(ending: Ending, waits: str) -> Finding:
    """What goes on, as the condition Ready says it; `waits` is why nothing does, or empty."""
    what = waits or "everybody whom it links leaves as somebody who is assigned no more"
    until = f"{ending.deadline:%Y-%m-%d %H:%M:%S}Z"
    message = f"the connector is deleted: {what}; at {until} it is let go, with what is left as it is"
    return Finding(Reason.DEPROVISIONING, message)


def farewell(step: Step, active: int | None) -> Note:
    """The event with which the object goes; `active` accounts and groups are left as they were, None: who knows."""
    counted = "" if active is None else f" (accounts and groups: {active})"
    left = f"what has not left stays as it is{counted}"
    match step:
        case Step.GIVE_UP:
            return Note(
                "Warning", "DeprovisionTimedOut", f"spec.deprovisionTimeout is over, the connector goes: {left}"
            )
        case Step.ORPHAN:
            return Note("Normal", "Orphaned", f"spec.deletionPolicy is Orphan, the connector goes: {left}")
        case _ if active:
            message = f"everybody has left who may; spec and mappings keep the others{counted}"
            return Note("Normal", "Deprovisioned", message)
        case _:
            return Note("Normal", "Deprovisioned", "everybody whom it linked has left")
