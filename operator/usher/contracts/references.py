"""What the engine asks of the store of references: who refers to whom, by source ids."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from usher.core.model.resources import Holding, Lane, SourceId


class ReferenceStore(Protocol):
    """A ledger that outlives the accounts at both ends.

    Whatever makes a reference possible or impossible, in whichever transaction, makes its holder due in the same one.
    """

    async def save_references(self, lane: Lane, wanted: Mapping[SourceId, Collection[SourceId]]) -> None:
        """Replaces what these holders refer to; holders for whom that is new are due."""

    async def due_holders(self, lane: Lane) -> Sequence[SourceId]:
        """Holders whose references have to be looked at: theirs changed, or the account at their other end did."""

    async def holdings(self, lane: Lane, ids: Collection[SourceId]) -> Mapping[SourceId, Holding]:
        """What the references of these are known to be."""

    async def holders_of_planned(self, lane: Lane) -> Sequence[SourceId]:
        """Who in this lane refers to a resource whose account a running plan of the connector makes, takes or finds."""

    async def count_references(self, lane: Lane) -> int:
        """How many references are at the target, as far as that is known."""

    async def count_waiting_references(self, lane: Lane) -> int:
        """How many references have no active account at their other end."""
