"""From an entry to a resource: its id, its own attributes under their own names, and the reference's names beside them.

Text is text, bytes are base64. An attribute with one value is that value, one with several a tuple in the directory's
order. What an attribute means is decided by its name (RFC 4512 2.5: without regard to case, options such as `;lang-de`
belong to it).
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Sequence
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
from usher.transport.ldap.client import Entry

MAX_VALUE: Final = 64 * 1024
"""Bytes. An attribute with a longer value, a photograph say, is left out whole."""

MAX_NAMES: Final = 10_000
"""Attribute names whose treatment is kept."""

_LOCKS: Final = frozenset((*LOCKS, *(name.lower() for name in LOCKS)))
_DISABLED_BIT: Final = 0x2
_FOR_EVER: Final = "000001010000Z"


@dataclass(frozen=True, slots=True)
class _Attribute:
    """What is done with an attribute of the directory: the same for every entry, so it is decided once.

    `own` is its name in a resource, empty where it is not taken over. `meanings` are the reference's names that it has,
    each with its place among the attributes that have that name.
    """

    own: str
    decode: Callable[[bytes], str]
    meanings: tuple[tuple[str, int], ...]


class EntryReader:
    """Reads entries of one resource type."""

    def __init__(self, resource_type: ResourceType, id_attribute: str, member_attribute: str) -> None:
        self._resource_type = resource_type
        self._id, self._member = id_attribute.lower(), member_attribute.lower()
        self._id_attribute = id_attribute
        self._attributes: dict[str, _Attribute] = {}
        names = PERSON_NAMES if resource_type is ResourceType.USER else GROUP_NAMES
        self._meanings: dict[str, list[tuple[str, int]]] = {}
        for name, candidates in names.items():
            for rank, candidate in enumerate(candidates):
                self._meanings.setdefault(candidate.lower(), []).append((name, rank))

    def read(self, entry: Entry) -> SourceResource:
        """Raises IncompleteRead for an entry without an id: who that is can't be said, so nobody may be missing."""
        source_id = self.read_id(entry)
        attributes: dict[str, Value] = {}
        meant: dict[str, tuple[int, str]] = {}
        for name, values in entry.attributes.items():
            kind = self._attributes.get(name) or self._classify(name)
            if not kind.own or not values or len(max(values, key=len)) > MAX_VALUE:
                continue
            first = kind.decode(values[0])
            attributes[kind.own] = first if len(values) == 1 else (first, *map(kind.decode, values[1:]))
            for meaning, rank in kind.meanings:
                if first and (meaning not in meant or rank < meant[meaning][0]):
                    meant[meaning] = rank, first
        attributes.update({name: text for name, (_, text) in meant.items()})
        if self._resource_type is ResourceType.GROUP:
            attributes[MEMBERS] = tuple(map(_text, _values(entry, self._member)))
        elif (enabled := _read_enabled(entry)) is not None:
            attributes[ACCOUNT_ENABLED] = enabled
        attributes[DN], attributes[OBJECT_ID] = entry.dn, source_id
        return SourceResource(source_id, attributes)

    def read_id(self, entry: Entry) -> SourceId:
        """The id of an entry, in the form in which tools show it."""
        values = entry.attributes.get(self._id_attribute) or _values(entry, self._id)
        text = _decoder(self._id)(values[0]).strip() if len(values) == 1 else ""
        if not text:
            count = len(values) or "no"
            message = f"an entry has {count} {self._id_attribute}, which identifies it: may the account read it?"
            raise IncompleteRead(message, reason="InvalidData", detail=entry.dn)
        return SourceId(text.lower() if self._id == "entryuuid" else text)

    def _classify(self, name: str) -> _Attribute:
        folded = name.lower()
        base = folded.partition(";")[0]
        hidden = base in SECRET or base in BOOKKEEPING
        own = "" if hidden else name.removesuffix(";binary")
        found = _Attribute(own, _decoder(folded), tuple(self._meanings.get(folded, ())))
        if len(self._attributes) < MAX_NAMES:
            self._attributes[name] = found
        return found


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


def _values(entry: Entry, folded: str) -> Sequence[bytes]:
    return next((values for name, values in entry.attributes.items() if name.lower() == folded), ())


def _read_enabled(entry: Entry) -> bool | None:
    """What the directory says of the account; None where it says nothing, which counts as enabled."""
    told = {name.lower(): values[0] for name, values in entry.attributes.items() if name in _LOCKS and values}
    control, lds, locked, since = (told.get(name.lower(), b"") for name in LOCKS)
    if control.isdigit():
        return not int(control) & _DISABLED_BIT
    if lds or locked:
        return (lds or locked).strip().lower() != b"true"
    return None if not since else since.decode("ascii", "replace") != _FOR_EVER


def _decoder(folded: str) -> Callable[[bytes], str]:
    base = folded.partition(";")[0]
    if base == "objectguid":
        return _guid
    if base == "objectsid":
        return _sid
    return _base64 if folded.endswith(";binary") or base in BINARY else _text


def _guid(value: bytes) -> str:
    return str(UUID(bytes_le=value)) if len(value) == 16 else _base64(value)


def _base64(value: bytes) -> str:
    return b64encode(value).decode()


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return b64encode(value).decode()


def _sid(value: bytes) -> str:
    """A security identifier as Windows writes it: revision, authority (big-endian), sub-authorities (little-endian)."""
    if len(value) < 8 or len(value) != 8 + 4 * value[1]:
        return _base64(value)
    parts = [int.from_bytes(value[8 + 4 * n : 12 + 4 * n], "little") for n in range(value[1])]
    return "-".join(["S", str(value[0]), str(int.from_bytes(value[2:8], "big")), *map(str, parts)])
