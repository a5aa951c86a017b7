"""Reading a date by a format, as `DateTime.ParseExact` of .NET does it in the invariant culture, where local is UTC."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from usher.core.expressions.dateformats import SHORT, DateFormat, FormatError, Part
from usher.core.expressions.dateparts import LAST_OF_TWO_DIGITS, Reading
from usher.core.expressions.datestyles import Style
from usher.core.expressions.moments import Moment, MomentError, Zone, hour_of_day, ticks_of_clock, ticks_of_date


def check_readable(given: DateFormat, styles: frozenset[Style]) -> None:
    """Raises FormatError where the date would not follow from the text but from the day on which it is read."""
    letters = {part.letter for part in given.parts if part.letter in {"y", "M"} or _is_day(part)}
    if "y" not in letters and (letters or Style.NO_CURRENT_DATE_DEFAULT not in styles):
        raise FormatError("the input format has no year, so the date would depend on when it is read")


def _is_day(part: Part) -> bool:
    return part.letter == "d" and part.count < SHORT


def read_date(given: DateFormat, text: str, styles: frozenset[Style]) -> Moment:
    """The moment that the text says, in UTC. Raises FormatError, and nothing else."""
    check_readable(given, styles)
    parts = _trim(given.parts, styles)
    if Style.ALLOW_LEADING_WHITE in styles:
        text = text.lstrip()
    if Style.ALLOW_TRAILING_WHITE in styles:
        text = text.rstrip()
    reading = Reading(text, Style.ALLOW_TRAILING_WHITE in styles)
    if Style.ALLOW_INNER_WHITE in styles:
        _read_parts_and_blanks(reading, parts)
    else:
        _read_parts(reading, parts)
    if reading.place < len(text):
        raise FormatError("there is more than the format has room for")
    try:
        return _conclude(reading, styles)
    except MomentError as error:
        raise FormatError(f"it is {error}") from None


def _read_parts(reading: Reading, parts: Sequence[Part]) -> None:
    for place, part in enumerate(parts):
        reading.read(part, parts[place + 1 :])


def _read_parts_and_blanks(reading: Reading, parts: Sequence[Part]) -> None:
    """White space may stand before every part, and that of the format means nothing."""
    for place, part in enumerate(parts):
        reading.skip_blanks()
        if not part.is_blank:
            reading.read(part, parts[place + 1 :])


def _trim(parts: Sequence[Part], styles: frozenset[Style]) -> Sequence[Part]:
    """Without the white space at the ends of the format where that of the text does not count either."""
    start, end = 0, len(parts)
    while Style.ALLOW_LEADING_WHITE in styles and start < end and parts[start].is_blank:
        start += 1
    while Style.ALLOW_TRAILING_WHITE in styles and start < end and parts[end - 1].is_blank:
        end -= 1
    return parts[start:end]


def _conclude(reading: Reading, styles: frozenset[Style]) -> Moment:
    said = reading.said
    day = ticks_of_date(_year_of(said), said.get("M", 1), said.get("d", 1))
    clock = ticks_of_clock(_hour_of(said), said.get("m", 0), said.get("s", 0)) + said.get("f", 0)
    if said.get("weekday", Moment(day).date.weekday()) != Moment(day).date.weekday():
        raise FormatError("its day of the week is not that of its date")
    return Moment(day + clock - (reading.offset or 0), _zone_of(reading, styles))


def _year_of(said: Mapping[str, int]) -> int:
    year, century = said.get("y", 1), said.get("century")
    if century is None or year > 99:
        return year
    return century + year - (100 if century + year > LAST_OF_TWO_DIGITS else 0)


def _hour_of(said: Mapping[str, int]) -> int:
    """`h` with AM or PM (without either it is AM), or `H`. Raises FormatError where the latter contradicts the half."""
    hour, half = said.get("H", 0), "PM" if said.get("t") else "AM"
    if "twelve" in said:
        return hour_of_day(hour, half)
    if "t" in said and (hour >= 12) != (half == "PM"):
        raise FormatError("its hour is not of that half of the day")
    return hour


def _zone_of(reading: Reading, styles: frozenset[Style]) -> Zone:
    if reading.offset is None and Style.ASSUME_UNIVERSAL not in styles:
        return Zone.UNKNOWN
    kept = reading.is_utc and Style.ROUNDTRIP_KIND in styles
    return Zone.UTC if kept or Style.ADJUST_TO_UNIVERSAL in styles else Zone.LOCAL
