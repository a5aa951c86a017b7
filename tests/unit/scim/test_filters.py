from __future__ import annotations

import pytest

from usher.core.model.plans import Criterion
from usher.core.model.resources import AttributePath, Json, Scalar
from usher.core.scim.filters import matches, render_filter
from usher.core.scim.paths import ENTERPRISE_URN, PathError
from usher.core.scim.schemas import USER_SCHEMA

WORK_MAIL = 'emails[type eq "work"].value'


def criterion(path: str, value: Scalar) -> Criterion:
    return Criterion(AttributePath(path), value)


@pytest.mark.parametrize(
    ("path", "value", "text"),
    [
        ("userName", "alice", 'userName eq "alice"'),
        ("userName", 'a" or userName pr or "', r'userName eq "a\" or userName pr or \""'),
        ("userName", "back\\slash\n", r'userName eq "back\\slash\n"'),
        ("userName", "Zoë", 'userName eq "Zoë"'),
        ("active", True, "active eq true"),
        ("level", 3, "level eq 3"),
        (WORK_MAIL, "a@b.example", 'emails[type eq "work" and value eq "a@b.example"]'),
        ('emails[primary eq "True"].value', "x", 'emails[primary eq true and value eq "x"]'),
        (f"{ENTERPRISE_URN}:employeeNumber", "7", f'{ENTERPRISE_URN}:employeeNumber eq "7"'),
    ],
)
def test_a_filter_quotes_strings_as_json_and_nothing_else(path: str, value: Scalar, text: str) -> None:
    assert render_filter((criterion(path, value),)) == text


def test_a_conjunction_is_joined_by_and() -> None:
    key = (criterion("userName", "a"), criterion("name.familyName", "b"))

    assert render_filter(key) == 'userName eq "a" and name.familyName eq "b"'


def test_an_element_cannot_be_compared_as_a_whole() -> None:
    with pytest.raises(PathError):
        render_filter((criterion('emails[type eq "work"]', "a"),))


@pytest.mark.parametrize(
    ("resource", "hit"),
    [
        ({"emails": [{"type": "work", "value": "A@b.example"}]}, True),
        ({"emails": [{"type": "home", "value": "a@b.example"}, {"type": "work", "value": "x"}]}, False),
        ({"emails": [{"type": "work", "value": "x"}, {"type": "work", "value": "a@b.example"}]}, True),
        ({"emails": []}, False),
        ({}, False),
    ],
)
def test_a_hit_has_to_hold_the_value_in_an_element_that_the_filter_selects(
    resource: dict[str, Json], *, hit: bool
) -> None:
    assert matches((criterion(WORK_MAIL, "a@b.example"),), resource, USER_SCHEMA) is hit


def test_all_criteria_have_to_hold() -> None:
    key = (criterion("userName", "a"), criterion(f"{ENTERPRISE_URN}:employeeNumber", "7"))

    assert matches(key, {"userName": "A", ENTERPRISE_URN: {"employeeNumber": "7"}}, USER_SCHEMA)
    assert not matches(key, {"userName": "A", ENTERPRISE_URN: {"employeeNumber": "8"}}, USER_SCHEMA)


def test_an_empty_key_matches_nothing() -> None:
    assert not matches((), {"userName": "a"}, USER_SCHEMA)
