"""The conditions of identity sources and attribute mappings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from usher.api.conditions import Condition, Contact, Finding
from usher.api.end_conditions import SourceObservation, mapping_conditions, source_conditions

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LATER = NOW + timedelta(minutes=5)
FRESH = SourceObservation(generation=1)
READ = replace(FRESH, reading=Contact.ANSWERED)


def said(found: Sequence[Condition]) -> dict[str, str]:
    return {each.type: f"{each.status} {each.reason}" for each in found}


def after(*seen: SourceObservation) -> dict[str, str]:
    former: tuple[Condition, ...] = ()
    for observation in seen:
        former = source_conditions(observation, former, NOW)
    return said(former)


def failing(reason: str, times: int) -> SourceObservation:
    return replace(FRESH, reading=Finding(reason, "what is wrong"), consecutive_failures=times)


def test_a_source_is_unknown_until_its_first_read() -> None:
    assert after(FRESH) == {"Ready": "Unknown Progressing", "Reconciling": "True Progressing"}


def test_a_complete_read_makes_a_source_ready() -> None:
    assert after(FRESH, READ) == {"Ready": "True ReadComplete"}


@pytest.mark.parametrize("reason", ["ReadShrunk", "InvalidData", "SecretNotFound", "ConfigMapNotFound"])
def test_a_read_that_a_person_has_to_look_at_makes_a_source_unready_at_once(reason: str) -> None:
    assert after(READ, failing(reason, 1)) == {"Ready": f"False {reason}"}


def test_a_source_that_is_down_has_three_attempts() -> None:
    down = [failing("SourceUnreachable", times) for times in (1, 2, 3)]

    assert after(READ, *down[:2]) == {"Ready": "True Retrying"}
    assert after(READ, *down) == {"Ready": "False SourceUnreachable"}


def test_an_invalid_source_is_stalled() -> None:
    blocked = replace(FRESH, blocker=Finding("InvalidSpec", "spec.csv: required"))

    assert after(blocked) == {"Ready": "False InvalidSpec", "Stalled": "True InvalidSpec"}


def test_a_mapping_that_compiles_is_ready() -> None:
    assert said(mapping_conditions(1, None, (), NOW)) == {"Ready": "True Compiled"}


def test_a_mapping_that_does_not_compile_is_stalled_until_it_is_mended() -> None:
    problem = Finding("ExpressionInvalid", "spec.attributes[3].expression: position 7: expected ')'")

    broken = mapping_conditions(1, problem, (), NOW)
    mended = mapping_conditions(2, None, broken, LATER)

    assert said(broken) == {"Ready": "False ExpressionInvalid", "Stalled": "True ExpressionInvalid"}
    assert said(mended) == {"Ready": "True Compiled"}
    assert mended[0].last_transition_time == LATER


def test_a_mapping_that_stays_as_it_is_keeps_its_time() -> None:
    first = mapping_conditions(1, None, (), NOW)

    assert mapping_conditions(1, None, first, LATER) == first
