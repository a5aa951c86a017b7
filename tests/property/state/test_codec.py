"""What is encoded comes back as it was, to the type of each number."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC

import orjson
from hypothesis import given
from hypothesis import strategies as st

from usher.core.model.plans import Action, Amend, Criterion, MatchKey, Phase, PlannedChange, Replace
from usher.core.model.reports import Counts, CycleKind, CycleReport, CycleResult, HeldPlan
from usher.core.model.resources import AttributePath, Json, Value
from usher.core.model.standing import Credential, Quarantine
from usher.state import codec
from usher.testing.store_examples import make_change

INTEGERS = st.integers(-(2**63), 2**63 - 1)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
TEXT = st.text(max_size=20)
SCALARS = st.one_of(TEXT, st.booleans(), INTEGERS, FLOATS)
VALUES: st.SearchStrategy[Value] = st.one_of(SCALARS, st.lists(SCALARS, max_size=3).map(tuple))
JSON: st.SearchStrategy[Json] = st.recursive(
    st.one_of(st.none(), SCALARS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXT, inner, max_size=3)),
    max_leaves=6,
)
PATHS = TEXT.map(AttributePath)
IMAGES = st.dictionaries(PATHS, JSON, max_size=4)
TUPLES = st.lists(JSON, max_size=3).map(tuple)
EDITS = st.one_of(st.builds(Replace, JSON), st.builds(Amend, TUPLES, TUPLES))
CRITERIA = st.lists(st.builds(Criterion, TEXT, SCALARS), max_size=2).map(tuple)
KEYS = st.lists(st.builds(MatchKey, st.integers(0, 9), CRITERIA, TEXT), max_size=2).map(tuple)
CHANGES = st.builds(
    PlannedChange,
    source_id=TEXT,
    target_id=st.none() | TEXT,
    action=st.sampled_from(Action),
    phase=st.sampled_from(Phase),
    rank=st.integers(0, 9),
    delta=st.dictionaries(TEXT, EDITS, max_size=3),
    before=IMAGES,
    version=st.none() | TEXT,
    fingerprint=st.binary(max_size=16),
    keys=KEYS,
    create_only=st.lists(TEXT, max_size=2).map(tuple),
    cause=TEXT,
)
TIMES = st.datetimes(timezones=st.just(UTC)).map(lambda time: time.replace(fold=0))
COUNTS = st.builds(Counts, *(st.integers(0, 9) for _ in fields(Counts)))
HELD = st.builds(HeldPlan, TEXT, TEXT, st.integers(0, 9), TEXT, TIMES, TIMES)
REPORTS = st.builds(
    CycleReport,
    kind=st.sampled_from(CycleKind),
    result=st.sampled_from(CycleResult),
    started=TIMES,
    completed=TIMES,
    counts=COUNTS,
    reasons=st.dictionaries(TEXT, st.integers(0, 9), max_size=3),
    in_scope=INTEGERS,
    linked=INTEGERS,
    pending=INTEGERS,
    held=st.none() | HELD,
    escrowed=INTEGERS,
    given_up=INTEGERS,
    next_retry=st.none() | TIMES,
    recovered=INTEGERS,
    quarantine=st.none() | st.builds(Quarantine, reason=TEXT, since=TIMES, count=INTEGERS, spec=TEXT),
    not_before=st.none() | TIMES,
    credential=st.none() | st.builds(Credential, expires=TIMES, told_from=TIMES),
    error_reason=TEXT,
    error=TEXT,
    stale=TEXT,
)


def assert_same(found: object, given_in: object) -> None:
    """Equal, and of equal types all the way down: 1, 1.0 and True are equal and not the same."""
    assert found == given_in
    assert repr(found) == repr(given_in)


@given(st.dictionaries(TEXT, VALUES, max_size=5))
def test_source_attributes_come_back_exactly(attributes: dict[str, Value]) -> None:
    assert_same(codec.decode_attributes(codec.encode_attributes(attributes)), attributes)


@given(IMAGES)
def test_an_image_comes_back_exactly(image: dict[AttributePath, Json]) -> None:
    assert_same(codec.decode_image(codec.encode_image(image)), image)


@given(KEYS)
def test_matching_attributes_come_back_exactly(keys: tuple[MatchKey, ...]) -> None:
    assert_same(codec.decode_keys(codec.encode_keys(keys)), keys)


@given(CHANGES)
def test_a_planned_change_comes_back_exactly(change: PlannedChange) -> None:
    assert_same(codec.decode_change(codec.encode_change(change)), change)


@given(REPORTS)
def test_a_report_comes_back_exactly(report: CycleReport) -> None:
    assert_same(codec.decode_report(codec.encode_report(report)), report)


def test_no_field_of_a_planned_change_is_left_out() -> None:
    raw = orjson.loads(codec.encode_change(make_change("p1")))
    assert set(raw) == {field.name for field in fields(PlannedChange)}


@given(REPORTS)
def test_no_field_of_a_report_is_left_out(report: CycleReport) -> None:
    assert set(orjson.loads(codec.encode_report(report))) == {field.name for field in fields(CycleReport)}
