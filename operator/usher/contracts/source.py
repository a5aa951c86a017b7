"""What the engine asks of a source of identities."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import NewType, Protocol, TypeAlias, runtime_checkable

from usher.core.model.resources import ResourceType, SourceId, SourceResource

Watermark = NewType("Watermark", str)
"""A source's own word for "up to here"; opaque to everybody else."""


@dataclass(frozen=True, slots=True)
class ReadComplete:
    """Ends a whole read: every resource of the type was in it.

    `attributes` are the names the source knows, with or without a value. `watermark` is where a read of changes may
    begin, None where the source has none to give. `blank` are those of the attributes that say of everybody whether he
    is active, and this time of nobody: where only the few are marked who are not, nobody marked is no such thing.
    """

    watermark: Watermark | None
    attributes: tuple[str, ...]
    blank: frozenset[str] = frozenset()


class Evidence(StrEnum):
    """Why a resource is known to be gone: the source has it no more where it is read, or has told its deletion."""

    ABSENT = "Absent"
    TOLD = "Told"


@dataclass(frozen=True, slots=True)
class SourceChange:
    """One change: the resource as it is now, or None where it is gone, with the evidence of it.

    Only the source's own word that the resource was deleted (a tombstone) is TOLD: by it an account may be deleted at
    once. One that left what is read, the filter or the branch, may exist: it is ABSENT, as is what a store's feed has.
    """

    id: SourceId
    resource: SourceResource | None
    evidence: Evidence = Evidence.ABSENT


@dataclass(frozen=True, slots=True)
class ChangesComplete:
    """Ends a read of changes. `attributes` are the names that were seen in it.

    `present` are the ids of all resources that there are, where the source has listed them: whoever is not among them
    is gone. None where it tells who is gone by tombstones, or not at all.
    """

    watermark: Watermark
    attributes: tuple[str, ...]
    present: Collection[SourceId] | None = None


SourcePage: TypeAlias = Sequence[SourceResource]
ChangesPage: TypeAlias = Sequence[SourceChange]


class SourceReader(Protocol):
    """One open conversation with one source. Translates, never decides, never retries."""

    @property
    def identity(self) -> str:
        """The identity scheme (`csv:objectId`): ids of one scheme can't be compared with those of another."""

    def fetch(self, resource_type: ResourceType, former: Watermark | None) -> AsyncIterator[SourcePage | ReadComplete]:
        """All resources in pages, and exactly one ReadComplete as the last item.

        `former` is the watermark of the read before, for a source that makes the next one with it; the read is whole
        all the same. Raises IncompleteRead when the read can't be trusted to be whole, CycleError when the source
        can't be reached.
        """


@runtime_checkable
class SupportsChanges(Protocol):
    """A reader that can tell what changed. What it does not tell says nothing: such a read is never complete."""

    def fetch_changes(
        self, resource_type: ResourceType, since: Watermark
    ) -> AsyncIterator[ChangesPage | ChangesComplete]:
        """What changed since the watermark, at least once each, and exactly one ChangesComplete as the last item.

        Raises WatermarkExpired when it can't tell, and what `fetch` raises.
        """


class SourceOpener(Protocol):
    """Opens a reader; what `assembly` hands to the engine."""

    def __call__(self) -> AbstractAsyncContextManager[SourceReader]: ...
