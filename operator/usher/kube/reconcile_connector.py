"""Level-triggered: whatever woke a connector, one look at all of it decides on a cycle and on what to tell."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Final

from usher.api.conditions import NEEDS_A_PERSON, Contact, Finding
from usher.api.names import APPROVE_PLAN, REQUESTED_AT
from usher.api.v1alpha1.connectors import ConnectorStatus
from usher.api.v1alpha1.durations import format_duration
from usher.api.v1alpha1.kinds import ProvisioningConnector
from usher.assembly.connectors import assemble_connector
from usher.contracts.store import Consumption
from usher.core.errors import UsherError
from usher.core.model.reports import CycleKind, CycleReport, CycleResult
from usher.core.model.resources import ConnectorKey, Lane, ResourceType, SourceKey
from usher.engine.cycle import run_cycle
from usher.engine.job import Control
from usher.kube.attempts import attempt
from usher.kube.connector_parts import ConnectorSubject, Parts, resolve
from usher.kube.connector_state import ConnectorState, Inputs, LaneInputs, Memory, RunningState, is_settled
from usher.kube.connector_status import Facts, SourceView, explained, render, view_of_source
from usher.kube.events import connector_notes
from usher.kube.logs import log_cycle
from usher.kube.objects import ObjectKey
from usher.kube.reconcile_mapping import MappingReconciler
from usher.kube.reconcile_source import SourceReconciler
from usher.kube.schedule import backoff, spread
from usher.kube.services import Services
from usher.kube.status import read_subject
from usher.kube.target_status import look_up_target

FIRST_LOOK: Final = 2.0
"""Seconds after which a cycle that runs is looked at: both ends have answered by then."""
SHOWN_EVERY: Final = 30.0
SECRET_AGE: Final = timedelta(seconds=60)
"""A Secret that was mended acts within this time, though nothing tells of it."""
RESTART_SPREAD: Final = timedelta(seconds=30)
MAX_REQUEST: Final = 256
_OF_A_SECRET: Final = frozenset(
    {"CredentialsRejected", "SecretNotFound", "ConfigMapNotFound", "KeyNotFound", "AccessDenied"}
)


@dataclass(frozen=True, slots=True)
class _Round:
    """One reconcile: the object, what this process and the store know of it, and what a cycle would depend upon."""

    subject: ConnectorSubject
    state: ConnectorState
    parts: Parts | Finding
    memory: Memory
    inputs: Inputs | None

    @property
    def key(self) -> ObjectKey:
        """Of the connector."""
        return self.subject.key

    @property
    def is_initial(self) -> bool:
        """Whether no initial cycle has ended yet in one of its lanes; as long as these are not known, for users."""
        return self.memory.is_initial(_lanes(self.parts))

    @property
    def suspended(self) -> bool:
        """As the spec says, as far as it can be read."""
        manifest = self.subject.manifest
        return not isinstance(manifest, Finding) and manifest.spec.suspend


def _lanes(parts: Parts | Finding) -> Iterable[ResourceType]:
    return (ResourceType.USER,) if isinstance(parts, Finding) else parts.lanes


class ConnectorReconciler:
    """Runs connectors, each by itself."""

    def __init__(self, services: Services, mappings: MappingReconciler, sources: SourceReconciler) -> None:
        self._services, self._mappings, self._sources = services, mappings, sources
        self._states: dict[ObjectKey, ConnectorState] = {}

    def stop_all(self) -> None:
        """Lets every cycle end after its requests in flight."""
        for state in self._states.values():
            if state.running is not None:
                state.running.stop.set()

    async def reconcile(self, key: ObjectKey) -> None:
        """Brings one connector forward. Raises ClusterError, CycleError."""
        document = self._services.cache.get(key)
        if document is None:
            await self._retire(key)
            return
        subject = read_subject(key, document, ProvisioningConnector, ConnectorStatus)
        state = self._states.setdefault(key, ConnectorState.resume(subject.generation, subject.former))
        state.enter(subject.generation)
        parts = resolve(subject, self._services.cache, self._mappings)
        memory = await self._remember(key, parts)
        now = _Round(subject, state, parts, memory, self._inputs(subject, parts, memory))
        self._steer(now)
        await self._tell(now)

    async def _retire(self, key: ObjectKey) -> None:
        """Its accounts stay, and may be taken over by another connector."""
        state = self._states.get(key)
        if state is not None and state.running is not None:
            state.running.stop.set()  # the end of the cycle wakes this key again
            return
        self._states.pop(key, None)
        self._services.schedule.cancel(key)
        self._services.metrics.forget(key)
        ports = self._services.ports
        await ports.store.retire(ConnectorKey(key.path), ports.runtime.now())

    # --- what is there

    async def _remember(self, key: ObjectKey, parts: Parts | Finding) -> Memory:
        store, connector = self._services.ports.store, ConnectorKey(key.path)
        versions: dict[ResourceType, int] = {}
        consumed: dict[ResourceType, Consumption] = {}
        if not isinstance(parts, Finding):
            for kind in parts.kinds:
                snapshot = await store.snapshot(SourceKey(parts.source.path), kind)
                versions |= {} if snapshot is None else {kind: snapshot.version}
        for lane in _lanes(parts):
            consumption = await store.consumption(Lane(connector, lane))
            consumed |= {} if consumption is None else {lane: consumption}
        held = await store.held(connector)
        resolution = await store.resolution(connector)
        return Memory(versions, consumed, None if held is None or held[0].approved else held[0], resolution)

    def _inputs(self, subject: ConnectorSubject, parts: Parts | Finding, memory: Memory) -> Inputs | None:
        """None where there is nothing to run a cycle with (yet): whatever it depends on needs its snapshot."""
        if isinstance(parts, Finding) or not parts.kinds <= memory.versions.keys():
            return None
        return Inputs(
            uid=subject.uid,
            generation=subject.generation,
            lanes=tuple(LaneInputs(lane, digest, memory.versions[lane]) for lane, digest in parts.lanes.items()),
            assigned=memory.versions[ResourceType.GROUP] if parts.connector.spec.scope.groups else None,
            documents=self._services.cache.versions_named(subject.key),
            requested=subject.annotation(REQUESTED_AT)[:MAX_REQUEST],
            approval=subject.annotation(APPROVE_PLAN),
        )

    # --- when

    def _steer(self, now: _Round) -> None:
        key, state, services = now.key, now.state, self._services
        if state.running is not None:
            self._look_at(key, state.running, None if now.suspended else now.inputs)
        elif now.suspended or now.inputs is None:
            services.schedule.cancel(key)
            state.due = None
        elif self._is_time(now, now.inputs):
            self._start(now, now.inputs)
        elif state.due is not None:
            services.schedule.at(key, state.due)

    def _look_at(self, key: ObjectKey, running: RunningState, inputs: Inputs | None) -> None:
        if inputs is None or not running.inputs.same_job(inputs):
            running.stop.set()
        monotonic = self._services.ports.runtime.monotonic()
        if monotonic >= running.next_shown:
            running.show()
            running.next_shown = monotonic + SHOWN_EVERY
        self._services.schedule.at(key, running.next_shown)

    def _is_time(self, now: _Round, inputs: Inputs) -> bool:
        state, runtime = now.state, self._services.ports.runtime
        if state.ran_with is None:
            former = now.subject.former
            if former.next_cycle_time is None or not is_settled(former, inputs, now.memory):
                return True
            state.ran_with = inputs
            left = (former.next_cycle_time - runtime.now()).total_seconds()
            late = runtime.random.uniform(0, RESTART_SPREAD.total_seconds())
            state.due = runtime.monotonic() + (left if left > 0 else late)
        return state.ran_with != inputs or state.due is None or state.due <= runtime.monotonic()

    def _start(self, now: _Round, inputs: Inputs) -> None:
        runtime = self._services.ports.runtime
        running = RunningState(
            inputs=inputs,
            kind=CycleKind.INITIAL if now.is_initial else CycleKind.INCREMENTAL,
            started=runtime.now(),
            next_shown=runtime.monotonic() + SHOWN_EVERY,
        )
        now.state.running, now.state.ran_with = running, inputs
        self._services.cycles.start(now.key, partial(self._run, now, running))
        self._services.schedule.at(now.key, runtime.monotonic() + FIRST_LOOK)

    # --- a cycle

    async def _run(self, now: _Round, running: RunningState) -> None:
        state, generation = now.state, running.inputs.generation
        if running.stop.is_set():  # while it waited for its turn
            state.running = state.ran_with = state.due = None
            return
        came = explained(now.key, now.subject.manifest, await attempt(self._cycle(now, running), now.key))
        state.running = None
        state.handled = running.inputs.requested or None
        if isinstance(came, UsherError):
            state.fail(generation, came)
        else:
            state.absorb(generation, came)
            self._services.metrics.cycle_ended(now.key, came)
        self._plan_next(now, came)
        log_cycle(now.key, came)

    async def _cycle(self, now: _Round, running: RunningState) -> CycleReport:
        services, key, parts = self._services, now.key, now.parts
        if isinstance(parts, Finding):
            raise UsherError(parts.message, reason=parts.reason)
        ends = services.ends(key, now.subject.document)
        spec = parts.connector.spec
        mappings = {name: one.spec for name, one in parts.mappings.items()}
        job = assemble_connector(ConnectorKey(key.path), spec, mappings, parts.domain, ends)
        control = Control(approval=running.inputs.approval, stop=running.stop, progress=running.progress)
        report = await run_cycle(job, services.ports, control)
        now.state.discovered = await look_up_target(services.ports.store, job.address)
        return report

    def _plan_next(self, now: _Round, came: CycleReport | UsherError) -> None:
        state, runtime = now.state, self._services.ports.runtime
        if isinstance(came, CycleReport) and came.result is CycleResult.INTERRUPTED:
            state.due = None
            return
        manifest = now.subject.manifest
        interval = timedelta() if isinstance(manifest, Finding) else manifest.spec.schedule.interval
        reason = came.reason if isinstance(came, UsherError) else came.error_reason
        if reason in _OF_A_SECRET:
            delay = spread(min(interval, SECRET_AGE), runtime.random)
        elif reason and reason not in NEEDS_A_PERSON:
            delay = backoff(state.failures, interval, runtime.random)
        else:
            delay = spread(interval, runtime.random)
        state.plan_next(runtime.monotonic(), runtime.now(), timedelta(seconds=delay))

    # --- telling

    async def _tell(self, now: _Round) -> None:
        services, subject, state = self._services, now.subject, now.state
        blocker = now.parts if isinstance(now.parts, Finding) else None
        if blocker is not None and state.running is None:
            state.handled = subject.annotation(REQUESTED_AT)[:MAX_REQUEST] or None
        time = services.ports.runtime.now()
        status = render(state, self._facts(now, blocker), subject.former.conditions, time)
        services.metrics.conditions(now.key, status.conditions)
        services.metrics.next_cycle(now.key, status.next_cycle_time)
        if await services.statuses.write(now.key, subject.document, status):
            notes = connector_notes(subject.former, status, subject.annotation(APPROVE_PLAN), time)
            await services.events.post(now.key, subject.document, notes)

    def _facts(self, now: _Round, blocker: Finding | None) -> Facts:
        manifest, memory = now.subject.manifest, now.memory
        view = SourceView(Contact.UNTRIED, 0)
        if not isinstance(now.parts, Finding):
            view = view_of_source(*self._sources.reading(now.parts.source), memory.versions.get(ResourceType.USER))
        return Facts(
            key=now.key,
            suspended=now.suspended,
            interval=None if isinstance(manifest, Finding) else format_duration(manifest.spec.schedule.interval),
            blocker=blocker,
            source=view,
            initial=now.is_initial,
            held=memory.held,
        )
