"""Samples of `make simulate`: which ones goes by the commit, so that over time all of them are run."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

import pytest

from machine.commit import ROOT, number_of_the_commit
from simulation.chance import play_seeds
from simulation.endurance import endure
from simulation.exhaustive import parts, play_cell, play_part
from simulation.mutation import MUTANTS, Mutant, hunt
from simulation.run import main
from simulation.trial import Cell
from simulation.unit_tests import files, noticed_by

ONE_IN = 120
SEEDS = 25
MUTANTS_AT_ONCE = 2
SHARES = 24
"""Of the unit tests one in so many is run against a planted bug that these do not notice."""


NUMBER = number_of_the_commit()
NOTICED = [mutant for mutant in MUTANTS[1:] if not mutant.escapes]


@pytest.mark.parametrize("part", tuple(parts()), ids="-".join)
def test_one_fault_at_any_boundary_breaks_no_promise(part: tuple[str, str]) -> None:
    runs = play_part(part, (NUMBER % ONE_IN, ONE_IN))
    assert [f'make simulate ARGS="--cell {run.cell}": {run.violations[0]}' for run in runs if run.violations] == []


def test_random_sequences_of_faults_break_no_promise() -> None:
    first = NUMBER % 100_000
    played = play_seeds(range(first, first + SEEDS))
    assert sum(one.faults for one in played) > SEEDS
    assert [f"{one}: {one.violations[0]}" for one in played if one.violations] == []


def test_cycles_for_days_with_faults_break_no_promise() -> None:
    assert endure(NUMBER % 1000, years=1, cycles=200).violations == ()


def test_the_naive_engine_breaks_promises() -> None:
    assert "naive" in MUTANTS[0].title
    assert hunt(MUTANTS[0]) != ""


@pytest.mark.parametrize(
    "mutant",
    [NOTICED[(NUMBER + place) % len(NOTICED)] for place in range(MUTANTS_AT_ONCE)],
    ids=lambda mutant: mutant.title,
)
def test_a_planted_bug_is_noticed(mutant: Mutant) -> None:
    assert hunt(mutant) != ""


def _against_the_unit_tests() -> Iterator[tuple[Mutant, Sequence[str]]]:
    """One that a unit test notices, with that test; and one that none does, with some of them. Or all, with all."""
    alone = [mutant for mutant in MUTANTS if not mutant.unit_test]
    shared = [mutant for mutant in MUTANTS if mutant.unit_test]
    if os.environ.get("USHER_EXHAUSTIVE"):
        yield from ((mutant, files()) for mutant in alone)
        yield from ((mutant, [mutant.unit_test]) for mutant in shared)
        return
    yield alone[NUMBER % len(alone)], files()[NUMBER // len(alone) % SHARES :: SHARES]
    mutant = shared[NUMBER % len(shared)]
    yield mutant, [mutant.unit_test]


@pytest.mark.parametrize(
    ("mutant", "tests"), [pytest.param(*one, id=one[0].title) for one in _against_the_unit_tests()]
)
def test_the_list_says_of_a_planted_bug_whether_the_unit_tests_notice_it(mutant: Mutant, tests: Sequence[str]) -> None:
    assert bool(noticed_by(mutant, tests)) is bool(mutant.unit_test)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.title)
def test_the_text_of_a_planted_bug_is_there_once(mutant: Mutant) -> None:
    text = (ROOT / "operator" / "usher" / mutant.file).read_text(encoding="utf-8")
    assert text.count(mutant.old) == 1


@pytest.mark.parametrize(
    "text", ["create:timeout-after:B:7", "incremental:504-after:D:7+", "patch:kill-after-write:C:9"]
)
def test_a_run_is_the_same_every_time(text: str) -> None:
    cell = Cell.parse(text)
    assert str(cell) == text
    first, second = play_cell(cell), play_cell(cell)
    assert first == second
    assert first.struck


def test_a_run_can_be_played_again_by_its_words(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--cell", "rename:kill-after:A:6"]) == 0
    assert capsys.readouterr().out == "no violation\n"
