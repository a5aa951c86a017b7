"""Regular expressions: what RE2 is asked, and what a pattern may cost."""

from __future__ import annotations

import tracemalloc
from collections.abc import Mapping

import pytest

from usher.core.expressions.compile import compile_expression
from usher.core.expressions.dialect import PatternError, translate
from usher.core.expressions.errors import EvaluationError
from usher.core.expressions.patterns import compile_pattern
from usher.core.model.resources import Value
from usher.testing.clock import fake_surroundings


@pytest.mark.parametrize(
    ("pattern", "text", "whole"),
    [
        (r".*@domain\.com", "ada@domain.com", True),
        (r".*@domain\.com", "ada@domain.com.evil.example", False),
        ("(1[0-9]{6})", "1234567", True),
        ("(1[0-9]{6})", "x1234567", False),
        ("a|ab", "ab", True),
        (r"\w+", "José", True),
        ("", "", True),
        ("x*", "é", False),
    ],
)
def test_a_text_fits_a_pattern_as_a_whole_or_not(pattern: str, text: str, whole: bool) -> None:
    assert compile_pattern(pattern).fits(text) is whole


@pytest.mark.parametrize(
    ("pattern", "translated"),
    [
        ("plain.*[a-z]+(x|y){2}$", "plain.*[a-z]+(x|y){2}$"),
        (r"\\d\.\[", r"\\d\.\["),
        (r"(?<n>\d)(?'m'x)(?:y)", r"(?P<n>[\p{Nd}])(?P<m>x)(?:y)"),
        (r"[^\d\]]\d", r"[^\p{Nd}\]][\p{Nd}]"),
        (r"[]\d]", r"[]\p{Nd}]"),
        (r"[^]\b]", r"[^]\x{8}]"),
        (r"[(?=x)]", r"[(?=x)]"),
        (r"[[:alpha:]]", r"[\[:alpha:]]"),
        (r"\u00e9\e[\e]", r"\x{00e9}\x{1b}[\x{1b}]"),
        (r"(?im-s:x)", r"(?im-s:x)"),
    ],
)
def test_a_pattern_of_net_means_the_same_in_re2(pattern: str, translated: str) -> None:
    assert translate(pattern) == translated
    compile_pattern(pattern)


@pytest.mark.parametrize("pattern", ["s3cret(", "s3cret[", r"s3cret\y", "(?<s3cret", "s3cret{2000}", r"(?=s3cret)"])
def test_what_is_said_of_a_pattern_has_nothing_of_it(pattern: str) -> None:
    with pytest.raises(PatternError) as raised:
        compile_pattern(pattern)

    assert "s3cret" not in str(raised.value)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [("a(.*z)?", "a" * 60_000), ("(a|b)*a(a|b){200}c|a", "ab" * 30_000), (r"\w{60}", "é" * 9_000)],
)
def test_the_work_of_a_pattern_has_a_limit_that_no_clock_sets(pattern: str, text: str) -> None:
    with pytest.raises(PatternError, match="is too long for this pattern"):
        list(compile_pattern(pattern).rewrite(text, ("",)))


@pytest.mark.parametrize(
    ("expression", "attributes"),
    [
        ("Join([x], [y], [y])", {"x": "x" * 100_000, "y": ("y",) * 20_000}),
        ("Append(" * 31 + "Append([x], [x])" + ", [x])" * 31, {"x": "x" * 60_000}),
        ('Replace([x], "x", , , [x])', {"x": "x" * 60_000}),
        ('Replace([y], "y", , , , , [x])', {"x": "y" * 60_000, "y": "xy" * 10_000}),
        ('Replace([x], , "x", , [x])', {"x": "x" * 2_000}),
        ("ConvertToUTF8Hex([x])", {"x": "x" * 3_000_000}),
        ("ConvertToBase64([x])", {"x": "x" * 3_000_000}),
        ('Split([x], ",")', {"x": "," * 3_000_000}),
    ],
)
def test_nothing_huge_is_built_to_find_that_it_is_huge(expression: str, attributes: Mapping[str, Value]) -> None:
    compiled = compile_expression(expression, fake_surroundings())
    tracemalloc.start()
    try:
        with pytest.raises(EvaluationError, match="the result is longer than 64 KiB"):
            compiled.evaluate(attributes)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 2_000_000
