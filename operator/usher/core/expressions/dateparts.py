"""What each part of a date format reads of a text.

Widths as in .NET: one letter takes one or two digits, two and more take exactly as many; names in any case.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from usher.core.expressions.dateformats import DAY_NAMES, MONTH_NAMES, SHORT, FormatError, Part
from usher.core.expressions.moments import FRACTION_DIGITS, MomentError, ticks_of_offset

LAST_OF_TWO_DIGITS: Final = 2049
"""Two digits are a year of the century that ends here; .NET since version 8."""
_DIGITS: Final = frozenset("0123456789")


@dataclass(slots=True)
class Reading:
    """How far a text has been read, and what it said. `offset` is None until a time zone was read.

    `may_lack_blanks`: .NET lets go of a blank of the format that is not quoted where trailing white space is allowed.
    """

    text: str
    may_lack_blanks: bool
    place: int = 0
    said: dict[str, int] = field(default_factory=dict)
    offset: int | None = None
    is_utc: bool = False
    dot_missing: bool = False

    def read(self, part: Part, rest: Sequence[Part]) -> None:
        """Reads what one part of the format stands for. Raises FormatError.

        A dot before FF and more may be missing with its fraction; before a single F .NET insists on it.
        """
        if part.letter == "." and _may_be_missing(rest) and not self._starts_with("."):
            self.dot_missing = True
            return
        if self.dot_missing:
            self.dot_missing = False
            return
        if not _READERS[part.letter](self, part):
            raise FormatError(f"it does not fit the input format at {part.letter * part.count or 'a fixed text'}")

    def skip_blanks(self) -> None:
        while self.place < len(self.text) and self.text[self.place].isspace():
            self.place += 1

    def _starts_with(self, text: str) -> bool:
        return self.text.startswith(text, self.place)

    def literally(self, part: Part) -> bool:
        """Reads a text that stands for itself."""
        found = self._starts_with(part.text)
        self.place += len(part.text) * found
        return found

    def one_of(self, names: Sequence[str]) -> int | None:
        """Reads a name in any case, the first that fits; which one it was."""
        for index, name in enumerate(names):
            if self.text[self.place : self.place + len(name)].lower() == name.lower():
                self.place += len(name)
                return index
        return None

    def digits(self, least: int, most: int) -> str:
        """Reads digits, as many as there are up to `most`; nothing at all if there are fewer than `least`."""
        end = self.place
        while end < len(self.text) and end - self.place < most and self.text[end] in _DIGITS:
            end += 1
        found = self.text[self.place : end] if end - self.place >= least else ""
        self.place += len(found)
        return found

    def say(self, name: str, value: int | None) -> bool:
        """Notes what was read; a second part of the same meaning has to say the same."""
        return value is not None and self.said.setdefault(name, value) == value

    def say_number(self, name: str, count: int) -> bool:
        """Reads and notes a number: of one letter one or two digits, else exactly as many."""
        found = self.digits(count, max(count, 2))
        return bool(found) and self.say(name, int(found))

    def say_zone(self, offset: int) -> bool:
        """Notes the offset; a second one has to be the same."""
        fits = self.offset in {None, offset}
        self.offset = offset
        return fits

    def read_offset(self, part: Part) -> bool:
        """`z`, `zz` without minutes, `zzz` with them, the colon between is optional."""
        sign = self.text[self.place : self.place + 1]
        if sign not in {"+", "-"}:
            return False
        self.place += 1
        hours, minutes = self.digits(min(part.count, 2) if part.count < SHORT else 1, 2), "0"
        if part.count >= SHORT:
            self.place += self._starts_with(":")
            minutes = self.digits(2, 2)
        if not hours or not minutes:
            return False
        try:
            return self.say_zone(ticks_of_offset(int(hours), int(minutes), sign))
        except MomentError:
            return False


def _may_be_missing(rest: Sequence[Part]) -> bool:
    return bool(rest) and rest[0].letter == "F" and rest[0].count > 1


def _read_day(reading: Reading, part: Part) -> bool:
    if part.count < SHORT:
        return reading.say_number("d", part.count)
    return reading.say("weekday", reading.one_of(_names(DAY_NAMES, part)))


def _read_month(reading: Reading, part: Part) -> bool:
    if part.count < SHORT:
        return reading.say_number("M", part.count)
    index = reading.one_of(_names(MONTH_NAMES, part))
    return index is not None and reading.say("M", index + 1)


def _names(names: Sequence[str], part: Part) -> Sequence[str]:
    return [name[:SHORT] for name in names] if part.count == SHORT else names


def _read_year(reading: Reading, part: Part) -> bool:
    if part.count <= 2:
        reading.said["century"] = LAST_OF_TWO_DIGITS // 100 * 100
    return reading.say_number("y", part.count)


def _read_fraction(reading: Reading, part: Part) -> bool:
    found = reading.digits(part.count if part.letter == "f" else 0, part.count)
    complete = part.letter == "F" or bool(found)
    return complete and reading.say("f", int(found.ljust(FRACTION_DIGITS, "0")))


def _read_half(reading: Reading, part: Part) -> bool:
    if part.count > 1:
        return reading.say("t", reading.one_of(("AM", "PM")))
    index = "AP".find(reading.text[reading.place : reading.place + 1] or "-")
    reading.place += 1
    return index >= 0 and reading.say("t", index)


def _read_zone(reading: Reading, part: Part) -> bool:
    """`K`: Z, an offset, or nothing."""
    if reading.text.startswith("Z", reading.place):
        reading.place += 1
        return _know_utc(reading, part)
    if reading.text[reading.place : reading.place + 1] in {"+", "-"}:
        return reading.read_offset(Part("z", SHORT, ""))
    return True


def _read_utc(reading: Reading, part: Part) -> bool:
    """An unquoted `Z`: Z or GMT, not the start of a word."""
    found = reading.one_of(("GMT", "Z")) is not None
    return found and not reading.text[reading.place :][:1].isalpha() and _know_utc(reading, part)


def _read_gmt(reading: Reading, part: Part) -> bool:
    """Says an offset of nothing, but not, to .NET, that the date is kept as UTC."""
    return reading.literally(part) and reading.say_zone(0)


def _read_blank(reading: Reading, part: Part) -> bool:
    return reading.literally(part) or reading.may_lack_blanks


def _know_utc(reading: Reading, _: Part) -> bool:
    reading.is_utc = True
    return reading.say_zone(0)


def _read_clock(reading: Reading, part: Part) -> bool:
    return reading.say_number(part.letter, min(part.count, 2))


def _read_hour(reading: Reading, part: Part) -> bool:
    """`H` and `h` say the same, so that both of them have to be equal, but one `h` makes it an hour of twelve."""
    if part.letter == "h":
        reading.said["twelve"] = 1
    return reading.say_number("H", min(part.count, 2))


_READERS: Final[Mapping[str, Callable[[Reading, Part], bool]]] = {
    "": Reading.literally,
    ".": Reading.literally,
    " ": _read_blank,
    "Z": _read_utc,
    "GMT": _read_gmt,
    "U": _know_utc,
    "d": _read_day,
    "f": _read_fraction,
    "F": _read_fraction,
    "g": lambda reading, _: reading.one_of(("A.D.", "AD")) is not None,
    "h": _read_hour,
    "H": _read_hour,
    "K": _read_zone,
    "m": _read_clock,
    "M": _read_month,
    "s": _read_clock,
    "t": _read_half,
    "y": _read_year,
    "z": Reading.read_offset,
}
