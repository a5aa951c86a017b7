from __future__ import annotations

import pytest

from usher.core.errors import ResourceError
from usher.core.model.resources import AttributePath, Json
from usher.core.scim.paths import ENTERPRISE_URN, PathError, parse_path
from usher.core.scim.values import read, write

WORK_MAIL = AttributePath('emails[type eq "work"].value')

DOCUMENT: dict[str, Json] = {
    "userName": "alice",
    "name": {"givenName": "Alice"},
    "emails": [
        {"type": "home", "value": "a@home.example"},
        {"type": "Work", "value": "a@work.example", "primary": True},
    ],
    "groups": [],
    ENTERPRISE_URN: {"employeeNumber": "7"},
}


@pytest.mark.parametrize(
    ("text", "urn", "attribute", "comparisons", "sub"),
    [
        ("userName", None, "userName", None, None),
        ("name.givenName", None, "name", None, "givenName"),
        ('emails[type eq "work"]', None, "emails", (("type", "work"),), None),
        ('emails[type eq "work"].value', None, "emails", (("type", "work"),), "value"),
        ('emails[primary eq "True"].value', None, "emails", (("primary", True),), "value"),
        ("emails[ primary EQ true ].value", None, "emails", (("primary", True),), "value"),
        ('a[x eq 1 and y eq "]."].z', None, "a", (("x", 1), ("y", "].")), "z"),
        (f"{ENTERPRISE_URN}:department", ENTERPRISE_URN, "department", None, None),
        (f"{ENTERPRISE_URN}:manager.$ref", ENTERPRISE_URN, "manager", None, "$ref"),
        ("URN:ietf:params:scim:schemas:core:2.0:user:userName", None, "userName", None, None),
    ],
)
def test_a_path_is_taken_apart(
    text: str, urn: str | None, attribute: str, comparisons: tuple[tuple[str, object], ...] | None, sub: str | None
) -> None:
    parsed = parse_path(AttributePath(text))

    assert (parsed.urn, parsed.attribute, parsed.filter, parsed.sub) == (urn, attribute, comparisons, sub)


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("", 0),
        ("1a", 0),
        ("name.", 5),
        ("name.given.x", 10),
        ("user name", 4),
        ("emails[type]", 11),
        ('emails[type ne "work"].value', 11),
        ("emails[type eq work].value", 15),
        ('emails[type eq "work".value', 21),
        ('emails[type eq "work" or primary eq true].value', 22),
        ('emails[type eq "wo\\x"].value', 15),
        ("urn:x", 0),
        ("urn:a:b:", 8),
        ("a" * 1001, 1000),
    ],
)
def test_a_path_that_cannot_be_read_names_the_position(text: str, position: int) -> None:
    with pytest.raises(PathError) as caught:
        parse_path(AttributePath(text))

    assert caught.value.position == position
    assert caught.value.reason == "MappingInvalid"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("USERNAME", "alice"),
        ("name.GivenName", "Alice"),
        ("name.familyName", None),
        (WORK_MAIL, "a@work.example"),
        ('emails[primary eq "true"].value', "a@work.example"),
        ('emails[type eq "other"].value', None),
        ('emails[type eq "home"]', {"type": "home", "value": "a@home.example"}),
        ("emails.value", ["a@home.example", "a@work.example"]),
        (f"{ENTERPRISE_URN.lower()}:employeenumber", "7"),
        (f"{ENTERPRISE_URN}:manager.value", None),
        ("groups", None),
    ],
)
def test_a_path_reads_whatever_the_case_of_the_names(path: str, value: Json) -> None:
    assert read(AttributePath(path), DOCUMENT) == value


def test_paths_with_the_same_filter_share_one_element_that_carries_the_filter() -> None:
    document: dict[str, Json] = {}

    write(AttributePath('addresses[type eq "work"].locality'), "Berlin", document)
    write(AttributePath('addresses[type eq "work"].country'), "DE", document)
    write(AttributePath('addresses[type eq "home"].country'), "FR", document)

    assert document == {
        "addresses": [
            {"type": "work", "locality": "Berlin", "country": "DE"},
            {"type": "home", "country": "FR"},
        ]
    }


def test_extension_attributes_stand_under_their_urn_and_sub_attributes_in_their_object() -> None:
    document: dict[str, Json] = {}

    write(AttributePath(f"{ENTERPRISE_URN}:department"), "R&D", document)
    write(AttributePath(f"{ENTERPRISE_URN}:manager.value"), "9", document)
    write(AttributePath("name.givenName"), "Alice", document)

    assert document == {
        ENTERPRISE_URN: {"department": "R&D", "manager": {"value": "9"}},
        "name": {"givenName": "Alice"},
    }


def test_paths_that_contradict_each_other_fail_that_resource() -> None:
    document: dict[str, Json] = {"name": "Alice"}

    with pytest.raises(ResourceError):
        write(AttributePath("name.givenName"), "Alice", document)
