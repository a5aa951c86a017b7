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
MAX_QUESTIONS: Final = 1_000
"""For one attribute of one entry."""
_RANGE: Final = re.compile(r"(?P<name>[^;]+);range=(?P<first>[0-9]{1,9})-(?P<last>[0-9]{1,9}|\*)", re.IGNORECASE)


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
    name = key.partition(";")[0]
    values, questions = list(entry.attributes[key]), 0
    match = _continues(key, name, 0)
    while match is not None and match["last"] != "*":
        start, questions = int(match["last"]) + 1, questions + 1
        if start != len(values) or start > MAX_VALUES or questions > MAX_QUESTIONS:
            break
        more = await connection.entry(entry.dn, [f"{name};range={start}-*"])
        found = {} if more is None else more.attributes
        key = next((one for one in found if found[one] and _continues(one, name, start)), "")
        match = _continues(key, name, start)
        values += found.get(key, ())
    if match is None or match["last"] != "*":
        raise IncompleteRead(f"the directory gave only part of {name}", detail=entry.dn)
    return values


def _continues(key: str, name: str, start: int) -> re.Match[str] | None:
    """The match of a range of this attribute that begins there."""
    match = _RANGE.fullmatch(key)
    fits = match is not None and match["name"].lower() == name.lower() and match["first"] == str(start)
    return match if fits else None
