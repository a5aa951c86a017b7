"""From the names by which entries refer to each other to ids: who is the manager, who are the members.

A directory refers by distinguished name (RFC 4512 2.3.1), or by uid (RFC 2307, memberUid). Names change and are given
to others, ids are not. So names are resolved while the directory is read, and only ids leave the source.

What is known lives as long as one conversation, and the newest word counts: a name that was given to somebody else
never leads to whom it named in an earlier read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import Final, TypeAlias

from usher.core.errors import CycleError
from usher.core.model.resources import ResourceType, SourceId, SourceResource, Value
from usher.sources.ldap.entries import EntryReader, texts_of
from usher.sources.ldap.names import DN, MANAGER, MEMBERS, UID, UID_MEMBER
from usher.sources.ldap.searches import blaming, search_of
from usher.sources.ldap.settings import LdapSettings
from usher.sources.ldap.values import compared_dn
from usher.transport.ldap.client import Entry
from usher.transport.ldap.connection import DirectoryConnection

LOOKUPS: Final = 100
"""Names of a conversation that are looked up one by one; more of them are not worth a question each."""
_ANYTHING: Final = "(objectClass=*)"
_SLICE: Final = 2_000
"""Names that are resolved without letting others run."""
_NOBODY: Final = SourceId("")
_UID: Final = "uid:"


Beside: TypeAlias = Callable[[], Awaitable[DirectoryConnection]]
"""Another connection, the same one each time, while the first is at work: slapd keeps one search in pages on each."""


class References:
    """What one conversation knows of names. `readers` are those by which its entries become resources."""

    def __init__(self, settings: LdapSettings, beside: Beside, readers: Mapping[ResourceType, EntryReader]) -> None:
        self._settings, self._beside, self._readers = settings, beside, readers
        self._ids: dict[bytes, SourceId] = {}
        self._by_uid = settings.member_attribute.lower() == UID_MEMBER
        self._lookups = LOOKUPS
        types = [ResourceType.USER] if settings.groups is None else list(ResourceType)
        self._bases = {one: compared_dn(settings.branch(one).base) for one in types}
        self._filled: set[ResourceType] = set()

    def note(self, resource: SourceResource) -> None:
        """What a read shows, which is newer than all that was known."""
        self._ids[_key(compared_dn(str(resource.attributes[DN])))] = resource.id
        if self._by_uid:
            self._note_uids(resource.id, _texts(resource.attributes.get(UID)))

    def complete(self, resource_type: ResourceType) -> None:
        """A whole read of the type has come to its end: by uid there is nobody else to ask for."""
        if self._by_uid:
            self._filled.add(resource_type)

    async def resolve(self, resources: Sequence[SourceResource], at_once: int = LOOKUPS) -> Sequence[SourceResource]:
        """The same with ids instead of names. A name of nobody, or of an entry outside of the bases, stays.

        Up to `at_once` unknown names are looked up one by one; for more of them, all ids are read. Raises what a read
        raises: a reference that could not be resolved is no reference that is gone.
        """
        unknown: dict[str, str] = {}
        resolved = [await self._resolved(resource, unknown) for resource in resources]
        if not unknown:
            return resolved
        await self._learn(unknown, at_once)
        return [await self._resolved(resource, {}) for resource in resources]

    async def _resolved(self, resource: SourceResource, unknown: dict[str, str]) -> SourceResource:
        """`unknown` is told the names that are not known, with their spelling."""
        manager, members = resource.attributes.get(MANAGER), resource.attributes.get(MEMBERS)
        found: dict[str, Value] = {}
        if manager and isinstance(manager, str):
            found[MANAGER] = self._id(compared_dn(manager), manager, unknown)
        if members and isinstance(members, tuple):
            spell, ids = _uid if self._by_uid else compared_dn, set[str]()
            for start in range(0, len(members), _SLICE):
                ids.update(self._id(spell(one), one, unknown) for one in _texts(members[start : start + _SLICE]))
                await asyncio.sleep(0)
            # sorted, since a directory lists them in any order, and in another one when a name changes
            found[MEMBERS] = tuple(sorted(ids))
        return SourceResource(resource.id, {**resource.attributes, **found}) if found else resource

    def _id(self, name: str, spelled: str, unknown: dict[str, str]) -> str:
        source_id = self._ids.get(_key(name))
        if source_id is None:
            unknown[name] = spelled
        return source_id or spelled

    # --- names that no read has shown

    async def _learn(self, unknown: Mapping[str, str], at_once: int) -> None:
        for resource_type, base in self._bases.items():
            wanted = sum(_is_below(name, base) for name in unknown)
            if wanted > min(at_once, self._lookups) or (self._by_uid and any(map(_is_uid, unknown))):
                await self._fill(resource_type)
        left = [spelled for name, spelled in unknown.items() if _key(name) not in self._ids and self._is_inside(name)]
        for spelled in left[: self._lookups]:
            self._lookups -= 1
            await self._look_up(await self._beside(), spelled)

    async def _fill(self, resource_type: ResourceType) -> None:
        """All ids of a branch, once. Whom the filter leaves out has one too: a filter may take them in again.

        Names by uid are those of people only: something else may have the same.
        """
        base = self._bases[resource_type]
        if any(_is_below(base, self._bases[one]) for one in self._filled):
            return
        if self._by_uid and resource_type is ResourceType.GROUP:
            return
        filter_ = self._settings.branch(resource_type).filter if self._by_uid else _ANYTHING
        asked = (self._settings.id_attribute, *((UID,) if self._by_uid else ()))
        search = search_of(self._settings, resource_type, filter_, asked)
        reader = self._readers[resource_type]
        connection = await self._beside()
        async for page in blaming(self._settings, resource_type, connection.pages(search)):
            self._take(page, reader)
            await asyncio.sleep(0)
        self._filled.add(resource_type)

    def _take(self, page: Sequence[Entry], reader: EntryReader) -> None:
        for entry in page:
            source_id = reader.find_id(entry)
            if source_id is None:
                continue
            self._ids[_key(compared_dn(entry.dn))] = source_id
            if self._by_uid:
                self._note_uids(source_id, texts_of(entry, UID))

    def _note_uids(self, source_id: SourceId, uids: Iterable[str]) -> None:
        """A uid that two people have names neither of them."""
        for uid in uids:
            key = _key(_uid(uid))
            known = self._ids.setdefault(key, source_id)
            if known != source_id:
                self._ids[key] = _NOBODY

    async def _look_up(self, connection: DirectoryConnection, dn: str) -> None:
        """The entry of that name; one that is not there, or that the account may not see, is nobody."""
        try:
            entry = await connection.entry(dn, [self._settings.id_attribute])
        except CycleError as error:
            if error.reason != "CredentialsRejected":  # of this entry: the account itself was taken
                raise
            return
        source_id = None if entry is None else self._readers[ResourceType.USER].find_id(entry)
        if source_id is not None:
            self._ids[_key(compared_dn(dn))] = source_id

    def _is_inside(self, name: str) -> bool:
        return any(_is_below(name, base) for base in self._bases.values())


def _uid(text: str) -> str:
    """No distinguished name begins like this. RFC 4519 2.39: uid has no regard to case."""
    return f"{_UID}{text.casefold()}"


def _is_uid(name: str) -> bool:
    return name.startswith(_UID)


def _key(name: str) -> bytes:
    """Half the memory of the name itself, and the same for a long one."""
    return blake2b(name.encode("utf-8", "surrogatepass"), digest_size=15).digest()


def _is_below(name: str, base: str) -> bool:
    return not base or name == base or name.endswith(f",{base}")


def _texts(value: Value | None) -> Iterator[str]:
    values = value if isinstance(value, tuple) else (value,)
    return (one for one in values if isinstance(one, str) and one)
