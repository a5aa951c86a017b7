"""Between the passes: which account, if any, belongs to each of the people without a link."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from usher.contracts.target import TargetSession
from usher.core.errors import UsherError
from usher.core.model.plans import Action, MatchKey, Unknowable, Unlinked
from usher.core.model.resources import SourceId, TargetId
from usher.core.sync.matching import Evidence, match_resources
from usher.engine.anchoring import Hints, ours_before
from usher.engine.evaluation import Batch
from usher.engine.job import Control, Job, Ports
from usher.engine.lookup import Candidates, Lookup, in_slices
from usher.engine.progress import Stage
from usher.engine.retry import Retrier
from usher.engine.settling import let_settle


@dataclass(frozen=True, slots=True)
class Matching:
    """Matches one batch in one session."""

    job: Job
    ports: Ports
    session: TargetSession
    retrier: Retrier
    control: Control

    async def match(self, batch: Batch) -> tuple[dict[SourceId, Unlinked], Mapping[SourceId, UsherError]]:
        """The situations of people without a link, and whose look-up failed.

        Whoever is in neither is Unmatched, as nearly all are at first.
        """
        self.control.progress.enter(Stage.MATCH, len(batch.unlinked))
        rivals, alone = await self._rivals(batch)

        async def being_freed(ids: Collection[TargetId]) -> Collection[TargetId]:
            owners = await self.job.owners(self.ports.store, ids)
            return {
                target_id
                for target_id, owner in owners.items()
                if owner.connector == self.job.connector and owner.source_id in batch.movers
            }

        lookup = Lookup(self.job, self.session, self.retrier, being_freed, self.control.stop)
        candidates = await lookup.find_candidates(_Unrivalled(batch, rivals, alone))
        doubted = {i: intent.keys for i, intent in batch.again.items() if intent.action is Action.CREATE}
        await self._look_again(lookup, candidates, doubted)
        found = {resource.id for hits in candidates.hits.values() for resource in hits}
        owners = await self.job.owners(self.ports.store, found)
        evidence = Evidence(
            connector=self.job.connector,
            hits=candidates.hits,
            rivals=rivals,
            owners={target_id: (owner.connector, owner.source_id) for target_id, owner in owners.items()},
            movers=batch.movers,
            adopt=self.job.adopt,
            unfinished=batch.again,
            ours=await ours_before(self.job, self.ports, found),
        )
        known = rivals.keys() | candidates.hits.keys()
        people = in_slices(batch.unlinked if known else ())
        met = {i: keys async for i, keys in people if _makes_one_of(known, keys)}
        situations = match_resources(met, evidence)
        if self.job.settle is None:
            situations |= dict.fromkeys(doubted, Unknowable())
        if self.job.anew is not None and self.job.anew.same_ends:
            lonely = [i for i, _ in batch.unlinked if i not in situations and i not in candidates.failures]
            hints = Hints(self.job, self.ports, self.session, self.retrier)
            situations |= await hints.follow(lonely, situations, candidates.failures)
        return situations, candidates.failures

    async def _look_again(
        self, lookup: Lookup, candidates: Candidates, doubted: Mapping[SourceId, Sequence[MatchKey]]
    ) -> None:
        """Looks once more, after the time in which the target may hide it, for accounts that may have been made.

        Two looks so far apart say that there is none; one says nothing.
        """
        hidden = {i: keys for i, keys in doubted.items() if i not in candidates.failures and not _any(keys, candidates)}
        if not self.job.settle or not hidden:
            return
        await let_settle(self.job, self.ports, self.control)
        second = await lookup.find_candidates(hidden)
        candidates.hits.update(second.hits)
        candidates.failures.update(second.failures)

    async def _rivals(self, batch: Batch) -> tuple[Mapping[str, Sequence[SourceId]], int]:
        """By claim, all who make it, where they are several; and how many people without a link make none of these."""
        rivals: dict[str, Sequence[SourceId]] = {}
        alone = 0
        for people in batch.unlinked.chunks():
            claims = {key.claim for _, keys in people for key in keys}
            rivals |= await self.ports.store.rivals(self.job.lane, claims)
            alone += sum(1 for _, keys in people if not _makes_one_of(rivals, keys)) if rivals else len(people)
        return rivals, alone


def _any(keys: Sequence[MatchKey], candidates: Candidates) -> bool:
    return any(key.claim in candidates.hits for key in keys)


class _Unrivalled:
    """The people without a link who make no claim that others make too."""

    def __init__(self, batch: Batch, rivals: Collection[str], count: int) -> None:
        self._people = batch.unlinked
        self._rivals = rivals
        self._count = count

    def __len__(self) -> int:
        return self._count

    def items(self) -> Iterator[tuple[SourceId, Sequence[MatchKey]]]:
        if not self._rivals:
            return iter(self._people)
        return ((i, keys) for i, keys in self._people if not _makes_one_of(self._rivals, keys))


def _makes_one_of(claims: Collection[str], keys: Sequence[MatchKey]) -> bool:
    return any(key.claim in claims for key in keys)
