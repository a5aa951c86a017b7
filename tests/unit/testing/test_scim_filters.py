from __future__ import annotations

import pytest

from usher.core.model.resources import Json
from usher.testing.scim_filters import parse_filter
from usher.testing.scim_schemas import ENTERPRISE, Refusal

ADA: Json = {
    "id": "u1",
    "externalId": "E1",
    "userName": 'Ada "L"',
    "active": True,
    "name": {"givenName": "Ada"},
    "emails": [{"type": "work", "value": "ada@example.com"}, {"type": "home", "value": "ada@home.example"}],
    ENTERPRISE: {"department": "Engines"},
}


@pytest.mark.parametrize(
    "text",
    [
        'userName eq "ADA \\"l\\""',
        'USERNAME EQ "ada \\"l\\""',
        'name.givenName sw "a" and active eq true',
        'emails eq "ada@example.com"',
        'emails[type eq "work" and value eq "ada@example.com"]',
        f'{ENTERPRISE}:department eq "engines"',
        'urn:ietf:params:scim:schemas:core:2.0:User:userName co "ada"',
        'title pr or not (userName eq "bob")',
        'externalId eq "E1" and (userName eq "x" or active ne false)',
        'userName gt "a" and userName le "z"',
        "not (title pr)",
    ],
)
def test_a_filter_selects_whom_it_describes(text: str) -> None:
    assert parse_filter(text)(ADA)


@pytest.mark.parametrize(
    "text",
    [
        'externalId eq "e1"',
        'active eq "true"',
        'emails[type eq "work" and value eq "ada@home.example"]',
        'title ew "x"',
        'active eq true and userName eq "x" or title pr',
    ],
)
def test_a_filter_selects_nobody_else(text: str) -> None:
    assert not parse_filter(text)(ADA)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "userName",
        "userName eq",
        "userName is x",
        'nobody eq "x"',
        'userName eq "x',
        'userName eq "x" or',
        "(active eq true",
        'emails[type eq "x"',
        'emails[nobody eq "x"]',
        'active eq true "x"',
    ],
)
def test_a_filter_that_can_not_be_read_is_refused(text: str) -> None:
    with pytest.raises(Refusal) as caught:
        parse_filter(text)
    assert (caught.value.status, caught.value.scim_type) == (400, "invalidFilter")
