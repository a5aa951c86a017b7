"""The source `ldap` on a directory of the tests: what is asked, and what comes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from directory.configuration import GROUPS, PEOPLE, READER, Account
from directory.slapd import Slapd
from usher.contracts.runtime import SecretRef
from usher.contracts.source import ChangesComplete, Evidence, ReadComplete, SourceOpener, SupportsChanges, Watermark
from usher.core.model.resources import ResourceType, SourceId, SourceResource, Value
from usher.sources.ldap.reader import open_ldap
from usher.sources.ldap.settings import Branch, Changes, LdapSettings
from usher.transport.addresses import AddressPolicy, cli_policy
from usher.transport.ldap.pool import DirectoryLender, lend_once

PERSONS: Final = "(objectClass=inetOrgPerson)"
PASSWORD: Final = SecretRef("Secret", "directory", "password")
AUTHORITY: Final = SecretRef("ConfigMap", "authority", "ca.pem")


def settings(url: str, account: Account = READER, **others: Any) -> LdapSettings:
    """What the spec of a source would come to: people and groups of the population, and what else is given."""
    usual: dict[str, Any] = {
        "url": url,
        "start_tls": False,
        "ca": None,
        "bind_dn": account.dn,
        "password": PASSWORD,
        "users": Branch(PEOPLE, PERSONS),
        "groups": Branch(GROUPS, "(objectClass=groupOfNames)"),
        "id_attribute": "entryUUID",
        "member_attribute": "member",
        "page_size": 500,
        "changes": Changes.MODIFY_TIMESTAMP,
    }
    return LdapSettings(**{**usual, **others})


async def expire(watermark: Watermark) -> Watermark:
    """One for something else than what is read now."""
    return Watermark(watermark.replace('"scope":"', '"scope":"another '))


@dataclass(slots=True)
class Whole:
    """A whole read: everybody, in how many pages, and its end."""

    resources: list[SourceResource] = field(default_factory=list)
    pages: list[int] = field(default_factory=list)
    end: ReadComplete | None = None

    @property
    def by_id(self) -> dict[SourceId, Mapping[str, Value]]:
        """Attributes by id."""
        return {each.id: each.attributes for each in self.resources}

    def by(self, name: str) -> dict[Value, Mapping[str, Value]]:
        """Attributes by the value of one of them."""
        return {each.attributes[name]: each.attributes for each in self.resources}

    @property
    def watermark(self) -> Watermark:
        """Where changes may be read from."""
        assert self.end is not None
        assert self.end.watermark is not None
        return self.end.watermark


@dataclass(slots=True)
class Changed:
    """A read of changes: who is as now, who is gone (`deleted` by the source's own word), who are there, if told."""

    resources: dict[SourceId, Mapping[str, Value]] = field(default_factory=dict)
    gone: list[SourceId] = field(default_factory=list)
    deleted: set[SourceId] = field(default_factory=set)
    end: ChangesComplete | None = None

    @property
    def watermark(self) -> Watermark:
        """Where the next read of changes begins."""
        assert self.end is not None
        return self.end.watermark


@dataclass(slots=True)
class Source:
    """A source `ldap` with its secrets, to be read."""

    settings: LdapSettings
    password: bytes = READER.password.encode()
    authority: bytes = b""
    lend: DirectoryLender = lend_once
    policy: AddressPolicy = field(default_factory=cli_policy)

    @classmethod
    def of(cls, slapd: Slapd, account: Account = READER, **others: Any) -> Source:
        """That of a directory, read by this account."""
        authority = slapd.authority.encode() if slapd.settings.certificates else b""
        return cls(settings(slapd.url, account, **others), account.password.encode(), authority)

    @property
    def open(self) -> SourceOpener:
        """A SourceOpener."""
        return partial(open_ldap, self.settings, self._look_up, self.lend, self.policy)

    async def read(self, former: Watermark | None = None, resource_type: ResourceType = ResourceType.USER) -> Whole:
        """Everything. Raises what the source does."""
        found = Whole()
        async with self.open() as reader:
            async for item in reader.fetch(resource_type, former):
                assert found.end is None
                if isinstance(item, ReadComplete):
                    found.end = item
                else:
                    found.pages.append(len(item))
                    found.resources += item
        assert found.end is not None
        return found

    async def changes(self, since: Watermark, resource_type: ResourceType = ResourceType.USER) -> Changed:
        """What changed since then. Raises what the source does."""
        found = Changed()
        async with self.open() as reader:
            assert isinstance(reader, SupportsChanges)
            async for item in reader.fetch_changes(resource_type, since):
                assert found.end is None
                if isinstance(item, ChangesComplete):
                    found.end = item
                    continue
                for change in item:
                    if change.resource is None:
                        found.gone.append(change.id)
                        found.deleted |= {change.id} if change.evidence is Evidence.TOLD else set()
                    else:
                        found.resources[change.id] = change.resource.attributes
        assert found.end is not None
        return found

    async def _look_up(self, ref: SecretRef) -> bytes:
        return {PASSWORD: self.password, AUTHORITY: self.authority}[ref]
