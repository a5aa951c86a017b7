"""Functions from texts to texts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from usher.core.expressions.casing import lower
from usher.core.expressions.inputs import (
    Attributes,
    Evaluate,
    Input,
    check_size,
    concatenate,
    map_text,
    read_text,
    read_text_or_null,
    too_long,
)
from usher.core.expressions.numerals import read_integer
from usher.core.expressions.signatures import Example, Function, Parameter, Takes, alone
from usher.core.expressions.values import CERTAINLY_SHORT, is_too_long
from usher.core.model.resources import Value


def _build_join(arguments: Sequence[Input]) -> Evaluate:
    """All values of all sources as one text, the separator between them.

    Sources and single values that are null or empty are skipped. Null when nothing is left to join.
    """
    separator = read_text(arguments[0])
    sources = [(source, source.evaluate) for source in arguments[1:]]

    def evaluate(attributes: Attributes) -> Value | None:
        parts: list[str] = []
        for source, read in sources:
            value = read(attributes)
            if isinstance(value, str):
                if value:
                    parts.append(value)
            elif value is not None:
                parts += _texts(source, value)
        if not parts:
            return None
        between = separator(attributes)
        size = sum(map(len, parts)) + len(between) * (len(parts) - 1)
        check_size("Join", size)
        joined = between.join(parts)
        if size > CERTAINLY_SHORT and is_too_long(joined):
            raise too_long("Join")
        return joined

    return evaluate


def _texts(source: Input, value: Value) -> list[str]:
    texts = [source.write(item) for item in (value if isinstance(value, tuple) else (value,))]
    return [text for text in texts if text]


def _build_append(arguments: Sequence[Input]) -> Evaluate:
    """The source with the suffix behind it. Null stays null, whatever the suffix; a null suffix adds nothing."""
    source, suffix = read_text_or_null(arguments[0]), read_text(arguments[1])

    def evaluate(attributes: Attributes) -> Value | None:
        text = source(attributes)
        return None if text is None else concatenate("Append", (text, suffix(attributes)))

    return evaluate


def _build_left(arguments: Sequence[Input]) -> Evaluate:
    """The first characters of the text: all of them if it has no more, or if NumChars is negative; "" for null."""
    source, count = read_text(arguments[0]), read_integer(arguments[1])

    def evaluate(attributes: Attributes) -> Value | None:
        text, wanted = source(attributes), count(attributes)
        return text if wanted < 0 else text[:wanted]

    return evaluate


def _build_mid(arguments: Sequence[Input]) -> Evaluate:
    """The characters from a place on, the first has place 1; up to the end if there are no more. Null stays null.

    Behind the end it is "". A start below 1 and a negative length are errors.
    """
    source, start = read_text_or_null(arguments[0]), read_integer(arguments[1], least=1)
    length = read_integer(arguments[2], least=0)

    def evaluate(attributes: Attributes) -> Value | None:
        text, first, wanted = source(attributes), start(attributes) - 1, length(attributes)
        return None if text is None else text[first : first + wanted]

    return evaluate


def _build_in_str(arguments: Sequence[Input]) -> Evaluate:
    """The place of the first occurrence of a text in another one, counted from 1; 0 where there is none.

    The search begins at `start`, which counts from 1 too, and has no regard to case with vbTextCompare. "" is found
    where the search begins, if that is inside the text.
    """
    source, sought = read_text(arguments[0]), read_text(arguments[1])
    start = (lambda _: 1) if arguments[2].is_empty else read_integer(arguments[2], least=1)
    mode = arguments[3].evaluate

    def evaluate(attributes: Attributes) -> Value | None:
        text, part, first = source(attributes), sought(attributes), start(attributes)
        if first > len(text):
            return 0
        if mode(attributes) == _TEXT_COMPARE:
            text, part = lower(text), lower(part)
        return text.find(part, first - 1) + 1

    return evaluate


def _build_word(arguments: Sequence[Input]) -> Evaluate:
    """The word with that number, the first has 1; words are what stands between any of the delimiters.

    The empty text for null, for a number below 1, and where there are fewer words. Delimiters side by side have no
    word between them.
    """
    source, number, delimiters = read_text(arguments[0]), read_integer(arguments[1]), read_text(arguments[2])

    def evaluate(attributes: Attributes) -> Value | None:
        text, wanted, marks = source(attributes), number(attributes), delimiters(attributes)
        one = text.translate(dict.fromkeys(map(ord, marks[1:]), marks[0])) if marks else text
        words = [word for word in (one.split(marks[0]) if marks else [one]) if word]
        return words[wanted - 1] if 1 <= wanted <= len(words) else ""

    return evaluate


def _build_strip_spaces(arguments: Sequence[Input]) -> Evaluate:
    """The source without its blanks (U+0020 only: neither tabs nor no-break spaces); null stays null."""
    return map_text(arguments[0], lambda text: text.replace(" ", ""))


_BINARY_COMPARE: Final = "vbBinaryCompare"
_TEXT_COMPARE: Final = "vbTextCompare"
_COUNTED: Final = "A character beyond U+FFFF counts as one, not as two."

FUNCTIONS: Final = (
    Function(
        "Join",
        (Parameter("separator"),),
        (Parameter("source"),),
        alone(_build_join),
        Example('Join(", ", "", [surname], [givenName])', "Doe, John", {"surname": "Doe", "givenName": "John"}),
    ),
    Function(
        "Append",
        (Parameter("source"), Parameter("suffix")),
        (),
        alone(_build_append),
        Example(
            'Append([userPrincipalName], ".test")',
            "John.Doe@contoso.com.test",
            {"userPrincipalName": "John.Doe@contoso.com"},
        ),
        differs="Null stays null: a suffix alone names nobody. The reference doesn't say.",
    ),
    Function(
        "Left",
        (Parameter("String"), Parameter("NumChars")),
        (),
        alone(_build_left),
        Example('Left("John Doe", 3)', "Joh", {}),
        differs=_COUNTED,
    ),
    Function(
        "Mid",
        (Parameter("source"), Parameter("start"), Parameter("length")),
        (),
        alone(_build_mid),
        Example("Mid([givenName], 1, 3)", "Joh", {"givenName": "John"}),
        differs=_COUNTED,
    ),
    Function(
        "InStr",
        (
            Parameter("value1"),
            Parameter("value2"),
            Parameter("start", Takes.OPTIONAL),
            Parameter("compareType", Takes.KEYWORD, (_TEXT_COMPARE, _BINARY_COMPARE)),
        ),
        (),
        alone(_build_in_str),
        Example('InStr("repEated", "e", 3, vbBinaryCompare)', 7, {}),
        differs=_COUNTED,
    ),
    Function(
        "Word",
        (Parameter("String"), Parameter("WordNumber"), Parameter("Delimiters")),
        (),
        alone(_build_word),
        Example('Word("The quick brown fox", 3, " ")', "brown", {}),
    ),
    Function(
        "StripSpaces",
        (Parameter("source"),),
        (),
        alone(_build_strip_spaces),
        Example("StripSpaces([surname])", "VanderBerg", {"surname": "Van der Berg"}),
    ),
)
