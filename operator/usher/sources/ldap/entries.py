"""From an entry to a resource: its id, its own attributes under their own names, and the reference's names beside them.

Text is text, bytes are base64. An attribute with one value is that value, one with several a tuple in the directory's
order. What an attribute means is decided by its name (RFC 4512 2.5: without regard to case, options such as `;lang-de`
belong to it), and once, because it means the same in every entry.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

from usher.core.errors import IncompleteRead
from usher.core.model.resources import ResourceType, SourceId, SourceResource, Value
from usher.sources.ldap.names import (
    ACCOUNT_ENABLED,
    BOOKKEEPING,
    DN,
    GROUP_NAMES,
    LOCKS,
    MEMBER_ATTRIBUTES,
    MEMBERS,
    OBJECT_ID,
    PERSON_NAMES,
    SECRET,
    UID_MEMBER,
    UNIQUE_MEMBER,
)
from usher.sources.ldap.values import canonical_dn, decoder, read_dn, read_named_dn, read_text
from usher.transport.ldap.client import Entry

MAX_VALUE: Final = 64 * 1024
"""Bytes. An attribute with a longer value, a photograph say, is left out whole."""

MAX_NAMES: Final = 10_000
"""Attribute names whose treatment is kept."""

_LOCKS: Final = {name.lower(): name for name in LOCKS}
_DISABLED_BIT: Final = 0x2
_FOR_EVER: Final = "000001010000Z"


class _Attribute(NamedTuple):
    """What is done with an attribute of the directory.

    `own` is its name in a resource, empty where it is not taken over. `meaning` is the reference's name that it has, or
    empty, and `rank` its place among the attributes of that name.
    """

    own: str
    decode: Callable[[bytes], str]
    meaning: str
    rank: int


class EntryReader:
    """Reads entries of one resource type. Managers and members are names still: `references` resolves them."""

    def __init__(self, resource_type: ResourceType, id_attribute: str, member_attribute: str) -> None:
        self._resource_type = resource_type
        self._id, self._member = id_attribute.lower(), member_attribute.lower()
        self._id_attribute, self._member_attribute = id_attribute, member_attribute
        self._decode_id = decoder(self._id)
        self._read_member = {UNIQUE_MEMBER: read_named_dn, UID_MEMBER: read_text}.get(self._member, read_dn)
        self._attributes: dict[str, _Attribute] = {}
        names = PERSON_NAMES if resource_type is ResourceType.USER else GROUP_NAMES
        self._hidden = _hidden(resource_type)
        self._meanings = {
            candidate.lower(): (name, rank)
            for name, candidates in names.items()
            for rank, candidate in enumerate(candidates)
        }

    def read(self, entry: Entry) -> SourceResource:
        """Raises IncompleteRead for an entry without an id: who that is can't be said, so nobody may be missing."""
        source_id = self.read_id(entry)
        attributes: dict[str, Value] = {}
        meant: dict[str, str] = {}
        ranks: dict[str, int] = {}
        known, classify = self._attributes.get, self._classify
        for name, values in entry.attributes.items():  # hot: a directory has twenty of them a person
            own, decode, meaning, rank = known(name) or classify(name)
            if not own or not values or len(values[0] if len(values) == 1 else max(values, key=len)) > MAX_VALUE:
                continue
            first = decode(values[0])
            attributes[own] = first if len(values) == 1 else (first, *map(decode, values[1:]))
            if meaning and first and rank <= ranks.get(meaning, rank):
                meant[meaning], ranks[meaning] = first, rank
        attributes.update(meant)
        if self._resource_type is ResourceType.GROUP:
            attributes[MEMBERS] = tuple(map(self._read_member, values_of(entry, self._member_attribute)))
        elif (enabled := _read_enabled(attributes)) is not None:
            attributes[ACCOUNT_ENABLED] = enabled
        attributes[DN], attributes[OBJECT_ID] = canonical_dn(entry.dn), source_id
        return SourceResource(source_id, attributes)

    def read_id(self, entry: Entry) -> SourceId:
        """The id of an entry, in the form in which tools show it. Raises IncompleteRead for one without."""
        found = self.find_id(entry)
        if found is None:
            count = len(values_of(entry, self._id_attribute)) or "no"
            message = f"an entry has {count} {self._id_attribute}, which identifies it: may the account read it?"
            raise IncompleteRead(message, reason="InvalidData", detail=entry.dn)
        return found

    def find_id(self, entry: Entry) -> SourceId | None:
        """The same; None for an entry without one, or with several."""
        values = values_of(entry, self._id_attribute)
        text = self._decode_id(values[0]).strip() if len(values) == 1 else ""
        return SourceId(text.lower() if self._id == "entryuuid" else text) if text else None

    def _classify(self, name: str) -> _Attribute:
        folded = name.lower()
        base = folded.partition(";")[0]
        if ";range=" in folded:
            raise IncompleteRead(f"the directory gave only part of {base}")
        hidden = base in SECRET or base in BOOKKEEPING or base in self._hidden
        own = "" if hidden else _LOCKS.get(folded) or name.removesuffix(";binary")
        found = _Attribute(own, decoder(folded), *self._meanings.get(folded, ("", 0)))
        if len(self._attributes) < MAX_NAMES:
            self._attributes[name] = found
        return found


def known_names(resource_type: ResourceType, seen: frozenset[str], allowed: frozenset[str]) -> tuple[str, ...]:
    """Every attribute name that a mapping may read: those that some entry has, and those that one could have.

    `seen` are names of resources, `allowed` of attributes that the directory's schema allows for their object classes.
    """
    left_out = SECRET | BOOKKEEPING | _hidden(resource_type)
    usable = {name for name in allowed if name.lower() not in left_out}
    folded = {name.lower() for name in usable}
    names = PERSON_NAMES if resource_type is ResourceType.USER else GROUP_NAMES
    meant = {name for name, candidates in names.items() if folded.intersection(one.lower() for one in candidates)}
    sparse = {one.lower() for one in LOCKS[2:]}
    tells = {ACCOUNT_ENABLED} if resource_type is ResourceType.USER and folded & sparse else set()
    return tuple(sorted(seen | usable | meant | tells))


def texts_of(entry: Entry, name: str) -> Sequence[str]:
    """The values of an attribute as texts."""
    return [read_text(value) for value in values_of(entry, name)]


def _hidden(resource_type: ResourceType) -> frozenset[str]:
    return MEMBER_ATTRIBUTES if resource_type is ResourceType.GROUP else frozenset()


def values_of(entry: Entry, name: str) -> Sequence[bytes]:
    """The values of an attribute, in whatever case the directory spells it (RFC 4512 2.5).

    Active Directory says `modifyTimeStamp`, others `modifyTimestamp`.
    """
    found = entry.attributes.get(name)
    if found is not None:
        return found
    folded = name.lower()
    return next((values for spelled, values in entry.attributes.items() if spelled.lower() == folded), ())


def _read_enabled(attributes: Mapping[str, Value]) -> bool | None:
    """What the directory says of the account; None where it says nothing, which counts as enabled."""
    control, lds, locked, since = (_first(attributes.get(name)) for name in LOCKS)
    if control.isascii() and control.isdigit() and len(control) <= 10:
        return not int(control) & _DISABLED_BIT
    if lds or locked:
        return "true" not in (lds.strip().lower(), locked.strip().lower())
    return None if not since else since != _FOR_EVER


def _first(value: Value | None) -> str:
    found = value[0] if isinstance(value, tuple) else value
    return found if isinstance(found, str) else ""
