"""Lower and upper case as .NET does it, which is what the expressions of the reference service were written for.

Character by character, so neither the position in a word (Greek final sigma) nor a change of length (the dotted
capital I of Turkish, the sharp s of German) plays a part; that makes it idempotent, and two systems agree on it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

_DOTTED_CAPITAL: Final = "\u0130"
_DOTLESS_SMALL: Final = "\u0131"
_LONG_S: Final = "\u017f"
_DOT_ABOVE: Final = "\u0307"
_DIGRAPHS: Final = frozenset("ǄǅǆǇǈǉǊǋǌǱǲǳ")
"""The letters that are two in one, of which a title raises the first alone."""
_TAG: Final = re.compile(
    r"""
    (?:[a-z]{2,3}(?:-[a-z]{3}){0,3}|[a-z]{4,8})     # language, extended language
    (?:-[a-z]{4})?                                  # script
    (?:-(?:[a-z]{2}|[0-9]{3}))?                     # region
    (?:-(?:[a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*        # variants
    (?:-[0-9a-wy-z](?:-[a-z0-9]{2,8})+)*            # extensions
    (?:-x(?:-[a-z0-9]{1,8})+)?                      # private use
    """,
    re.VERBOSE,
)
_MAX_TAG: Final = 64


def lower(text: str) -> str:
    """Lower case without a culture."""
    if text.isascii():
        return text.lower()
    return "".join(character if character == _DOTTED_CAPITAL else character.lower() for character in text)


def lower_turkic(text: str) -> str:
    """Turkish and Azerbaijani: capital I pairs with dotless i, dotted capital I (also as two characters) with i."""
    dotted = text.replace("I" + _DOT_ABOVE, "i").replace(_DOTTED_CAPITAL, "i")
    return lower(dotted.replace("I", _DOTLESS_SMALL))


def upper(text: str) -> str:
    """Upper case without a culture."""
    if text.isascii():
        return text.upper()
    return "".join(map(_raise_character, text))


def upper_turkic(text: str) -> str:
    """Turkish and Azerbaijani: i pairs with the dotted capital I, dotless i with I."""
    return upper(text.replace("i", _DOTTED_CAPITAL).replace(_DOTLESS_SMALL, "I"))


def _raise_character(character: str) -> str:
    """Its capital, if that is one character, and no ASCII letter that came of another one."""
    if character in {_DOTLESS_SMALL, _LONG_S}:
        return character
    capital = character.upper()
    if len(capital) > 1:
        capital = character.title()  # of Greek letters with an iota below it, upper case is two characters
    return capital if len(capital) == 1 else character


def title_character(character: str) -> str:
    """The character as the first of a word."""
    return character.title() if character in _DIGRAPHS else _raise_character(character)


def find_lower(culture: str) -> Callable[[str], str] | None:
    """The function for a language tag (`langtag` of RFC 5646 section 2.1); None where the text is no such tag.

    The empty text stands for no culture. The tags that the RFC only keeps for old times (`i-klingon`) are not known.
    """
    return _choose(culture, lower, lower_turkic)


def find_upper(culture: str) -> Callable[[str], str] | None:
    """As `find_lower`, for upper case."""
    return _choose(culture, upper, upper_turkic)


def _choose(culture: str, usual: Callable[[str], str], turkic: Callable[[str], str]) -> Callable[[str], str] | None:
    tag = culture.lower()
    if not tag:
        return usual
    if len(tag) > _MAX_TAG or not _TAG.fullmatch(tag):
        return None
    return turkic if tag.split("-", 1)[0] in {"tr", "az"} else usual
