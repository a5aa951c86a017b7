"""A connector that is being deleted and has our finalizer: everybody leaves, then it goes; or the time is over."""

from __future__ import annotations

import logging

from usher.core.errors import UsherError
from usher.core.model.resources import ConnectorKey
from usher.kube.attempts import attempt
from usher.kube.connector_cycles import ConnectorCycles
from usher.kube.connector_parts import ConnectorSubject, resolve_ending
from usher.kube.connector_round import Round, ending_inputs_of, remember
from usher.kube.connector_state import ConnectorState
from usher.kube.connector_telling import Telling
from usher.kube.ending import (
    Ending,
    EndingView,
    Step,
    count_active,
    farewell,
    has_accounts,
    next_step,
    reluctance,
)
from usher.kube.reconcile_mapping import MappingReconciler
from usher.kube.services import Services

logger = logging.getLogger(__name__)


class EndingReconciler:
    """Brings the deletion of connectors forward."""

    def __init__(
        self, services: Services, mappings: MappingReconciler, cycles: ConnectorCycles, telling: Telling
    ) -> None:
        self._services, self._mappings, self._cycles, self._telling = services, mappings, cycles, telling

    async def reconcile(self, subject: ConnectorSubject, state: ConnectorState, ending: Ending) -> None:
        """One step. Raises ClusterError, CycleError: never once the time is over, or the policy is Orphan."""
        time = self._services.ports.runtime.now()
        step = next_step(EndingView(ending, time, running=state.running is not None))
        if step in (Step.ORPHAN, Step.GIVE_UP):
            await self._let_go(subject, step)
            return
        now = await self._look(subject, state, ending)
        view = await self._view(now, ending)
        step = next_step(view)
        if step is Step.FINISH:
            await self._let_go(subject, step)
            return
        self._act(now, view, step)
        await self._telling.tell(now)

    async def _look(self, subject: ConnectorSubject, state: ConnectorState, ending: Ending) -> Round:
        store, cache = self._services.ports.store, self._services.cache
        kept = await store.kept_parts(ConnectorKey(subject.key.path))
        parts = resolve_ending(subject, cache, self._mappings, kept or {})
        memory = await remember(store, subject.key, parts)
        return Round(subject, state, parts, memory, ending_inputs_of(cache, subject, parts), ending)

    async def _view(self, now: Round, ending: Ending) -> EndingView:
        state, runtime, running = now.state, self._services.ports.runtime, now.state.running
        same = state.ran_with == now.inputs
        return EndingView(
            ending=ending,
            now=runtime.now(),
            running=running is not None,
            wanted=running is not None and now.inputs is not None and running.inputs.same_job(now.inputs),
            linked=await has_accounts(self._services.ports.store, ConnectorKey(now.key.path)),
            able=now.inputs is not None and not reluctance(now.subject.manifest),
            settled=state.settled and same,
            due=not same or state.due is None or state.due <= runtime.monotonic(),
        )

    def _act(self, now: Round, view: EndingView, step: Step) -> None:
        state, runtime, schedule = now.state, self._services.ports.runtime, self._services.schedule
        deadline = runtime.monotonic() + max((view.ending.deadline - view.now).total_seconds(), 0.0)
        if step is Step.RUN and now.inputs is not None:
            self._cycles.start(now, now.inputs)
            return
        if state.running is None:
            schedule.at(now.key, deadline if state.due is None or not view.able else min(state.due, deadline))
            return
        if step is Step.STOP:
            state.running.stop.set()
        self._cycles.look_at(now.key, state.running)
        schedule.at(now.key, min(state.running.next_shown, deadline))

    async def _let_go(self, subject: ConnectorSubject, step: Step) -> None:
        services, key = self._services, subject.key
        active = await attempt(count_active(services.ports.store, ConnectorKey(key.path)), key)
        note = farewell(step, None if isinstance(active, UsherError) else active)
        await services.finalizers.take_off(key, subject.document)
        log = logger.warning if step is Step.GIVE_UP else logger.info
        log("connector let go", extra={"fields": {"connector": key.path, "reason": note.reason, "why": note.message}})
        await services.events.post(key, subject.document, [note])
