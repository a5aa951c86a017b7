"""When two values are the same to a target (RFC 7643 2.2, 2.3)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final, TypeAlias

import orjson

from usher.core.model.resources import Json
from usher.core.scim.schemas import DECIMAL_TEXT, WHOLE_TEXT, AttributeDefinition, AttributeType

_UNKNOWN: Final = AttributeDefinition()


def equal(definition: AttributeDefinition | None, a: Json, b: Json) -> bool:
    """Whether two values are the same to the target.

    By their type: numbers by what they count and times by the moment, however they are written. Case counts where
    `caseExact` says so, the order of several values never; empty is absent.
    """
    if a == b and type(a) is type(b):
        return True
    return _canonical(definition or _UNKNOWN, a) == _canonical(definition or _UNKNOWN, b)


def lacking(definition: AttributeDefinition | None, wanted: Json, held: Json) -> tuple[Json, ...]:
    """Of several wanted values those that are not among the held ones, compared as `equal` does."""
    known = definition or _UNKNOWN
    present = set(_canonical(known, held if isinstance(held, list) or held is None else [held]))
    values = wanted if isinstance(wanted, list) else [wanted]
    return tuple(value for value in values if _canonical_one(known, value) not in present)


Fold: TypeAlias = Callable[[Json], str]


@lru_cache(maxsize=4096)
def folding(definition: AttributeDefinition | None) -> Fold:
    """What gives the canonical text of a value: equal values, and only those, have the same."""
    known = definition or _UNKNOWN

    def fold_any(value: Json) -> str:
        return "\n".join(_canonical(known, value))

    def fold_text(value: Json) -> str:
        return value.casefold() if isinstance(value, str) else fold_any(value)

    plain = known.type is AttributeType.STRING and not known.case_exact and known.element is None
    return fold_text if plain else fold_any


def _canonical(definition: AttributeDefinition, value: Json) -> tuple[str, ...]:
    if value is None:
        return ()
    if isinstance(value, list):
        return tuple(sorted({_canonical_one(definition, item) for item in value}))
    return (_canonical_one(definition, value),)


def _canonical_one(definition: AttributeDefinition, value: Json) -> str:
    """One value as text. Booleans and numbers fold with their spelling as text, for targets that store them so."""
    if definition.element is not None and isinstance(value, dict):
        held = next((held for name, held in value.items() if name.lower() == "value"), None)
        return _canonical_one(replace(definition, type=definition.element, element=None), held)
    if isinstance(value, dict | list):
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
    if definition.type is AttributeType.BOOLEAN or isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        value = _typed(definition.type, value)
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    text = str(value)
    return text if definition.case_exact else text.casefold()


def _typed(kind: AttributeType, text: str) -> Json:
    """What a text stands for in an attribute of that type; itself where it stands for nothing of the kind."""
    match kind:
        case AttributeType.INTEGER | AttributeType.DECIMAL if WHOLE_TEXT.fullmatch(text.strip()):
            return int(text)
        case AttributeType.INTEGER | AttributeType.DECIMAL if DECIMAL_TEXT.fullmatch(text.strip()):
            return float(text)
        case AttributeType.DATE_TIME:
            return _moment(text)
        case _:
            return text


def _moment(text: str) -> str:
    """A time with its zone, in UTC; one without is no moment that could be compared."""
    try:
        time = datetime.fromisoformat(text.strip())
        return text if time.tzinfo is None else time.astimezone(UTC).isoformat()
    except (ValueError, OverflowError):
        return text
