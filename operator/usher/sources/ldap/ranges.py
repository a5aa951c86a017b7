"""Attributes that a directory hands out in ranges: Active Directory sends `member;range=0-1499` of a large group.

The rest is asked for entry by entry, until a range ends in `*`. Part of an attribute is never taken for the whole.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from usher.core.errors import IncompleteRead
from usher.transport.ldap.client import Entry
from usher.transport.ldap.connection import DirectoryConnection

MAX_VALUES: Final = 1_000_000
_RANGE: Final = re.compile(r"(?P<name>[^;]+);range=(?P<first>\d+)-(?P<last>\d+|\*)", re.IGNORECASE)


async def whole_entries(connection: DirectoryConnection, page: Sequence[Entry]) -> Sequence[Entry]:
    """The entries of a page, each attribute with all of its values."""
    return [
        await _whole(connection, entry) if any(map(_RANGE.fullmatch, entry.attributes)) else entry for entry in page
    ]


async def _whole(connection: DirectoryConnection, entry: Entry) -> Entry:
    attributes = {name: values for name, values in entry.attributes.items() if not _RANGE.fullmatch(name)}
    for key in filter(_RANGE.fullmatch, entry.attributes):
        name = key.partition(";")[0]
        attributes[name] = await _values(connection, entry, key)
    return Entry(entry.dn, attributes)


async def _values(connection: DirectoryConnection, entry: Entry, key: str) -> list[bytes]:
    values = list(entry.attributes[key])
    match = _RANGE.fullmatch(key)
    while match is not None and match["last"] != "*":
        name, start = match["name"], int(match["last"]) + 1
        if start != len(values) or start > MAX_VALUES:
            raise IncompleteRead(f"the ranges of {name} do not follow each other", detail=entry.dn)
        more = await connection.entry(entry.dn, [f"{name};range={start}-*"])
        found = {} if more is None else more.attributes
        key = next((one for one in found if _continues(one, name, start)), "")
        if not key:
            raise IncompleteRead(f"the directory gave only part of {name}", detail=entry.dn)
        values += found[key]
        match = _RANGE.fullmatch(key)
    return values


def _continues(key: str, name: str, start: int) -> bool:
    match = _RANGE.fullmatch(key)
    return match is not None and match["name"].lower() == name.lower() and int(match["first"]) == start
