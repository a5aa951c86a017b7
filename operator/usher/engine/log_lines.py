"""Lines of the provisioning log about one lane of one cycle."""

from __future__ import annotations

from dataclasses import dataclass

from usher.contracts.log import LogEntry
from usher.core.model.plans import PlannedChange
from usher.core.model.resources import Link, SourceId, TargetId
from usher.core.sync.telling import LogValues, told_values
from usher.engine.job import Job, Ports


@dataclass(frozen=True, slots=True)
class LogLines:
    """Makes them, at the time at which it is asked."""

    job: Job
    ports: Ports
    cycle: str

    def of_change(self, change: PlannedChange, link: Link | None, result: tuple[str, str, str]) -> LogEntry:
        """What came of a change: result, reason and detail. Its values are in it only where the job says so."""
        return LogEntry(
            time=self.ports.runtime.now(),
            cycle=self.cycle,
            source_id=change.source_id,
            target_id=change.target_id if link is None else link.target_id,
            step="action",
            action=change.action,
            result=result[0],
            reason=result[1],
            detail=result[2],
            attributes=tuple(sorted(change.delta)),
            resource_type=self.job.resource_type,
            values=told_values(self.job.mapping, change) if self.job.log_values is LogValues.FULL else {},
        )

    def of_decision(self, source_id: SourceId, what: tuple[str, str, str, str, str]) -> LogEntry:
        """What else is said of somebody: step, action, result, reason and detail."""
        step, action, result, reason, detail = what
        return LogEntry(
            time=self.ports.runtime.now(),
            cycle=self.cycle,
            source_id=source_id,
            target_id=None,
            step=step,
            action=action,
            result=result,
            reason=reason,
            detail=detail,
            resource_type=self.job.resource_type,
        )

    def of_comparison(self, source_id: SourceId | None, target_id: TargetId, reason: str) -> LogEntry:
        """What a full comparison found of an account; None where it can't be told whose it is."""
        return LogEntry(
            time=self.ports.runtime.now(),
            cycle=self.cycle,
            source_id=source_id,
            target_id=target_id,
            step="match",
            action="Compare",
            result="Success",
            reason=reason,
            resource_type=self.job.resource_type,
        )
