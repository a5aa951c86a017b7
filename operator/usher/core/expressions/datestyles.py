"""How strictly a date is read: the members of DateTimeStyles of .NET."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from usher.core.expressions.dateformats import FormatError


class Style(StrEnum):
    """The members of DateTimeStyles that mean something where local time is UTC."""

    NONE = "None"
    ALLOW_LEADING_WHITE = "AllowLeadingWhite"
    ALLOW_TRAILING_WHITE = "AllowTrailingWhite"
    ALLOW_INNER_WHITE = "AllowInnerWhite"
    ALLOW_WHITE_SPACES = "AllowWhiteSpaces"
    NO_CURRENT_DATE_DEFAULT = "NoCurrentDateDefault"
    ADJUST_TO_UNIVERSAL = "AdjustToUniversal"
    ASSUME_UNIVERSAL = "AssumeUniversal"
    ROUNDTRIP_KIND = "RoundtripKind"


_ALL_WHITE: Final = frozenset({Style.ALLOW_LEADING_WHITE, Style.ALLOW_TRAILING_WHITE, Style.ALLOW_INNER_WHITE})
_DEFAULT: Final = frozenset({Style.ROUNDTRIP_KIND, Style.ALLOW_LEADING_WHITE, Style.ALLOW_TRAILING_WHITE})
_NOT_WITH_ROUNDTRIP: Final = frozenset({Style.ADJUST_TO_UNIVERSAL, Style.ASSUME_UNIVERSAL})


def read_styles(text: str) -> frozenset[Style]:
    """Of names between commas, each with or without `DateTimeStyles.` before it; those of the reference if empty.

    Raises FormatError.
    """
    if not text.strip():
        return _DEFAULT
    names = [name.strip().removeprefix("DateTimeStyles.") for name in text.split(",")]
    if not set(names) <= set(Style):
        raise FormatError(f"the styles are names between commas, known are {', '.join(Style)}")
    styles = frozenset(map(Style, names))
    if Style.ROUNDTRIP_KIND in styles and styles & _NOT_WITH_ROUNDTRIP:
        raise FormatError("RoundtripKind goes neither with AdjustToUniversal nor with AssumeUniversal")
    return styles | _ALL_WHITE if Style.ALLOW_WHITE_SPACES in styles else styles
