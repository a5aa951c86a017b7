"""A source whose people a test sets, and whose reads it breaks."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from usher.contracts.source import ReadComplete, SourcePage, Watermark
from usher.core.errors import UsherError
from usher.core.model.resources import ResourceType, SourceId, SourceResource, Value


@dataclass(slots=True)
class MemorySource:
    """A SourceReader that is also its own knob board.

    `people` is what a read brings; `attributes` are the names that the source knows besides those that somebody has.
    `failure` is raised by the next reads, after `fail_after` pages; set it back to None to heal. `reads` counts them.
    """

    people: dict[SourceId, Mapping[str, Value]] = field(default_factory=dict)
    attributes: tuple[str, ...] = ()
    identity: str = "memory:id"
    page_size: int = 100
    failure: UsherError | None = None
    fail_after: int = 1
    reads: int = 0

    def put(self, source_id: str, **attributes: Value) -> None:
        """Adds a person, or replaces all of their attributes."""
        self.people[SourceId(source_id)] = attributes

    def drop(self, source_id: str) -> None:
        """The person is gone without a trace."""
        del self.people[SourceId(source_id)]

    def known_attributes(self) -> tuple[str, ...]:
        """Every attribute name that this source knows, sorted."""
        seen = {name for attributes in self.people.values() for name in attributes}
        return tuple(sorted(seen.union(self.attributes)))

    async def fetch(
        self, resource_type: ResourceType, since: Watermark | None
    ) -> AsyncIterator[SourcePage | ReadComplete]:
        """Everybody, page by page. It has no watermarks: a given one is an error of the caller."""
        if resource_type is not ResourceType.USER or since is not None:
            raise ValueError("a memory source holds users only, and gives out no watermark")
        self.reads += 1
        for number, page in enumerate(self._pages()):
            if self.failure is not None and number == self.fail_after:
                raise self.failure
            yield page
        if self.failure is not None:
            raise self.failure
        yield ReadComplete(watermark=None, attributes=self.known_attributes())

    @asynccontextmanager
    async def open(self) -> AsyncIterator[MemorySource]:
        """A SourceOpener: pass `source.open`."""
        yield self

    def _pages(self) -> Iterable[SourcePage]:
        everybody = [SourceResource(source_id, attributes) for source_id, attributes in self.people.items()]
        for start in range(0, len(everybody), self.page_size):
            yield everybody[start : start + self.page_size]
