"""Date and time formats as .NET has them, custom ones and the standard letters, in the invariant culture.

A format is cut into parts once; `datereading` reads texts by the same parts.
Facts: the pages "Custom date and time format strings" and "Standard date and time format strings" of the .NET
documentation. Time zones of a machine don't exist here: local time is UTC.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from usher.core.expressions.moments import FRACTION_DIGITS, Moment, Zone

DAY_NAMES: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTH_NAMES: Final = tuple(calendar.month_name[month] for month in range(1, 13))
SHORT: Final = 3
"""Letters of a short name, in the invariant culture: Mon, Jan."""
MAX_FORMAT: Final = 1_000
"""Characters; .NET knows no limit, but nobody writes a date of that length."""
_RUNS: Final = frozenset("dfFghHmMstyz")
_SINGLES: Final = frozenset("KZ. ")
_BLANKS: Final = re.compile(r"\s+|\S+")
_LETTER_OF_UTC: Final = "U"
STANDARD: Final[Mapping[str, str]] = {
    "d": "MM/dd/yyyy",
    "D": "dddd, dd MMMM yyyy",
    "f": "dddd, dd MMMM yyyy HH:mm",
    "F": "dddd, dd MMMM yyyy HH:mm:ss",
    "g": "MM/dd/yyyy HH:mm",
    "G": "MM/dd/yyyy HH:mm:ss",
    "M": "MMMM dd",
    "m": "MMMM dd",
    "O": "yyyy'-'MM'-'dd'T'HH':'mm':'ss'.'fffffffK",
    "o": "yyyy'-'MM'-'dd'T'HH':'mm':'ss'.'fffffffK",
    "R": "ddd, dd MMM yyyy HH':'mm':'ss 'GMT'",
    "r": "ddd, dd MMM yyyy HH':'mm':'ss 'GMT'",
    "s": "yyyy'-'MM'-'dd'T'HH':'mm':'ss",
    "t": "HH:mm",
    "T": "HH:mm:ss",
    "u": "yyyy'-'MM'-'dd HH':'mm':'ss'Z'",
    "U": "dddd, dd MMMM yyyy HH:mm:ss",
    "Y": "yyyy MMMM",
    "y": "yyyy MMMM",
}


class FormatError(ValueError):
    """A format or a style that can't be used, or a text that does not fit; told without any value."""


@dataclass(frozen=True, slots=True)
class Part:
    """`count` times the same `letter` of a format; no letter for a `text` that stands for itself."""

    letter: str
    count: int
    text: str

    @property
    def is_blank(self) -> bool:
        """Whether it is white space that stands for itself; one that is not quoted has the letter " "."""
        return self.letter in {"", " "} and self.text.isspace()


@dataclass(frozen=True, slots=True)
class DateFormat:
    """A format that has been understood."""

    parts: tuple[Part, ...]

    def write(self, moment: Moment) -> str:
        """The moment, in UTC, by this format."""
        written = ""
        for part in self.parts:
            text = _WRITERS[part.letter](moment, part)
            if part.letter == "F" and not text and written.endswith("."):
                written = written[:-1]
            written += text
        return written


@lru_cache(maxsize=256)
def read_format(text: str) -> DateFormat:
    """Understands a format. Raises FormatError, and nothing else, for what .NET refuses too."""
    if not text:
        raise FormatError("the format is empty")
    if len(text) > MAX_FORMAT:
        raise FormatError(f"the format has more than {MAX_FORMAT:,} characters")
    if len(text) > 1:
        return DateFormat(_cut(text))
    if text not in STANDARD:
        known = " ".join(STANDARD)
        raise FormatError(f"no standard format is this one letter, those are {known}; any other needs a % before it")
    parts = _cut(STANDARD[text])
    return DateFormat((Part(_LETTER_OF_UTC, 1, ""), *parts) if text == _LETTER_OF_UTC else parts)


def _cut(text: str) -> tuple[Part, ...]:
    parts: list[Part] = []
    place = 0
    while place < len(text):
        if text[place] in "'\"":
            end = _end_of_quote(text, place)
            quoted = _unquote(text[place + 1 : end - 1])
            parts += [Part("", 1, piece) for piece in _BLANKS.findall(quoted)]
        else:
            part, end = _next_part(text, place)
            parts.append(part)
        place = end
    return tuple(parts)


def _next_part(text: str, place: int) -> tuple[Part, int]:
    """What is not quoted, and where it ends."""
    character = text[place]
    if character == "\\":
        if place + 1 == len(text):
            raise FormatError("the format ends with a backslash")
        return Part("", 1, text[place + 1]), place + 2
    if character == "%":
        return _alone(text, place + 1), place + 2
    if character in _RUNS:
        part = _run(text, place)
        return part, place + part.count
    if text.startswith("GMT", place):
        return Part("GMT", 1, "GMT"), place + 3
    return Part(character if character in _SINGLES else "", 1, character), place + 1


def _alone(text: str, place: int) -> Part:
    """What `%` makes of the one character after it: a custom format, although it is alone."""
    following = text[place : place + 2]
    if not following or following[0] in "%'\"\\" or (following[0] in _RUNS and following[1:] == following[0]):
        raise FormatError("a % in a format stands before one single letter only")
    return _next_part(following[0], 0)[0]


def _run(text: str, place: int) -> Part:
    letter = text[place]
    count = len(text) - place - len(text[place:].lstrip(letter))
    if letter in "fF" and count > FRACTION_DIGITS:
        raise FormatError(f"a fraction of a second has at most {FRACTION_DIGITS} digits")
    return Part(letter, count, letter * count)


def _end_of_quote(text: str, start: int) -> int:
    """Just behind the quote that closes the one at `start`; a backslash takes the character after it along."""
    place = start + 1
    while place < len(text):
        if text[place] == text[start]:
            return place + 1
        place += 2 if text[place] == "\\" else 1
    raise FormatError("a quoted text in the format is never closed")


def _unquote(text: str) -> str:
    kept, place = "", 0
    while place < len(text):
        place += text[place] == "\\"
        kept += text[place]
        place += 1
    return kept


def _write_day(moment: Moment, part: Part) -> str:
    day = moment.date
    return _numeral_or_name(day.day, DAY_NAMES[day.weekday()], part)


def _write_month(moment: Moment, part: Part) -> str:
    month = moment.date.month
    return _numeral_or_name(month, MONTH_NAMES[month - 1], part)


def _numeral_or_name(number: int, name: str, part: Part) -> str:
    if part.count < SHORT:
        return f"{number:0{part.count}}"
    return name[:SHORT] if part.count == SHORT else name


def _write_year(moment: Moment, part: Part) -> str:
    year = moment.date.year
    return f"{year % 100 if part.count <= 2 else year:0{part.count}}"


def _write_fraction(moment: Moment, part: Part) -> str:
    return f"{moment.fraction:0{FRACTION_DIGITS}}"[: part.count]


def _write_offset(_: Moment, part: Part) -> str:
    return {1: "+0", 2: "+00"}.get(part.count, "+00:00")


def _write_zone(moment: Moment, _: Part) -> str:
    return {Zone.UTC: "Z", Zone.LOCAL: "+00:00", Zone.UNKNOWN: ""}[moment.zone]


def _two_digits(number: int, part: Part) -> str:
    return f"{number:0{min(part.count, 2)}}"


_WRITERS: Final[Mapping[str, Callable[[Moment, Part], str]]] = {
    "": lambda _, part: part.text,
    ".": lambda _, part: part.text,
    " ": lambda _, part: part.text,
    "Z": lambda _, part: part.text,
    "GMT": lambda moment, _: f"G{moment.date.month}T",  # what .NET makes of it: M is the month
    _LETTER_OF_UTC: lambda _, part: part.text,
    "d": _write_day,
    "f": _write_fraction,
    "F": lambda moment, part: _write_fraction(moment, part).rstrip("0"),
    "g": lambda _moment, _part: "A.D.",
    "h": lambda moment, part: _two_digits(moment.hour_of_twelve, part),
    "H": lambda moment, part: _two_digits(moment.hour, part),
    "K": _write_zone,
    "m": lambda moment, part: _two_digits(moment.minute, part),
    "M": _write_month,
    "s": lambda moment, part: _two_digits(moment.second, part),
    "t": lambda moment, part: moment.half[: part.count],
    "y": _write_year,
    "z": _write_offset,
}
