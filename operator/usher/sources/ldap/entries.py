"""From an entry to a resource: its id, its own attributes under their own names, and the reference's names beside them.

Text is text, bytes are base64. An attribute with one value is that value, one with several a tuple in the directory's
order. What an attribute means is decided by its name (RFC 4512 2.5: without regard to case, options such as `;lang-de`
belong to it).
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from usher.core.errors import IncompleteRead
from usher.core.model.resources import ResourceType, SourceId, SourceResource, Value
from usher.sources.ldap.names import (
    ACCOUNT_ENABLED,
    BINARY,
    BOOKKEEPING,
    DN,
    GROUP_NAMES,
    LOCKS,
    MEMBERS,
    OBJECT_ID,
    PERSON_NAMES,
    SECRET,
)
from usher.transport.ldap.client import Attributes, Entry

MAX_VALUE: Final = 64 * 1024
"""Bytes. An attribute with a longer value, a photograph say, is left out whole."""

_GUID: Final = "objectguid"
_SID: Final = "objectsid"
_DISABLED_BIT: Final = 0x2
_FOR_EVER: Final = "000001010000Z"


@dataclass(frozen=True, slots=True)
class EntryReader:
    """Reads entries of one resource type."""

    resource_type: ResourceType
    id_attribute: str
    member_attribute: str

    def read(self, entry: Entry) -> SourceResource:
        """Raises IncompleteRead for an entry without an id: who that is can't be said, so nobody may be missing."""
        own = {name.lower(): values for name, values in entry.attributes.items()}
        attributes = self._own_attributes(entry.attributes)
        source_id = self.read_id(entry)
        for name, candidates in self._names().items():
            value = self._first(own, candidates)
            if value is not None:
                attributes[name] = value
        if self.resource_type is ResourceType.GROUP:
            attributes[MEMBERS] = tuple(_text(value) for value in own.get(self.member_attribute.lower(), ()))
        elif (enabled := _read_enabled(own)) is not None:
            attributes[ACCOUNT_ENABLED] = enabled
        return SourceResource(source_id, {**attributes, DN: entry.dn, OBJECT_ID: source_id})

    def read_id(self, entry: Entry) -> SourceId:
        """The id of an entry, in the form in which tools show it."""
        values = next((v for name, v in entry.attributes.items() if name.lower() == self.id_attribute.lower()), [])
        text = _decode(self.id_attribute.lower(), values[0]) if len(values) == 1 else ""
        if not text.strip():
            count = len(values) or "no"
            message = f"an entry has {count} {self.id_attribute}, which identifies it: may the account read it?"
            raise IncompleteRead(message, reason="InvalidData", detail=entry.dn)
        return SourceId(text.lower() if self.id_attribute.lower() == "entryuuid" else text)

    def _names(self) -> Mapping[str, tuple[str, ...]]:
        return PERSON_NAMES if self.resource_type is ResourceType.USER else GROUP_NAMES

    def _own_attributes(self, attributes: Attributes) -> dict[str, Value]:
        found: dict[str, Value] = {}
        for name, values in attributes.items():
            base = name.partition(";")[0].lower()
            if base in SECRET or base in BOOKKEEPING or not values or max(map(len, values)) > MAX_VALUE:
                continue
            texts = [_decode(name.lower(), value) for value in values]
            found[name.removesuffix(";binary")] = texts[0] if len(texts) == 1 else tuple(texts)
        return found

    def _first(self, own: Mapping[str, Sequence[bytes]], candidates: Sequence[str]) -> str | None:
        for name in candidates:
            values = own.get(name.lower())
            if values and len(values[0]) <= MAX_VALUE and (text := _decode(name.lower(), values[0])):
                return text
        return None


def known_names(resource_type: ResourceType, seen: frozenset[str], allowed: frozenset[str]) -> tuple[str, ...]:
    """Every attribute name that a mapping may read: those that some entry has, and those that one could have.

    `seen` are names of resources, `allowed` of attributes that the directory's schema allows for their object classes.
    """
    usable = {name for name in allowed if name.lower() not in SECRET and name.lower() not in BOOKKEEPING}
    folded = {name.lower() for name in usable}
    names = PERSON_NAMES if resource_type is ResourceType.USER else GROUP_NAMES
    meant = {name for name, candidates in names.items() if folded.intersection(one.lower() for one in candidates)}
    sparse = {one.lower() for one in LOCKS[2:]}
    tells = {ACCOUNT_ENABLED} if resource_type is ResourceType.USER and folded & sparse else set()
    return tuple(sorted(seen | usable | meant | tells))


def _read_enabled(own: Mapping[str, Sequence[bytes]]) -> bool | None:
    """What the directory says of the account; None where it says nothing, which counts as enabled."""
    control, lds, locked, since = ((own.get(name.lower()) or [b""])[0] for name in LOCKS)
    if control.isdigit():
        return not int(control) & _DISABLED_BIT
    if lds or locked:
        return (lds or locked).strip().lower() != b"true"
    return None if not since else since.decode("ascii", "replace") != _FOR_EVER


def _decode(name: str, value: bytes) -> str:
    base = name.partition(";")[0]
    if base == _GUID and len(value) == 16:
        return str(UUID(bytes_le=value))
    if base == _SID and len(value) >= 8 and len(value) == 8 + 4 * value[1]:
        return _read_sid(value)
    if name.endswith(";binary") or base in BINARY:
        return b64encode(value).decode()
    return _text(value)


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return b64encode(value).decode()


def _read_sid(value: bytes) -> str:
    """A security identifier as Windows writes it: revision, authority (big-endian), sub-authorities (little-endian)."""
    parts = [int.from_bytes(value[8 + 4 * n : 12 + 4 * n], "little") for n in range(value[1])]
    return "-".join(["S", str(value[0]), str(int.from_bytes(value[2:8], "big")), *map(str, parts)])
