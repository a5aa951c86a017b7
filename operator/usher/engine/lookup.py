"""Who is at the target already: by one query a person and matching attribute, or by reading the target once.

Both ways give the same evidence. The list is chosen when it costs fewer requests; because a list that lacks somebody
would end in a second account, its end is not believed until a second look at the total and a sample of queries agree.
A target that refuses to be listed is asked person by person.
"""

from __future__ import annotations

from asyncio import Event, sleep
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Final, Protocol, TypeAlias, TypeVar

from usher.contracts.target import Complete, Page, TargetSession
from usher.core.errors import OF_ONE_RESOURCE, IncompleteRead, NotSent, OutcomeUnknown, ResourceError, UsherError
from usher.core.model.escrow import Duty
from usher.core.model.plans import MatchKey, Skip
from usher.core.model.resources import SourceId, TargetId, TargetResource
from usher.core.sync.matching import MOST_CLAIMS, claims_met_by
from usher.engine.concurrency import for_each
from usher.engine.job import Job
from usher.engine.retry import Retrier

ItemT = TypeVar("ItemT")

SAMPLE: Final = 3
INTERRUPTED: Final = "Interrupted"
"""Why a look was not made: the cycle was stopped."""
_OVERHEAD: Final = 1 + SAMPLE
"""Requests that a list costs on top of its pages: the second look and the sample."""
_LIST_ATTEMPTS: Final = 3
_SLICE: Final = 256
_THINNED: Final = 64 * SAMPLE


class Wanted(Protocol):
    """People with their matching values. They may be many: they are gone through, not kept."""

    def __len__(self) -> int: ...
    def items(self) -> Iterable[tuple[SourceId, Sequence[MatchKey]]]: ...


async def in_slices(items: Iterable[ItemT]) -> AsyncIterator[ItemT]:
    """The items; others get their turn in between, as a hundred thousand take a second."""
    for number, item in enumerate(items):
        if number % _SLICE == 0:
            await sleep(0)
        yield item


Hits: TypeAlias = dict[str, list[TargetResource]]
BeingFreed: TypeAlias = Callable[[Collection[TargetId]], Awaitable[Collection[TargetId]]]
"""Of these accounts those that answer to a value only until their own person's update."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """By claim, the target resources that answer to it; a claim without any is absent.

    `failures` are the people whose look-up failed: nothing may be concluded about them.
    """

    hits: Hits = field(default_factory=dict)
    failures: dict[SourceId, UsherError] = field(default_factory=dict)


class _NoList(Exception):
    """One query a person is cheaper, or all that the target allows."""


async def _free_none(_: Collection[TargetId]) -> Collection[TargetId]:
    return ()


@dataclass(frozen=True, slots=True)
class Lookup:
    """Looks people up in one session.

    `being_freed` is asked about hits: an account that will give up its value is no reason to skip a person's other
    matching attributes. Once `stop` is set nothing more is asked, and whoever is left fails as Interrupted.
    """

    job: Job
    session: TargetSession
    retrier: Retrier
    being_freed: BeingFreed = _free_none
    stop: Event = field(default_factory=Event)

    async def find_candidates(self, wanted: Wanted) -> Candidates:
        """Whoever of these people is at the target already; nobody where it can't be asked. Raises CycleError."""
        if self.job.settle is None:
            return Candidates()
        if len(wanted) > _OVERHEAD + 1:
            try:
                return await self._prefetch(wanted)
            except _NoList:
                pass
        return await self._query_each(wanted)

    async def find_first(self, keys: Sequence[MatchKey]) -> list[TargetResource]:
        """The hits of the first key, by precedence, that has any; none where the target can't be asked."""
        if self.job.settle is None:
            return []
        for key in keys:
            if hits := await self._query(key):
                return hits
        return []

    # --- one query a person

    async def _query_each(self, wanted: Wanted) -> Candidates:
        candidates = Candidates()

        async def look(person: tuple[SourceId, Sequence[MatchKey]]) -> None:
            source_id, keys = person
            try:
                candidates.hits.update(await self._query_person(keys))
            except OF_ONE_RESOURCE as error:
                candidates.failures[source_id] = error

        await for_each(wanted.items(), look, self.job.concurrency)
        return candidates

    async def _query_person(self, keys: Sequence[MatchKey]) -> Hits:
        """The hits of all keys down to the first, by precedence, with one that stays where it is."""
        hits = Hits()
        for key in keys:
            found = await self._query(key)
            if not found:
                continue
            hits[key.claim] = found
            ids = {resource.id for resource in found}
            if key is keys[-1] or not ids <= set(await self.being_freed(ids)):
                break
        return hits

    async def _query(self, key: MatchKey) -> list[TargetResource]:
        job = self.job

        async def ask() -> Sequence[TargetResource]:
            if self.stop.is_set():
                message = "the cycle was stopped before this person was looked up"
                raise ResourceError(message, reason=INTERRUPTED)
            return await self.session.find(job.resource_type, key.conjunction, job.mapping.paths)

        return list(await self.retrier.read(ask))

    # --- the whole target

    async def _prefetch(self, wanted: Wanted) -> Candidates:
        for _ in range(_LIST_ATTEMPTS):
            try:
                hits, total = await self.retrier.read(lambda: self._list(wanted))
                await self._second_look(total)
                return Candidates(hits, await self._sample(wanted, hits))
            except IncompleteRead:
                continue
            except (ResourceError, NotSent, OutcomeUnknown) as error:
                raise _NoList from error
        raise _NoList

    async def _list(self, wanted: Wanted) -> tuple[Hits, int]:
        """The hits among all that the target has, and how many that are."""
        job, hits = self.job, Hits()
        total: int | None = None
        claims: set[int] = set()
        pages = 0
        async for item in self.session.list(job.resource_type, job.mapping.paths):
            if isinstance(item, Complete):
                total = item.count
                continue
            pages += 1
            self._refuse_costly(item, pages, len(wanted))
            if item.resources and not claims:
                claims = {hash(key.claim) async for _, keys in in_slices(wanted.items()) for key in keys}
            self._index(item, claims, hits)
        if total is None:
            message = "the list ended without saying that it was complete"
            raise IncompleteRead(message)
        return hits, total

    def _refuse_costly(self, page: Page, pages: int, budget: int) -> None:
        size = max(1, len(page.resources))
        expected = pages if page.total is None else -(-page.total // size) if pages == 1 else pages
        if expected + _OVERHEAD > budget or self.stop.is_set():
            raise _NoList

    def _index(self, page: Page, claims: Collection[int], hits: Hits) -> None:
        """Adds the hits of one page. Claims are known by their hash, which saves their texts.

        A hit too many, of a claim that nobody makes, is never looked at.
        """
        for resource in page.resources:
            for claim in self._claims_met_by(resource):
                if hash(claim) in claims:
                    hits.setdefault(claim, []).append(resource)

    def _claims_met_by(self, resource: TargetResource) -> set[str]:
        """Every claim to which a query would answer with this resource."""
        met = list(islice(claims_met_by(self.job.mapping.matching, resource.attributes), MOST_CLAIMS + 1))
        if len(met) > MOST_CLAIMS:
            message = "an account has too many values to be matched by several attributes together"
            raise ResourceError(message, reason="SchemaPropertyCanOnlyAcceptValue")
        return {claim for claim, _ in met}

    async def _second_look(self, total: int) -> None:
        async def first_total() -> int | None:
            async for item in self.session.list(self.job.resource_type, self.job.mapping.paths):
                return item.total if isinstance(item, Page) else item.count
            return None

        again = await self.retrier.read(first_total)
        if again is not None and again != total:
            message = f"the target listed {total} users and says that it has {again}"
            raise IncompleteRead(message)

    async def _sample(self, wanted: Wanted, hits: Hits) -> dict[SourceId, UsherError]:
        """Queries some of those whom the list lacks; returns those whose query failed, which says nothing of the list.

        Raises IncompleteRead where a query finds somebody, _NoList where none was answered.
        """
        sample = await _draw(wanted, hits)
        failures: dict[SourceId, UsherError] = {}
        for source_id, keys in sample:
            try:
                found = await self.find_first(keys)
            except OF_ONE_RESOURCE as error:
                failures[source_id] = error
                continue
            if found:
                message = "the target's list lacks somebody whom a query finds"
                raise IncompleteRead(message)
        if sample and len(failures) == len(sample):
            raise _NoList
        return failures


async def _draw(wanted: Wanted, hits: Hits) -> Sequence[tuple[SourceId, Sequence[MatchKey]]]:
    """Some people without a hit, spread evenly over all of them. Of many every second is dropped, again and again."""
    drawn: list[tuple[SourceId, Sequence[MatchKey]]] = []
    seen, step = 0, 1
    async for who, keys in in_slices(wanted.items()):
        if not keys or (hits and any(key.claim in hits for key in keys)):
            continue
        if seen % step == 0:
            drawn.append((who, keys))
        seen += 1
        if len(drawn) == _THINNED:
            drawn, step = drawn[::2], 2 * step
    return drawn[:: max(1, len(drawn) // SAMPLE)][:SAMPLE]


def failed_look(source_id: SourceId, error: UsherError, duty: Duty) -> Skip:
    """Nothing is known of the account, and so nothing can be done. Whom nobody came to did not fail."""
    failed = None if error.reason == INTERRUPTED else duty
    return Skip(source_id, error.reason, error.detail or error.message, settled=False, failed=failed)
