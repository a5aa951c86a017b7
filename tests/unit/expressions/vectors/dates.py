"""Vectors of the functions about dates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from unit.expressions.vectors.vector import Vector
from usher.core.model.resources import Value

NO_DATE = "is no date, neither M/d/yyyy h:mm:ss tt nor ISO 8601"
NO_DAY = "is no day of the calendar"
SINGLE = "is multi-valued where a single value is needed"
HIRED = "2012-03-16-07:00"
TODAY = "8/25/2021 5:41:18 PM"
END = 'NumFromDate(Join("", FormatDateTime([end], ,"{}", "yyyy-MM-dd"), " 23:59:59-08:00"))'
SOON = 'Switch([Active], , "1", IIF(DateDiff("d", Now(), CDate([hired])) > 5, "False", "True"), "0", "False")'
MISFIT = "FormatDateTime: [x] can't be read: "
UNUSABLE = "FormatDateTime: a text can't be used: "


def cdate(value: Value, expected: str) -> Vector:
    return Vector("CDate([x])", {"x": value}, expected)


def no_cdate(value: Value, why: str) -> Vector:
    return Vector("CDate([x])", {"x": value}, error=f"CDate: [x] {why}")


def added(interval: str, count: int, start: str, expected: str) -> Vector:
    return Vector(f'DateAdd("{interval}", {count}, CDate([x]))', {"x": start}, expected)


def apart(interval: str, first: str, second: str, expected: int) -> Vector:
    return Vector(f'DateDiff("{interval}", CDate([x]), CDate([y]))', {"x": first, "y": second}, expected)


def formatted(styles: str, entry: str, output: str, text: Value, expected: str) -> Vector:
    return Vector(f'FormatDateTime([x], {styles}, "{entry}", "{output}")', {"x": text}, expected)


def misfit(styles: str, entry: str, text: str, why: str) -> Vector:
    return Vector(f'FormatDateTime([x], {styles}, "{entry}", "o")', {"x": text}, error=MISFIT + why)


def unusable(styles: str, entry: str, output: str, why: str) -> Vector:
    return Vector(f'FormatDateTime([x], {styles}, "{entry}", "{output}")', refused=why)


VECTORS: Mapping[str, Sequence[Vector]] = {
    "CDate": [
        cdate("2020-03-16-07:00", "3/16/2020 7:00:00 AM"),
        cdate("2021-06-30+08:00", "6/29/2021 4:00:00 PM"),
        cdate("2009-06-15T01:45:30-07:00", "6/15/2009 8:45:30 AM"),
        cdate("2021-06-30", "6/30/2021 12:00:00 AM"),
        cdate("2021-06-30T12:00:00Z", "6/30/2021 12:00:00 PM"),
        cdate("2021-06-30t12:59:59.9999999z", "6/30/2021 12:59:59 PM"),
        cdate("2021-06-30 23:59:59-08:00", "7/1/2021 7:59:59 AM"),
        cdate("2021-06-30T23:59 +0530", "6/30/2021 6:29:00 PM"),
        cdate("2021-06-30T23:59+14", "6/30/2021 9:59:00 AM"),
        cdate(TODAY, TODAY),
        cdate(" 7/2/2021 3:33:38 pm ", "7/2/2021 3:33:38 PM"),
        cdate("07/02/2021 12:00 AM", "7/2/2021 12:00:00 AM"),
        cdate("7/2/2021 15:33", "7/2/2021 3:33:00 PM"),
        cdate("7/2/2021", "7/2/2021 12:00:00 AM"),
        cdate("2020-02-29", "2/29/2020 12:00:00 AM"),
        cdate("0001-01-01", "1/1/0001 12:00:00 AM"),
        cdate("9999-12-31T23:59:59", "12/31/9999 11:59:59 PM"),
        Vector("CDate([x])", {}, None),
        Vector("CDate([x])", {"x": ""}, None),
        Vector("CDate([x])", {"x": ()}, None),
        no_cdate("2021-02-29", NO_DAY),
        no_cdate("13/1/2021", NO_DAY),
        no_cdate("2021-06-30T24:00:00", "is no time of a day"),
        no_cdate("7/2/2021 13:00 PM", "is no time of a day"),
        no_cdate("2021-06-30T00:00:00+14:01", "is more than 14 hours away from UTC"),
        no_cdate("0001-01-01+01:00", "is outside of the years 1 to 9999"),
        no_cdate("9999-12-31T23:00-02:00", "is outside of the years 1 to 9999"),
        no_cdate("20210630", NO_DATE),
        no_cdate("30 June 2021", NO_DATE),
        no_cdate(20210630, NO_DATE),
        no_cdate(True, NO_DATE),
        no_cdate(("2021-06-30",), SINGLE),
        Vector('CDate("yesterday")', refused=f"CDate: a text {NO_DATE} (line 1, column 7: expected a date such as"),
    ],
    "DateAdd": [
        added("d", 7, HIRED, "3/23/2012 7:00:00 AM"),
        added("d", -10, HIRED, "3/6/2012 7:00:00 AM"),
        added("ww", 2, HIRED, "3/30/2012 7:00:00 AM"),
        added("m", 10, HIRED, "1/16/2013 7:00:00 AM"),
        added("yyyy", 2, HIRED, "3/16/2014 7:00:00 AM"),
        added("h", -8, HIRED, "3/15/2012 11:00:00 PM"),
        added("n", 61, HIRED, "3/16/2012 8:01:00 AM"),
        added("s", 86_400, HIRED, "3/17/2012 7:00:00 AM"),
        added("m", 1, "2021-01-31", "2/28/2021 12:00:00 AM"),
        added("m", -1, "2020-03-31T10:00:00", "2/29/2020 10:00:00 AM"),
        added("m", -15, "2021-01-01", "10/1/2019 12:00:00 AM"),
        added("yyyy", 1, "2020-02-29", "2/28/2021 12:00:00 AM"),
        added("yyyy", 4, "2020-02-29", "2/29/2024 12:00:00 AM"),
        Vector('DateAdd("d", [n], [x])', {"n": "7", "x": "2021-06-30+08:00"}, "7/6/2021 4:00:00 PM"),
        Vector('DateAdd("d", [n], [x])', {"n": 1.0, "x": "2021-06-30"}, "7/1/2021 12:00:00 AM"),
        Vector('DateAdd([unit], 1, "2021-06-30")', {"unit": "m"}, "7/30/2021 12:00:00 AM"),
        Vector('DateAdd("d", 1, [x])', {}, None),
        Vector('DateAdd("d", [n], "2021-06-30")', {}, None),
        Vector('DateAdd("d", 1, [x])', {"x": "soon"}, error=f"DateAdd: [x] {NO_DATE}"),
        Vector('DateAdd("d", [n], [x])', {"n": 1.5, "x": HIRED}, error="DateAdd: [n] is no whole number"),
        Vector('DateAdd("d", [n], [x])', {"n": "many", "x": HIRED}, error="DateAdd: [n] is no number"),
        Vector('DateAdd([unit], 1, "2021-06-30")', {"unit": "q"}, error="DateAdd: [unit] is no interval"),
        *(
            Vector(
                f'DateAdd("{interval}", [n], [x])',
                {"n": count, "x": HIRED},
                error="DateAdd: [x] would become a date outside of the years 1 to 9999",
            )
            for interval in ("yyyy", "m", "ww", "s")
            for count in (10**20, -(10**20))
        ),
        Vector('DateAdd("q", 1, [x])', refused='(line 1, column 9: expected "yyyy" or "m" or "d" or "ww" or "h"'),
        Vector('DateAdd("d", 1.5, [x])', refused="DateAdd: a number is no whole number (line 1, column 14"),
    ],
    "DateDiff": [
        apart("d", "2021-08-18+08:00", "2021-08-31+08:00", 13),
        apart("d", TODAY, HIRED, -3449),
        apart("ww", TODAY, HIRED, -493),
        apart("m", TODAY, HIRED, -113),
        apart("yyyy", TODAY, HIRED, -9),
        apart("d", "2021-08-31+08:00", "2021-08-31+08:00", 0),
        apart("h", "2021-08-24", "2021-08-25", 24),
        apart("n", "2021-08-24", "2021-08-25", 1440),
        apart("s", "2021-08-24", "2021-08-25", 86_400),
        apart("yyyy", "2020-12-31T23:59:59", "2021-01-01", 1),
        apart("m", "2020-12-31T23:59:59", "2021-01-01", 1),
        apart("d", "2021-08-24T23:59:59", "2021-08-25T00:00:01", 1),
        apart("d", "2021-08-24T00:00:01", "2021-08-24T23:59:59", 0),
        apart("h", "2021-08-24T10:59", "2021-08-24T11:01", 1),
        apart("n", "2021-08-24T10:00:59.9", "2021-08-24T10:01:00.1", 1),
        apart("s", "2021-08-24T10:00:00.9999999", "2021-08-24T10:00:01", 1),
        apart("ww", "2021-08-28", "2021-08-29", 1),
        apart("ww", "2021-08-29", "2021-09-04", 0),
        apart("s", "0001-01-01", "9999-12-31T23:59:59", 315_537_897_599),
        Vector('DateDiff("d", [x], "2021-08-25")', {"x": "2021-08-24T23:00:00-02:00"}, 0),
        Vector('DateDiff("d", [x], "2021-08-25")', {}, None),
        Vector('DateDiff("d", "2021-08-25", [x])', {"x": ""}, None),
        Vector(SOON, {"Active": "1", "hired": "1/4/2026"}, "True"),
        Vector(SOON, {"Active": "1", "hired": "1/7/2026"}, "False"),
        Vector('DateDiff("d", [x], Now())', {"x": "x"}, error=f"DateDiff: [x] {NO_DATE}"),
        Vector('DateDiff("D", [x], [y])', refused="DateDiff: a text is no interval"),
    ],
    "DateFromNum": [
        Vector("DateFromNum(129699324000000000)", {}, "1/1/2012 11:00:00 PM"),
        Vector("DateFromNum([x])", {"x": "129699324000000000"}, "1/1/2012 11:00:00 PM"),
        Vector("DateFromNum([x])", {"x": 129699324009999999}, "1/1/2012 11:00:00 PM"),
        Vector("DateFromNum([x])", {"x": 0}, "1/1/1601 12:00:00 AM"),
        Vector("DateFromNum([x])", {"x": 116444736000000000}, "1/1/1970 12:00:00 AM"),
        Vector("DateFromNum([x])", {"x": 2650467743999999999}, "12/31/9999 11:59:59 PM"),
        Vector("DateFromNum([x])", {}, None),
        *(
            Vector("DateFromNum([x])", {"x": x}, error="DateFromNum: [x] is outside of the years 1601 to 9999")
            for x in (-1, 2650467744000000000, 9223372036854775807)
        ),
        Vector("DateFromNum([x])", {"x": "x"}, error="DateFromNum: [x] is no number"),
        Vector("DateFromNum(1.5)", refused="DateFromNum: a number is no whole number"),
    ],
    "NumFromDate": [
        Vector(END.format("yyyy-MM-ddzzz"), {"end": "2020-12-31-08:00"}, 132539615990000000),
        Vector(END.format("M/d/yyyy hh:mm:ss tt"), {"end": "12/31/2020 12:00:00 AM"}, 132539615990000000),
        Vector("NumFromDate([x])", {"x": "2012-01-01T23:00:00Z"}, 129699324000000000),
        Vector("NumFromDate([x])", {"x": "1/1/2012 11:00:00 PM"}, 129699324000000000),
        Vector("NumFromDate([x])", {"x": "1970-01-01T00:00:00.1234567"}, 116444736001234567),
        Vector("NumFromDate([x])", {"x": "1970-01-01T00:00:00,12345678"}, 116444736001234567),
        Vector("NumFromDate([x])", {"x": "1601-01-01"}, 0),
        Vector("NumFromDate([x])", {}, None),
        Vector("NumFromDate([x])", {"x": "1600-12-31T23:59:59"}, error="NumFromDate: [x] is before the year 1601"),
        Vector("NumFromDate([x])", {"x": "x"}, error=f"NumFromDate: [x] {NO_DATE}"),
        Vector('NumFromDate("1601-01-32")', refused=f"NumFromDate: a text {NO_DAY}"),
    ],
    "FormatDateTime": [
        formatted("", "yyyyMMddHHmmss.fZ", "yyyy-MM-dd", "20150123105347.1Z", "2015-01-23"),
        formatted("", "M/d/yyyy h:mm:ss tt", "yyyy-MM-dd", TODAY, "2021-08-25"),
        formatted("", "yyyy-MM-ddzzz", "o", "2020-12-31-08:00", "2020-12-31T08:00:00.0000000+00:00"),
        formatted("", "yyyyMMddHHmmss.fZ", "o", "20150123105347.1Z", "2015-01-23T10:53:47.1000000Z"),
        formatted("", "yyyy-MM-dd", "o", "2020-12-31", "2020-12-31T00:00:00.0000000"),
        formatted("", "s", "dddd, d MMMM yyyy h:mm tt", "2021-08-25T17:41:18", "Wednesday, 25 August 2021 5:41 PM"),
        formatted("", "ddd d MMM yy", "M/d/yy", "SUN 6 Jun 49", "6/6/49"),
        formatted("", "d.M.yy", "yyyy", "1.1.49", "2049"),
        formatted("", "d.M.yy", "yyyy", "1.1.50", "1950"),
        formatted("", "yyyyMMdd", "'day' %d", 20210606, "day 6"),
        formatted("", "yyyy-MM-ddTHH:mm:ss.FFFFFFFK", "ss.FFF", "2021-08-25T17:41:18Z", "18"),
        formatted("", "yyyy-MM-ddTHH:mm:ss.FFFFFFFK", "ss.FFF", "2021-08-25T17:41:18.1200001Z", "18.12"),
        formatted("", "yyyy", "gg y zz", "  2021 ", "A.D. 21 +00"),
        formatted('"AllowWhiteSpaces"', "d . M . yyyy", "d", " 7.  2 . 2021 ", "02/07/2021"),
        formatted('"AssumeUniversal, AdjustToUniversal"', "yyyy", "%K", "2021", "Z"),
        formatted('"DateTimeStyles.AssumeUniversal"', "yyyy", "%K", "2021", "+00:00"),
        formatted('"NoCurrentDateDefault"', "HH:mm", "s", "17:41", "0001-01-01T17:41:00"),
        Vector('FormatDateTime([x], , "yyyy", "MM")', {}, None),
        Vector('FormatDateTime([x], , "yyyy", "MM")', {"x": ""}, None),
        Vector("FormatDateTime([x], , [in], [out])", {"x": "2021", "in": "yyyy", "out": "%M"}, "1"),
        misfit('"None"', "yyyy", " 2021", "it does not fit the input format at yyyy"),
        misfit("", "yyyy-MM-dd", "2021-6-1", "it does not fit the input format at MM"),
        misfit("", "yyyy-MM-dd", "2021/06/01", "it does not fit the input format at a fixed text"),
        misfit("", "yyyy", "20211", "there is more than the format has room for"),
        misfit("", "yyyy-MM-dd", "2021-02-29", "it is no day of the calendar"),
        misfit("", "ddd yyyy-MM-dd", "Mon 2021-08-25", "its day of the week is not that of its date"),
        misfit("", "yyyy HH tt", "2021 15 AM", "its hour is not of that half of the day"),
        Vector(
            'FormatDateTime([x], , [in], "s")',
            {"x": "1", "in": "MM"},
            error=MISFIT + ("the input format has no year, so the date would depend on when it is read"),
        ),
        Vector(
            'FormatDateTime([x], , "yyyy", [out])',
            {"x": "2021", "out": "q"},
            error=(
                "FormatDateTime: [out] can't be used: no standard format is this one letter, those are"
                " d D f F g G M m O o R r s t T u U Y y; any other needs a % before it"
            ),
        ),
        unusable("", "yyyy", "yyyy'", f"{UNUSABLE}a quoted text in the format is never closed (line 1, column 31"),
        unusable("", "MM-dd", "yyyy", "has no year, so the date would depend on when it is read (line 1, column 23"),
        unusable('"AssumeLocal"', "yyyy", "yyyy", f"{UNUSABLE}the styles are names between commas, known are None, "),
        unusable('"RoundtripKind,AssumeUniversal"', "yyyy", "yyyy", "RoundtripKind goes neither with"),
        unusable("", "", "yyyy", f"{UNUSABLE}the format is empty"),
        unusable("", "yyyy ffffffff", "yyyy", f"{UNUSABLE}a fraction of a second has at most 7 digits"),
        unusable("", "yyyy%", "yyyy", f"{UNUSABLE}a % in a format stands before one single letter only"),
    ],
    "Now": [
        Vector("Now()", {}, "1/1/2026 12:00:00 AM"),
        Vector('DateAdd("d", 7, Now())', {}, "1/8/2026 12:00:00 AM"),
        Vector('DateDiff("h", Now(), [x])', {"x": "2025-12-31"}, -24),
        Vector('FormatDateTime(Now(), , "M/d/yyyy h:mm:ss tt", "yyyy-MM-dd")', {}, "2026-01-01"),
        Vector("CDate(Now())", {}, "1/1/2026 12:00:00 AM"),
        Vector("DateFromNum(NumFromDate(Now()))", {}, "1/1/2026 12:00:00 AM"),
        Vector("Now([x])", refused="Now can't have one argument"),
    ],
}
