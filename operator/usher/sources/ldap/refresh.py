"""A refresh by content synchronization (RFC 4533 3.3): who changed, who was deleted, or who all are present."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Final
from uuid import UUID

from usher.contracts.source import Watermark
from usher.core.errors import IncompleteRead
from usher.core.model.resources import SourceId
from usher.sources.ldap.marks import read_cookie, write_cookie
from usher.transport.ldap.client import Cookie, Deleted, Entry, PhaseEnd, Present, Refreshed, SyncPart
from usher.transport.ldap.connection import DirectoryConnection, Search

MAX_IDS: Final = 1_000_000


class Refresh:
    """One refresh of one resource type. What came besides entries is known once its pages were taken to their end.

    `deleted` were deleted or left the filter. `present` is None where the directory tells deletions one by one; else it
    holds everybody who is there, and whoever is not among them is gone.
    """

    def __init__(self, connection: DirectoryConnection, search: Search, scope: str) -> None:
        self._connection, self._search, self._scope = connection, search, scope
        self._cookie = ""
        self._shown: set[SourceId] = set()
        self._named: set[SourceId] = set()
        self.deleted: list[SourceId] = []
        self.present: frozenset[SourceId] | None = None

    async def everything(self) -> AsyncIterator[Sequence[Entry]]:
        """All entries. Raises IncompleteRead where the directory names others, or takes back what it showed."""
        async for page in self._pages(None):
            yield page
        if not (self._shown.issuperset(self._named) and self._shown.isdisjoint(self.deleted)):
            raise IncompleteRead("the directory names entries that it did not show")

    async def since(self, watermark: Watermark) -> AsyncIterator[Sequence[Entry]]:
        """The entries that changed. Raises WatermarkExpired."""
        async for page in self._pages(read_cookie(watermark, self._scope)):
            yield page
        if self.present is not None:
            self.present -= frozenset(self.deleted)  # a delete phase may come after the one that names who is present

    def watermark(self) -> Watermark | None:
        """Where the next refresh begins; None where the directory gave no cookie."""
        return write_cookie(self._scope, self._cookie) if self._cookie else None

    async def _pages(self, cookie: str | None) -> AsyncIterator[Sequence[Entry]]:
        async for parts in self._connection.refresh(self._search, cookie):
            entries = [entry for part in parts if (entry := self._take(part)) is not None]
            if entries:
                yield entries

    def _take(self, part: SyncPart) -> Entry | None:
        match part:
            case Refreshed(uuid=uuid, entry=entry):
                _refuse_other_id(entry, uuid)
                self._shown.add(_id(uuid))
                return entry
            case Deleted(uuids=uuids):
                self.deleted.extend(map(_id, uuids))
            case Present(uuids=uuids):
                self._named.update(map(_id, uuids))
            case PhaseEnd(absent_are_gone=True):
                self.present = frozenset(self._shown | self._named)
            case PhaseEnd():
                pass
            case Cookie(text=text):
                self._cookie = text
        if len(self._named) + len(self.deleted) > MAX_IDS:
            raise IncompleteRead(f"more than {MAX_IDS:,} entries", reason="InvalidData")
        return None


def _id(uuid: str) -> SourceId:
    return SourceId(str(UUID(uuid)))


def _refuse_other_id(entry: Entry, uuid: str) -> None:
    """Deletions are told by the directory's own id: an attribute that says another one would make them miss."""
    values = next((found for name, found in entry.attributes.items() if name.lower() == "entryuuid"), [])
    if len(values) == 1 and values[0].decode("ascii", "replace").lower() != uuid.lower():
        raise IncompleteRead("an entry's entryUUID is another one than the directory's", detail=entry.dn)
