"""What has to be known to read a directory."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from hashlib import blake2b
from typing import TypeAlias

from usher.contracts.runtime import SecretRef
from usher.core.model.resources import ResourceType

Lookup: TypeAlias = Callable[[SecretRef], Awaitable[bytes]]
"""Reads a Secret or a ConfigMap."""


class Changes(StrEnum):
    """How changes are found between two whole reads."""

    MODIFY_TIMESTAMP = "ModifyTimestamp"
    SYNCREPL = "Syncrepl"
    DIRSYNC = "DirSync"


@dataclass(frozen=True, slots=True)
class Branch:
    """Where entries of one resource type are: below `base`, those that the filter selects."""

    base: str
    filter: str


@dataclass(frozen=True, slots=True)
class LdapSettings:
    """`id_attribute` identifies an entry for ever. `groups` is None where none are read.

    `member_attribute` holds the members of a group, `page_size` is the number of entries of one answer.
    """

    url: str
    start_tls: bool
    ca: SecretRef | None
    bind_dn: str
    password: SecretRef
    users: Branch
    groups: Branch | None
    id_attribute: str
    member_attribute: str
    page_size: int
    changes: Changes

    def branch(self, resource_type: ResourceType) -> Branch:
        """Raises ValueError for groups where none are read."""
        found = self.users if resource_type is ResourceType.USER else self.groups
        if found is None:
            raise ValueError("no groups are read from this source")
        return found

    def scope(self, resource_type: ResourceType) -> str:
        """A digest of what is read and how: watermarks of another one mean nothing."""
        branch = self.branch(resource_type)
        what = repr((self.url, branch.base, branch.filter, self.id_attribute, self.changes.value))
        return blake2b(what.encode(), digest_size=8).hexdigest()
