"""Definitions of attributes as a `/Schemas` document tells them (RFC 7643 7), and how far they are believed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Final, TypeVar

from usher.core.model.resources import Json
from usher.core.scim.schemas import AttributeDefinition, AttributeType, Mutability, TargetSchema
from usher.core.scim.values import get_value

T = TypeVar("T")

MAX_ATTRIBUTES: Final = 2_000
"""Attributes and sub-attributes that are read of all schemas together."""

_NAME: Final = re.compile(r"[$A-Za-z][$\w-]{0,127}", re.ASCII)
_TYPES: Final = {each.value.lower(): each for each in AttributeType}
_MUTABILITIES: Final = {each.value.lower(): each for each in Mutability}
_FLAGS: Final = {"true": True, "false": False}
_UNIQUENESS: Final = {"none": False, "server": True, "global": True}
_CASE_EXACT: Final = frozenset({AttributeType.BINARY, AttributeType.REFERENCE})
"""Case exact unless something else is told (RFC 7643 2.3.6, 2.3.7)."""


class _Unreadable(Exception):
    """A word that RFC 7643 7 does not know."""


def read_attributes(listed: Json, prefix: str, found: dict[str, AttributeDefinition]) -> None:
    """Adds attributes and their sub-attributes. What can't be read is left out, of two with one name the first counts.

    A sub-attribute is never complex (RFC 7643 2.3.8): that ends the descent, however deep the document goes.
    """
    for raw in listed if isinstance(listed, list) else ():
        key, definition = _read_one(raw, prefix)
        if definition is None or key in found:
            continue
        if len(found) >= MAX_ATTRIBUTES:
            return
        found[key] = definition
        subs = get_value("subAttributes", raw) if definition.type is AttributeType.COMPLEX else None
        for raw_sub in subs if isinstance(subs, list) else ():
            sub_key, sub = _read_one(raw_sub, f"{key}.")
            if sub is not None and sub.type is not AttributeType.COMPLEX and len(found) < MAX_ATTRIBUTES:
                found.setdefault(sub_key, sub)


def _read_one(raw: Json, prefix: str) -> tuple[str, AttributeDefinition | None]:
    name = get_value("name", raw)
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        return "", None
    try:
        return prefix + name.lower(), _read_definition(raw)
    except _Unreadable:
        return "", None


def _read_definition(raw: Json) -> AttributeDefinition:
    kind = _word(raw, "type", _TYPES, AttributeType.STRING)
    return AttributeDefinition(
        type=kind,
        case_exact=_word(raw, "caseExact", _FLAGS, kind in _CASE_EXACT),
        multi_valued=_word(raw, "multiValued", _FLAGS, absent=False),
        mutability=_mutability(raw),
        required=_word(raw, "required", _FLAGS, absent=False),
        unique=_word(raw, "uniqueness", _UNIQUENESS, absent=False),
    )


def _mutability(raw: Json) -> Mutability:
    """Who may write it; to us, what is `returned: never` is as what is written only: it can be read by nobody."""
    told = _word(raw, "mutability", _MUTABILITIES, Mutability.READ_WRITE)
    hidden = str(get_value("returned", raw)).strip().lower() == "never"
    return Mutability.WRITE_ONLY if hidden and told is not Mutability.READ_ONLY else told


def _word(raw: Json, name: str, words: Mapping[str, T], absent: T) -> T:
    """One field of a definition; absent, it has the default of RFC 7643 2.2."""
    value = get_value(name, raw)
    if value is None:
        return absent
    found = words.get(str(value).strip().lower()) if isinstance(value, str | bool) else None
    if found is None:
        raise _Unreadable
    return found


# --- what is believed -----------------------------------------------------------------------------------------------

_DISABLE: Final = "active"


def believe(told: Mapping[str, AttributeDefinition], core: TargetSchema) -> dict[str, AttributeDefinition]:
    """RFC 7643, which is `core`, with what is told in its place.

    Not believed: anything about `active`, or a leaver might not be recognised; and that an attribute of RFC 7643 is
    complex where it is simple there, or simple where it is complex, as every path to it would be wrong.
    """
    merged = dict(core.attributes)
    for key, definition in told.items():
        known, whole = core.attributes.get(key), _whole_of(key)
        if key == _DISABLE or (whole in merged and merged[whole].type is not AttributeType.COMPLEX):
            continue
        if known is None:
            merged[key] = definition
        elif (known.type is AttributeType.COMPLEX) == (definition.type is AttributeType.COMPLEX):
            merged[key] = _settle(known, definition)
    return merged


def _whole_of(key: str) -> str | None:
    """The key of the attribute to which a sub-attribute belongs; URNs have dots too."""
    _, _, name = key.rpartition(":")
    return key.rpartition(".")[0] if "." in name else None


def _settle(known: AttributeDefinition, told: AttributeDefinition) -> AttributeDefinition:
    """What is told, but that a unique value (`userName`) is one value, and that who may not read one still may not.

    The former finds accounts, and the latter (`password`) would be shown in a plan.
    """
    hidden = known.mutability is Mutability.WRITE_ONLY
    return replace(
        told,
        multi_valued=told.multi_valued and not known.unique,
        mutability=Mutability.WRITE_ONLY if hidden else told.mutability,
    )
