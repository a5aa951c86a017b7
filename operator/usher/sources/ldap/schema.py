"""What a directory's schema says (RFC 4512 4.2): which attributes the entries that were read could have as well.

A mapping may read an attribute of which nobody has a value yet; without the schema that would be a misspelling.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import chain
from typing import Any, Final

from ldap.schema import AttributeType, SubSchema

from usher.sources.ldap.names import LOCKS
from usher.transport.ldap.client import Attributes, Entry
from usher.transport.ldap.connection import DirectoryConnection

MAX_SCHEMA: Final = 8 * 1024 * 1024
"""Bytes; a schema that is larger counts as none."""
MAX_DEFINITION: Final = 64 * 1024
_DEFINITIONS: Final = ("objectClasses", "attributeTypes")


async def allowed_names(connection: DirectoryConnection, classes: Sequence[str]) -> frozenset[str]:
    """The attributes that entries of these object classes could have, and those that lock an account.

    Empty where the account may not see the schema, or where that can't be read: the names that were seen have to do.
    """
    root = await connection.entry("", ["subschemaSubentry"])
    place = _only_text(root, "subschemaSubentry")
    entry = await connection.entry(place, _DEFINITIONS) if place else None
    definitions = {} if entry is None else {name: _readable(found) for name, found in entry.attributes.items()}
    if not 0 < sum(map(len, chain.from_iterable(definitions.values()))) <= MAX_SCHEMA:
        return frozenset()
    return await asyncio.to_thread(_names, definitions, classes)  # tens of milliseconds that nobody should wait for


def _readable(definitions: Sequence[bytes]) -> list[bytes]:
    """Without what no schema has and python-ldap would take minutes to read.

    That is an escaped quote, at each of which its pattern begins anew; RFC 4512 4.1 has another form for it.
    """
    return [each for each in definitions if len(each) <= MAX_DEFINITION and b"\\'" not in each]


def _names(definitions: Attributes, classes: Sequence[str]) -> frozenset[str]:
    try:
        return _allowed(SubSchema(definitions), classes)
    except (ValueError, LookupError, AssertionError, TypeError):  # python-ldap's ways to say that a definition is none
        return frozenset()


def _allowed(schema: Any, classes: Sequence[str]) -> frozenset[str]:
    must, may = schema.attribute_types(list(classes), raise_keyerror=0, ignore_dit_content_rule=1)
    kinds = [kind for kind in (*must.values(), *may.values()) if kind is not None]
    locks = [schema.get_obj(AttributeType, name) for name in LOCKS]
    return frozenset(kind.names[0] for kind in (*kinds, *locks) if kind is not None and kind.names)


def _only_text(entry: Entry | None, name: str) -> str:
    if entry is None:
        return ""
    values = next((found for key, found in entry.attributes.items() if key.lower() == name.lower()), [])
    return values[0].decode("utf-8", "replace") if values else ""
