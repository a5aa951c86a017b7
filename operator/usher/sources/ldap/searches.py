"""What a directory is asked, and which field of the spec is to blame when it can't be asked that."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import TypeVar

from usher.core.errors import CycleError, SpecError
from usher.core.model.resources import ResourceType
from usher.sources.ldap.settings import Branch, Changes, LdapSettings
from usher.transport.ldap.connection import Search
from usher.transport.ldap.errors import BASE_NOT_FOUND, CONTROL_UNKNOWN, FILTER_INVALID

_Item = TypeVar("_Item")


def search_of(settings: LdapSettings, resource_type: ResourceType, filter_: str, attributes: Sequence[str]) -> Search:
    """A search below the base of a resource type."""
    return Search(settings.branch(resource_type).base, filter_, attributes, settings.page_size)


async def blaming(
    settings: LdapSettings, resource_type: ResourceType, items: AsyncIterator[_Item]
) -> AsyncIterator[_Item]:
    """The same items. What is wrong with the search is told at the field of the spec that says it."""
    branch = "users" if resource_type is ResourceType.USER else "groups"
    _refuse_nul(settings.branch(resource_type), branch)
    fields = {BASE_NOT_FOUND: f"{branch}.baseDN", FILTER_INVALID: f"{branch}.filter"}
    if settings.changes is not Changes.MODIFY_TIMESTAMP:
        fields[CONTROL_UNKNOWN] = "changes"
    try:
        async for item in items:
            yield item
    except CycleError as error:
        if error.reason not in fields:
            raise
        raise SpecError(error.message, path=fields[error.reason], reason=error.reason) from error


def _refuse_nul(branch: Branch, field: str) -> None:
    """What ends a text for libldap would end it there for the directory too."""
    if "\0" in branch.base:
        raise SpecError("it holds a NUL character", path=f"{field}.baseDN", reason=BASE_NOT_FOUND)
    if "\0" in branch.filter:
        raise SpecError("it holds a NUL character", path=f"{field}.filter", reason=FILTER_INVALID)
