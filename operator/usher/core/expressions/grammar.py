"""From text to tree: the grammar, its limits, and what is said where the text breaks it.

    expression = call
    call       = NAME "(" [ slot { "," slot } ] ")"
    slot       = [ operand [ OPERATOR operand ] ]         an argument may be left empty
    operand    = call | "[" attribute "]" | TEXT | NUMBER | NAME

Tokens are checked, and nodes and depth counted, before the parser sees them; so nothing after this module recurses
deeper than `MAX_DEPTH`, whatever the text was.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import ClassVar, Final, cast

from lark import Lark, Token, Transformer, v_args
from lark.exceptions import UnexpectedCharacters, UnexpectedToken

from usher.core.expressions.errors import ExpressionError, Position
from usher.core.expressions.syntax import (
    Argument,
    Attribute,
    Call,
    Comparison,
    Empty,
    Keyword,
    Number,
    Operand,
    Operator,
    Text,
)
from usher.core.expressions.wording import describe_character, describe_token, refuse_top_level

MAX_LENGTH: Final = 10_000
MAX_DEPTH: Final = 32
MAX_NODES: Final = 500
MAX_NUMBER: Final = 32
"""Characters of a number literal."""

_GRAMMAR: Final = r"""
    start: operand | comparison
    call: NAME LPAR slot* last
    slot: [operand | comparison] COMMA
    last: [operand | comparison] RPAR -> slot
    comparison: operand COMPARE operand
    operand: call | ATTRIBUTE | TEXT | NUMBER | NAME

    NAME: /[A-Za-z_][A-Za-z0-9_]*/
    ATTRIBUTE: /\[[^\[\]]*\]/
    TEXT: /"(?:[^"\\]|\\.)*"/s
    NUMBER: /-?[0-9]+(?:\.[0-9]+)?/ | /&[Hh][0-9A-Fa-f]+/
    COMPARE: "<>" | ">=" | "<=" | "=" | ">" | "<"
    LPAR: "("
    RPAR: ")"
    COMMA: ","
    BLANK: /[ \t\r\n]+/
    %ignore BLANK
"""
_ESCAPE: Final = re.compile(r"\\(.)", re.DOTALL)
_UNFIT: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_OPENS: Final = frozenset({"LPAR", "COMMA"})
_CLOSES: Final = frozenset({"COMMA", "RPAR"})


def parse(text: str) -> Call:
    """The tree of an expression. Raises ExpressionError, and nothing else, for whatever else the text is."""
    if len(text) > MAX_LENGTH:
        raise ExpressionError(f"an expression has at most {MAX_LENGTH:,} characters, this one {len(text):,}", _START)
    if not text.strip():
        raise ExpressionError("the expression is empty", _START, expected="a function")
    node = _read(text)
    if isinstance(node, Call):
        return node
    raise refuse_top_level(node)


def _read(text: str) -> Operand | Comparison:
    try:
        return cast(Operand | Comparison, _PARSER.parse(text))
    except UnexpectedCharacters as error:
        explanation = describe_character(text[error.pos_in_stream or 0])
        raise ExpressionError(explanation, Position(error.line, error.column)) from None
    except UnexpectedToken as error:
        found = None if error.token.type == "$END" else error.token
        explanation, expected = describe_token(found, frozenset(error.accepts or error.expected))
        raise ExpressionError(explanation, _position(found) if found else _end(text), expected=expected) from None


def _end(text: str) -> Position:
    """Just behind the last character."""
    return Position(text.count("\n") + 1, len(text) - text.rfind("\n"))


def _position(token: Token) -> Position:
    return Position(token.line or 1, token.column or 1)


class _Checked:
    """Stands between lexer and parser: every token is fit, and there are not too many of them."""

    always_accept: ClassVar[Sequence[str]] = ()

    def process(self, stream: Iterator[Token]) -> Iterator[Token]:
        nodes, depth, previous = 0, 0, ""
        for token in stream:
            depth += (token.type == "LPAR") - (token.type == "RPAR")
            empty = previous in _OPENS and token.type in _CLOSES
            nodes += empty or token.type in _CHECKS
            if depth > MAX_DEPTH:
                raise ExpressionError(f"functions are nested more than {MAX_DEPTH} deep", _position(token))
            if nodes > MAX_NODES:
                raise ExpressionError(f"the expression has more than {MAX_NODES} parts", _position(token))
            if check := _CHECKS.get(token.type):
                check(token)
            previous = token.type
            yield token


def _check_text(token: Token) -> None:
    for escape in _ESCAPE.finditer(token):
        if escape[1] not in '"\\':
            raise ExpressionError(
                "a backslash in a text stands before a double quote or another backslash only",
                _inside(token, escape.start()),
                expected='\\\\ for a backslash, \\" for a double quote',
            )
    if unfit := _UNFIT.search(token):
        raise ExpressionError(describe_character(unfit[0]), _inside(token, unfit.start()))


def _check_attribute(token: Token) -> None:
    if not token[1:-1].strip():
        raise ExpressionError("an attribute needs a name", _position(token), expected="[attribute]")
    if unfit := _UNFIT.search(token) or re.search(r"[\t\r\n]", token):
        raise ExpressionError(describe_character(unfit[0]), _inside(token, unfit.start()))


def _check_number(token: Token) -> None:
    if len(token) > MAX_NUMBER:
        raise ExpressionError(f"a number has at most {MAX_NUMBER} characters", _position(token))


def _accept(_: Token) -> None:
    """Names and operators are fit as the lexer cuts them."""


_CHECKS: Final = {
    "TEXT": _check_text,
    "ATTRIBUTE": _check_attribute,
    "NUMBER": _check_number,
    "NAME": _accept,
    "COMPARE": _accept,
}


def _inside(token: Token, offset: int) -> Position:
    """The position `offset` characters into a token that may span lines."""
    before = token[:offset]
    lines = before.count("\n")
    start = _position(token)
    column = start.column + offset if lines == 0 else offset - before.rfind("\n")
    return Position(start.line + lines, column)


@v_args(inline=True)
class _Builder(Transformer[Token, Argument]):
    """Builds the nodes while the parser reduces; there is no tree in between."""

    def start(self, node: Argument) -> Argument:
        return node

    def operand(self, part: Call | Token) -> Operand:
        return _leaf(part) if isinstance(part, Token) else part

    def comparison(self, left: Operand, operator: Token, right: Operand) -> Comparison:
        return Comparison(left, Operator(str(operator)), right, left.position)

    def slot(self, argument: Argument | None, mark: Token) -> Argument:
        return Empty(_position(mark)) if argument is None else argument

    def call(self, name: Token, _: Token, *arguments: Argument) -> Call:
        bare = len(arguments) == 1 and isinstance(arguments[0], Empty)
        return Call(str(name), () if bare else arguments, _position(name))


def _leaf(token: Token) -> Operand:
    position = _position(token)
    match token.type:
        case "ATTRIBUTE":
            return Attribute(token[1:-1], position)
        case "TEXT":
            return Text(_ESCAPE.sub(r"\1", token[1:-1]), position)
        case "NUMBER":
            return Number(str(token), _number(token), position)
        case _:
            return Keyword(str(token), position)


def _number(literal: str) -> int | float:
    if literal.startswith("&"):
        return int(literal.lstrip("&Hh"), 16)
    return float(literal) if "." in literal else int(literal)


_START: Final = Position(1, 1)
_PARSER: Final = Lark(
    _GRAMMAR, parser="lalr", lexer="basic", postlex=_Checked(), transformer=_Builder(), maybe_placeholders=True
)
