"""Moments in time, to 100 ns, of the years 1 to 9999, and the two forms of text in which functions pass them on.

A moment is counted as .NET counts it: in ticks of 100 ns since midnight of the first of January of the year 1, UTC.
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Final

TICKS_PER_SECOND: Final = 10_000_000
TICKS_PER_MINUTE: Final = 60 * TICKS_PER_SECOND
TICKS_PER_HOUR: Final = 60 * TICKS_PER_MINUTE
TICKS_PER_DAY: Final = 24 * TICKS_PER_HOUR
FILETIME_ZERO: Final = (date(1601, 1, 1).toordinal() - 1) * TICKS_PER_DAY
"""From where a directory counts (MS-DTYP section 2.3.3): midnight of 1601-01-01 UTC, in ticks."""
_END: Final = date.max.toordinal() * TICKS_PER_DAY
FRACTION_DIGITS: Final = 7
_MAX_OFFSET: Final = 14 * TICKS_PER_HOUR

_ISO: Final = re.compile(
    r"""
    (?P<year>[0-9]{4})-(?P<month>[0-9]{2})-(?P<day>[0-9]{2})
    (?:[Tt\ ](?P<hour>[0-9]{2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:[.,](?P<fraction>[0-9]{1,32}))?)?)?
    \ ?(?P<offset>[Zz]|[+-][0-9]{2}(?::?[0-9]{2})?)?
    """,
    re.VERBOSE,
)
_OWN: Final = re.compile(
    r"""
    (?P<month>[0-9]{1,2})/(?P<day>[0-9]{1,2})/(?P<year>[0-9]{4})
    (?:\ (?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2}))?(?:\ ?(?P<half>[AaPp][Mm]))?)?
    """,
    re.VERBOSE,
)


class MomentError(ValueError):
    """There is no such moment. Its text tells why, after "is" or "gives", and holds no value."""


class Zone(StrEnum):
    """What is known of the time zone a text was written in; UTC is meant whatever it is.

    `LOCAL`: an offset was given, from which UTC followed. It differs from `UTC` only in how `K` is written.
    """

    UNKNOWN = "unknown"
    UTC = "utc"
    LOCAL = "local"


class Interval(StrEnum):
    """What DateAdd and DateDiff count. `m` is a month, `n` a minute."""

    YEAR = "yyyy"
    MONTH = "m"
    DAY = "d"
    WEEK = "ww"
    HOUR = "h"
    MINUTE = "n"
    SECOND = "s"


_LENGTHS: Final = {
    Interval.DAY: TICKS_PER_DAY,
    Interval.WEEK: 7 * TICKS_PER_DAY,
    Interval.HOUR: TICKS_PER_HOUR,
    Interval.MINUTE: TICKS_PER_MINUTE,
    Interval.SECOND: TICKS_PER_SECOND,
}


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment of the years 1 to 9999 in `ticks`. Raises MomentError for any other."""

    ticks: int
    zone: Zone = Zone.UTC

    def __post_init__(self) -> None:
        if not 0 <= self.ticks < _END:
            raise MomentError("outside of the years 1 to 9999")

    @property
    def date(self) -> date:
        """Its calendar day."""
        return date.fromordinal(self.ticks // TICKS_PER_DAY + 1)

    @property
    def hour(self) -> int:
        """0 to 23."""
        return self.ticks // TICKS_PER_HOUR % 24

    @property
    def hour_of_twelve(self) -> int:
        """1 to 12: noon and midnight are 12."""
        return (self.hour + 11) % 12 + 1

    @property
    def half(self) -> str:
        """AM or PM."""
        return "AM" if self.hour < 12 else "PM"

    @property
    def minute(self) -> int:
        """0 to 59."""
        return self.ticks // TICKS_PER_MINUTE % 60

    @property
    def second(self) -> int:
        """0 to 59."""
        return self.ticks // TICKS_PER_SECOND % 60

    @property
    def fraction(self) -> int:
        """Of the second, in ticks."""
        return self.ticks % TICKS_PER_SECOND


def ticks_of_date(year: int, month: int, day: int) -> int:
    """Midnight of a day. Raises MomentError where the calendar has no such day."""
    try:
        return (date(year, month, day).toordinal() - 1) * TICKS_PER_DAY
    except ValueError:
        raise MomentError("no day of the calendar") from None


def ticks_of_clock(hour: int, minute: int, second: int) -> int:
    """A time of day. Raises MomentError for 24:00 and for leap seconds, which .NET does not know either."""
    if hour > 23 or minute > 59 or second > 59:
        raise MomentError("no time of a day")
    return hour * TICKS_PER_HOUR + minute * TICKS_PER_MINUTE + second * TICKS_PER_SECOND


def ticks_of_offset(hours: int, minutes: int, sign: str) -> int:
    """An offset from UTC, by which local time is ahead. Raises MomentError beyond 14 hours."""
    ticks = ticks_of_clock(0, minutes, 0) + hours * TICKS_PER_HOUR
    if ticks > _MAX_OFFSET:
        raise MomentError("more than 14 hours away from UTC")
    return -ticks if sign == "-" else ticks


def hour_of_day(hour: int, half: str) -> int:
    """Of an hour of twelve (0 stands for 12) and AM or PM. Raises MomentError."""
    if hour > 12:
        raise MomentError("no time of a day")
    return hour % 12 + (12 if half.upper().startswith("P") else 0)


def moment_of_datetime(moment: datetime) -> Moment:
    """What a clock says. Raises MomentError where UTC would leave the years 1 to 9999."""
    try:
        utc = moment.astimezone(UTC)
    except OverflowError:
        raise MomentError("outside of the years 1 to 9999") from None
    clock = ticks_of_clock(utc.hour, utc.minute, utc.second)
    return Moment(ticks_of_date(utc.year, utc.month, utc.day) + clock + utc.microsecond * 10)


def read_moment(text: str) -> Moment:
    """Of `M/d/yyyy h:mm:ss tt` or of ISO 8601 (extended form, a date with an offset too); without an offset it is UTC.

    What is finer than 100 ns is cut off. Raises MomentError.
    """
    stripped = text.strip()
    if found := _ISO.fullmatch(stripped):
        fraction = int((found["fraction"] or "0")[:FRACTION_DIGITS].ljust(FRACTION_DIGITS, "0"))
        return Moment(_ticks_of(found, int(found["hour"] or 0)) + fraction - _offset_of(found["offset"] or "Z"))
    if found := _OWN.fullmatch(stripped):
        hour = int(found["hour"] or 0)
        return Moment(_ticks_of(found, hour_of_day(hour, found["half"]) if found["half"] else hour))
    raise MomentError("no date, neither M/d/yyyy h:mm:ss tt nor ISO 8601")


def _ticks_of(found: re.Match[str], hour: int) -> int:
    day = ticks_of_date(int(found["year"]), int(found["month"]), int(found["day"]))
    return day + ticks_of_clock(hour, int(found["minute"] or 0), int(found["second"] or 0))


def _offset_of(text: str) -> int:
    if text in "Zz":
        return 0
    return ticks_of_offset(int(text[1:3]), int(text[3:].lstrip(":") or 0), text[0])


def write_moment(moment: Moment) -> str:
    """`M/d/yyyy h:mm:ss tt` in UTC; fractions of a second are left out."""
    day = moment.date
    clock = f"{moment.hour_of_twelve}:{moment.minute:02}:{moment.second:02} {moment.half}"
    return f"{day.month}/{day.day}/{day.year:04} {clock}"


def add(moment: Moment, interval: Interval, count: int) -> Moment:
    """`count` intervals later. A day that the month does not have becomes its last one. Raises MomentError."""
    if length := _LENGTHS.get(interval):
        return Moment(moment.ticks + count * length)
    day = moment.date
    months = day.year * 12 + day.month - 1 + count * (12 if interval is Interval.YEAR else 1)
    year, month = months // 12, months % 12 + 1
    if not date.min.year <= year <= date.max.year:
        raise MomentError("outside of the years 1 to 9999")
    last = calendar.monthrange(year, month)[1]
    return Moment(ticks_of_date(year, month, min(day.day, last)) + moment.ticks % TICKS_PER_DAY)


def count_boundaries(interval: Interval, first: Moment, second: Moment) -> int:
    """How many starts of an interval lie between two moments, negative where the second is earlier.

    As Visual Basic counts: two minutes around midnight are one day and one hour, and weeks start on Sundays.
    """
    return _number_of_interval(interval, second) - _number_of_interval(interval, first)


def _number_of_interval(interval: Interval, moment: Moment) -> int:
    match interval:
        case Interval.YEAR:
            return moment.date.year
        case Interval.MONTH:
            return moment.date.year * 12 + moment.date.month
        case Interval.WEEK:
            return moment.date.toordinal() // 7  # the seventh day of the year 1 was a Sunday
        case _:
            return moment.ticks // _LENGTHS[interval]
