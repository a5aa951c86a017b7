"""Functions that change the letters of a text: their case, and the marks that they carry."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Container, Sequence
from functools import lru_cache
from typing import Final

from usher.core.expressions.casing import find_lower, find_upper, lower, title_character
from usher.core.expressions.errors import ExpressionError
from usher.core.expressions.inputs import (
    Attributes,
    Evaluate,
    Input,
    concatenate,
    map_text,
    read_text,
    read_text_or_null,
)
from usher.core.expressions.signatures import Example, Function, Parameter, Takes, alone
from usher.core.model.resources import Value

Casing = Callable[[str], str]
_INVARIANT: Final = "The same as .NET without a culture; of cultures, only Turkish and Azerbaijani make a difference."
_LETTERS: Final = frozenset({"Lu", "Ll", "Lt", "Lm", "Lo"})
_SEPARATORS: Final = frozenset(
    {"Zs", "Zl", "Zp", "Cc", "Cf", "Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po", "Sm", "Sc", "Sk", "So"}
)
_SPELLED_OUT: Final = {
    "æ": "ae", "Æ": "AE", "ø": "oe", "Ø": "OE", "œ": "oe", "Œ": "OE", "ß": "ss", "ẞ": "SS", "ı": "i",
}  # fmt: skip


def _build_to_lower(arguments: Sequence[Input]) -> Evaluate:
    """The source in lower case; null stays null.

    Without a culture the result is the same everywhere. The culture is a language tag ("tr-TR"): Turkish and
    Azerbaijani pair I with a dotless i, all others give the same as none.
    """
    return _change_case(arguments, find_lower)


def _build_to_upper(arguments: Sequence[Input]) -> Evaluate:
    """The source in upper case, character by character; null stays null.

    A character without a capital of its own stays, as the sharp s does. The culture is a language tag ("tr-TR"):
    Turkish and Azerbaijani pair i with a dotted capital I, all others give the same as none.
    """
    return _change_case(arguments, find_upper)


def _change_case(arguments: Sequence[Input], find: Callable[[str], Casing | None]) -> Evaluate:
    given, culture = arguments
    read = read_text(culture)
    if culture.is_constant or culture.is_empty:
        fixed = find(read({}))
        if fixed is None:
            raise ExpressionError("the culture is no language tag", culture.node.position, expected='one like "tr-TR"')
        return map_text(given, fixed)
    source = read_text_or_null(given)

    def evaluate(attributes: Attributes) -> Value | None:
        text = source(attributes)
        if text is None:
            return None
        casing = find(read(attributes))
        if casing is None:
            raise culture.failure("is no language tag")
        return casing(text)

    return evaluate


def _build_pcase(arguments: Sequence[Input]) -> Evaluate:
    """The first character of each word in upper case, all others in lower case; null stays null.

    Words end at the characters of wordSeparators. Without them they start with a letter and end where .NET ends them
    for a title: at blanks, punctuation, symbols and control characters, but not at a digit and not at the apostrophe
    (O'hara, but Smith-Jones).
    """
    given, separators = arguments
    source, read = read_text_or_null(given), read_text(separators)

    def evaluate(attributes: Attributes) -> Value | None:
        value = source(attributes)
        if value is None:
            return None
        text, marks = lower(given.write(value)), read(attributes)
        return _raise_after(text, frozenset(marks)) if marks else _raise_letters(text)

    return evaluate


def _raise_after(text: str, separators: Container[str]) -> str:
    parts, starts = [], True
    for character in text:
        parts.append(title_character(character) if starts else character)
        starts = character in separators
    return "".join(parts)


def _raise_letters(text: str) -> str:
    parts, within = [], False
    for character in text:
        category = unicodedata.category(character)
        raised = not within and category in _LETTERS
        parts.append(title_character(character) if raised else character)
        within = raised or (within and (category not in _SEPARATORS or character == "'"))
    return "".join(parts)


def _build_normalize_diacritics(arguments: Sequence[Input]) -> Evaluate:
    """Latin letters without their marks; null stays null.

    Ligatures and the letters of the reference's table are spelled out: ae, oe (for ø and œ), ss. Others become the
    letter below their accents, strokes and hooks. Letters that are none with a mark (þ, ð), and other scripts, stay.
    """
    given = arguments[0]
    source = read_text_or_null(given)

    def evaluate(attributes: Attributes) -> Value | None:
        value = source(attributes)
        if value is None:
            return None
        text = given.write(value)
        return text if text.isascii() else concatenate("NormalizeDiacritics", _plain_letters(text))

    return evaluate


def _plain_letters(text: str) -> list[str]:
    parts, latin = [], False
    for character in text:
        if latin and unicodedata.category(character) == "Mn":
            continue
        plain = _plain(character)
        latin = plain is not None
        parts.append(character if plain is None else plain)
    return parts


@lru_cache(maxsize=2_048)
def _plain(character: str) -> str | None:
    """What a Latin letter is without its marks; null for everything else."""
    base = unicodedata.normalize("NFD", character)[0]
    if base in _SPELLED_OUT:
        return _SPELLED_OUT[base]
    script, _, name = unicodedata.name(base, "").partition(" ")
    if script != "LATIN":
        return None
    size, _, letter = name.partition(" LETTER ")
    letter, _, mark = letter.partition(" WITH ")
    if not mark or len(letter) != 1:
        return base
    return letter if size == "CAPITAL" else letter.lower()


FUNCTIONS: Final = (
    Function(
        "ToLower",
        (Parameter("source"), Parameter("culture", Takes.OPTIONAL)),
        (),
        alone(_build_to_lower),
        Example("ToLower([mail])", "ada@example.com", {"mail": "Ada@Example.COM"}),
        differs=_INVARIANT,
    ),
    Function(
        "ToUpper",
        (Parameter("source"), Parameter("culture", Takes.OPTIONAL)),
        (),
        alone(_build_to_upper),
        Example("ToUpper([country])", "CH", {"country": "ch"}),
        differs=_INVARIANT,
    ),
    Function(
        "PCase",
        (Parameter("source"), Parameter("wordSeparators", Takes.OPTIONAL)),
        (),
        alone(_build_pcase),
        Example('PCase([surname], " \'-")', "Pinto-De'Silva", {"surname": "PINTO-DE'SILVA"}),
    ),
    Function(
        "NormalizeDiacritics",
        (Parameter("source"),),
        (),
        alone(_build_normalize_diacritics),
        Example("NormalizeDiacritics([givenName])", "Zoe", {"givenName": "Zoë"}),
        differs="Latin letters that are not in the reference's table lose their marks too (đ, ħ, ơ).",
    ),
)
