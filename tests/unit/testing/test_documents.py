from __future__ import annotations

import json

import pytest

from usher.core.model.plans import Amend, Replace
from usher.core.model.resources import AttributePath, Json
from usher.testing.documents import Document, apply_delta, project, read_at, write_at

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
PATHS = ("userName", "name.givenName", 'emails[type eq "work"].value', f"{ENTERPRISE}:department", "Title")


@pytest.mark.parametrize("path", PATHS)
def test_what_is_written_is_read_and_removed_again(path: str) -> None:
    document: Document = {}
    write_at(document, path, "x")
    assert read_at(document, path) == "x"
    write_at(document, path, "y")
    assert read_at(document, path) == "y"
    write_at(document, path, None)
    assert read_at(document, path) is None


def test_a_filtered_element_is_made_to_fit_its_filter_and_added_once() -> None:
    document: Document = {"emails": [{"type": "home", "value": "h"}]}
    for value in ("a", "b"):
        write_at(document, 'emails[type eq "work" and primary eq true].value', value)
    assert document["emails"] == [{"type": "home", "value": "h"}, {"type": "work", "primary": True, "value": "b"}]


@pytest.mark.parametrize("text", ['a"b', "back\\slash", "] and [", "x eq y", "tab\t"])
def test_a_filter_may_hold_any_text(text: str) -> None:
    document: Document = {}
    path = f"emails[type eq {json.dumps(text)}].value"
    write_at(document, path, "v")
    assert document == {"emails": [{"type": text, "value": "v"}]}


def test_names_compare_without_regard_to_case() -> None:
    document: Document = {"userName": "a"}
    write_at(document, "USERNAME", "b")
    assert document == {"userName": "b"}


def test_edits_leave_everything_else_alone() -> None:
    document: Document = {"tags": ["a", "b"], "title": "t", "active": True}
    tags = Amend(add=("c", "a"), remove=("b",))
    apply_delta(document, {AttributePath("tags"): tags, AttributePath("title"): Replace(None)})
    expected: dict[str, Json] = {"tags": ["a", "c"], "active": True}
    assert document == expected


def test_a_projection_holds_the_attributes_that_its_paths_touch() -> None:
    document: Document = {"userName": "a", "name": {"givenName": "b"}, "title": "t", ENTERPRISE: {"department": "d"}}
    wanted = {"username", "name.givenName", f"{ENTERPRISE}:department"}
    assert project(document, wanted) == {key: value for key, value in document.items() if key != "title"}
