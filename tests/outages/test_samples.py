"""Samples of `make outages`: which ones goes by the commit, so that over time all of them are run."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cluster.fixtures import Namespace
from machine.commit import number_of_the_commit
from outages.away import PEOPLE, SECONDS, Away, take_away
from outages.catalogue import Cell, every_cell
from outages.paused import Moment, pause
from outages.play import play, settled_world

pytestmark = [pytest.mark.apiserver, pytest.mark.usefixtures("crds")]

EXHAUSTIVE = bool(os.environ.get("USHER_EXHAUSTIVE"))
NUMBER = number_of_the_commit()
FEW = 60
A_MOMENT = 4.0
CELLS = list(every_cell())
SAMPLE = CELLS if EXHAUSTIVE else [CELLS[NUMBER % len(CELLS)], CELLS[(NUMBER + 47) % len(CELLS)]]
AWAYS = list(Away) if EXHAUSTIVE else [list(Away)[NUMBER // 3 % len(Away)]]
MOMENTS = list(Moment) if EXHAUSTIVE else [list(Moment)[NUMBER // 3 % len(Moment)]]


def in_turn(place: int) -> pytest.MarkDecorator:
    """Each is up to a minute of waiting: a commit has one of the three."""
    return pytest.mark.skipif(not EXHAUSTIVE and place != NUMBER % 3, reason="it is another one's turn at this commit")


@in_turn(0)
def test_a_spoilt_connection_breaks_no_promise(namespace: Namespace, tmp_path: Path) -> None:
    with settled_world(namespace, tmp_path) as (world, operator):
        played = [play(cell, world, operator) for cell in SAMPLE]
    assert [f'make outages ARGS="--cell {one.cell}": {one.violations}' for one in played if one.violations] == []


@in_turn(1)
@pytest.mark.parametrize("away", AWAYS)
def test_whoever_is_away_in_the_middle_of_the_initial_cycle_costs_nobody_anything(
    away: Away, namespace: Namespace, tmp_path: Path
) -> None:
    count, seconds = (PEOPLE, SECONDS) if EXHAUSTIVE else (FEW, A_MOMENT)
    outage = take_away(away, namespace, tmp_path, count, seconds)
    assert outage.violations == ()


@in_turn(2)
@pytest.mark.parametrize("moment", MOMENTS)
def test_an_operator_that_was_stopped_until_another_one_had_finished_writes_nothing(
    moment: Moment, namespace: Namespace, tmp_path: Path
) -> None:
    count, options = (PEOPLE, ()) if EXHAUSTIVE else (FEW, ("hasty",))
    stopped = pause(moment, namespace, tmp_path, count, *options)
    assert stopped.violations == ()


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_a_cell_is_called_by_its_words(cell: Cell) -> None:
    assert Cell.parse(str(cell)) == cell
