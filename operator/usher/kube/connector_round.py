"""One look at a connector: the object, what this process and the store know of it, and what a cycle depends upon."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from usher.api.conditions import Finding
from usher.api.names import APPROVE_PLAN, REQUESTED_AT
from usher.contracts.store import Consumption, Store
from usher.core.model.reports import CycleKind
from usher.core.model.resources import ConnectorKey, Lane, ResourceType, SourceKey
from usher.kube.cache import Cache
from usher.kube.connector_drift import is_comparison_due
from usher.kube.connector_parts import ConnectorSubject, Parts
from usher.kube.connector_state import ConnectorState, Inputs, LaneInputs, Memory
from usher.kube.ending import Ending
from usher.kube.objects import ObjectKey

MAX_REQUEST: Final = 256


@dataclass(frozen=True, slots=True)
class Round:
    """One reconcile. `ending` is None unless the object is being deleted and waits for us."""

    subject: ConnectorSubject
    state: ConnectorState
    parts: Parts | Finding
    memory: Memory
    inputs: Inputs | None
    ending: Ending | None = None

    @property
    def key(self) -> ObjectKey:
        """Of the connector."""
        return self.subject.key

    @property
    def is_initial(self) -> bool:
        """Whether no initial cycle has ended yet in one of its lanes; as long as these are not known, for users."""
        return self.memory.is_initial(_lanes(self.parts))

    @property
    def has_lost_state(self) -> bool:
        """Whether the status tells of linked accounts, and the store knows nothing of the connector."""
        counts = self.subject.former.counts
        return self.ending is None and not self.memory.consumed and counts is not None and bool(counts.linked)

    def kind(self, at: datetime) -> CycleKind:
        """Of a cycle that starts at this time."""
        manifest = self.subject.manifest
        if self.is_initial or self.ending is not None or isinstance(manifest, Finding):
            return CycleKind.INITIAL
        due = is_comparison_due(self.memory.comparisons, manifest.spec.schedule.full_interval, at)
        return CycleKind.FULL_COMPARISON if due else CycleKind.INCREMENTAL

    @property
    def suspended(self) -> bool:
        """As the spec says, as far as it can be read."""
        manifest = self.subject.manifest
        return not isinstance(manifest, Finding) and manifest.spec.suspend

    @property
    def requested(self) -> str:
        """The word that asks for a cycle now, empty for none."""
        return _requested(self.subject)


def _lanes(parts: Parts | Finding) -> Iterable[ResourceType]:
    return (ResourceType.USER,) if isinstance(parts, Finding) else parts.lanes


async def remember(store: Store, key: ObjectKey, parts: Parts | Finding) -> Memory:
    """What the store knows."""
    connector = ConnectorKey(key.path)
    versions: dict[ResourceType, int] = {}
    consumed: dict[ResourceType, Consumption] = {}
    if not isinstance(parts, Finding):
        for kind in parts.kinds:
            snapshot = await store.snapshot(SourceKey(parts.source.path), kind)
            versions |= {} if snapshot is None else {kind: snapshot.version}
    for lane in _lanes(parts):
        consumption = await store.consumption(Lane(connector, lane))
        consumed |= {} if consumption is None else {lane: consumption}
    hold = await store.hold_of(connector)
    comparisons = {lane: await store.comparison(Lane(connector, lane)) for lane in _lanes(parts)}
    return Memory(
        versions,
        consumed,
        held=None if hold is None or hold.approved else hold,
        resolution=await store.resolution(connector),
        comparisons={lane: one for lane, one in comparisons.items() if one is not None},
        standing=await store.standing(connector),
    )


def inputs_of(cache: Cache, subject: ConnectorSubject, parts: Parts | Finding, memory: Memory) -> Inputs | None:
    """None where there is nothing to run a cycle with (yet): whatever it depends on needs its snapshot."""
    if isinstance(parts, Finding) or not parts.kinds <= memory.versions.keys():
        return None
    lanes = tuple(LaneInputs(lane, digest, memory.versions[lane]) for lane, digest in parts.lanes.items())
    assigned = memory.versions[ResourceType.GROUP] if parts.connector.spec.scope.groups else None
    return replace(_inputs(cache, subject, lanes), assigned=assigned)


def bare_inputs_of(cache: Cache, subject: ConnectorSubject, parts: Parts | Finding) -> Inputs | None:
    """The same where no snapshot is needed, and none plays a part."""
    if isinstance(parts, Finding):
        return None
    return _inputs(cache, subject, tuple(LaneInputs(lane, digest, 0) for lane, digest in parts.lanes.items()))


def ending_inputs_of(cache: Cache, subject: ConnectorSubject, parts: Parts | Finding) -> Inputs | None:
    """As `bare_inputs_of`, of a connector that is being deleted."""
    inputs = bare_inputs_of(cache, subject, parts)
    return None if inputs is None else replace(inputs, ending=True)


def _inputs(cache: Cache, subject: ConnectorSubject, lanes: tuple[LaneInputs, ...]) -> Inputs:
    return Inputs(
        uid=subject.uid,
        generation=subject.generation,
        lanes=lanes,
        assigned=None,
        documents=cache.versions_named(subject.key),
        requested=_requested(subject),
        approval=subject.annotation(APPROVE_PLAN),
    )


def _requested(subject: ConnectorSubject) -> str:
    return subject.annotation(REQUESTED_AT)[:MAX_REQUEST]
