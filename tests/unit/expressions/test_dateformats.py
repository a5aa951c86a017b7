"""The converter of date formats, beside what .NET itself makes of the same formats.

`dotnet.json` was written by .NET Core 3.1.23: `DateTime.ParseExact` and `DateTime.ToString`, invariant culture, TZ=UTC.
Formats with two digits of a year are only written there: that version reads them as 1930 to 2029, later ones to 2049.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from usher.core.expressions.dateformats import STANDARD, FormatError, read_format
from usher.core.expressions.datereading import check_readable, read_date
from usher.core.expressions.datestyles import Style, read_styles
from usher.core.expressions.moments import Moment, Zone

DOTNET = json.loads((Path(__file__).parents[2] / "golden" / "dates" / "dotnet.json").read_text(encoding="utf-8"))


def written(given: str, moment: Moment) -> str | None:
    try:
        return read_format(given).write(moment)
    except FormatError:
        return None


def read(given: str, styles: str, text: str) -> tuple[int, str] | None:
    try:
        moment = read_date(read_format(given), text, read_styles(styles))
    except FormatError:
        return None
    return moment.ticks, moment.zone


@pytest.mark.parametrize(("given", "ticks", "zone", "expected"), DOTNET["written"])
def test_a_date_is_written_as_by_dotnet(given: str, ticks: int, zone: str, expected: str | None) -> None:
    assert written(given, Moment(ticks, Zone(zone))) == expected


@pytest.mark.parametrize(("given", "styles", "text", "ticks", "zone"), DOTNET["read"])
def test_a_date_is_read_as_by_dotnet(given: str, styles: str, text: str, ticks: int | None, zone: str | None) -> None:
    assert read(given, styles, text) == (None if ticks is None else (ticks, zone))


def test_the_files_hold_both_ways_many_times_and_every_standard_format() -> None:
    assert min(len(DOTNET["written"]), len(DOTNET["read"])) > 200
    assert set(STANDARD) <= {given for given, *_ in DOTNET["written"]}


@pytest.mark.parametrize("given", ["%dd", "%'x'", "%\\d", "yyyy%"])
def test_a_percent_sign_that_dotnet_reads_and_writes_in_two_ways_is_refused(given: str) -> None:
    with pytest.raises(FormatError, match="one single letter only"):
        read_format(given)


def test_a_format_that_nobody_writes_is_refused_before_it_costs_anything() -> None:
    with pytest.raises(FormatError, match="more than 1,000 characters"):
        read_format("yy" * 501)


@pytest.mark.parametrize("given", ["MM-dd", "HH:mm", "%d", "t", "dddd"])
def test_a_format_whose_date_would_depend_on_today_is_not_read_by(given: str) -> None:
    with pytest.raises(FormatError, match="has no year"):
        check_readable(read_format(given), read_styles(""))


@pytest.mark.parametrize(("given", "readable"), [("HH:mm", True), ("dddd", True), ("MM", False), ("%d", False)])
def test_only_a_format_without_any_date_may_be_read_as_of_the_first_day(given: str, readable: bool) -> None:
    styles = frozenset({Style.NO_CURRENT_DATE_DEFAULT})
    if readable:
        check_readable(read_format(given), styles)
    else:
        with pytest.raises(FormatError, match="has no year"):
            check_readable(read_format(given), styles)


@pytest.mark.parametrize("text", ["AssumeLocal", "Allow", "allowwhitespaces", "None,", "None;None", "1"])
def test_styles_that_mean_nothing_here_are_refused_with_those_that_do(text: str) -> None:
    with pytest.raises(FormatError, match="known are None, AllowLeadingWhite"):
        read_styles(text)


def test_no_styles_are_those_of_the_reference() -> None:
    assert read_styles(" ") == read_styles("DateTimeStyles.RoundtripKind, AllowLeadingWhite,AllowTrailingWhite")
