"""Level-triggered: whatever woke a connector, one look at all of it decides on a cycle and on what to tell."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from usher.api.conditions import Finding
from usher.api.v1alpha1.connector_status import ConnectorStatus
from usher.api.v1alpha1.kinds import ProvisioningConnector
from usher.core.model.resources import ConnectorKey
from usher.core.sync.quarantine import is_stopped
from usher.kube.cluster import AccessDenied
from usher.kube.connector_cycles import SECRET_AGE, ConnectorCycles
from usher.kube.connector_parts import resolve
from usher.kube.connector_round import Round, bare_inputs_of, inputs_of, remember
from usher.kube.connector_state import ConnectorState, Inputs, RunningState, is_settled
from usher.kube.connector_telling import Telling
from usher.kube.ending import ending_of, holds, wants_finalizer
from usher.kube.errands import Errand, Errands
from usher.kube.objects import Document, ObjectKey
from usher.kube.quarantine import is_put_off
from usher.kube.reconcile_ending import EndingReconciler
from usher.kube.reconcile_mapping import MappingReconciler
from usher.kube.reconcile_source import SourceReconciler
from usher.kube.schedule import EARLIEST_SHARE
from usher.kube.services import Services
from usher.kube.status import finding_of, read_subject

RESTART_SPREAD: Final = timedelta(seconds=30)


class ConnectorReconciler:
    """Runs connectors, each by itself."""

    def __init__(
        self, services: Services, mappings: MappingReconciler, sources: SourceReconciler, errands: Errands
    ) -> None:
        self._services, self._mappings, self._errands = services, mappings, errands
        self._cycles, self._telling = ConnectorCycles(services, sources, errands), Telling(services, sources)
        self._endings = EndingReconciler(services, mappings, self._cycles, self._telling)
        self._states: dict[ObjectKey, ConnectorState] = {}

    def stop_all(self) -> None:
        """Lets every cycle end after its requests in flight."""
        for state in self._states.values():
            if state.running is not None:
                state.running.stop.set()

    async def reconcile(self, key: ObjectKey) -> None:
        """Brings one connector forward. Raises ClusterError, CycleError."""
        document = self._services.cache.get(key)
        ending = None if document is None else ending_of(document)
        if document is None or (ending is not None and not holds(document)):
            await self._retire(key)
            return
        denied = None
        if ending is None:
            document, denied = await self._mark(key, document)
        subject = read_subject(key, document, ProvisioningConnector, ConnectorStatus)
        state = self._states.setdefault(key, ConnectorState.resume(subject.generation, subject.former))
        state.enter(subject.generation)
        if ending is not None:
            await self._endings.reconcile(subject, state, ending)
            return
        parts = denied or resolve(subject, self._services.cache, self._mappings)
        memory = await remember(self._services.ports.store, key, parts)
        now = Round(subject, state, parts, memory, inputs_of(self._services.cache, subject, parts, memory))
        state.learn(memory)
        await self._look_at_credentials(now)
        self._steer(now)
        if denied is not None:
            again = self._services.ports.runtime.monotonic() + SECRET_AGE.total_seconds()
            self._services.schedule.at(key, again)
        await self._telling.tell(now)

    async def _mark(self, key: ObjectKey, document: Document) -> tuple[Document, Finding | None]:
        """Our finalizer is on the object if and only if its spec says Deprovision; before that no cycle starts."""
        wanted, finalizers = wants_finalizer(document), self._services.finalizers
        if wanted == holds(document):
            return document, None
        try:
            change = finalizers.put_on if wanted else finalizers.take_off
            return await change(key, document), None
        except AccessDenied as error:
            return document, finding_of(error)

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

    # --- when

    async def _look_at_credentials(self, now: Round) -> None:
        """The app has rejected them: it is asked again at once when they were changed, of which nothing tells."""
        state = now.state
        if state.witness is not None and state.running is None:
            state.renewed = await state.witness.is_contradicted()

    def _steer(self, now: Round) -> None:
        key, state, services = now.key, now.state, self._services
        if state.running is not None:
            self._look_at(key, state.running, now)
        elif (turn := self._turn(now)) is not None:
            self._cycles.start(now, *turn)
        elif now.suspended or now.inputs is None:
            services.schedule.cancel(key)
            state.due = None
        elif self._is_time(now, now.inputs):
            self._cycles.start(now, now.inputs)
        elif state.witness is not None:
            look = services.ports.runtime.monotonic() + EARLIEST_SHARE * SECRET_AGE.total_seconds()
            services.schedule.at(key, look if state.due is None else min(look, state.due))
        elif state.due is not None:
            services.schedule.at(key, state.due)

    def _turn(self, now: Round) -> tuple[Inputs, Errand] | None:
        """The oldest run that can begin. One that needs the source's people keeps none waiting that does not."""
        for errand in self._errands.waiting_for(now.key, suspended=now.suspended):
            inputs = self._inputs_for(errand, now)
            if inputs is not None:
                return inputs, errand
        return None

    def _inputs_for(self, errand: Errand, now: Round) -> Inputs | None:
        if now.inputs is not None or not errand.tests:
            return now.inputs
        return bare_inputs_of(self._services.cache, now.subject, now.parts)

    def _look_at(self, key: ObjectKey, running: RunningState, now: Round) -> None:
        errand = running.errand
        inputs = now.inputs if errand is None else self._inputs_for(errand, now)
        halted = now.suspended and running.counts
        unwanted = errand is not None and not self._errands.is_wanted(errand)
        if inputs is None or halted or unwanted or not running.inputs.same_job(inputs):
            running.stop.set()
        self._cycles.look_at(key, running)

    def _is_time(self, now: Round, inputs: Inputs) -> bool:
        state, runtime, quarantine = now.state, self._services.ports.runtime, now.memory.standing.quarantine
        if state.renewed or (state.ran_with is None and not self._goes_on(now, inputs)):
            return True
        if quarantine is not None and is_stopped(quarantine, runtime.now()):
            state.plan_none()
        is_due = state.due is not None and state.due <= runtime.monotonic()
        if quarantine is not None and state.ran_with is not None:
            return is_due or state.ran_with.asked != inputs.asked
        return is_due or state.ran_with != inputs or state.due is None

    def _goes_on(self, now: Round, inputs: Inputs) -> bool:
        """Whether an earlier process has left nothing to do before the next cycle's time, which is taken over."""
        state, runtime, former = now.state, self._services.ports.runtime, now.subject.former
        if not is_put_off(former, inputs, now.memory) and not is_settled(former, inputs, now.memory):
            return False
        state.ran_with = inputs
        if former.next_cycle_time is not None:
            left = (former.next_cycle_time - runtime.now()).total_seconds()
            late = runtime.random.uniform(0, RESTART_SPREAD.total_seconds())
            state.due = runtime.monotonic() + (left if left > 0 else late)
        return True
