from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from bench.broken import Broken
from bench.figures import GOALS, NAMES, Figure, Goal, percentile, ratios, save, table


@pytest.mark.parametrize(
    ("values", "value"), [([3.0, 1.0, 2.0], 2), ([1.0, 2.0, 4.0, 100.0], 3), ([1.23456], 1.235), ([0.0], 0)]
)
def test_a_figure_is_the_median_of_its_runs_to_four_digits(values: Sequence[float], value: float) -> None:
    assert Figure("vs_connid", values).value == value


def test_a_ratio_compares_each_run_with_the_one_beside_it() -> None:
    ours, theirs = [1.0, 2.0, 8.0], [2.0, 4.0, 16.0]

    assert ratios(ours, theirs) == [2.0, 2.0, 2.0]


@pytest.mark.parametrize(
    ("values", "value"), [([5.0], 5), ([float(n) for n in range(500, 0, -1)], 495), ([1.0, 9.0, 2.0], 9)]
)
def test_of_a_hundred_values_at_most_one_is_above_the_99th_percentile(values: Sequence[float], value: float) -> None:
    assert percentile(values, 99) == value


def test_runs_without_a_partner_give_no_ratio() -> None:
    with pytest.raises(ValueError, match="shorter"):
        ratios([1.0, 2.0], [1.0])


@pytest.mark.parametrize("values", [[], [float("nan")], [1.0, float("inf")]])
def test_no_run_and_no_number_are_no_figure(values: Sequence[float]) -> None:
    with pytest.raises(Broken, match="vs_connid"):
        Figure("vs_connid", values)


def test_a_ratio_has_to_reach_its_goal_and_a_cost_must_not_exceed_it() -> None:
    assert Goal("vs_bare_loop", 0.3).met_by(0.3)
    assert not Goal("vs_bare_loop", 0.3).met_by(0.29)
    assert Goal("rss_mb_100k", 80).met_by(80)
    assert not Goal("rss_mb_100k", 80).met_by(80.1)
    assert not Goal("mapping_vs_python", 2.5).met_by(2.6)


def test_the_table_shows_value_goal_verdict_and_spread_in_the_order_of_the_goals() -> None:
    slow = Figure("vs_connid", [2.0, 3.0, 5.0])
    small = Figure("vs_bare_loop", [0.4])

    _, first, second = table({"vs_connid": slow, "vs_bare_loop": small})

    assert first.split() == ["vs_bare_loop", "0.4", ">=", "0.3", "met", "0.4..0.4", "1"]
    assert second.split() == ["vs_connid", "3", ">=", "4", "MISSED", "2..5", "3"]


def test_the_file_is_one_flat_object_of_names_and_numbers(tmp_path: Path) -> None:
    path = tmp_path / "build" / "bench.json"

    save([Figure("vs_connid", [4.0, 5.0, 6.0]), Figure("writes_second_cycle", [0.0])], path)

    assert json.loads(path.read_text(encoding="utf-8")) == {"vs_connid": 5.0, "writes_second_cycle": 0.0}
    assert [found.name for found in path.parent.iterdir()] == ["bench.json"]


def test_every_goal_has_a_name_of_its_own() -> None:
    assert len(set(NAMES)) == len(GOALS)
