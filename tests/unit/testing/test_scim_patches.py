"""The server's PATCH against the rules of RFC 7644 section 3.5.2, one row for each."""

from __future__ import annotations

import pytest

from usher.core.model.resources import Json
from usher.testing.documents import Document, copy_of
from usher.testing.scim_patches import apply_operations
from usher.testing.scim_schemas import ENTERPRISE, Refusal

ADA: Document = {
    "userName": "ada",
    "title": "Dr",
    "name": {"givenName": "Ada", "familyName": "King"},
    "emails": [{"type": "work", "value": "w", "primary": True}, {"type": "home", "value": "h"}],
}
WORK: Document = {"type": "work", "value": "w", "primary": True}
HOME: Document = {"type": "home", "value": "h"}


def operation(verb: str, path: str | None, value: Json = None) -> Json:
    whole: Document = {"op": verb, "path": path, "value": value}
    return {name: part for name, part in whole.items() if part is not None}


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (operation("replace", "title", "Prof"), {"title": "Prof"}),
        (operation("add", "TITLE", "Prof"), {"title": "Prof"}),
        (operation("remove", "title"), {"title": None}),
        (operation("remove", "nickName"), {}),
        (operation("add", "name.givenName", "A"), {"name": {"givenName": "A", "familyName": "King"}}),
        (operation("replace", "name", {"givenName": "A"}), {"name": {"givenName": "A", "familyName": "King"}}),
        (operation("remove", "name.givenName"), {"name": {"familyName": "King"}}),
        (operation("add", "emails", [HOME]), {}),
        (operation("add", "emails", {"value": "x"}), {"emails": [WORK, HOME, {"value": "x"}]}),
        (operation("replace", "emails", [{"value": "x"}]), {"emails": [{"value": "x"}]}),
        (operation("replace", 'emails[type eq "home"].value', "x"), {"emails": [WORK, {"type": "home", "value": "x"}]}),
        (operation("replace", 'emails[type eq "home"]', {"value": "x"}), {"emails": [WORK, {"value": "x"}]}),
        (operation("add", 'emails[type eq "home"]', {"display": "d"}), {"emails": [WORK, {**HOME, "display": "d"}]}),
        (operation("remove", 'emails[type eq "work"]'), {"emails": [HOME]}),
        (operation("remove", 'emails[type eq "home"].value'), {"emails": [WORK, {"type": "home"}]}),
        (operation("remove", "emails", [HOME]), {"emails": None}),
        (
            operation("add", "emails", [{"value": "x", "primary": True}]),
            {"emails": [{**WORK, "primary": False}, HOME, {"value": "x", "primary": True}]},
        ),
        (operation("add", f"{ENTERPRISE}:department", "E"), {ENTERPRISE: {"department": "E"}}),
        (
            operation("add", None, {"title": "Prof", ENTERPRISE: {"division": "D"}}),
            {"title": "Prof", ENTERPRISE: {"division": "D"}},
        ),
    ],
)
def test_an_operation_does_what_the_standard_says(wanted: Json, expected: Document) -> None:
    merged = {**ADA, **expected}
    assert apply_operations([wanted], ADA) == {name: value for name, value in merged.items() if value is not None}


@pytest.mark.parametrize(
    ("wanted", "scim_type"),
    [
        (operation("replace", 'emails[type eq "other"].value', "x"), "noTarget"),
        (operation("remove", 'emails[type eq "other"]'), "noTarget"),
        (operation("remove", None), "noTarget"),
        (operation("replace", "nobody", "x"), "invalidPath"),
        (operation("replace", 'title[type eq "x"]', "x"), "invalidPath"),
        (operation("replace", "emails[type", "x"), "invalidPath"),
        (operation("replace", "emails[type is 1].value", "x"), "invalidFilter"),
        (operation("replace", "id", "x"), "mutability"),
        (operation("remove", "userName"), "mutability"),
        (operation("replace", "active", "yes"), "invalidValue"),
        (operation("replace", "title"), "invalidValue"),
        (operation("merge", "title", "x"), "invalidSyntax"),
    ],
)
def test_an_operation_that_can_not_be_done_is_refused_and_nothing_happens(wanted: Json, scim_type: str) -> None:
    before = copy_of(ADA)
    with pytest.raises(Refusal) as caught:
        apply_operations([operation("replace", "title", "Prof"), wanted], ADA)
    assert (caught.value.status, caught.value.scim_type) == (400, scim_type)
    assert before == ADA
