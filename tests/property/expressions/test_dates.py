"""What holds for all dates, numbers and wishes."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from string import ascii_lowercase, ascii_uppercase, digits

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from fuzz.claims import is_read_or_refused
from fuzz.strategies import FORMATS, LAST, MOMENTS, STYLES
from usher.core.expressions.compile import compile_expression
from usher.core.expressions.dateformats import read_format
from usher.core.expressions.datereading import read_date
from usher.core.expressions.datestyles import Style, read_styles
from usher.core.expressions.errors import EvaluationError, ExpressionError
from usher.core.expressions.functions import FUNCTIONS, chance, dates, numbers
from usher.core.expressions.functions.chance import SPECIAL
from usher.core.expressions.moments import (
    FILETIME_ZERO,
    TICKS_PER_DAY,
    TICKS_PER_SECOND,
    Interval,
    Moment,
    MomentError,
    Zone,
    add,
    count_boundaries,
    read_moment,
    write_moment,
)
from usher.core.expressions.signatures import Surroundings
from usher.core.expressions.syntax import render
from usher.core.model.resources import Value
from usher.testing.clock import EPOCH, fake_surroundings

SECONDS = st.integers(0, LAST // TICKS_PER_SECOND).map(lambda seconds: Moment(seconds * TICKS_PER_SECOND))
INTERVALS = st.sampled_from(list(Interval))
NAMES = "abcdef"
SCALARS = st.one_of(
    st.sampled_from(["", "True", "7", "-1.5", "d", "ww", "yyyy", "yyyy-MM-dd", "%K", "None", "2021-06-30+08:00", "o"]),
    st.text(max_size=8),
    st.datetimes().map(lambda moment: moment.isoformat()),
    MOMENTS.map(write_moment),
    st.booleans(),
    st.integers(-300, 300),
    st.integers(),
    st.floats(),
)
VALUES: st.SearchStrategy[Value] = SCALARS | st.lists(SCALARS, max_size=2).map(tuple)
LOSSLESS = [
    "o",
    "yyyy-MM-ddTHH:mm:ss.FFFFFFFK",
    "fffffff ss mm h tt d MMMM yyyyy",
    "dddd, dd/MMM/yyyy H:m:s.fffffff zzz",
]


@given(INTERVALS, MOMENTS, MOMENTS)
def test_the_difference_of_two_dates_turns_with_them(interval: Interval, first: Moment, second: Moment) -> None:
    there, back = count_boundaries(interval, first, second), count_boundaries(interval, second, first)

    assert there == -back
    assert there >= 0 if first.ticks <= second.ticks else there <= 0


@given(INTERVALS, MOMENTS, MOMENTS, MOMENTS)
def test_differences_add_up(interval: Interval, first: Moment, second: Moment, third: Moment) -> None:
    parts = count_boundaries(interval, first, second) + count_boundaries(interval, second, third)

    assert count_boundaries(interval, first, third) == parts


@given(INTERVALS, MOMENTS, st.integers(-(10**6), 10**6))
def test_a_date_is_as_far_away_as_was_added(interval: Interval, start: Moment, count: int) -> None:
    try:
        end = add(start, interval, count)
    except MomentError:
        assume(False)

    assert count_boundaries(interval, start, end) == count


@given(SECONDS)
def test_a_date_that_was_written_is_read_again(moment: Moment) -> None:
    assert read_moment(write_moment(moment)) == moment
    text = read_format("yyyy-MM-ddTHH:mm:ssZ").write(moment)
    assert read_moment(text) == moment


@given(st.sampled_from(LOSSLESS), MOMENTS, st.sampled_from(list(Zone)))
def test_a_format_that_loses_nothing_reads_what_it_wrote(pattern: str, moment: Moment, zone: Zone) -> None:
    written = read_format(pattern).write(Moment(moment.ticks, zone))

    assert read_date(read_format(pattern), written, read_styles("")).ticks == moment.ticks


@given(FORMATS, FORMATS | st.text(max_size=30), STYLES, MOMENTS)
def test_any_format_is_refused_or_writes_and_any_text_is_refused_or_read(
    pattern: str, text: str, styles: frozenset[Style], moment: Moment
) -> None:
    is_read_or_refused(pattern, text, styles, moment)


@given(st.integers(0, (LAST - FILETIME_ZERO) // TICKS_PER_SECOND))
def test_a_number_of_a_directory_comes_back_from_its_date(seconds: int) -> None:
    number = seconds * TICKS_PER_SECOND
    compiled = compile_expression("NumFromDate(DateFromNum([x]))", fake_surroundings())

    assert compiled.evaluate({"x": number}) == number
    assert compiled.evaluate({"x": str(number)}) == number


@given(st.text() | st.from_regex(r"[0-9]{1,4}[-/][0-9]{1,2}[-/][0-9]{1,4}[ T0-9:.,+Z-]*"))
def test_any_text_is_a_date_or_none(text: str) -> None:
    try:
        assert 0 <= read_moment(text).ticks <= LAST
    except MomentError:
        return


@given(
    st.lists(st.integers(0, 40), min_size=4, max_size=4),
    st.integers(0, 96),
    st.text(digits + SPECIAL + ascii_lowercase + ascii_uppercase, max_size=60),
    st.integers(),
)
def test_a_random_string_keeps_all_its_promises(minimums: list[int], more: int, avoided: str, seed: int) -> None:
    length = max(1, sum(minimums) + more)
    groups = [digits, SPECIAL, ascii_uppercase, ascii_lowercase]
    left = [set(group) - set(avoided) for group in groups]
    assume(all(rest or not minimum for rest, minimum in zip(left, minimums, strict=True)))
    assume(left[0] | left[2] | left[3])
    surroundings = Surroundings(lambda: EPOCH, Random(seed))
    attributes: dict[str, Value] = dict(zip(NAMES, [length, *minimums, avoided], strict=True))
    compiled = compile_expression("RandomString([a], [b], [c], [d], [e], [f])", surroundings)

    made = compiled.evaluate(attributes)

    assert isinstance(made, str)
    assert len(made) == length
    assert not set(made) & set(avoided)
    counts = [sum(character in group for character in made) for group in groups]
    assert sum(counts) == length
    assert all(count >= minimum for count, minimum in zip(counts, minimums, strict=True))
    assert minimums[1] or not counts[1]


def test_every_place_of_a_random_string_holds_every_kind_in_turn() -> None:
    surroundings = Surroundings(lambda: EPOCH, Random(7))
    compiled = compile_expression("RandomString(4, 1, 1, 1, 1)", surroundings)

    made = [str(compiled.evaluate({})) for _ in range(300)]

    for group in (digits, SPECIAL, ascii_uppercase, ascii_lowercase):
        assert {place for text in made for place in range(4) if text[place] in group} == {0, 1, 2, 3}
        assert len({character for text in made for character in text if character in group}) > len(group) // 2


@given(st.integers())
def test_a_guid_says_that_it_is_a_random_one(seed: int) -> None:
    made = compile_expression("Guid()", Surroundings(lambda: EPOCH, Random(seed))).evaluate({})

    assert isinstance(made, str)
    assert [len(part) for part in made.split("-")] == [8, 4, 4, 4, 12]
    assert (made[14], made[19] in "89ab", made.lower()) == ("4", True, made)


OWN = sorted(function.name for theme in (chance, dates, numbers) for function in theme.FUNCTIONS)


@pytest.mark.parametrize("name", OWN)
@given(data=st.data(), attributes=st.dictionaries(st.sampled_from(NAMES), VALUES))
def test_whatever_the_arguments_are_there_is_a_value_or_that_error(
    name: str, data: st.DataObject, attributes: Mapping[str, Value]
) -> None:
    count = len(FUNCTIONS[name].parameters)
    arguments = [f"[{letter}]" for letter in NAMES[:count]]
    for place in range(count):
        if data.draw(st.booleans()):
            arguments[place] = data.draw(st.sampled_from(['"d"', '"yyyy"', '"o"', '""', "0", "-1", "2.5", "Now()"]))
    try:
        compiled = compile_expression(f"{name}({', '.join(arguments)})", fake_surroundings())
    except ExpressionError as error:
        assert error.position.line == 1
        return
    try:
        value = compiled.evaluate(attributes)
    except EvaluationError as error:
        assert error.reason == "ExpressionFailed"
        return
    assert value is None or isinstance(value, str | int)
    if not compiled.volatile:
        assert compile_expression(render(compiled.root), fake_surroundings()).evaluate(attributes) == value


def test_a_day_has_as_many_ticks_as_dotnet_says() -> None:
    assert TICKS_PER_DAY == 864_000_000_000
    assert FILETIME_ZERO == 504_911_232_000_000_000
