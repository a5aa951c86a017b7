r"""Where a value comes from, as an export stores it (attributeMappingSource), and as a mapping says it.

    {"type": "Attribute", "name": "mail", "expression": "[mail]"}
    {"type": "Constant", "name": "en-US", "expression": "\"en-US\""}
    {"type": "Function", "name": "Not", "expression": "Not([IsSoftDeleted])", "parameters": [{"key", "value"}, ...]}

The expression says the same as the other fields, and any of them may be missing: it is taken where it can be read,
else it is built of the others. Where both are there and differ, that is noted.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from usher.core.expressions.compile import compile_expression
from usher.core.expressions.errors import ExpressionError, Position
from usher.core.expressions.functions import FUNCTIONS
from usher.core.expressions.grammar import MAX_NODES, parse
from usher.core.expressions.signatures import Parameter, Surroundings, Takes
from usher.core.expressions.syntax import (
    Argument,
    Attribute,
    Call,
    Comparison,
    Empty,
    Keyword,
    Number,
    Text,
    render,
    walk,
)
from usher.core.model.resources import Json
from usher.importing.records import Record, said

_REPLACE: Final = ("source", "find", "regularexpression", "regularexpressiongroupname", "replacement")
_OLD_KEYS: Final[Mapping[str, Sequence[str]]] = {
    "Replace": (*_REPLACE, "replacementpropertyname", "template"),
    "FormatDateTime": ("source", "datetimestyles", "inputformat", "outputformat"),
}
"""Keys of parameters in their places, in lower case, where exports call them otherwise than our signature does."""
_REPEATED: Final[Mapping[str, frozenset[str]]] = {"Switch": frozenset({"switchvalue"})}
"""Other keys of parameters that repeat."""
_TYPES: Final = ("Attribute", "Constant", "Function")
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,14})")
_NOWHERE: Final = Position(1, 1)


class Unreadable(Exception):
    """A source that says something that can't be read; the message is for users."""


def read_flow(source: Record, surroundings: Surroundings) -> dict[str, Json]:
    """The one field of a mapping's line: `source`, `constant`, `expression` or `none`. Raises Unreadable."""
    kind, written = _kind_of(source), source.text("expression")
    tree = _Node(source, kind, written).tree()
    match tree:
        case None:
            return {"none": {}}
        case Attribute(name=name):
            return {"source": name}
        case Text(value=value) | Keyword(word=value) | Number(literal=value):
            return {"constant": value}
        case Call():
            text = written if _reads_as(written, tree) else _settled(tree, surroundings)
            return {"expression": text}
        case Empty() | Comparison():
            raise Unreadable(f"{said(written)} is a comparison alone, which is no value")


def _kind_of(source: Record) -> str:
    """Attribute is what an absent type means."""
    kind = source.text("type")
    return kind or ("Function" if source.records("parameters") else "Attribute")


def _reads_as(written: str, tree: Call) -> bool:
    """Whether the text as it stands is this tree; then it is kept to the letter."""
    try:
        return _parse_operand(written) == tree
    except ExpressionError:
        return False


def _settled(tree: Call, surroundings: Surroundings) -> str:
    """The text of a tree built of parameters, in which `"1"` may stand for 1: exports store both alike."""
    text = render(tree)
    for attempt in (text, render(_with_numbers(tree))):
        try:
            compile_expression(attempt, surroundings)
        except ExpressionError:
            continue
        return attempt
    return text


def _with_numbers(node: Argument) -> Argument:
    match node:
        case Text(value=value, position=position) if _NUMBER.fullmatch(value):
            return Number(value, int(value), position)
        case Call(name=name, arguments=arguments, position=position):
            return Call(name, tuple(map(_with_numbers, arguments)), position)
        case _:
            return node


@dataclass(frozen=True, slots=True)
class _Node:
    """A source, or a parameter of one. `parameter` is what it is to its function, as far as that is known."""

    record: Record
    kind: str
    written: str
    parameter: Parameter | None = None

    def tree(self) -> Argument | None:
        """What it says, None where it says nothing. Raises Unreadable."""
        name = self.record.text("name")
        try:
            built, problem = self._built(name), ""
        except Unreadable as unreadable:
            built, problem = None, str(unreadable)
        self.record.tell_rest()
        if not self.written.strip():
            if problem:
                raise Unreadable(problem)
            return None if built is None else self._fitted(built)
        if self.written == name and isinstance(built, Text):  # a constant without its quotes
            return self._fitted(built)
        return self._fitted(self._read(built, problem))

    def _read(self, built: Argument | None, problem: str) -> Argument:
        """The expression, compared with what the other fields say."""
        try:
            read = _parse_operand(self.written)
        except ExpressionError as error:
            reason = f"the expression {said(self.written)} can't be read: {error.explanation} ({error.position})"
            if built is None:
                raise Unreadable(reason) from error
            if not isinstance(built, Attribute) or self.written != render(built):
                self.record.tell(f"{reason}; taken as {said(render(built))}, as its name and parameters say")
            return built
        if problem:
            self.record.tell(f"{problem}; its expression was taken, {said(self.written)}")
        elif built is not None and _differ(built, read):
            others = said(render(built))
            self.record.tell(f"name and parameters say {others}, the expression {said(self.written)}: it was taken")
        return read

    def _built(self, name: str) -> Argument | None:
        """What name, type and parameters say, None where they say nothing. Raises Unreadable."""
        parameters = self.record.records("parameters")
        if len(parameters) > MAX_NODES:
            raise Unreadable(f"{said(name)} has more than {MAX_NODES} parameters")
        if self.kind not in _TYPES:
            raise Unreadable(f"{said(self.kind)} is no type of a source, they are {', '.join(_TYPES)}")
        if parameters and self.kind != "Function":
            raise Unreadable(f"only a Function has parameters, and this is one of type {self.kind}")
        if self.kind == "Function":
            if not name and not parameters:
                return None
            if not _NAME.fullmatch(name):
                raise Unreadable(f"{said(name)} is no name of a function")
            return Call(name, _arguments(name, parameters), _NOWHERE)
        if self.kind == "Constant":
            return None if not name and self.written else Text(name, _NOWHERE)
        return Attribute(name, _NOWHERE) if name else None

    def _fitted(self, node: Argument) -> Argument:
        """A word where the function takes one, a text where it takes none."""
        words = self.parameter.words if self.parameter and self.parameter.takes is Takes.KEYWORD else ()
        match node:
            case Text(value=value, position=position) if value in words:
                return Keyword(value, position)
            case Keyword(word=word, position=position) if self.kind == "Constant" and word not in words:
                return Text(word, position)
            case _:
                return node


@lru_cache(maxsize=64)
def _parse_operand(text: str) -> Argument:
    """An expression, or a part of one. Raises ExpressionError."""
    try:
        return parse(text)
    except ExpressionError as error:
        try:
            (part,) = parse(f"Part({text})").arguments
        except (ExpressionError, ValueError):
            raise error from None
        return part


def _differ(built: Argument, read: Argument) -> bool:
    """Whether the fields say something else than the expression; without parameters they say a function's name only."""
    if isinstance(built, Call) and isinstance(read, Call) and not built.arguments:
        return built.name != read.name
    return _parts(built) != _parts(read)


def _parts(node: Argument) -> list[str]:
    """Names and constants of a tree; where empty arguments stand, and how numbers are written, doesn't count."""
    return sorted(_part(each) for each in walk(node) if not isinstance(each, Empty | Comparison))


def _part(node: Argument) -> str:
    match node:
        case Text(value=value) | Number(literal=value) | Keyword(word=value):
            return value
        case _:
            return render(node).partition("(")[0]


def _arguments(function: str, parameters: Sequence[Record]) -> tuple[Argument, ...]:
    """The arguments in their places: those that may be empty are left out of an export."""
    keys = [parameter.text("key") for parameter in parameters]
    places = _places(function, [key.lower() for key in keys])
    if places is None:
        parameters[0].tell(
            f"the keys {said(list(keys))} are not those of {function}: its parameters were read in their order"
        )
        places = list(range(len(keys)))
    known = FUNCTIONS.get(function)
    count = max(places, default=-1) + 1
    signature = (known.parameters_for(count) if known else None) or (None,) * count
    arguments: list[Argument] = [Empty(_NOWHERE)] * count
    for parameter, place in zip(parameters, places, strict=True):
        arguments[place] = _argument(parameter, signature[place])
    return tuple(arguments)


def _argument(parameter: Record, expected: Parameter | None) -> Argument:
    value = parameter.record("value")
    parameter.tell_rest()
    if value is None:
        return Empty(_NOWHERE)
    node = _Node(value, _kind_of(value), value.text("expression"), expected).tree()
    return Empty(_NOWHERE) if node is None else node


def _places(function: str, keys: Sequence[str]) -> list[int] | None:
    """The place of each parameter by its key, those that repeat in their order behind the others.

    None where the keys don't say it: then their order is all there is.
    """
    known = FUNCTIONS.get(function)
    names = [parameter.name.lower() for parameter in known.parameters] if known else []
    repeated = {parameter.name.lower() for parameter in known.repeated} if known else set()
    repeated |= _REPEATED.get(function, frozenset())
    older, places, behind = _OLD_KEYS.get(function, ()), [], len(names)
    for key in keys:
        if key in names and names.index(key) not in places:
            places.append(names.index(key))
        elif key in older and older.index(key) not in places:
            places.append(older.index(key))
        elif key.rstrip("0123456789") in repeated:
            places.append(behind)
            behind += 1
        else:
            return None
    return places
