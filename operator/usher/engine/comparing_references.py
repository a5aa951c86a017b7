"""The full comparison of references: who is a member of a group, and whose manager is whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from usher.core.errors import OF_ONE_RESOURCE
from usher.core.model.resources import AttributePath, Holding, SourceId, TargetId
from usher.core.sync.drifting import changed_references, find_reference_drift
from usher.engine.bench import Bench
from usher.engine.concurrency import for_each, in_chunks
from usher.engine.drift_notes import Census, DriftNotes
from usher.engine.job import Job
from usher.engine.reading import read_references

Held: TypeAlias = Mapping[AttributePath, tuple[TargetId, ...]]
_AT_ONCE: Final = 16
"""Holders that are looked at together: a group may have tens of thousands of members."""


@dataclass(frozen=True, slots=True)
class ReferenceComparison:
    """Holds what references are known to hold against what they do hold."""

    bench: Bench
    job: Job
    census: Census

    @property
    def _several(self) -> Sequence[AttributePath]:
        """The references that can hold many accounts."""
        return [reference.path for reference in self.job.mapping.references if reference.several]

    async def compare(self, source_id: SourceId, holding: Holding, now: Held, notes: DriftNotes) -> None:
        """References of one holder as they were just read."""
        changed = changed_references(holding, now)
        if changed:
            drift = find_reference_drift(self.job.mapping, holding, now, await self._ours(changed))
            notes.add_references(source_id, holding.target_id, drift)

    async def compare_all(self) -> None:
        """Those that can hold many accounts, of all holders. Raises CycleError."""
        if not self._several:
            return
        async for digests in self.bench.ports.store.link_digests(self.job.lane):
            await self.compare_several([one.source_id for one in digests])

    async def compare_several(self, holders: Sequence[SourceId]) -> None:
        """The same of some holders. A read that fails says nothing. Raises CycleError."""
        if not self._several:
            return
        for chunk in in_chunks(holders, _AT_ONCE):
            if self.bench.control.stop.is_set():
                return
            notes = DriftNotes(self.bench, self.job, self.census)
            holdings = await self.bench.ports.store.holdings(self.job.lane, chunk)
            await self._compare_each(holdings, notes)
            await notes.save()

    async def _compare_each(self, holdings: Mapping[SourceId, Holding], notes: DriftNotes) -> None:
        async def look(one: tuple[SourceId, Holding]) -> None:
            source_id, holding = one
            try:
                now = {path: await self._read(holding.target_id, path) for path in self._several}
            except OF_ONE_RESOURCE:
                return
            await self.compare(source_id, holding, now, notes)

        await for_each(holdings.items(), look, self.job.concurrency)

    async def _read(self, target_id: TargetId, path: AttributePath) -> tuple[TargetId, ...]:
        return await read_references(self.bench.session, self.bench.retrier, self.job, target_id, path)

    async def _ours(self, accounts: set[TargetId]) -> set[TargetId]:
        """Those of them that this connector links."""
        found: set[TargetId] = set()
        for lane in self.bench.job.lanes:
            owners = await lane.owners(self.bench.ports.store, accounts)
            found |= {target for target, owner in owners.items() if owner.connector == self.job.connector}
        return found
