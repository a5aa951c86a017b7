"""Samples of `make simulate`: which ones goes by the commit, so that over time all of them are run."""

from __future__ import annotations

import os

import pytest

from machine.commit import ROOT, number_of_the_commit
from simulation.chance import play_seeds
from simulation.endurance import endure
from simulation.exhaustive import parts, play_cell, play_part
from simulation.mutation import MUTANTS, Mutant, hunt
from simulation.run import main
from simulation.trial import Cell
from simulation.unit_tests import first_failure

ONE_IN = 120
SEEDS = 25
MUTANTS_AT_ONCE = 2


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


@pytest.mark.skipif("USHER_EXHAUSTIVE" not in os.environ, reason="takes minutes each")
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.title)
def test_the_unit_tests_pass_with_those_planted_bugs_of_which_that_is_said(mutant: Mutant) -> None:
    assert (first_failure(mutant) == "") is mutant.passes_unit_tests


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
