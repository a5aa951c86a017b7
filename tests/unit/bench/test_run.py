from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bench import run
from bench.broken import Broken
from bench.figures import NAMES, Figure
from bench.ground import Ground, Sizes, comparable, plain_people
from bench.processes import told
from bench.races import _race
from bench.sink import Counts


@pytest.fixture
def result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the bench of this test writes to."""
    monkeypatch.setattr(run, "ROOT", tmp_path)
    monkeypatch.setattr(run, "RESULT", tmp_path / "bench.json")
    return tmp_path / "bench.json"


def _works(ground: Ground) -> list[Figure]:
    return [Figure("vs_connid", [4.5]), Figure("vs_bare_loop", [0.1])]


def _breaks(ground: Ground) -> list[Figure]:
    raise Broken("the sink holds 4999 users, 5000 were expected")


def test_a_run_that_misses_goals_ends_well_and_is_written(
    result: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(run, "MEASUREMENTS", {_works: ("vs_connid", "vs_bare_loop")})

    assert run.main([]) == 0

    assert result.exists()
    assert "MISSED" in capsys.readouterr().out


def test_a_broken_run_ends_with_1_and_writes_nothing(
    result: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(run, "MEASUREMENTS", {_works: ("vs_connid",), _breaks: ("rss_mb_100k",)})

    assert run.main([]) == 1

    assert not result.exists()
    assert "4999" in capsys.readouterr().err


def test_a_rehearsal_writes_nothing(result: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "MEASUREMENTS", {_works: ("vs_connid",)})

    assert run.main(["--rehearse"]) == 0

    assert not result.exists()


def test_only_what_was_asked_for_is_measured(result: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "MEASUREMENTS", {_works: ("vs_connid", "vs_bare_loop"), _breaks: ("rss_mb_100k",)})

    assert run.main(["--only", "vs_connid"]) == 0

    assert result.read_text(encoding="utf-8").count(":") == 1


def test_every_figure_is_measured_by_somebody() -> None:
    assert sorted(name for names in run.MEASUREMENTS.values() for name in names) == sorted(NAMES)


def test_fewer_users_than_expected_are_a_broken_run() -> None:
    with pytest.raises(Broken, match="holds 4999 users, 5000 were expected"):
        Counts(5000, 4999, 0, 4999, {}).require(5000, "usher sync")


def test_a_refused_request_is_a_broken_run() -> None:
    with pytest.raises(Broken, match="refused 1"):
        Counts(5001, 5001, 1, 5000, {}).require(5000, "usher sync")


def test_counts_of_two_moments_give_what_came_between() -> None:
    before = Counts(10, 5, 0, 5, {"create": 5, "list": 5})
    after = Counts(13, 7, 1, 6, {"create": 6, "list": 6, "patch": 1})

    assert after.since(before) == Counts(3, 2, 1, 6, {"create": 1, "list": 1, "patch": 1})


@pytest.mark.parametrize("output", ["", "Traceback\nKeyError: 'x'\n", "[1]\n"])
def test_a_run_without_figures_in_its_last_line_is_broken(output: str) -> None:
    with pytest.raises(Broken, match="told no figures"):
        told(output)


def test_figures_are_in_the_last_line_after_whatever_was_printed() -> None:
    assert told('quickstart/people: Succeeded\n{"seconds": 1.5}\n') == {"seconds": 1.5}


def test_who_goes_first_takes_turns_and_the_first_run_of_the_other_is_not_counted() -> None:
    order: list[str] = []

    def runner(name: str, seconds: list[float]) -> Any:
        def one() -> dict[str, float]:
            order.append(name)
            return {"seconds": seconds.pop(0), "cpu": 0.01}

        return one

    with Ground(Sizes(people=10, pairs=2), lambda _: None) as ground:
        figure = _race(ground, "vs_connid", runner("us", [1.0, 2.0]), runner("them", [99.0, 3.0, 8.0]))

    assert order == ["them", "us", "them", "them", "us"]
    assert figure.values == [3.0, 4.0]
    assert [pace.row for pace in ground.paces] == [
        ("vs_connid, Usher", "7.5", "5..10", "1.00"),
        ("vs_connid, the other", "2.292", "1.25..3.333", "1.00"),
    ]


def test_accounts_compare_whatever_the_order_in_which_they_came() -> None:
    one = {"userName": "b", "schemas": ["x", "y"]}
    other = {"userName": "a", "schemas": ["x"]}

    assert comparable([one, other]) == comparable([other, {**one, "schemas": ["y", "x"]}])
    assert comparable([one]) != comparable([{**one, "title": "Boss"}])


def test_the_people_of_the_bench_are_as_many_as_asked_for_and_have_plain_names() -> None:
    found = plain_people(60)

    assert len({entry.dn for entry in found}) == 60
    assert all(entry.dn.startswith("uid=") for entry in found)
