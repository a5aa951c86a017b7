"""Level-triggered: a ProvisioningRun waits for its turn, runs, and says what came of it; then it may be deleted."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from usher.api.conditions import ConditionType, Finding, Reason, find_condition
from usher.api.v1alpha1.connector_status import ConnectorStatus
from usher.api.v1alpha1.kinds import ProvisioningConnector, ProvisioningRun
from usher.api.v1alpha1.provisioning_runs import NO_CYCLES, ProvisioningRunStatus
from usher.kube.cluster import ClusterApi
from usher.kube.connector_parts import ConnectorSubject, resolve
from usher.kube.errands import Errands, RunSubject, has_ended, read_run
from usher.kube.events import run_notes
from usher.kube.objects import Kind, ObjectKey, created_at, deleted_at
from usher.kube.reconcile_mapping import MappingReconciler
from usher.kube.run_status import ended, refused, waiting
from usher.kube.services import Services
from usher.kube.status import read_subject

PATIENCE: Final = timedelta(seconds=60)
"""How long a run waits for what is missing or wrong: what mends it may have been applied in the same breath."""
LOOK_AGAIN: Final = 15.0
"""Seconds between two looks at a connector that is not ready, of which no event tells."""


class RunReconciler:
    """Tells of runs; the connectors run them."""

    def __init__(self, services: Services, api: ClusterApi, mappings: MappingReconciler, errands: Errands) -> None:
        self._services, self._api, self._mappings, self._errands = services, api, mappings, errands

    async def reconcile(self, key: ObjectKey) -> None:
        """Brings the status of one run up to date, or deletes it when its time is over. Raises ClusterError."""
        document = self._services.cache.get(key)
        if document is None or deleted_at(document) is not None:
            self._errands.forget(key)
            self._services.schedule.cancel(key)
            return
        subject = read_run(key, document)
        if has_ended(document):
            self._errands.forget(key)
            await self._clear_away(subject)
            return
        now = self._services.ports.runtime.now()
        status = self._status_of(subject, now)
        if await self._services.statuses.write(key, document, status):
            notes = run_notes(subject.former.conditions, status.conditions)
            await self._services.events.post(key, document, notes)

    def _status_of(self, subject: RunSubject, now: datetime) -> ProvisioningRunStatus:
        run = subject.manifest
        if isinstance(run, Finding):
            return refused(subject, run, now)
        begun = self._errands.begun(subject.key, subject.uid)
        outcome = self._errands.outcome(subject.key, subject.uid)
        connector = subject.key.beside(Kind.CONNECTOR, run.spec.connector_ref.name)
        if outcome is not None:
            return ended(subject, outcome, begun)
        if begun is not None:
            return waiting(subject, Finding(Reason.RUNNING, f"{connector} is at it"), begun, now)
        return self._before_its_turn(subject, run, connector, now)

    def _before_its_turn(
        self, subject: RunSubject, run: ProvisioningRun, connector: ObjectKey, now: datetime
    ) -> ProvisioningRunStatus:
        found = self._services.cache.get(connector)
        if found is None:
            return self._flawed(subject, _no_connector(connector, "does not exist"), now)
        if deleted_at(found) is not None:
            return refused(subject, _no_connector(connector, "is being deleted"), now)
        asked = read_subject(connector, found, ProvisioningConnector, ConnectorStatus)
        parts = resolve(asked, self._services.cache, self._mappings)
        if isinstance(parts, Finding):
            return self._flawed(subject, Finding(parts.reason, f"{connector}: {parts.message}"), now)
        self._services.queue.put(connector)
        self._look_again(subject.key, LOOK_AGAIN)
        obstacle = _obstacle(run, parts.connector, asked)
        return waiting(subject, obstacle or Finding("Waiting", f"waits for its turn at {connector}"), None, now)

    def _flawed(self, subject: RunSubject, why: Finding, now: datetime) -> ProvisioningRunStatus:
        """It can't be run as things are."""
        left = (created_at(subject.document) + PATIENCE - now).total_seconds()
        if left <= 0:
            return refused(subject, why, now)
        self._look_again(subject.key, left)
        return waiting(subject, why, None, now)

    def _look_again(self, key: ObjectKey, seconds: float) -> None:
        self._services.schedule.at(key, self._services.ports.runtime.monotonic() + seconds)

    async def _clear_away(self, subject: RunSubject) -> None:
        run, completed = subject.manifest, subject.former.completion_time
        after = None if isinstance(run, Finding) else run.spec.ttl_after_finished
        if after is None or completed is None:
            self._services.schedule.cancel(subject.key)
            return
        runtime = self._services.ports.runtime
        left = completed + after - runtime.now()
        if left > timedelta():
            self._services.schedule.at(subject.key, runtime.monotonic() + left.total_seconds())
            return
        await self._api.remove(subject.key, subject.uid)


def _no_connector(key: ObjectKey, told: str) -> Finding:
    return Finding("ConnectorNotFound", f"spec.connectorRef: {key} {told}: name another one in a new run")


def _obstacle(run: ProvisioningRun, manifest: ProvisioningConnector, connector: ConnectorSubject) -> Finding | None:
    """Why the connector does not begin with it, None where nothing is known to be in the way."""
    if manifest.spec.suspend and run.spec.type not in NO_CYCLES:
        way_out = f"usher resume {connector.key.name} -n {connector.key.namespace}"
        return Finding(Reason.SUSPENDED, f"{connector.key} is suspended, and a run of this type is a cycle: {way_out}")
    status = connector.former
    ready = find_condition(status.conditions, ConditionType.READY)
    if ready is None or ready.status == "True" or status.observed_generation != connector.generation:
        return None
    return Finding(ready.reason, f"{connector.key} is not ready: {ready.message}")
