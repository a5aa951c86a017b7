"""The live half of the LDAP source."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from usher.contracts.runtime import SecretText
from usher.contracts.source import (
    ChangesComplete,
    ChangesPage,
    ReadComplete,
    SourceChange,
    SourcePage,
    SourceReader,
    Watermark,
)
from usher.core.errors import CycleError, IncompleteRead, SpecError, WatermarkExpired
from usher.core.model.resources import ResourceType, SourceResource
from usher.sources.ldap.dirsync import DirSync
from usher.sources.ldap.entries import EntryReader, known_names, values_of
from usher.sources.ldap.marks import Times, newest_of, read_times, searched_time, write_times
from usher.sources.ldap.names import TIMESTAMP, asked_for
from usher.sources.ldap.ranges import whole_entries
from usher.sources.ldap.references import Beside, References
from usher.sources.ldap.refresh import Refresh
from usher.sources.ldap.schema import allowed_names
from usher.sources.ldap.searches import blaming, search_of
from usher.sources.ldap.settings import Changes, LdapSettings, Lookup
from usher.transport.addresses import AddressPolicy
from usher.transport.ldap.client import Entry
from usher.transport.ldap.connection import DirectoryConnection, DirectorySettings, Search
from usher.transport.ldap.pool import DirectoryLender

MAX_ENTRIES: Final = 1_000_000
_SLICE: Final = 100
"""Entries that are turned into resources without letting others run."""


@dataclass(slots=True)
class _Seen:
    """What a read has to remember of its entries: how many, which names and object classes, the newest time."""

    newest: str = ""
    count: int = 0
    names: set[str] = field(default_factory=set)
    classes: set[bytes] = field(default_factory=set)

    def note(self, entry: Entry, resource: SourceResource) -> None:
        """One entry."""
        self.count += 1
        if self.count > MAX_ENTRIES:
            raise IncompleteRead(f"more than {MAX_ENTRIES:,} entries", reason="InvalidData")
        self.names.update(resource.attributes)
        self.classes.update(values_of(entry, "objectClass"))
        self.newest = newest_of(values_of(entry, TIMESTAMP), self.newest)


class LdapReader:
    """Reads people and groups of a directory over one connection, and who is meant by a name over the one beside it."""

    def __init__(self, settings: LdapSettings, connection: DirectoryConnection, beside: Beside) -> None:
        self._settings = settings
        self._connection = connection
        self._entries = {
            one: EntryReader(one, settings.id_attribute, settings.member_attribute) for one in ResourceType
        }
        self._references = References(settings, beside, self._entries)

    @property
    def identity(self) -> str:
        """`ldap:` and the id attribute: another one is another scheme of ids."""
        return f"ldap:{self._settings.id_attribute}"

    async def fetch(
        self, resource_type: ResourceType, former: Watermark | None
    ) -> AsyncIterator[SourcePage | ReadComplete]:
        """Pages, each from one answer of the directory, and then ReadComplete.

        Complete: the directory gave every page, and ended with success and not at a limit. Raises IncompleteRead,
        CycleError, or SpecError for a base or a filter with which it can't search.
        """
        async for item in blaming(self._settings, resource_type, self._whole(resource_type, former)):
            yield item

    async def fetch_changes(
        self, resource_type: ResourceType, since: Watermark
    ) -> AsyncIterator[ChangesPage | ChangesComplete]:
        """What changed since the watermark. Raises WatermarkExpired where that can't be told, and what `fetch` does."""
        ways = {
            Changes.MODIFY_TIMESTAMP: self._modified,
            Changes.SYNCREPL: self._synchronized,
            Changes.DIRSYNC: self._told,
        }
        changes = ways[self._settings.changes]
        async for item in blaming(self._settings, resource_type, changes(resource_type, since)):
            yield item

    # --- everything

    async def _whole(
        self, resource_type: ResourceType, former: Watermark | None
    ) -> AsyncIterator[SourcePage | ReadComplete]:
        seen, scope = _Seen(), self._settings.scope(resource_type)
        refresh = self._refresh(resource_type) if self._settings.changes is Changes.SYNCREPL else None
        begun: Watermark | None = None
        if self._settings.changes is Changes.DIRSYNC:
            begun = await self._dirsync(resource_type).begin(former)
        entries = self._pages(resource_type, "") if refresh is None else refresh.everything()
        async for page in entries:
            yield await self._references.resolve(await self._resources(resource_type, page, seen), at_once=0)
        self._references.complete(resource_type)
        if begun is not None:
            watermark: Watermark | None = begun
        elif refresh is None:
            watermark = write_times(scope, Times(read_times(former, scope).newest, seen.newest))
        else:
            watermark = refresh.watermark()
        allowed = await allowed_names(self._connection, sorted(one.decode("utf-8", "replace") for one in seen.classes))
        yield ReadComplete(watermark, known_names(resource_type, frozenset(seen.names), allowed))

    # --- changes by content synchronization

    async def _synchronized(
        self, resource_type: ResourceType, since: Watermark
    ) -> AsyncIterator[ChangesPage | ChangesComplete]:
        """Whom a directory tells as deleted may only have left filter or branch (RFC 4533 3.3): no tombstone."""
        seen, refresh = _Seen(), self._refresh(resource_type)
        async for page in refresh.since(since):
            yield await self._changed(await self._resources(resource_type, page, seen))
        yield [SourceChange(source_id, None) for source_id in refresh.deleted]
        watermark = refresh.watermark() or since  # no new cookie where nothing has changed
        yield ChangesComplete(watermark, tuple(sorted(seen.names)), refresh.present)

    # --- changes by DirSync

    async def _told(
        self, resource_type: ResourceType, since: Watermark
    ) -> AsyncIterator[ChangesPage | ChangesComplete]:
        seen, dirsync = _Seen(), self._dirsync(resource_type)
        watermark = await dirsync.since(since)
        async for page in dirsync.entries():
            whole = await whole_entries(self._connection, page)
            yield await self._changed(await self._resources(resource_type, whole, seen))
        yield dirsync.gone
        yield ChangesComplete(watermark, tuple(sorted(seen.names)))

    # --- changes by modifyTimestamp

    async def _modified(
        self, resource_type: ResourceType, since: Watermark
    ) -> AsyncIterator[ChangesPage | ChangesComplete]:
        """Entries modified since then; those of them that the filter does not select are people who fell out of it.

        Somebody was seen with the time at which it begins. Where not even this one is found, the entry is gone, or the
        directory does not search by the attribute: neither may pass for "nothing has changed".
        """
        seen, scope = _Seen(), self._settings.scope(resource_type)
        times = read_times(since, scope)
        if not times.begin:
            raise WatermarkExpired("the directory was not read twice yet")
        recent = f"({TIMESTAMP}>={searched_time(times.begin)})"
        async for page in self._pages(resource_type, recent):
            yield await self._changed(await self._resources(resource_type, page, seen))
        reader = self._entries[resource_type]
        outside = self._search(resource_type, f"(&(!{self._filter(resource_type)}){recent})")
        only_ids = Search(outside.base, outside.filter, (self._settings.id_attribute,), outside.page_size)
        outsiders = 0
        async for page in self._connection.pages(only_ids):
            outsiders += len(page)
            yield [SourceChange(reader.read_id(entry), None) for entry in page if entry.attributes]
        if not seen.count and not outsiders:
            raise WatermarkExpired("the entry that was changed last is not found any more")
        watermark = write_times(scope, Times(times.newest, max(seen.newest, times.newest)))
        yield ChangesComplete(watermark, tuple(sorted(seen.names)))

    async def _changed(self, resources: Sequence[SourceResource]) -> list[SourceChange]:
        return [SourceChange(one.id, one) for one in await self._references.resolve(resources)]

    async def _pages(self, resource_type: ResourceType, recent: str) -> AsyncIterator[Sequence[Entry]]:
        filter_ = self._filter(resource_type)
        search = self._search(resource_type, f"(&{filter_}{recent})" if recent else filter_)
        async for page in self._connection.pages(search):
            yield await whole_entries(self._connection, page)

    # --- all of them

    def _refresh(self, resource_type: ResourceType) -> Refresh:
        search = self._search(resource_type, self._filter(resource_type))
        return Refresh(self._connection, search, self._settings.scope(resource_type))

    def _dirsync(self, resource_type: ResourceType) -> DirSync:
        search = self._search(resource_type, self._filter(resource_type))
        return DirSync(self._connection, search, self._settings.scope(resource_type))

    async def _resources(self, resource_type: ResourceType, page: Sequence[Entry], seen: _Seen) -> list[SourceResource]:
        read, resources = self._entries[resource_type].read, []
        for start in range(0, len(page), _SLICE):
            for entry in page[start : start + _SLICE]:
                resource = read(entry)
                seen.note(entry, resource)
                self._references.note(resource)
                resources.append(resource)
            await asyncio.sleep(0)  # others want to run between the parts of a page
        return resources

    def _filter(self, resource_type: ResourceType) -> str:
        return self._settings.branch(resource_type).filter

    def _search(self, resource_type: ResourceType, filter_: str) -> Search:
        return search_of(self._settings, resource_type, filter_, asked_for(self._settings.id_attribute))


@asynccontextmanager
async def open_ldap(
    settings: LdapSettings, lookup: Lookup, lend: DirectoryLender, policy: AddressPolicy
) -> AsyncIterator[SourceReader]:
    """A reader on a bound connection.

    Raises SpecError for a URL or an authority that can't be used, CycleError where the directory can't be reached or
    refuses the account, or a Secret is missing.
    """
    if "\0" in settings.bind_dn:
        raise SpecError("it holds a NUL character", path="bindDN")
    ca_pem = None if settings.ca is None else await lookup(settings.ca)
    password = (await lookup(settings.password)).rstrip(b"\r\n")
    try:
        secret = SecretText(password.decode())
    except UnicodeDecodeError as error:
        raise CycleError("the password is not UTF-8: look at the Secret", reason="CredentialsRejected") from error
    directory = DirectorySettings(
        url=settings.url,
        start_tls=settings.start_tls,
        ca_pem=ca_pem,
        bind_dn=settings.bind_dn,
        ca_field="caRef",
        unreachable="SourceUnreachable",
    )
    async with lend(directory, secret, policy) as connection, AsyncExitStack() as second:
        opened: list[DirectoryConnection] = []

        async def beside() -> DirectoryConnection:
            if not opened:
                opened.append(await second.enter_async_context(lend(directory, secret, policy)))
            return opened[0]

        yield LdapReader(settings, connection, beside)
