"""Who is at the target already: by one query a person and matching attribute, or by reading the target once.

Both ways give the same evidence. The list is chosen when it costs fewer requests; because a list that lacks somebody
would end in a second account, its end is not believed until a second look at the total and a sample of queries agree.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from usher.contracts.target import Complete, Page, TargetSession
from usher.core.errors import IncompleteRead, NotSent, OutcomeUnknown, ResourceError, UsherError
from usher.core.model.plans import MatchKey
from usher.core.model.resources import SourceId, TargetResource
from usher.core.scim.paths import read
from usher.core.scim.schemas import fold
from usher.engine.concurrency import for_each
from usher.engine.job import Job
from usher.engine.retry import Retrier

SAMPLE: Final = 3
_OVERHEAD: Final = 1 + SAMPLE
"""Requests that a list costs on top of its pages: the second look and the sample."""
_LIST_ATTEMPTS: Final = 3

Wanted = Mapping[SourceId, Sequence[MatchKey]]
Hits = dict[str, list[TargetResource]]


@dataclass(frozen=True, slots=True)
class Candidates:
    """By claim, the target resources that answer to it; a claim without any is absent.

    `failures` are the people whose look-up failed: nothing may be concluded about them.
    """

    hits: Hits = field(default_factory=dict)
    failures: dict[SourceId, UsherError] = field(default_factory=dict)


class _TooManyPages(Exception):
    """One query a person is cheaper."""


@dataclass(frozen=True, slots=True)
class Lookup:
    """Looks people up in one session."""

    job: Job
    session: TargetSession
    retrier: Retrier

    async def find_candidates(self, wanted: Wanted) -> Candidates:
        """Whoever of these people is at the target already."""
        if len(wanted) > _OVERHEAD + 1:
            try:
                return Candidates(await self._prefetch(wanted))
            except _TooManyPages:
                pass
        return await self._query_each(wanted)

    async def find_first(self, keys: Sequence[MatchKey]) -> list[TargetResource]:
        """The hits of the first key, by precedence, that has any."""
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
                for key in keys:
                    if found := await self._query(key):
                        candidates.hits[key.claim] = found
                        return
            except (ResourceError, IncompleteRead, NotSent, OutcomeUnknown) as error:
                candidates.failures[source_id] = error

        await for_each(wanted.items(), look, self.job.concurrency)
        return candidates

    async def _query(self, key: MatchKey) -> list[TargetResource]:
        job = self.job
        return list(
            await self.retrier.read(lambda: self.session.find(job.resource_type, key.conjunction, job.mapping.paths))
        )

    # --- the whole target

    async def _prefetch(self, wanted: Wanted) -> Hits:
        claims = {key.claim for keys in wanted.values() for key in keys}
        for _ in range(_LIST_ATTEMPTS):
            try:
                hits = await self._list(claims, len(wanted))
                if await self._sample_agrees(wanted, hits):
                    return hits
            except (IncompleteRead, NotSent, OutcomeUnknown):
                continue
        raise _TooManyPages

    async def _list(self, claims: set[str], budget: int) -> Hits:
        job, hits = self.job, Hits()
        total: int | None = None
        pages = 0
        async for item in self.session.list(job.resource_type, job.mapping.paths):
            if isinstance(item, Complete):
                total = item.count
                continue
            pages += 1
            self._refuse_costly(item, pages, budget)
            self._index(item, claims, hits)
        if total is None:
            message = "the list ended without saying that it was complete"
            raise IncompleteRead(message)
        await self._second_look(total)
        return hits

    def _refuse_costly(self, page: Page, pages: int, budget: int) -> None:
        size = max(1, len(page.resources))
        expected = pages if page.total is None else -(-page.total // size) if pages == 1 else pages
        if expected + _OVERHEAD > budget:
            raise _TooManyPages

    def _index(self, page: Page, claims: set[str], hits: Hits) -> None:
        for resource in page.resources:
            for rule in self.job.mapping.matching:
                value = read(rule.target, resource.attributes)
                if not isinstance(value, str | bool | int | float):
                    continue
                claim = f"{rule.target}={fold(rule.definition, value)}"
                if claim in claims:
                    hits.setdefault(claim, []).append(resource)

    async def _second_look(self, total: int) -> None:
        async def first_total() -> int | None:
            async for item in self.session.list(self.job.resource_type, self.job.mapping.paths):
                return item.total if isinstance(item, Page) else item.count
            return None

        again = await self.retrier.read(first_total)
        if again is not None and again != total:
            message = f"the target listed {total} users and says that it has {again}"
            raise IncompleteRead(message)

    async def _sample_agrees(self, wanted: Wanted, hits: Hits) -> bool:
        missing = [keys for keys in wanted.values() if keys and not any(key.claim in hits for key in keys)]
        step = max(1, len(missing) // SAMPLE)
        for keys in missing[::step][:SAMPLE]:
            if await self.find_first(keys):
                return False
        return True
