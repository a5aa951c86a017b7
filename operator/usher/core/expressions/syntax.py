"""The tree of an expression. Positions don't take part in comparisons: equal trees mean the same expression."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, TypeAlias

from usher.core.errors import scrub
from usher.core.expressions.errors import Position


class Operator(StrEnum):
    """The comparisons. There is neither AND nor OR: conditions are nested instead."""

    EQUAL = "="
    NOT_EQUAL = "<>"
    GREATER = ">"
    GREATER_OR_EQUAL = ">="
    LESS = "<"
    LESS_OR_EQUAL = "<="


@dataclass(frozen=True, slots=True)
class Attribute:
    """`[name]`: the value of a source attribute, null where the resource has none."""

    name: str
    position: Position = field(compare=False)


@dataclass(frozen=True, slots=True)
class Text:
    """`"text"`, unescaped."""

    value: str
    position: Position = field(compare=False)


@dataclass(frozen=True, slots=True)
class Number:
    """`1`, `-2`, `0.5` or `&HF`. `literal` is how it was written; `value` follows from it."""

    literal: str
    value: int | float = field(compare=False)
    position: Position = field(compare=False)


@dataclass(frozen=True, slots=True)
class Keyword:
    """A bare word (`vbBinaryCompare`), a constant of the function that takes it."""

    word: str
    position: Position = field(compare=False)


@dataclass(frozen=True, slots=True)
class Empty:
    """Nothing between two commas: the argument is left to the function. Its position is that of what follows."""

    position: Position = field(compare=False)


@dataclass(frozen=True, slots=True)
class Call:
    """`Name(argument, ...)`. A call without arguments has none, not one that is empty."""

    name: str
    arguments: tuple[Argument, ...]
    position: Position = field(compare=False)


@dataclass(frozen=True, slots=True)
class Comparison:
    """`left operator right`, where a function takes a condition."""

    left: Operand
    operator: Operator
    right: Operand
    position: Position = field(compare=False)


Operand: TypeAlias = Attribute | Text | Number | Keyword | Call
Argument: TypeAlias = Operand | Comparison | Empty

_KINDS: Final[Mapping[type[Argument], str]] = {
    Text: "a text",
    Number: "a number",
    Keyword: "a keyword",
    Empty: "an empty argument",
    Comparison: "a comparison",
}


def render(node: Argument) -> str:
    """The canonical text: parsing it gives an equal tree."""
    match node:
        case Attribute(name=name):
            return f"[{name}]"
        case Text(value=value):
            return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
        case Number(literal=text) | Keyword(word=text):
            return text
        case Empty():
            return ""
        case Call(name=name, arguments=arguments):
            return f"{name}({', '.join(render(argument) for argument in arguments)})"
        case Comparison(left=left, operator=operator, right=right):
            return f"{render(left)} {operator} {render(right)}"


def label(node: Argument) -> str:
    """How messages call a node: attributes and functions by name, constants by kind only."""
    match node:
        case Attribute(name=name):
            return scrub(f"[{name}]")
        case Call(name=name):
            return f"{name}(...)"
        case Text() | Number() | Keyword() | Empty() | Comparison():
            return _KINDS[type(node)]


def walk(node: Argument) -> Iterator[Argument]:
    """The node and everything below it, in the order of the text."""
    yield node
    match node:
        case Call(arguments=arguments):
            for argument in arguments:
                yield from walk(argument)
        case Comparison(left=left, right=right):
            yield from walk(left)
            yield from walk(right)
        case Attribute() | Text() | Number() | Keyword() | Empty():
            return
