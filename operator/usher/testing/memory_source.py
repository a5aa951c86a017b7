"""A source whose people a test sets, and whose reads it breaks."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from usher.contracts.source import (
    ChangesComplete,
    ChangesPage,
    Evidence,
    ReadComplete,
    SourceChange,
    SourcePage,
    Watermark,
)
from usher.core.errors import UsherError, WatermarkExpired
from usher.core.model.resources import ResourceType, SourceId, SourceResource, Value


@dataclass(slots=True)
class MemorySource:
    """A SourceReader that is also its own knob board.

    `people` is what a read brings; `attributes` are the names that the source knows besides those that somebody has,
    `blank` those of them that it tells of everybody, and now of nobody.
    `failure` is raised by the next reads, after `fail_after` pages; set it back to None to heal. `reads` counts them.
    """

    people: dict[SourceId, Mapping[str, Value]] = field(default_factory=dict)
    attributes: tuple[str, ...] = ()
    identity: str = "memory:id"
    page_size: int = 100
    failure: UsherError | None = None
    fail_after: int = 1
    reads: int = 0
    groups: dict[SourceId, Mapping[str, Value]] = field(default_factory=dict)
    blank: frozenset[str] = frozenset()

    def put(self, source_id: str, **attributes: Value) -> None:
        """Adds a person, or replaces all of their attributes."""
        self.people[SourceId(source_id)] = attributes

    def put_group(self, source_id: str, **attributes: Value) -> None:
        """Adds a group, or replaces all of its attributes."""
        self.groups[SourceId(source_id)] = attributes

    def drop_group(self, source_id: str) -> None:
        """The group is gone without a trace."""
        del self.groups[SourceId(source_id)]

    def drop(self, source_id: str) -> None:
        """The person is gone without a trace."""
        del self.people[SourceId(source_id)]

    def known_attributes(self) -> tuple[str, ...]:
        """Every attribute name that this source knows, sorted."""
        seen = {name for attributes in self.people.values() for name in attributes}
        return tuple(sorted(seen.union(self.attributes)))

    def watermark(self) -> Watermark | None:
        """Where a read of changes could begin; this source can't tell changes."""
        return None

    async def fetch(
        self, resource_type: ResourceType, former: Watermark | None
    ) -> AsyncIterator[SourcePage | ReadComplete]:
        """Everybody, page by page."""
        del former
        users = resource_type is ResourceType.USER
        self.reads += users
        watermark = self.watermark() if users else None
        for number, page in enumerate(self._pages(self.people if users else self.groups)):
            if self.failure is not None and number == self.fail_after:
                raise self.failure
            yield page
        if self.failure is not None:
            raise self.failure
        known = self.known_attributes() if users else ("displayName", "members")
        yield ReadComplete(watermark=watermark, attributes=known, blank=self.blank if users else frozenset())

    @asynccontextmanager
    async def open(self) -> AsyncIterator[MemorySource]:
        """A SourceOpener: pass `source.open`."""
        yield self

    def _pages(self, held: Mapping[SourceId, Mapping[str, Value]]) -> Iterable[SourcePage]:
        everybody = [SourceResource(source_id, attributes) for source_id, attributes in held.items()]
        for start in range(0, len(everybody), self.page_size):
            yield everybody[start : start + self.page_size]


@dataclass(slots=True)
class MemoryFeed(MemorySource):
    """The same, for a source that can tell what changed: by tombstones, or by a list of all who are present.

    `expired` makes it forget every watermark; `feeds` counts the reads of changes, a failing one included. `evidence`
    is what it knows of whom it tells to be gone.
    """

    lists_present: bool = False
    expired: bool = False
    feeds: int = 0
    evidence: Evidence = Evidence.TOLD
    journal: list[SourceId] = field(default_factory=list)

    def put(self, source_id: str, **attributes: Value) -> None:
        """Adds or replaces a person; the next read of changes tells it."""
        self.people[SourceId(source_id)] = attributes
        self.journal.append(SourceId(source_id))

    def bury(self, source_id: str) -> None:
        """The person is gone, and a tombstone says so."""
        del self.people[SourceId(source_id)]
        self.journal.append(SourceId(source_id))

    def watermark(self) -> Watermark | None:
        """How many changes there were so far."""
        return Watermark(str(len(self.journal)))

    async def fetch_changes(
        self, resource_type: ResourceType, since: Watermark
    ) -> AsyncIterator[ChangesPage | ChangesComplete]:
        """The changes after the watermark, page by page."""
        if resource_type is not ResourceType.USER:
            raise ValueError("a memory source holds users only")
        if self.expired:
            raise WatermarkExpired("the journal does not go back so far")
        self.feeds += 1
        ids = list(dict.fromkeys(self.journal[int(since) :]))
        for start in range(0, len(ids), self.page_size):
            yield [self._change(source_id) for source_id in ids[start : start + self.page_size]]
        if self.failure is not None:
            raise self.failure
        seen = {name for source_id in ids for name in self.people.get(source_id, {})}
        present = tuple(self.people) if self.lists_present else None
        yield ChangesComplete(Watermark(str(len(self.journal))), tuple(sorted(seen)), present)

    def _change(self, source_id: SourceId) -> SourceChange:
        attributes = self.people.get(source_id)
        if attributes is None:
            return SourceChange(source_id, None, self.evidence)
        return SourceChange(source_id, SourceResource(source_id, attributes))
