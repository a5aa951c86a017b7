"""Functions about dates. What they give each other is text: `M/d/yyyy h:mm:ss tt`, in UTC."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from usher.core.expressions.dateformats import DateFormat, FormatError, read_format
from usher.core.expressions.datereading import check_readable, read_date
from usher.core.expressions.datestyles import Style, read_styles
from usher.core.expressions.errors import ExpressionError
from usher.core.expressions.inputs import Attributes, Evaluate, Input, read_scalar, read_text
from usher.core.expressions.moments import (
    FILETIME_ZERO,
    Interval,
    Moment,
    MomentError,
    add,
    count_boundaries,
    moment_of_datetime,
    read_moment,
    write_moment,
)
from usher.core.expressions.numerals import read_whole, settle
from usher.core.expressions.signatures import Example, Function, Kind, Parameter, Surroundings, Takes, alone
from usher.core.expressions.syntax import Empty
from usher.core.model.resources import Value

T = TypeVar("T")
_DATE: Final = 'a date such as "8/25/2021 5:41:18 PM" or "2021-08-25T17:41:18Z"'
_INTERVALS: Final = " or ".join(f'"{interval}"' for interval in Interval)
_FORMAT: Final = 'a .NET format such as "yyyy-MM-dd"'
_STYLES: Final = 'nothing, or names such as "AssumeUniversal, AllowWhiteSpaces"'


def _read_moment(given: Input) -> Callable[[Attributes], Moment | None]:
    """Reads a date; null and the empty text are null."""
    scalar = read_scalar(given)

    def read(attributes: Attributes) -> Moment | None:
        value = scalar(attributes)
        if value is None or value == "":
            return None
        try:
            return read_moment(given.write(value))
        except MomentError as error:
            raise given.failure(f"is {error}") from None

    return settle(given, read, _DATE)


def _read_interval(given: Input) -> Callable[[Attributes], Interval]:
    text = read_text(given)

    def read(attributes: Attributes) -> Interval:
        try:
            return Interval(text(attributes))
        except ValueError:
            raise given.failure("is no interval") from None

    return settle(given, read, _INTERVALS)


def _understood(given: Input, understand: Callable[[str], T], expected: str) -> Callable[[Attributes], T]:
    """Reads a format or styles."""
    text = read_text(given)

    def read(attributes: Attributes) -> T:
        try:
            return understand(text(attributes))
        except FormatError as error:
            raise given.failure(f"can't be used: {error}") from None

    return settle(given, read, expected)


def _is_fixed(given: Input) -> bool:
    return given.is_constant or isinstance(given.node, Empty)


def _build_cdate(arguments: Sequence[Input]) -> Evaluate:
    """The date as `M/d/yyyy h:mm:ss tt` in UTC; fractions of a second are left out. Null and the empty text give null.

    Read are that form (the time, its seconds and AM or PM may be missing) and ISO 8601 in its extended form. Without an
    offset from UTC it is UTC; a date may have one too: "2021-06-30+08:00".
    """
    source = _read_moment(arguments[0])

    def evaluate(attributes: Attributes) -> Value | None:
        moment = source(attributes)
        return None if moment is None else write_moment(moment)

    return evaluate


def _build_date_add(arguments: Sequence[Input]) -> Evaluate:
    """The date so many intervals later, earlier where the value is negative, as CDate writes it.

    Intervals are "yyyy" years, "m" months, "d" days, "ww" weeks, "h" hours, "n" minutes, "s" seconds. A day that the
    month does not have becomes its last one. Null and the empty text give null.
    """
    given = arguments[2]
    interval, count, start = _read_interval(arguments[0]), read_whole(arguments[1]), _read_moment(given)

    def evaluate(attributes: Attributes) -> Value | None:
        unit, value, moment = interval(attributes), count(attributes), start(attributes)
        if value is None or moment is None:
            return None
        try:
            return write_moment(add(moment, unit, value))
        except MomentError as error:
            raise given.failure(f"would become a date {error}") from None

    return evaluate


def _build_date_diff(arguments: Sequence[Input]) -> Evaluate:
    """How many intervals the second date is after the first, negative where it is before; a whole number.

    Counted are the starts of intervals between the two, in UTC: of years, months, days, weeks (which start on Sundays),
    hours, minutes, seconds. So from 23:59 to 0:01 it is one day. Intervals are those of DateAdd. Null and the empty
    text give null.
    """
    interval, first, second = _read_interval(arguments[0]), _read_moment(arguments[1]), _read_moment(arguments[2])

    def evaluate(attributes: Attributes) -> Value | None:
        unit, start, end = interval(attributes), first(attributes), second(attributes)
        return None if start is None or end is None else count_boundaries(unit, start, end)

    return evaluate


def _build_date_from_num(arguments: Sequence[Input]) -> Evaluate:
    """The date of a number of a directory (FILETIME: 100 ns since 1601-01-01 UTC), as CDate writes it.

    Null and the empty text give null. What directories write for "never" is no date, but an error.
    """
    given = arguments[0]
    number = read_whole(given)

    def evaluate(attributes: Attributes) -> Value | None:
        value = number(attributes)
        if value is None:
            return None
        try:
            moment = Moment(FILETIME_ZERO + value)
        except MomentError:
            moment = None
        if value < 0 or moment is None:
            raise given.failure("is outside of the years 1601 to 9999")
        return write_moment(moment)

    return evaluate


def _build_num_from_date(arguments: Sequence[Input]) -> Evaluate:
    """The number by which a directory tells a date (FILETIME: 100 ns since 1601-01-01 UTC), as for accountExpires.

    The date is read as by CDate, with its fractions of a second. Null and the empty text give null.
    """
    given = arguments[0]
    source = _read_moment(given)

    def evaluate(attributes: Attributes) -> Value | None:
        moment = source(attributes)
        if moment is None:
            return None
        if moment.ticks < FILETIME_ZERO:
            raise given.failure("is before the year 1601")
        return moment.ticks - FILETIME_ZERO

    return evaluate


def _build_format_date_time(arguments: Sequence[Input]) -> Evaluate:
    """The date, read by one format and written by another, in UTC. Null and the empty text give null.

    Formats are those of .NET, custom ones and the standard letters, in the invariant culture (English names). Styles
    are names of DateTimeStyles between commas, left empty RoundtripKind, AllowLeadingWhite and AllowTrailingWhite.
    Without an offset from UTC in the text it is UTC; two digits of a year are one of 1950 to 2049.
    """
    given = arguments[0]
    source = read_text(given)
    styles = _understood(arguments[1], read_styles, _STYLES)
    entry = _understood(arguments[2], read_format, _FORMAT)
    output = _understood(arguments[3], read_format, _FORMAT)
    if _is_fixed(arguments[1]) and _is_fixed(arguments[2]):
        _check_entry(arguments[2], entry({}), styles({}))

    def evaluate(attributes: Attributes) -> Value | None:
        read_by, written_by, style = entry(attributes), output(attributes), styles(attributes)
        text = source(attributes)
        if not text:
            return None
        try:
            return written_by.write(read_date(read_by, text, style))
        except FormatError as error:
            raise given.failure(f"can't be read: {error}") from None

    return evaluate


def _check_entry(given: Input, entry: DateFormat, style: frozenset[Style]) -> None:
    try:
        check_readable(entry, style)
    except FormatError as error:
        explanation = f"{given.function}: {error}"
        raise ExpressionError(explanation, given.node.position, expected="a format with y in it") from None


def _build_now(_: Sequence[Input], surroundings: Surroundings) -> Evaluate:
    """The time at which the expression is evaluated, as CDate writes it: `M/d/yyyy h:mm:ss tt` in UTC."""
    return lambda _: write_moment(moment_of_datetime(surroundings.now()))


_READ: Final = "Read are M/d/yyyy h:mm:ss tt and ISO 8601 only, not every form that .NET can guess; null gives null."

FUNCTIONS: Final = (
    Function(
        "CDate",
        (Parameter("expression"),),
        (),
        alone(_build_cdate),
        Example("CDate([hireDate])", "6/29/2021 4:00:00 PM", {"hireDate": "2021-06-30+08:00"}),
        differs=_READ,
    ),
    Function(
        "DateAdd",
        (Parameter("interval"), Parameter("value"), Parameter("dateTime")),
        (),
        alone(_build_date_add),
        Example('DateAdd("d", 7, CDate([hireDate]))', "3/23/2012 7:00:00 AM", {"hireDate": "2012-03-16-07:00"}),
        differs=_READ,
    ),
    Function(
        "DateDiff",
        (Parameter("interval"), Parameter("date1"), Parameter("date2")),
        (),
        alone(_build_date_diff),
        Example(
            'DateDiff("ww", CDate([today]), CDate([hireDate]))',
            -493,
            {"today": "8/25/2021 5:41:18 PM", "hireDate": "2012-03-16-07:00"},
        ),
        differs=_READ,
    ),
    Function(
        "DateFromNum",
        (Parameter("value"),),
        (),
        alone(_build_date_from_num),
        Example(
            "DateFromNum([lastLogonTimestamp])", "1/1/2012 11:00:00 PM", {"lastLogonTimestamp": "129699324000000000"}
        ),
        differs="Null gives null.",
    ),
    Function(
        "NumFromDate",
        (Parameter("value"),),
        (),
        alone(_build_num_from_date),
        Example(
            'NumFromDate(Join("", FormatDateTime([end], , "yyyy-MM-ddzzz", "yyyy-MM-dd"), " 23:59:59-08:00"))',
            132539615990000000,
            {"end": "2020-12-31-08:00"},
        ),
        differs=_READ,
    ),
    Function(
        "FormatDateTime",
        (
            Parameter("source"),
            Parameter("dateTimeStyles", Takes.OPTIONAL),
            Parameter("inputFormat"),
            Parameter("outputFormat"),
        ),
        (),
        alone(_build_format_date_time),
        Example(
            'FormatDateTime([hired], , "yyyyMMddHHmmss.fZ", "yyyy-MM-dd")',
            "2015-01-23",
            {"hired": "20150123105347.1Z"},
        ),
        differs=(
            "An input format without a year is refused: the date would be of the year in which it is read. "
            "AssumeLocal is refused, there is no local time. Null gives null."
        ),
    ),
    Function(
        "Now",
        (),
        (),
        _build_now,
        Example('IIF(DateDiff("d", Now(), [hireDate]) > 5, "later", "soon")', "soon", {"hireDate": "2001-01-01"}),
        kind=Kind.VOLATILE,
    ),
)
