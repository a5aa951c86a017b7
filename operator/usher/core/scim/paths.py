"""Attribute paths (RFC 7644 3.10, with value filters of 3.5.2), taken apart; `values` reads and writes with them.

    attr    attr.sub    attr[filter]    attr[filter].sub    urn:...:User:attr    urn:...:User:attr.sub

Attribute names and schema URNs are compared without regard to case (RFC 7643 2.1). A filter is what selects one element
of a multi-valued attribute: comparisons with `eq`, joined by `and`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NoReturn, TypeAlias

import orjson

from usher.core.errors import SpecError
from usher.core.model.resources import AttributePath, Json, Scalar

USER_URN: Final = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP_URN: Final = "urn:ietf:params:scim:schemas:core:2.0:Group"
_CORE: Final = frozenset({USER_URN.lower(), GROUP_URN.lower()})
ENTERPRISE_URN: Final = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
MAX_PATH_LENGTH: Final = 1_000

Comparison: TypeAlias = tuple[str, Scalar]
"""(sub-attribute, value): the sub-attribute equals the value."""

_NAME = re.compile(r"[$A-Za-z][$\w-]*", re.ASCII)
_URN_HEAD = re.compile(r"urn:[A-Za-z0-9][A-Za-z0-9-]*:[^\s\[\]\"]+", re.ASCII | re.IGNORECASE)
_WORD = re.compile(r"\s*([A-Za-z]+)\s*", re.ASCII)
_LITERAL = re.compile(r'"(?:[^"\\]|\\.)*"|true|false|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?', re.IGNORECASE)


class PathError(SpecError):
    """A target path can't be read. `position` is the offset of the offending character, from 0."""

    def __init__(self, message: str, *, position: int) -> None:
        super().__init__(message, reason="MappingInvalid")
        self.position = position


@dataclass(frozen=True, slots=True)
class ParsedPath:
    """A path taken apart. `urn` is None for the core schema; `filter` None where the path selects no element.

    `text` is what goes to the target, spelled as the mapping spells it; `element` names the selected element (or the
    whole attribute) and `schema_key` the attribute's place in a schema, both folded for comparison.
    """

    urn: str | None
    attribute: str
    filter: tuple[Comparison, ...] | None
    sub: str | None
    text: str
    element: str
    schema_key: str

    @property
    def attribute_text(self) -> str:
        """The path of the whole attribute, without filter and sub-attribute."""
        return f"{self.urn}:{self.attribute}" if self.urn else self.attribute

    @property
    def element_text(self) -> str:
        """The path of the selected element, or of the whole attribute where nothing is selected."""
        return self.attribute_text + (f"[{render_comparisons(self.filter)}]" if self.filter else "")


def render_comparisons(comparisons: Iterable[Comparison]) -> str:
    """`type eq "work" and primary eq true`: strings as JSON strings, booleans and numbers bare (RFC 7644 3.4.2.2)."""
    return " and ".join(f"{name} eq {orjson.dumps(value).decode()}" for name, value in comparisons)


@lru_cache(maxsize=4096)
def parse_path(text: AttributePath) -> ParsedPath:
    """Takes a path apart; raises PathError with the position and what was expected."""
    if len(text) > MAX_PATH_LENGTH:
        raise PathError(f"a target path has at most {MAX_PATH_LENGTH} characters", position=MAX_PATH_LENGTH)
    urn, start = _parse_urn(text)
    attribute, position = _parse_name(text, start, "an attribute name")
    comparisons: tuple[Comparison, ...] | None = None
    if text[position : position + 1] == "[":
        comparisons, position = _parse_filter(text, position + 1)
    sub: str | None = None
    if text[position : position + 1] == ".":
        sub, position = _parse_name(text, position + 1, "a sub-attribute name")
    if position != len(text):
        _fail(text, position, 'the end, `.sub` or `[type eq "work"]`')
    return _assemble(urn, attribute, comparisons, sub)


def _assemble(
    urn: str | None, attribute: str, comparisons: tuple[Comparison, ...] | None, sub: str | None
) -> ParsedPath:
    container = f"{urn}:{attribute}" if urn else attribute
    selected = f"[{render_comparisons(comparisons)}]" if comparisons else ""
    folded = sorted((name.lower(), fold_text(value)) for name, value in comparisons or ())
    return ParsedPath(
        urn=urn,
        attribute=attribute,
        filter=comparisons,
        sub=sub,
        text=container + selected + (f".{sub}" if sub else ""),
        element=container.lower() + (repr(folded) if folded else ""),
        schema_key=container.lower() + (f".{sub.lower()}" if sub else ""),
    )


def _parse_urn(text: str) -> tuple[str | None, int]:
    head = text.split("[", 1)[0]
    if not head.lower().startswith("urn:"):
        return None, 0
    urn, _, _ = head.rpartition(":")
    if not _URN_HEAD.fullmatch(urn):
        _fail(text, 0, "`urn:...:User:attribute`")
    start = len(urn) + 1
    return (None if urn.lower() in _CORE else urn), start


def _parse_name(text: str, position: int, expected: str) -> tuple[str, int]:
    match = _NAME.match(text, position)
    if match is None:
        _fail(text, position, expected)
    return match.group(), match.end()


def _parse_filter(text: str, position: int) -> tuple[tuple[Comparison, ...], int]:
    comparisons: list[Comparison] = []
    while True:
        position += len(text[position:]) - len(text[position:].lstrip())
        name, position = _parse_name(text, position, "a sub-attribute name")
        position = _parse_word(text, position, "eq")
        value, position = _parse_literal(text, position)
        comparisons.append((name, _as_boolean(value) if name.lower() == "primary" else value))
        position += len(text[position:]) - len(text[position:].lstrip())
        if text[position : position + 1] == "]":
            return tuple(comparisons), position + 1
        position = _parse_word(text, position, "and")


def _parse_word(text: str, position: int, word: str) -> int:
    match = _WORD.match(text, position)
    if match is None or match.group(1).lower() != word:
        _fail(text, position, "`and` or `]`" if word == "and" else "`eq` (the only operator a target path may use)")
    return match.end()


def _parse_literal(text: str, position: int) -> tuple[Scalar, int]:
    match = _LITERAL.match(text, position)
    if match is None:
        _fail(text, position, 'a value: "text", true, false or a number')
    literal = match.group()
    try:
        value: Scalar = orjson.loads(literal.lower() if literal[0] not in '"-0123456789' else literal)
    except orjson.JSONDecodeError:
        _fail(text, position, "a JSON string (RFC 7644 3.4.2.2)")
    return value, match.end()


def _as_boolean(value: Scalar) -> Scalar:
    """`primary` is a boolean in every schema (RFC 7643 2.4), though mappings write `primary eq "True"`."""
    return {"true": True, "false": False}.get(value.lower(), value) if isinstance(value, str) else value


def _fail(text: str, position: int, expected: str) -> NoReturn:
    found = f"`{text[position]}`" if position < len(text) else "the end"
    message = f"target path `{text[:80]}`: expected {expected} at position {position}, found {found}"
    raise PathError(message, position=position)


def fold_text(value: Json) -> str:
    """Text for comparisons inside a filter, where strings ignore case and `True` may come as a boolean or as text."""
    return str(value).casefold()
