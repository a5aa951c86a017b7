"""When a connector is quarantined: the reference's thresholds with its own examples, the slower pace, and the end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from usher.core.model.standing import Quarantine
from usher.core.sync.quarantine import (
    BASE,
    EXCEPTION,
    PROPORTION,
    TOTAL,
    Attempt,
    Failures,
    find_threshold,
    is_stopped,
    judge_quarantine,
    next_wait,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTES = timedelta(minutes=1)
MANY = Failures(45_000)
SINCE = Quarantine(PROPORTION, NOW - timedelta(days=3), 4, "spec")


@pytest.mark.parametrize(
    ("accounts", "well", "references", "expected"),
    [
        (4_000, 0, 0, ""),
        (45_000, 1_000_000, 0, BASE),
        (30_000, 5_000, 0, PROPORTION),
        (20_000, 100_000, 0, ""),
        (40_000, 1_000_000, 21_000, TOTAL),
        (4_999, 0, 0, ""),
        (5_000, 0, 0, PROPORTION),
        (40_000, 60_000, 0, ""),
        (40_001, 60_001, 0, BASE),
        (6_000, 9_000, 0, ""),
        (6_001, 9_000, 0, PROPORTION),
        (0, 0, 60_000, ""),
        (0, 0, 60_001, TOTAL),
        (2_000, 100_000, 50_000, ""),
    ],
)
def test_so_many_failures_are_too_many(accounts: int, well: int, references: int, expected: str) -> None:
    assert find_threshold(Failures(accounts, references, well)) == expected


@pytest.mark.parametrize("reason", ["CredentialsRejected", "ServiceIncompatible"])
def test_an_error_of_the_whole_job_quarantines_at_once(reason: str) -> None:
    assert judge_quarantine(None, Attempt(reason), "spec", NOW) == Quarantine(EXCEPTION, NOW, 1, "spec")


@pytest.mark.parametrize("reason", ["TargetUnreachable", "SourceUnreachable", "TooManyRequests", "MappingInvalid"])
def test_what_passes_by_itself_or_is_our_own_neither_quarantines_nor_lifts(reason: str) -> None:
    assert judge_quarantine(None, Attempt(reason), "spec", NOW) is None
    held = judge_quarantine(SINCE, Attempt(reason), "spec", NOW)
    assert held is not None
    assert (held.reason, held.since, held.count) == (PROPORTION, SINCE.since, 5)


def test_any_retry_that_succeeds_lifts_it_whatever_else_fails() -> None:
    assert judge_quarantine(SINCE, Attempt(failures=MANY, recovered=1), "spec", NOW) is None
    assert judge_quarantine(SINCE, Attempt(failures=MANY), "spec", NOW) == Quarantine(BASE, SINCE.since, 5, "spec")


def test_a_cycle_that_runs_to_its_end_lifts_what_an_error_of_the_job_began() -> None:
    assert judge_quarantine(Quarantine(EXCEPTION, NOW, 9, "spec"), Attempt(), "spec", NOW) is None


def test_a_changed_spec_is_judged_for_itself() -> None:
    assert judge_quarantine(SINCE, Attempt(), "new spec", NOW) is None
    anew = judge_quarantine(SINCE, Attempt("CredentialsRejected"), "new spec", NOW)
    assert anew == Quarantine(EXCEPTION, NOW, 1, "new spec")


def test_cycles_become_rare_step_by_step_down_to_one_a_day() -> None:
    waits = [next_wait(Quarantine(BASE, NOW, count), 5 * MINUTES) // MINUTES for count in range(1, 13)]
    assert waits == [5, 10, 20, 40, 80, 160, 320, 640, 1280, 1440, 1440, 1440]
    assert next_wait(Quarantine(BASE, NOW, 10_000), 5 * MINUTES) == timedelta(days=1)


def test_whoever_comes_less_than_once_a_day_is_not_asked_more_often() -> None:
    assert next_wait(Quarantine(BASE, NOW, 3), timedelta(days=2)) == timedelta(days=2)


def test_after_28_days_it_stops() -> None:
    assert not is_stopped(SINCE, SINCE.since + timedelta(days=28) - timedelta(microseconds=1))
    assert is_stopped(SINCE, SINCE.since + timedelta(days=28))
