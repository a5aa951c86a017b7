"""What a person is told when a text is not an expression."""

from __future__ import annotations

import unicodedata
from typing import Final

from lark import Token

from usher.core.errors import scrub
from usher.core.expressions.errors import ExpressionError
from usher.core.expressions.syntax import Attribute, Comparison, Keyword, Number, Text

_SHOWN: Final = 40
_OPERAND: Final = 'an argument ([attribute], "text", number, function)'
_ENDS: Final = {
    "COMMA": "a comma",
    "RPAR": "a closing parenthesis",
    "LPAR": "an opening parenthesis",
    "$END": "the end of the expression",
}
_HINTS: Final = {
    '"': "this text is never closed: its second double quote is missing",
    "[": "this attribute is never closed: its ] is missing, or it has a [ inside",
    "]": "a ] without its [",
    "'": "a text stands in double quotes",
    "\u2018": "a text stands in straight double quotes",
    "\u2019": "a text stands in straight double quotes",
    "\u201c": "a text stands in straight double quotes, not in typographic ones",
    "\u201d": "a text stands in straight double quotes, not in typographic ones",
    "!": "not equal is written <>",
    "&": 'texts are joined with Join("", ...); a hexadecimal number starts with &H',
    "+": 'texts are joined with Join("", ...)',
    "\u00a0": "a no-break space, probably pasted: use an ordinary one",
}


def describe_character(character: str) -> str:
    """A character that can't stand where it stands."""
    if hint := _HINTS.get(character):
        return hint
    if character.isprintable() and not character.isspace():
        return f"unexpected character {character}"
    return f"unexpected character U+{ord(character):04X} {unicodedata.name(character, '')}".rstrip()


def describe_token(token: Token | None, accepted: frozenset[str]) -> tuple[str, str]:
    """What was found (None: the end of the text) and what could have stood there instead."""
    expected = _describe_expected(accepted)
    if token is None:
        return "the expression ends too early", expected
    if token.type == "NAME" and token.upper() in {"AND", "OR"} and "COMMA" in accepted:
        return f"there is no operator {token.upper()}: nest IIF functions instead", expected
    if token.type == "COMPARE":
        return "a comparison has one value on each side of one operator (= <> > >= < <=)", expected
    if token.type == "RPAR" and "$END" in accepted:
        return "a closing parenthesis too many", expected
    return f"unexpected {shorten(token)}", expected


def _describe_expected(accepted: frozenset[str]) -> str:
    words = [_OPERAND] if "ATTRIBUTE" in accepted else []
    words += [word for terminal, word in _ENDS.items() if terminal in accepted]
    return " or ".join(words)


def shorten(text: str) -> str:
    """A piece of the user's own text, short enough for a message."""
    line = scrub(text)
    return line if len(line) <= _SHOWN else line[: _SHOWN - 1] + "…"


def refuse_top_level(node: Attribute | Text | Number | Keyword | Comparison) -> ExpressionError:
    """The whole text is one part that is not a function."""
    match node:
        case Attribute(name=name):
            explanation = f"an attribute alone is not an expression: write `source: {shorten(name)}` instead"
        case Text() | Number():
            explanation = "a constant alone is not an expression: write `constant:` instead of `expression:`"
        case Comparison():
            explanation = 'a comparison stands only as the condition of a function, as in IIF([a] = "x", "y", "z")'
        case Keyword(word=word):
            explanation = f"{shorten(word)} is neither a function with its parentheses nor an [attribute]"
    return ExpressionError(explanation, node.position, expected="a function")
