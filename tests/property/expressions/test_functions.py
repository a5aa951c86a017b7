"""What holds for every function, whatever it is called with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle, product

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from fuzz.claims import is_pattern_or_error
from fuzz.strategies import EXPRESSIONS, INNER, NAMES, PEOPLE, REPLACES, call_of
from usher.core.expressions.casing import find_lower, find_upper
from usher.core.expressions.compile import Compiled, compile_expression
from usher.core.expressions.errors import EvaluationError, ExpressionError
from usher.core.expressions.functions import FUNCTIONS
from usher.core.expressions.signatures import Function
from usher.core.model.resources import Value
from usher.testing.clock import fake_surroundings

AWKWARD: tuple[Value | None, ...] = (
    None, "", "x", "7", "-1", "(", "n", "ß\ud800", True, 0, -1, 2.5, 10**5000, float("inf"), float("nan"), (), ("a", 1)
)  # fmt: skip


def plain_call(function: Function) -> str:
    """A call with attributes alone."""
    parameters = (*function.parameters, *function.repeated * function.least)
    slots = [
        parameter.words[0] if parameter.words else f"[{name}]" for parameter, name in zip(parameters, cycle(NAMES))
    ]
    return f"{function.name}({', '.join(slots)})"


def compile_if_possible(source: str) -> Compiled | None:
    try:
        return compile_expression(source, fake_surroundings())
    except ExpressionError as error:
        assert len(str(error)) < 1_000
        return None


def show(value: Value | None) -> str:
    """Tells values of all types apart, and writes integers that Python refuses to write."""
    if isinstance(value, tuple):
        return f"({','.join(map(show, value))})"
    return hex(value) if type(value) is int else repr(value)


def outcome(compiled: Compiled, attributes: Mapping[str, Value]) -> tuple[str, str]:
    try:
        return "value", show(compiled.evaluate(attributes))
    except EvaluationError as error:
        assert len(str(error)) < 500
        return "failed", error.function


@pytest.mark.parametrize("name", FUNCTIONS)
@settings(max_examples=40)
@given(data=st.data(), attributes=PEOPLE)
def test_a_function_gives_a_value_or_a_typed_error(
    name: str, data: st.DataObject, attributes: Mapping[str, Value]
) -> None:
    compiled = compile_if_possible(data.draw(call_of(FUNCTIONS[name], INNER)))

    assert compiled is None or outcome(compiled, attributes)


@pytest.mark.parametrize("source", [*map(plain_call, FUNCTIONS.values()), *REPLACES])
def test_no_three_awkward_values_break_a_function(source: str) -> None:
    compiled = compile_if_possible(source)
    if compiled is None:
        return
    for combination in product(AWKWARD, repeat=len(compiled.attributes)):
        pairs = zip(sorted(compiled.attributes), combination, strict=True)
        assert outcome(compiled, {name: value for name, value in pairs if value is not None})


@settings(max_examples=200)
@given(st.sampled_from(REPLACES), PEOPLE)
def test_replace_gives_a_text_or_a_typed_error(source: str, attributes: Mapping[str, Value]) -> None:
    compiled = compile_expression(source, fake_surroundings())

    kind, said = outcome(compiled, attributes)

    assert (kind, said) == ("failed", "Replace") or said == "None" or said[0] in "'\""


@settings(max_examples=200)
@given(data=st.data(), attributes=PEOPLE)
def test_the_same_person_gets_the_same_and_nothing_else_matters(
    data: st.DataObject, attributes: Mapping[str, Value]
) -> None:
    name = data.draw(st.sampled_from(sorted(FUNCTIONS)))
    compiled = compile_if_possible(data.draw(call_of(FUNCTIONS[name], INNER)))
    if compiled is None or compiled.volatile:
        return
    before = {key: show(value) for key, value in attributes.items()}

    first = outcome(compiled, attributes)

    needed = {key: value for key, value in attributes.items() if key in compiled.attributes}
    assert outcome(compiled, {**needed, "z": "nobody asks for it"}) == first
    assert {key: show(value) for key, value in attributes.items()} == before
    anew = compile_expression(compiled.source, fake_surroundings())
    assert outcome(anew, attributes) == first


def evaluate(source: str, **attributes: Value) -> Value | None:
    return compile_expression(source, fake_surroundings()).evaluate(attributes)


PLAIN = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@given(st.lists(PLAIN.map(lambda text: text.strip(" ")).filter(bool), min_size=1, max_size=5), st.sampled_from(",;|ø"))
def test_splitting_what_was_joined_gives_the_parts(parts: Sequence[str], delimiter: str) -> None:
    assume(not any(delimiter in part for part in parts))

    joined = evaluate("Join([d], [parts])", d=delimiter, parts=tuple(parts))

    assert joined is not None
    assert evaluate("Split([joined], [d])", d=delimiter, joined=joined) == tuple(parts)


@given(PLAIN.filter(bool), st.sampled_from([",", ";", "::"]))
def test_joining_what_was_split_gives_the_text_without_its_empty_parts(text: str, delimiter: str) -> None:
    parts = [part.strip(" ") for part in text.split(delimiter)]

    joined = evaluate("Join([d], Split([text], [d]))", d=delimiter, text=text)

    assert (joined or "") == delimiter.join(part for part in parts if part)


@given(st.text(), st.sampled_from(["", "en", "tr-TR", "az"]))
@example("ſıİßŉᾳǆǅ", "")
def test_a_case_that_was_changed_changes_no_more(text: str, culture: str) -> None:
    for find in (find_lower, find_upper):
        change = find(culture)
        assert change is not None
        assert change(change(text)) == change(text)
        assert culture in {"tr-TR", "az"} or len(change(text)) == len(text)


@given(st.text(), st.sampled_from(["", " ", " '-", "x"]))
def test_a_title_stays_a_title(text: str, separators: str) -> None:
    once = evaluate("PCase([t], [s])", t=text, s=separators)

    assert isinstance(once, str)
    assert len(once) == len(text)
    assert evaluate("PCase([t], [s])", t=once, s=separators) == once


@given(st.text())
def test_letters_without_their_marks_have_none_to_lose(text: str) -> None:
    once = evaluate("NormalizeDiacritics([t])", t=text)

    assert isinstance(once, str)
    assert evaluate("NormalizeDiacritics([t])", t=once) == once


@given(PLAIN, st.integers(0, 15))
def test_left_and_what_mid_gives_of_the_rest_are_the_whole(text: str, count: int) -> None:
    source = "Append(Left([t], [n]), Mid([t], [m], [l]))"

    assert evaluate(source, t=text, n=count, m=count + 1, l=len(text)) == text
    assert evaluate("Left([t], [n])", t=text, n=count) == evaluate("Mid([t], 1, [n])", t=text, n=count)


@given(PLAIN, PLAIN)
def test_a_suffix_is_where_it_was_appended(text: str, suffix: str) -> None:
    appended = evaluate("Append([t], [s])", t=text, s=suffix)

    assert isinstance(appended, str)
    assert evaluate("Left([a], [n])", a=appended, n=len(text)) == text
    assert evaluate("Mid([a], [n], [l])", a=appended, n=len(text) + 1, l=len(suffix)) == suffix


@given(PLAIN, PLAIN)
def test_what_was_found_stands_at_its_place(text: str, part: str) -> None:
    place = evaluate("InStr([t], [p])", t=text, p=part)

    assert isinstance(place, int)
    if place:
        assert evaluate("Mid([t], [n], [l])", t=text, p=part, n=place, l=len(part)) == part
    else:
        assert not text or part not in text


@given(st.lists(PLAIN, max_size=6).map(tuple))
def test_duplicates_once_removed_are_gone(values: tuple[str, ...]) -> None:
    once = evaluate("RemoveDuplicates([v])", v=values)

    assert isinstance(once, tuple)
    assert set(once) == set(values)
    assert evaluate("Count(RemoveDuplicates([v]))", v=values) == len(set(values))


@given(PLAIN, PLAIN.filter(bool))
def test_replacing_a_text_is_replacing_the_pattern_that_is_that_text(text: str, part: str) -> None:
    pattern = "".join(rf"\u{ord(sign):04x}" for sign in part)
    assume(all(ord(sign) < 2**16 for sign in part))

    by_pattern = evaluate('Replace([t], , [p], , "<")', t=text, p=pattern)

    assert by_pattern == evaluate('Replace([t], [o], , , "<")', t=text, o=part)


@settings(max_examples=500)
@given(EXPRESSIONS, st.text(max_size=12))
def test_any_text_is_a_pattern_or_a_pattern_error(source: str, text: str) -> None:
    is_pattern_or_error(source, text)
