"""What the engine asks of the journal: what each cycle changed, with what was there before, kept for a time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from usher.core.model.journal import JournalEntry
from usher.core.model.resources import ConnectorKey, Lane


@dataclass(frozen=True, slots=True)
class Journal:
    """That of one cycle in one lane. `address` is the target's: its ids mean nothing at another one."""

    cycle: str
    begun: datetime
    address: str


@dataclass(frozen=True, slots=True)
class JournalPart:
    """A part of a journal, stored in one transaction with what else its caller stores.

    `dropped` are numbers of entries whose change was certainly not made.
    """

    journal: Journal
    entries: Sequence[JournalEntry] = ()
    dropped: Sequence[int] = ()


class JournalStore(Protocol):
    """The journals of each lane. They are written by `LinkStore.write_intents` and `LinkStore.record`."""

    async def journal(self, lane: Lane, cycle: str) -> Journal | None:
        """None where that cycle changed nothing, or its journal is gone, or there never was such a cycle."""

    def journal_entries(self, lane: Lane, cycle: str) -> AsyncIterator[Sequence[JournalEntry]]:
        """In chunks, the last change first."""

    async def last_entry(self, lane: Lane, cycle: str) -> int:
        """The number of the last change, 0 where there is none: a second cycle of one name goes on behind it."""

    async def knows_cycle(self, connector: ConnectorKey, cycle: str) -> bool:
        """Whether there is a report, or a line of the provisioning log, of a cycle of this name."""

    async def trim_journal(self, connector: ConnectorKey, before: datetime, keep: int) -> bool:
        """Drops some of the oldest: of cycles begun before that time, and those behind the newest `keep` changes.

        A journal of which a part is gone is found no more. Returns whether more may be left: one call is one short
        transaction.
        """
