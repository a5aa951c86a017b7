"""From the distinguished names by which entries refer to each other to the ids by which they are known.

Ids, because a name changes: whoever is renamed, or moved to another branch, is a member of the same groups as before,
and a directory need not say that these changed. A name that leads to nobody stays a name: it is a reference all the
same, and waits for its other end.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Final

from usher.core.errors import CycleError
from usher.core.model.resources import ResourceType, SourceId, SourceResource, Value
from usher.sources.ldap.entries import EntryReader
from usher.sources.ldap.names import MANAGER, MEMBERS
from usher.sources.ldap.settings import LdapSettings
from usher.sources.ldap.values import canonical_dn
from usher.transport.ldap.client import Entry
from usher.transport.ldap.connection import DirectoryConnection, Search
from usher.transport.ldap.errors import BASE_NOT_FOUND

FEW: Final = 100
"""So many names are looked up one by one; for more, everybody is asked for, which takes one search."""
_REFERENCES: Final = {ResourceType.USER: MANAGER, ResourceType.GROUP: MEMBERS}
_UID: Final = "uid"


class References:
    """What one conversation knows of names. It is not kept: the next one may find another person under a name."""

    def __init__(self, settings: LdapSettings, connection: DirectoryConnection, reader: EntryReader) -> None:
        self._settings, self._connection, self._reader = settings, connection, reader
        self._by_login = settings.names_members_by_login
        self._known: dict[str, SourceId] = {}
        self._filled = False

    async def prepare(self, resource_type: ResourceType) -> None:
        """Before everything of a type is read, as nothing else can be asked between two pages of an answer."""
        if not self._filled and (resource_type is ResourceType.GROUP or await self._has_managers()):
            await self._fill()

    def resolve(self, resource_type: ResourceType, resources: Sequence[SourceResource]) -> list[SourceResource]:
        """The resources with ids in the place of the names that are known."""
        return [self._resolved(resource_type, resource) for resource in resources]

    async def look_up(self, resource_type: ResourceType, resources: Iterable[SourceResource]) -> None:
        """Learns what the references of these lead to: of few that changed, as of all."""
        if self._filled:
            return
        names = {name for resource in resources for name in _names(resource, _REFERENCES[resource_type])}
        missing = sorted(name for name in names if _fold(name) not in self._known)
        if len(missing) > FEW or (missing and resource_type is ResourceType.GROUP and self._by_login):
            await self._fill()
            return
        for name in missing:
            await self._look_up(name)

    async def _has_managers(self) -> bool:
        users = self._settings.users
        search = Search(users.base, f"(&{users.filter}({MANAGER}=*))", (self._settings.id_attribute,), 1)
        async for _ in self._connection.pages(search):
            return True
        return False

    async def _fill(self) -> None:
        branches = [self._settings.users, *([] if self._settings.groups is None else [self._settings.groups])]
        wanted = (self._settings.id_attribute, *((_UID,) if self._by_login else ()))
        for branch in branches:
            async for page in self._connection.pages(
                Search(branch.base, branch.filter, wanted, self._settings.page_size)
            ):
                self._note(page)
        self._filled = True

    async def _look_up(self, name: str) -> None:
        """Only names of entries: of whoever has none of that name nothing is learned."""
        try:
            async for page in self._below(name):
                self._note(entry for entry in page if _fold(canonical_dn(entry.dn)) == _fold(name))
        except CycleError as error:
            if error.reason != BASE_NOT_FOUND:
                raise

    def _below(self, name: str) -> AsyncIterator[Sequence[Entry]]:
        search = Search(name, "(objectClass=*)", (self._settings.id_attribute,), self._settings.page_size)
        return self._connection.pages(search)

    def _note(self, entries: Iterable[Entry]) -> None:
        for entry in entries:
            if not entry.attributes:
                continue  # what the account may not read leads to nobody
            source_id = self._reader.read_id(entry)
            self._known[_fold(canonical_dn(entry.dn))] = source_id
            if self._by_login:
                for login in entry.attributes.get(_UID, ()):
                    self._known[f"{_UID}:{login.decode('utf-8', 'replace').lower()}"] = source_id

    def _resolved(self, resource_type: ResourceType, resource: SourceResource) -> SourceResource:
        attribute = _REFERENCES[resource_type]
        names = _names(resource, attribute)
        if not names:
            return resource
        logins = self._by_login and resource_type is ResourceType.GROUP
        ids = [self._known.get(f"{_UID}:{name.lower()}" if logins else _fold(name), name) for name in names]
        value: Value = tuple(dict.fromkeys(ids)) if isinstance(resource.attributes[attribute], tuple) else ids[0]
        attributes: Mapping[str, Value] = {**resource.attributes, attribute: value}
        return SourceResource(resource.id, attributes)


def _names(resource: SourceResource, attribute: str) -> tuple[str, ...]:
    value = resource.attributes.get(attribute, ())
    return tuple(map(str, value)) if isinstance(value, tuple) else (str(value),)


def _fold(name: str) -> str:
    """Directories compare names without regard to case."""
    return name.lower()
