"""Accounts that are never written: each is known for what it is before anything is sent to it.

The image of an account that was read before it mattered lacks what tells it: such a one is read again first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from usher.contracts.target import TargetSession
from usher.core.errors import OF_ONE_RESOURCE
from usher.core.model.escrow import Duty
from usher.core.model.plans import PlannedChange, Skip
from usher.core.model.resources import SourceId, TargetId, TargetResource
from usher.core.sync.escrow import duty_of
from usher.core.sync.planning import Planned, take_image
from usher.engine.concurrency import for_each
from usher.engine.job import Job, Ports
from usher.engine.reading import read_account
from usher.engine.retry import Retrier

PlanAgain: TypeAlias = Callable[[SourceId, TargetResource], Planned]
"""What is to be done for somebody, now that the account was read."""


@dataclass(frozen=True, slots=True)
class Sparing:
    """Looks at accounts of one lane in one session."""

    job: Job
    session: TargetSession
    retrier: Retrier

    async def read_unseen(self, planned: Mapping[SourceId, Planned], plan_again: PlanAgain) -> dict[SourceId, Planned]:
        """The plan, made again for those whose account has to be read first. Raises CycleError."""
        settled, untouchable = dict(planned), self.job.mapping.untouchable
        unseen = [
            (source_id, row.target_id, duty_of(row))
            for source_id, row in planned.items()
            if isinstance(row, PlannedChange) and row.target_id is not None and not untouchable.knows(row.before)
        ]

        async def look(one: tuple[SourceId, TargetId, Duty]) -> None:
            source_id, target_id, duty = one
            try:
                current = await read_account(self.session, self.retrier, self.job, target_id)
            except OF_ONE_RESOURCE as error:
                detail = error.detail or error.message
                settled[source_id] = Skip(source_id, error.reason, detail, settled=False, failed=duty)
                return
            if current is not None:
                settled[source_id] = plan_again(source_id, current)

        await for_each(unseen, look, self.job.concurrency)
        return settled

    def spare(self, planned: Mapping[SourceId, Planned]) -> dict[SourceId, Planned]:
        """The plan without what would write to an account that is never written."""
        if not self.job.mapping.untouchable:
            return dict(planned)
        spare = self.job.mapping.untouchable.spare
        return {i: spare(row) if isinstance(row, PlannedChange) else row for i, row in planned.items()}

    async def is_spared(self, ports: Ports, source_id: SourceId) -> bool:
        """Whether the account that is linked to somebody is never written. Raises what reading it raises."""
        untouchable = self.job.mapping.untouchable
        link = (await ports.store.links(self.job.lane, [source_id])).get(source_id) if untouchable else None
        if link is None:
            return False
        if untouchable.knows(link.image):
            return untouchable.covers(link.image)
        current = await read_account(self.session, self.retrier, self.job, link.target_id)
        return current is not None and untouchable.covers(take_image(self.job.mapping, current))
