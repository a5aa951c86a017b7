"""The page on expressions has the functions of the code, and its examples are true."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from usher.cli.function_table import BEGIN, END, fill
from usher.core.expressions.compile import compile_expression
from usher.core.expressions.functions import FUNCTIONS, THEMES
from usher.core.expressions.signatures import Kind
from usher.core.model.resources import Value
from usher.testing.clock import fake_surroundings

PAGE = (Path(__file__).parents[3] / "docs" / "expressions.md").read_text(encoding="utf-8")
ROWS = {
    cells[0].strip("`").partition("(")[0]: cells
    for line in PAGE.splitlines()
    if line.startswith("| `") and len(cells := re.split(r"(?<!\\) *\| *", line)[1:-1]) == 4
}
"""The four cells of each function on the page."""
EXAMPLE = re.compile(r"`(?P<expression>.+?\))` (?:may give|gives) `(?P<value>[^`]*)`(?:<br>where (?P<given>.+))?")
GIVEN = re.compile(r"(?:^|, )(?P<name>\w+) is `(?P<value>[^`]*)`")


def read(text: str) -> Value | None:
    """A value as the page writes it."""
    value: Value | list[str] | None = json.loads(text)
    return tuple(value) if isinstance(value, list) else value


def test_the_committed_page_is_that_of_the_code() -> None:
    assert fill(PAGE) == PAGE, "run `make generate`"


def test_every_function_has_its_row() -> None:
    assert list(ROWS) == [function.name for theme in THEMES.values() for function in theme]
    assert sorted(ROWS) == sorted(FUNCTIONS)
    assert len(FUNCTIONS) == 45


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_example_on_the_page_gives_what_the_page_says(name: str) -> None:
    example = EXAMPLE.fullmatch(ROWS[name][2])
    assert example is not None, ROWS[name][2]
    attributes = {given["name"]: read(given["value"]) for given in GIVEN.finditer(example["given"] or "")}
    compiled = compile_expression(example["expression"].replace(r"\|", "|"), fake_surroundings("example.com"))

    assert compiled.attributes >= set(attributes)
    found = compiled.evaluate({key: value for key, value in attributes.items() if value is not None})
    assert (type(found), found) == (type(read(example["value"])), read(example["value"]))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_nothing_of_what_a_function_means_is_lost(name: str) -> None:
    function, (signature, meaning, _, differs) = FUNCTIONS[name], ROWS[name]

    assert signature == f"`{function.signature}`"
    words = re.sub(r"<br>|\\", " ", meaning).split()
    assert words[: len(function.meaning.split())] == function.meaning.replace("\\", " ").split()
    assert re.sub(r"\\(.)", r"\1", differs) == function.differs
    assert ("OnCreate" in meaning) == (function.kind is Kind.VOLATILE)


def test_a_page_whose_tables_are_old_is_noticed() -> None:
    stale = PAGE.replace("| `Left(String, NumChars)`", "| `Left(String)`")

    assert stale != PAGE
    assert fill(stale) == PAGE


@pytest.mark.parametrize("page", ["", BEGIN, f"{END}{BEGIN}", f"{BEGIN}{BEGIN}{END}", f"{BEGIN}{END}{END}"])
def test_a_page_without_its_marks_is_refused(page: str) -> None:
    with pytest.raises(ValueError, match="mark"):
        fill(page)


def test_what_may_be_left_empty_has_a_question_mark() -> None:
    assert FUNCTIONS["ToLower"].signature == "ToLower(source, culture?)"
    assert FUNCTIONS["Switch"].signature == "Switch(source, defaultValue?, key1, value1, key2, value2, ...)"
    assert FUNCTIONS["Coalesce"].signature == "Coalesce(source1?, source2?, ...)"
