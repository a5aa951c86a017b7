"""What fuzzing claims can fail: each claim notices code that is wrong."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fuzz import claims, run, unguided
from fuzz.claims import (
    gives_value_or_error,
    is_expression_or_error,
    is_imported_or_refused,
    is_pattern_or_error,
    is_read_or_refused,
)
from usher.core.expressions.errors import ExpressionError, Position
from usher.core.expressions.functions import FUNCTIONS
from usher.core.expressions.grammar import parse
from usher.core.expressions.moments import Moment


def raising(error: Exception) -> Callable[..., Any]:
    def fail(*_: object) -> Any:
        raise error

    return fail


@pytest.mark.parametrize("position", [Position(2, 1), Position(1, 5), Position(0, 1), Position(1, 0)])
def test_a_position_outside_of_the_text_is_noticed(position: Position, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims, "compile_expression", raising(ExpressionError("no", position)))

    with pytest.raises(AssertionError):
        is_expression_or_error("abc")


def test_the_end_of_the_text_is_inside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims, "compile_expression", raising(ExpressionError("no", Position(1, 4))))

    assert is_expression_or_error("abc") is None


def test_a_tree_that_is_written_as_another_one_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims, "parse", lambda _: parse("Guid()"))

    with pytest.raises(AssertionError):
        is_expression_or_error("Not([a])")


@pytest.mark.parametrize(
    ("broken", "claim", "values"),
    [
        ("compile_expression", is_expression_or_error, ("x",)),
        ("is_too_long", gives_value_or_error, ("Not([a])", {"a": True})),
        ("read_format", is_read_or_refused, ("yyyy", "2020", frozenset(), Moment(0))),
        ("read_date", is_read_or_refused, ("yyyy", "2020", frozenset(), Moment(0))),
        ("compile_pattern", is_pattern_or_error, ("a", "b")),
        ("import_schema", is_imported_or_refused, (b"{}",)),
    ],
)
def test_another_error_than_the_one_that_is_meant_breaks_out(
    broken: str, claim: Callable[..., object], values: tuple[object, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    claim(*values)
    monkeypatch.setattr(claims, broken, raising(IndexError("planted")))

    with pytest.raises(IndexError, match="planted"):
        claim(*values)


def test_a_result_that_is_too_long_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims, "is_too_long", lambda _: True)

    with pytest.raises(AssertionError):
        gives_value_or_error("Not([a])", {"a": True})


@pytest.mark.parametrize("name", unguided.CLAIMS)
def test_chance_looks_for_a_while_and_finds_nothing(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unguided, "AT_ONCE", 10)

    assert unguided.look(name, 0.01) >= 1


def test_chance_tells_what_it_found(monkeypatch: pytest.MonkeyPatch) -> None:
    claim, strategies = raising(ValueError("planted")), unguided.CLAIMS["patterns"][1]
    monkeypatch.setattr(unguided, "CLAIMS", {"patterns": (claim, strategies)})

    with pytest.raises(ValueError, match="planted"):
        unguided.look("patterns", 5)


def test_atheris_begins_with_the_vectors_and_knows_the_words() -> None:
    seeds = list(run.seeds("parser"))

    assert len(seeds) > 6 * len(FUNCTIONS)
    assert {f"{name}(" for name in FUNCTIONS} <= set(run.words("parser"))
    assert '"objectMappings"' in set(run.words("importer"))
    assert all(seed.startswith(b"{") for seed in run.seeds("importer"))


def test_a_dictionary_has_its_words_in_bytes() -> None:
    assert run.dictionary(['a"', "ä"]) == '"\\x61\\x22"\n"\\xC3\\xA4"\n'


def test_seeds_and_dictionary_lie_where_atheris_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "BUILD", tmp_path)

    corpus, begun, *flags = run.command("parser", 7)[4:]

    assert Path(corpus).is_dir()
    assert len(list(Path(begun).iterdir())) == len(list(run.seeds("parser")))
    assert f"-dict={tmp_path / 'parser.dict'}" in flags
    assert "-max_total_time=7" in flags


def test_whatever_is_found_ends_with_1(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    ended = {"patterns": 1, "formats": 0}

    def end(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(command, ended[command[3]], "1,000 examples\n", "")

    monkeypatch.setattr("fuzz.run.subprocess.run", end)

    assert run.main(["--only", "formats"]) == 0
    assert run.main(["--only", "formats", "--only", "patterns"]) == 1
    assert "broken: patterns" in capsys.readouterr().out
