"""What is known of a connector goes into its status, its metrics and its events."""

from __future__ import annotations

from datetime import datetime

from usher.api.conditions import Contact, Finding
from usher.api.names import APPROVE_PLAN
from usher.api.v1alpha1.connector_status import ConnectorScheduleStatus
from usher.api.v1alpha1.connectors import ConnectorSchedule
from usher.api.v1alpha1.durations import format_duration
from usher.core.model.resources import ResourceType
from usher.kube.connector_round import Round
from usher.kube.connector_status import Facts, SourceView, render, view_of_source
from usher.kube.credentials import tell_expiry
from usher.kube.ending import describe, reluctance
from usher.kube.events import connector_notes
from usher.kube.reconcile_source import SourceReconciler
from usher.kube.services import Services


class Telling:
    """Tells what one look at a connector has found."""

    def __init__(self, services: Services, sources: SourceReconciler) -> None:
        self._services, self._sources = services, sources

    async def tell(self, now: Round) -> None:
        """Writes what is new. Raises ClusterError."""
        services, subject, state = self._services, now.subject, now.state
        blocker = now.parts if isinstance(now.parts, Finding) else None
        if blocker is not None and state.running is None:
            state.handled = now.requested or None
        time = services.ports.runtime.now()
        status = render(state, self._facts(now, blocker, time), subject.former.conditions, time)
        services.metrics.conditions(now.key, status.conditions)
        services.metrics.next_cycle(now.key, status.next_cycle_time)
        if await services.statuses.write(now.key, subject.document, status):
            notes = connector_notes(subject.former, status, subject.annotation(APPROVE_PLAN), time)
            await services.events.post(now.key, subject.document, notes)

    def _facts(self, now: Round, blocker: Finding | None, time: datetime) -> Facts:
        manifest, memory, credential = now.subject.manifest, now.memory, now.memory.standing.credential
        view = SourceView(Contact.UNTRIED, 0)
        if not isinstance(now.parts, Finding) and now.ending is None:
            view = view_of_source(*self._sources.reading(now.parts.source), memory.versions.get(ResourceType.USER))
        return Facts(
            key=now.key,
            suspended=now.suspended,
            schedule=None if isinstance(manifest, Finding) else _in_force(manifest.spec.schedule),
            blocker=blocker,
            source=view,
            initial=now.is_initial and now.ending is None,
            held=memory.held,
            comparisons=memory.comparisons,
            lost=[one.lost for one in memory.consumed.values()],
            quarantine=memory.standing.quarantine,
            expiring=None if isinstance(manifest, Finding) else tell_expiry(manifest.spec, credential, time),
            ending=None if now.ending is None else describe(now.ending, reluctance(manifest)),
        )


def _in_force(schedule: ConnectorSchedule) -> ConnectorScheduleStatus:
    return ConnectorScheduleStatus(
        interval=format_duration(schedule.interval), full_interval=format_duration(schedule.full_interval)
    )
