"""Values that nobody at the target has yet: the first such candidate, asked for one after the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias

from usher.contracts.target import TargetSession
from usher.core.errors import OF_ONE_RESOURCE
from usher.core.model.escrow import Duty
from usher.core.model.plans import Criterion, PlannedChange, Replace, Skip
from usher.core.model.resources import AttributePath, Json, SourceId, TargetResource
from usher.core.scim.comparison import folding
from usher.core.sync.planning import Planned
from usher.engine.concurrency import for_each
from usher.engine.job import Job
from usher.engine.retry import Retrier

NONE_LEFT: Final = "NoUniqueValue"

Choices: TypeAlias = Mapping[AttributePath, Sequence[Json]]
"""By path the candidates, in the order in which they are to be tried."""


class _NoneLeft(Exception):
    """Every candidate for this path is taken."""


@dataclass(frozen=True, slots=True)
class Choosing:
    """Chooses for one cycle: a value that somebody gets in it is taken for everybody after."""

    job: Job
    session: TargetSession
    retrier: Retrier
    taken: set[str] = field(default_factory=set)

    async def complete(
        self, rows: Mapping[SourceId, Planned], wanted: Mapping[SourceId, Choices]
    ) -> Mapping[SourceId, Planned]:
        """The rows, in which those with choices have their values; or a skip, where none is left or none can be asked.

        Raises CycleError.
        """
        completed = dict(rows)

        async def one(person: tuple[SourceId, Choices]) -> None:
            source_id, choices = person
            row = completed[source_id]
            if isinstance(row, PlannedChange):
                completed[source_id] = await self._complete_one(row, choices)

        await for_each(wanted.items(), one, self.job.concurrency)
        return completed

    async def _complete_one(self, row: PlannedChange, choices: Choices) -> Planned:
        delta = dict(row.delta)
        for path, candidates in choices.items():
            try:
                delta[path] = Replace(await self._first_free(path, candidates))
            except _NoneLeft:
                detail = f"each of the {len(candidates)} values for {path} is taken at the target"
                return Skip(row.source_id, NONE_LEFT, detail, settled=False, failed=Duty.ACCOUNT)
            except OF_ONE_RESOURCE as error:
                detail = error.detail or error.message
                return Skip(row.source_id, error.reason, detail, settled=False, failed=Duty.ACCOUNT)
        return replace(row, delta=delta, create_only=(*row.create_only, *choices))

    async def _first_free(self, path: AttributePath, candidates: Sequence[Json]) -> Json:
        fold = folding(self.job.mapping.definitions.get(path))
        for value in candidates:
            claim = f"{path}={fold(value)}"
            if claim in self.taken or not isinstance(value, str | bool | int | float):
                continue
            self.taken.add(claim)  # before anybody else gets a turn
            if not await self._holders(Criterion(path, value)):
                return value
        raise _NoneLeft

    async def _holders(self, criterion: Criterion) -> Sequence[TargetResource]:
        wanted = frozenset((criterion.path,))
        return await self.retrier.read(lambda: self.session.find(self.job.resource_type, (criterion,), wanted))
