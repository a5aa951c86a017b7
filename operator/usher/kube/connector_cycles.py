"""Cycles of connectors: one starts, is looked at while it runs, ends, and the next one gets its time."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Final

from usher.api.conditions import NEEDS_A_PERSON, Finding, Reason
from usher.api.v1alpha1.connector_status import TargetStatus
from usher.assembly.connectors import assemble_connector
from usher.core.errors import UsherError
from usher.core.model.reports import CycleReport, CycleResult
from usher.core.model.resources import ConnectorKey
from usher.engine.cycle import run_cycle
from usher.engine.job import ConnectorJob, Control
from usher.kube.attempts import attempt
from usher.kube.connector_parts import Parts
from usher.kube.connector_round import Round
from usher.kube.connector_state import Inputs, RunningState
from usher.kube.connector_status import explained
from usher.kube.ending import is_settled_by, wants_finalizer
from usher.kube.errands import Errand, Errands
from usher.kube.logs import log_cycle
from usher.kube.objects import ObjectKey, uid
from usher.kube.quarantine import delay_after
from usher.kube.reconcile_source import SourceReconciler
from usher.kube.schedule import backoff, spread
from usher.kube.secrets import Witness
from usher.kube.services import Services
from usher.kube.target_status import look_up_target

FIRST_LOOK: Final = 2.0
"""Seconds after which a cycle that runs is looked at: both ends have answered by then."""
SHOWN_EVERY: Final = 30.0
SECRET_AGE: Final = timedelta(seconds=60)
"""A Secret that was mended acts within this time, though nothing tells of it. So does an app that refused a leaver of a
connector that is being deleted."""
NOT_SUSPENDED: Final = (
    "spec.suspend is not true, and the next cycle would do again what is undone: usher suspend NAME, then ask once more"
)
_OF_A_SECRET: Final = frozenset(
    {"CredentialsRejected", "SecretNotFound", "ConfigMapNotFound", "KeyNotFound", "AccessDenied"}
)


class ConnectorCycles:
    """At most one a connector."""

    def __init__(self, services: Services, sources: SourceReconciler, errands: Errands) -> None:
        self._services, self._sources, self._errands = services, sources, errands

    def start(self, now: Round, inputs: Inputs, errand: Errand | None = None) -> None:
        """Starts a cycle, or what else was asked for; its end wakes the connector."""
        runtime = self._services.ports.runtime
        asked = None if errand is None else errand.asked
        running = RunningState(
            inputs=inputs,
            kind=asked or now.kind(runtime.now()),
            started=runtime.now(),
            next_shown=runtime.monotonic() + SHOWN_EVERY,
            errand=errand,
        )
        now.state.running = running
        if running.counts:
            now.state.ran_with, now.state.settled, now.state.renewed = inputs, False, False
        self._services.cycles.start(now.key, partial(self._run, now, running))
        self._services.schedule.at(now.key, runtime.monotonic() + FIRST_LOOK)

    def look_at(self, key: ObjectKey, running: RunningState) -> None:
        """Takes a picture of a cycle that runs, when it is time for one."""
        if not running.counts:
            return
        monotonic = self._services.ports.runtime.monotonic()
        if monotonic >= running.next_shown:
            running.show()
            running.next_shown = monotonic + SHOWN_EVERY
        self._services.schedule.at(key, running.next_shown)

    async def _run(self, now: Round, running: RunningState) -> None:
        state, errand = now.state, running.errand
        if running.stop.is_set():  # while it waited for its turn
            state.running = None
            if running.counts:
                state.ran_with = state.due = None
            return
        if errand is not None:
            self._errands.begin(errand)
        came = await self._come(now, running)
        state.running = None
        if errand is not None:
            self._hand_back(errand, came, state.discovered)
        if running.counts:
            self._absorb(now, running, came)
        elif errand is not None and errand.writes_besides:
            self._tell_of(now.key, came)

    def _absorb(self, now: Round, running: RunningState, came: CycleReport | UsherError) -> None:
        """What follows from a cycle of the connector's own."""
        state, generation = now.state, running.inputs.generation
        state.handled = running.inputs.requested or None
        if isinstance(came, UsherError):
            state.fail(generation, came)
        else:
            state.absorb(generation, came)
            self._services.metrics.cycle_ended(now.key, came)
        if _reason_of(came) != Reason.CREDENTIALS_REJECTED:
            state.witness = None
        self._plan_next(now, came)
        log_cycle(now.key, came)

    def _tell_of(self, key: ObjectKey, came: CycleReport | UsherError) -> None:
        """What was written is counted and logged, though it was no cycle of the connector's own."""
        if isinstance(came, CycleReport):
            self._services.metrics.changed(key, came)
        log_cycle(key, came)

    def _hand_back(self, errand: Errand, came: CycleReport | UsherError, target: TargetStatus | None) -> None:
        if _is_interrupted(came):
            self._errands.put_back(errand)
        else:
            self._errands.end(errand, came, target)

    async def _come(self, now: Round, running: RunningState) -> CycleReport | UsherError:
        errand, parts = running.errand, now.parts
        if errand is not None and errand.tests and not isinstance(parts, Finding):
            trouble = await self._sources.try_source(parts.source)
            if trouble is not None:
                return trouble
        return explained(now.key, now.subject.manifest, await attempt(self._cycle(now, running), now.key))

    async def _cycle(self, now: Round, running: RunningState) -> CycleReport:
        ports, parts, errand = self._services.ports, now.parts, running.errand
        if isinstance(parts, Finding):
            raise UsherError(parts.message, reason=parts.reason)
        if errand is not None and errand.needs_rest and not now.suspended:
            raise UsherError(NOT_SUSPENDED, reason="NotSuspended")
        job = self._assemble(now, parts)
        await ports.store.attach(job.connector, uid(now.subject.document), ports.runtime.now())
        if now.ending is None and wants_finalizer(now.subject.document):
            await ports.store.keep_parts(job.connector, parts.keepsake)
        control = Control(approval=running.inputs.approval, stop=running.stop, progress=running.progress)
        if errand is None:
            report = await run_cycle(job, ports, control)
        else:
            report = await errand.work(job, ports, replace(control, asked=errand.asked))
        now.state.discovered = await look_up_target(ports.store, job)
        if now.ending is not None:
            now.state.settled = await is_settled_by(report, job, ports.store, now.ending.deadline)
        return report

    def _assemble(self, now: Round, parts: Parts) -> ConnectorJob:
        ends = self._services.ends(now.key, now.subject.document)
        now.state.witness = Witness(ends.secrets)
        ends = replace(ends, secrets=now.state.witness)
        mappings = {name: one.spec for name, one in parts.mappings.items()}
        job = assemble_connector(ConnectorKey(now.key.path), parts.connector.spec, mappings, parts.domain, ends)
        if now.has_lost_state:
            return replace(job, lanes=tuple([replace(lane, lost=True) for lane in job.lanes]))
        if now.ending is None:
            return job
        return replace(job, lanes=tuple([replace(lane, ending=True) for lane in job.lanes]))

    def _plan_next(self, now: Round, came: CycleReport | UsherError) -> None:
        state, runtime = now.state, self._services.ports.runtime
        if _is_interrupted(came):
            state.due = None
            return
        delay = self._delay(now, came)
        if delay is None:
            state.plan_none()
            return
        rest = came.not_before - runtime.now() if isinstance(came, CycleReport) and came.not_before else timedelta()
        state.plan_next(runtime.monotonic(), runtime.now(), max(delay, rest))

    def _delay(self, now: Round, came: CycleReport | UsherError) -> timedelta | None:
        """How long after a cycle that came to this the next one starts, None where none does by itself."""
        state, runtime, interval = now.state, self._services.ports.runtime, _interval(now)
        if isinstance(came, CycleReport) and came.quarantine is not None and now.ending is None:
            return delay_after(came.quarantine, interval, runtime.now(), runtime.random)
        reason = _reason_of(came)
        if now.ending is not None:
            state.attempts += 1
            delay = backoff(state.attempts, min(interval, SECRET_AGE), runtime.random)
        elif reason in _OF_A_SECRET:
            delay = spread(min(interval, SECRET_AGE), runtime.random)
        elif reason and reason not in NEEDS_A_PERSON:
            delay = backoff(state.failures, interval, runtime.random)
        else:
            delay = spread(interval, runtime.random)
        return timedelta(seconds=delay)


def _is_interrupted(came: CycleReport | UsherError) -> bool:
    return isinstance(came, CycleReport) and came.result is CycleResult.INTERRUPTED


def _reason_of(came: CycleReport | UsherError) -> str:
    return came.reason if isinstance(came, UsherError) else came.error_reason


def _interval(now: Round) -> timedelta:
    manifest = now.subject.manifest
    return timedelta() if isinstance(manifest, Finding) else manifest.spec.schedule.interval
