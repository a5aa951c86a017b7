"""Licences of the target that are used up: who would need one more waits for the next cycle, and nobody else does."""

from __future__ import annotations

from dataclasses import dataclass

from usher.core.errors import LICENCES_USED_UP, ResourceError
from usher.core.model.plans import Action, PlannedChange, Replace
from usher.core.model.resources import ResourceType
from usher.engine.job import Job

NOT_SENT = "not sent: the app said in this cycle that no licence is left"


@dataclass(slots=True)
class Licences:
    """Of one cycle. `used_up` once the target has said so: disables go on, and may free some for the next cycle."""

    used_up: bool = False

    def note(self, job: Job, change: PlannedChange, error: Exception) -> None:
        """What the target said to this change."""
        if isinstance(error, ResourceError) and error.reason == LICENCES_USED_UP and _needs_one(job, change):
            self.used_up = True

    def spare(self, job: Job, change: PlannedChange) -> None:
        """Raises ResourceError for a change that is known to be refused."""
        if self.used_up and _needs_one(job, change):
            raise ResourceError(NOT_SENT, reason=LICENCES_USED_UP)


def _needs_one(job: Job, change: PlannedChange) -> bool:
    """Whether somebody has an active account after it who had none before."""
    if job.resource_type is not ResourceType.USER:
        return False
    path = job.mapping.disable_path
    enables = path is not None and change.delta.get(path) == Replace(value=True)
    return change.action is Action.CREATE or (enables and change.action in (Action.UPDATE, Action.LINK))
