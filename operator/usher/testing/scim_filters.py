"""Filters as a server reads them: the whole grammar of RFC 7644 section 3.4.2.2, but written apart from `core.scim`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeAlias

import orjson

from usher.core.model.resources import Json
from usher.testing.scim_schemas import DOCUMENT, Definition, Refusal, find_definition, sub_attributes

Predicate: TypeAlias = Callable[[Json], bool]

_TOKEN = re.compile(
    r"""\s*(?:(?P<text>"(?:[^"\\]|\\.)*")|(?P<mark>[()\[\]])|(?P<word>[^\s()\[\]"]+))""",
)
_MAX_TOKENS: Final = 1_000
_CORES: Final = (":core:2.0:user", ":core:2.0:group")
_ORDERS: Final[Mapping[str, Callable[[str, str], bool]]] = {
    "eq": lambda held, wanted: held == wanted,
    "co": lambda held, wanted: wanted in held,
    "sw": lambda held, wanted: held.startswith(wanted),
    "ew": lambda held, wanted: held.endswith(wanted),
    "gt": lambda held, wanted: held > wanted,
    "ge": lambda held, wanted: held >= wanted,
    "lt": lambda held, wanted: held < wanted,
    "le": lambda held, wanted: held <= wanted,
}


def parse_filter(text: str, attributes: Sequence[Definition] = tuple(DOCUMENT)) -> Predicate:
    """The predicate of a filter. Raises Refusal (invalidFilter) for bad syntax and for attributes that nobody knows."""
    parser = _Parser(_tokens(text), attributes)
    predicate = parser.disjunction()
    if parser.peek():
        raise _bad("something follows the end of the filter")
    return predicate


def split_path(path: str) -> tuple[str, str, str]:
    """(URN or empty, attribute, sub-attribute or empty) of `urn:...:attribute.sub`; the core URNs count as empty."""
    urn, name = "", path
    if path.lower().startswith("urn:"):
        urn, _, name = path.rpartition(":")
    attribute, _, sub = name.partition(".")
    return ("" if urn.lower().endswith(_CORES) else urn), attribute, sub


def values_at(path: str, document: Json) -> list[Json]:
    """All values at a path without filter. A multi-valued complex attribute stands for the `value` of its elements."""
    urn, attribute, sub = split_path(path)
    found = [document]
    for name in filter(None, (urn, attribute, sub)):
        found = [value for holder in found for value in _children(holder, name)]
    return [_member(value, "value") if isinstance(value, dict) else value for value in found]


def _children(holder: Json, name: str) -> list[Json]:
    value = _member(holder, name)
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _member(holder: Json, name: str) -> Json:
    if not isinstance(holder, dict):
        return None
    return next((value for key, value in holder.items() if key.lower() == name.lower()), None)


def _tokens(text: str) -> list[str]:
    tokens: list[str] = []
    position = 0
    while text[position:].strip():
        match = _TOKEN.match(text, position)
        if match is None or len(tokens) == _MAX_TOKENS:
            raise _bad("this can't be read")
        tokens.append(match.group().strip())
        position = match.end()
    return tokens


class _Parser:
    """Recursive descent: `or` binds weakest, then `and`, then `not`."""

    def __init__(self, tokens: list[str], attributes: Sequence[Definition]) -> None:
        self._tokens = tokens
        self._position = 0
        self._attributes = attributes

    def peek(self) -> str:
        """The next token, empty at the end."""
        return self._tokens[self._position] if self._position < len(self._tokens) else ""

    def disjunction(self) -> Predicate:
        """One or more conjunctions."""
        parts = [self._conjunction()]
        while self.peek().lower() == "or":
            self._take()
            parts.append(self._conjunction())
        return parts[0] if len(parts) == 1 else lambda document: any(part(document) for part in parts)

    def _conjunction(self) -> Predicate:
        parts = [self._factor()]
        while self.peek().lower() == "and":
            self._take()
            parts.append(self._factor())
        return parts[0] if len(parts) == 1 else lambda document: all(part(document) for part in parts)

    def _factor(self) -> Predicate:
        token = self._take()
        if token.lower() == "not":
            self._expect("(")
            inner = self._group(")")
            return lambda document: not inner(document)
        if token == "(":
            return self._group(")")
        definition = self._known(token)
        if self.peek() == "[":
            self._take()
            element = _Parser(self._tokens, sub_attributes(definition))
            element._position = self._position
            inner = element.disjunction()
            self._position = element._position
            self._expect("]")
            return lambda document: any(inner(item) for item in _elements(token, document))
        return self._comparison(token, definition)

    def _group(self, end: str) -> Predicate:
        inner = self.disjunction()
        self._expect(end)
        return inner

    def _comparison(self, path: str, definition: Definition) -> Predicate:
        operator = self._take().lower()
        if operator == "pr":
            return lambda document: any(value not in (None, "", []) for value in values_at(path, document))
        try:
            wanted: Json = orjson.loads(self._take())
        except orjson.JSONDecodeError:
            raise _bad("a value is JSON") from None
        if operator == "ne":
            equal = _comparer("eq", definition, wanted)
            return lambda document: not any(map(equal, values_at(path, document)))
        if operator not in _ORDERS:
            raise _bad("there is no such operator")
        compare = _comparer(operator, definition, wanted)
        return lambda document: any(map(compare, values_at(path, document)))

    def _known(self, path: str) -> Definition:
        attributes: Sequence[Definition] = self._attributes
        definition: Definition | None = None
        for name in filter(None, split_path(path)):
            definition = find_definition(attributes, name)
            if definition is None:
                break
            attributes = sub_attributes(definition)
        if definition is None:
            raise _bad("the schema has no such attribute")
        return definition

    def _take(self) -> str:
        token = self.peek()
        if not token:
            raise _bad("the filter ends too early")
        self._position += 1
        return token

    def _expect(self, token: str) -> None:
        if self._take() != token:
            raise _bad(f"{token} expected")


def _elements(path: str, document: Json) -> list[Json]:
    urn, attribute, _ = split_path(path)
    return _children(_member(document, urn) if urn else document, attribute)


def _comparer(operator: str, definition: Definition, wanted: Json) -> Predicate:
    compared = find_definition(sub_attributes(definition), "value") or definition
    order, exact = _ORDERS[operator], compared.get("caseExact") is True

    def compare(held: Json) -> bool:
        if isinstance(held, str) and isinstance(wanted, str):
            return order(held, wanted) if exact else order(held.casefold(), wanted.casefold())
        return operator == "eq" and held == wanted and type(held) is type(wanted)

    return compare


def _bad(detail: str) -> Refusal:
    return Refusal(400, "invalidFilter", detail)
