from __future__ import annotations

from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from usher.core.model.plans import Criterion
from usher.core.model.resources import AttributePath, Json, Scalar
from usher.core.scim.comparison import equal, folding
from usher.core.scim.filters import matches, render_filter
from usher.core.scim.paths import ENTERPRISE_URN, PathError, parse_path
from usher.core.scim.schemas import USER_SCHEMA, TargetSchema, convert
from usher.core.scim.values import read, write
from usher.testing.scim_filters import parse_filter

NAMES = st.sampled_from(["userName", "name.givenName", f"{ENTERPRISE_URN}:department", 'emails[type eq "work"].value'])
PATHS = NAMES.map(AttributePath)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
SCALARS = st.text(max_size=6) | st.booleans() | st.integers(-(10**17), 10**17) | st.floats(allow_nan=False)


@given(st.text('abuser:.[]" eqandtrue\\01', max_size=60))
def test_any_text_is_a_path_or_a_path_error(text: str) -> None:
    with suppress(PathError):
        parsed = parse_path(AttributePath(text))
        assert parse_path(AttributePath(parsed.text)) == parsed


@given(PATHS, TEXTS)
def test_what_is_written_is_read_again(path: AttributePath, value: str) -> None:
    document: dict[str, Json] = {}

    write(path, value, document)

    assert read(path, document) == value


@given(PATHS, TEXTS, TEXTS)
def test_a_server_reads_a_filter_as_it_was_meant_whatever_is_in_the_value(
    path: AttributePath, value: str, other: str
) -> None:
    document: dict[str, Json] = {}
    write(path, value, document)
    key = (Criterion(path, value),)

    assert parse_filter(render_filter(key))(document)
    assert matches(key, document, USER_SCHEMA)
    assert parse_filter(render_filter((Criterion(path, f"{other}~{value}"),)))(document) is False
    assert not matches((Criterion(path, f"{other}~{value}"),), document, USER_SCHEMA)


@given(st.sampled_from(["userName", "externalId", "active", "emails.value", "shoeSize"]), SCALARS, SCALARS)
def test_values_are_equal_exactly_when_they_fold_to_the_same(name: str, a: Scalar, b: Scalar) -> None:
    definition = USER_SCHEMA.definition(AttributePath(name))

    assert equal(definition, a, b) is (folding(definition)(a) == folding(definition)(b))


@given(st.sampled_from(["userName", "externalId", "shoeSize"]), SCALARS)
def test_a_converted_value_needs_no_second_conversion(name: str, value: Scalar) -> None:
    schema: TargetSchema = USER_SCHEMA
    definition = schema.definition(AttributePath(name))
    once = convert(definition, value)

    assert isinstance(once, str | bool | int | float)
    assert convert(definition, once) == once
