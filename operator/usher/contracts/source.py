"""What the engine asks of a source of identities."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import NewType, Protocol, TypeAlias

from usher.core.model.resources import ResourceType, SourceResource

Watermark = NewType("Watermark", str)
"""A source's own word for "up to here"; opaque to everybody else."""


@dataclass(frozen=True, slots=True)
class ReadComplete:
    """Ends a read: every resource of the type was in it.

    `attributes` are the names the source knows, with or without a value.
    """

    watermark: Watermark | None
    attributes: tuple[str, ...]


SourcePage: TypeAlias = Sequence[SourceResource]


class SourceReader(Protocol):
    """One open conversation with one source. Translates, never decides, never retries."""

    @property
    def identity(self) -> str:
        """The identity scheme (`csv:objectId`): ids of one scheme can't be compared with those of another."""

    def fetch(self, resource_type: ResourceType, since: Watermark | None) -> AsyncIterator[SourcePage | ReadComplete]:
        """Pages, and exactly one ReadComplete as the last item.

        Raises IncompleteRead when the read can't be trusted to be whole, CycleError when the source can't be reached.
        """


class SourceOpener(Protocol):
    """Opens a reader; what `assembly` hands to the engine."""

    def __call__(self) -> AbstractAsyncContextManager[SourceReader]: ...
