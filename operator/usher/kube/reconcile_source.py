"""Level-triggered: an IdentitySource is read when it is due, or asked for, or when its ConfigMap changed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from usher.api.conditions import Contact, End, Finding
from usher.api.end_conditions import SourceObservation, source_conditions
from usher.api.names import APPROVE_READ, REQUESTED_AT
from usher.api.v1alpha1.durations import format_duration
from usher.api.v1alpha1.identity_sources import PendingRead, SourceCounts, SourceStatus, shown_attributes
from usher.api.v1alpha1.kinds import IdentitySource
from usher.api.v1alpha1.objects import ScheduleStatus
from usher.assembly.sources import assemble_source
from usher.contracts.snapshots import Snapshot
from usher.core.errors import ReadShrunk, UsherError
from usher.core.model.reports import SourceReport
from usher.core.model.resources import ResourceType, SourceKey
from usher.engine.snapshot import read_source, try_source
from usher.explanations import explain_read
from usher.kube.attempts import attempt
from usher.kube.events import source_notes
from usher.kube.objects import ObjectKey
from usher.kube.schedule import backoff, spread
from usher.kube.services import Services
from usher.kube.status import Subject, read_subject

RESTART_SPREAD: Final = timedelta(seconds=10)
"""Within this time after a start, sources that were read before are read again."""
SECRET_AGE: Final = timedelta(seconds=60)
MAX_REQUEST: Final = 256

SourceSubject = Subject[IdentitySource, SourceStatus]


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a read depended upon, besides the source itself: another one of these asks for another read at once."""

    uid: str
    generation: int
    document: str
    requested: str
    approval: str


@dataclass(slots=True)
class SourceState:
    """What this process knows of a source. `due` is in monotonic seconds, None while nothing is planned.

    `shown_read` is the time of the last read that the status tells; `resumed` until the first read after a start.
    """

    inputs: Inputs | None
    failures: int
    pending: PendingRead | None
    shown_read: datetime | None
    handled: str | None
    generation: int
    resumed: bool = False
    reading: End = Contact.UNTRIED
    due: float | None = None


class SourceReconciler:
    """Reads sources, each by itself and for all connectors on it."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._states: dict[ObjectKey, SourceState] = {}

    def reading(self, key: ObjectKey) -> tuple[End, int]:
        """What the last read of a source came to, and how many failed in a row."""
        state = self._states.get(key)
        return (Contact.UNTRIED, 0) if state is None else (state.reading, state.failures)

    async def try_source(self, key: ObjectKey) -> UsherError | None:
        """Why the source can't be read now, None where it answers. Nothing is taken over."""
        services, document = self._services, self._services.cache.get(key)
        if document is None:
            return UsherError(f"{key} does not exist", reason="SourceUnreachable")
        subject = read_subject(key, document, IdentitySource, SourceStatus)
        source = subject.manifest
        if isinstance(source, Finding):
            return UsherError(f"{key}: {source.message}", reason=source.reason)
        job = assemble_source(SourceKey(key.path), source.spec, services.ends(key, document))
        came = await attempt(try_source(job), key)
        if not isinstance(came, UsherError):
            return None
        told = _finding(came, key, source)
        return UsherError(told.message, reason=told.reason)

    async def reconcile(self, key: ObjectKey) -> None:
        """Starts a read if it is time for one, and brings the status up to date. Raises ClusterError, CycleError."""
        services = self._services
        document = services.cache.get(key)
        if document is None:
            self._states.pop(key, None)
            services.schedule.cancel(key)
            services.metrics.forget(key)
            return
        subject = read_subject(key, document, IdentitySource, SourceStatus)
        store, source = services.ports.store, SourceKey(key.path)
        users = await store.snapshot(source, ResourceType.USER)
        state = self._state_of(subject, users)
        if isinstance(subject.manifest, Finding):
            self._set_reading(key, state, subject.manifest)
            services.schedule.cancel(key)
        elif key not in services.reads:
            self._start_or_wait(subject, subject.manifest, state)
        await self._write(subject, state, users, await store.snapshot(source, ResourceType.GROUP))

    # --- when

    def _state_of(self, subject: SourceSubject, snapshot: Snapshot | None) -> SourceState:
        state = self._states.get(subject.key)
        if state is None:
            former, runtime = subject.former, self._services.ports.runtime
            state = SourceState(
                inputs=None,
                failures=former.consecutive_failures or 0,
                pending=former.pending,
                shown_read=former.last_read_time,
                handled=former.last_handled_reconcile_at,
                generation=subject.generation,
            )
            inputs = self._inputs(subject)
            asked = inputs.requested != (former.last_handled_reconcile_at or "")
            if snapshot is not None and former.observed_generation == subject.generation and not asked:
                state.inputs, state.resumed = inputs, True
                state.due = runtime.monotonic() + runtime.random.uniform(0, RESTART_SPREAD.total_seconds())
            self._states[subject.key] = state
        if state.generation != subject.generation:
            state.generation, state.reading = subject.generation, Contact.UNTRIED
        return state

    def _inputs(self, subject: SourceSubject) -> Inputs:
        versions = self._services.cache.versions_named(subject.key)
        requested, approval = subject.annotation(REQUESTED_AT), subject.annotation(APPROVE_READ)
        return Inputs(subject.uid, subject.generation, versions, requested[:MAX_REQUEST], approval)

    def _start_or_wait(self, subject: SourceSubject, source: IdentitySource, state: SourceState) -> None:
        services, inputs = self._services, self._inputs(subject)
        if state.inputs == inputs and state.due is not None and state.due > services.ports.runtime.monotonic():
            services.schedule.at(subject.key, state.due)
            return
        services.schedule.cancel(subject.key)
        state.inputs = inputs
        services.reads.start(subject.key, partial(self._read, subject, source, state))

    # --- reading

    async def _read(self, subject: SourceSubject, source: IdentitySource, state: SourceState) -> None:
        services, inputs = self._services, state.inputs
        came = await attempt(self._take(subject, source, state.handled), subject.key)
        services.metrics.read_ended(subject.key, came.reason if isinstance(came, UsherError) else "Succeeded")
        runtime, interval = services.ports.runtime, _interval(source)
        state.pending = None
        if isinstance(came, UsherError):
            state.failures += 1
            delay = backoff(state.failures, interval, runtime.random)
            reading: End = _finding(came, subject.key, source)
            if isinstance(came, ReadShrunk):
                state.pending = PendingRead(hash=came.digest, users=came.count, kept=came.kept)
        else:
            state.failures = 0
            delay = spread(interval, runtime.random)
            reading = Contact.ANSWERED
        if inputs is not None:
            state.handled = inputs.requested or None
        state.due = runtime.monotonic() + delay
        if state.generation == subject.generation:
            self._set_reading(subject.key, state, reading)
        if isinstance(came, SourceReport):
            self._publish(subject, state, came)
        else:
            services.wake_referrers(subject.key)  # one resource type may have been taken over before another failed

    async def _take(self, subject: SourceSubject, source: IdentitySource, handled: str | None) -> SourceReport:
        services, key = self._services, subject.key
        job = assemble_source(SourceKey(key.path), source.spec, services.ends(key, subject.document))
        if subject.annotation(REQUESTED_AT)[:MAX_REQUEST] != (handled or ""):
            job = replace(job, full_every=timedelta())  # who asks for a read wants to know for certain
        return await read_source(job, services.ports, subject.annotation(APPROVE_READ))

    def _publish(self, subject: SourceSubject, state: SourceState, report: SourceReport) -> None:
        """The first read after a start is not worth a write when it finds what the status says already."""
        if report.changed or not state.resumed:
            state.shown_read = report.users.completed
        state.resumed = False
        if report.changed:
            self._services.wake_referrers(subject.key)

    def _set_reading(self, key: ObjectKey, state: SourceState, reading: End) -> None:
        former, state.reading = state.reading, reading
        if former != reading:
            self._services.wake_referrers(key)

    # --- status

    async def _write(
        self, subject: SourceSubject, state: SourceState, users: Snapshot | None, groups: Snapshot | None
    ) -> None:
        services, source = self._services, subject.manifest
        now = services.ports.runtime.now()
        seen = SourceObservation(subject.generation, None, state.reading, state.failures)
        status = SourceStatus(
            observed_generation=subject.generation,
            last_handled_reconcile_at=state.handled,
            conditions=source_conditions(seen, subject.former.conditions, now),
            schedule=None
            if isinstance(source, Finding)
            else ScheduleStatus(interval=format_duration(source.spec.schedule.interval)),
            counts=None if users is None else _counts(source, users, groups),
            last_read_time=state.shown_read,
            version=None if users is None else users.version,
            consecutive_failures=state.failures,
            attributes=None if users is None else shown_attributes(users.attributes),
            pending=state.pending,
        )
        services.metrics.conditions(subject.key, status.conditions)
        if await services.statuses.write(subject.key, subject.document, status):
            await services.events.post(subject.key, subject.document, source_notes(subject.former, status))


def _counts(source: IdentitySource | Finding, users: Snapshot, groups: Snapshot | None) -> SourceCounts:
    """Groups that were read once and are not asked for any more are not shown."""
    kind = None if isinstance(source, Finding) else source.spec.ldap or source.spec.csv
    wanted = kind is not None and kind.groups is not None
    return SourceCounts(users=users.count, groups=groups.count if groups is not None and wanted else None)


def _interval(source: IdentitySource) -> timedelta:
    """Nothing tells of a change in a Secret, and it has to act within a minute."""
    interval, csv = source.spec.schedule.interval, source.spec.csv
    documents = () if csv is None else (csv, csv.groups)
    in_secret = any(one is not None and one.secret_ref is not None for one in documents)
    return min(interval, SECRET_AGE) if in_secret else interval


def _finding(error: UsherError, key: ObjectKey, source: IdentitySource) -> Finding:
    message = str(explain_read(key.name, source.spec, error))
    if isinstance(error, ReadShrunk):
        message += f": kubectl -n {key.namespace} annotate idsrc/{key.name} {APPROVE_READ}={error.digest}"
    return Finding(error.reason, message)
