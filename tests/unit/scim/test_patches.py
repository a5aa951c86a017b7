from __future__ import annotations

from collections.abc import Mapping

import pytest

from usher.core.errors import ResourceError
from usher.core.model.plans import Amend, Edit, Replace, Update
from usher.core.model.resources import AttributePath, Json, ResourceType, TargetId
from usher.core.scim.patches import Operation, build_patch, element_path
from usher.core.scim.paths import ENTERPRISE_URN

WORK_MAIL = 'emails[type eq "work"].value'
WORK_CITY = 'addresses[type eq "work"].locality'
WORK_LAND = 'addresses[type eq "work"].country'


def patch(delta: Mapping[str, Edit], before: Mapping[str, Json]) -> list[Operation]:
    edits = {AttributePath(path): edit for path, edit in delta.items()}
    image = {AttributePath(path): value for path, value in before.items()}
    return build_patch(Update(ResourceType.USER, TargetId("1"), edits, image, None))


def test_a_value_that_was_there_is_replaced_and_one_that_was_not_is_added() -> None:
    operations = patch({"title": Replace("Boss"), "nickName": Replace("Al")}, {"title": "Clerk", "nickName": None})

    assert operations == [
        {"op": "replace", "path": "title", "value": "Boss"},
        {"op": "add", "path": "nickName", "value": "Al"},
    ]


def test_an_element_that_was_there_is_edited_in_place() -> None:
    assert patch({WORK_MAIL: Replace("b@x.example")}, {WORK_MAIL: "a@x.example"}) == [
        {"op": "replace", "path": WORK_MAIL, "value": "b@x.example"}
    ]


def test_an_element_that_was_not_there_is_added_whole_and_once() -> None:
    operations = patch({WORK_CITY: Replace("Berlin"), WORK_LAND: Replace("DE")}, {WORK_CITY: None, WORK_LAND: None})

    assert operations == [
        {"op": "add", "path": "addresses", "value": [{"type": "work", "locality": "Berlin", "country": "DE"}]}
    ]


@pytest.mark.parametrize("sibling", [{WORK_LAND: "DE"}, {'addresses[type eq "work"]': {"type": "work"}}])
def test_an_element_is_there_when_anything_in_it_was_seen(sibling: dict[str, Json]) -> None:
    operations = patch({WORK_CITY: Replace("Berlin")}, {WORK_CITY: None, **sibling})

    assert operations == [{"op": "add", "path": WORK_CITY, "value": "Berlin"}]


def test_only_what_was_there_is_removed_and_an_element_goes_with_its_value() -> None:
    assert patch({"title": Replace(None), "nickName": Replace(None)}, {"title": "x", "nickName": None}) == [
        {"op": "remove", "path": "title"}
    ]
    assert patch({WORK_MAIL: Replace(None)}, {WORK_MAIL: "a"}) == [{"op": "remove", "path": 'emails[type eq "work"]'}]
    assert patch({WORK_CITY: Replace(None)}, {WORK_CITY: "a"}) == [{"op": "remove", "path": WORK_CITY}]
    assert patch({WORK_MAIL: Replace(None)}, {WORK_MAIL: None}) == []


def test_members_are_removed_one_by_one_and_never_by_a_list() -> None:
    delta = {"members": Amend(add=({"value": "9"},), remove=({"value": "7"}, 'x"y'))}

    assert patch(delta, {}) == [
        {"op": "remove", "path": 'members[value eq "7"]'},
        {"op": "remove", "path": r'members[value eq "x\"y"]'},
        {"op": "add", "path": "members", "value": [{"value": "9"}]},
    ]


def test_a_member_without_a_value_cannot_be_removed() -> None:
    with pytest.raises(ResourceError):
        patch({"members": Amend(remove=({"display": "x"},))}, {})


def test_the_manager_is_an_object_and_nothing_of_the_former_one_stays() -> None:
    path = f"{ENTERPRISE_URN}:manager"
    add = {"op": "add", "path": path, "value": {"value": "7"}}
    remove = {"op": "remove", "path": path}

    assert patch({path: Replace({"value": "7"})}, {path: None}) == [add]
    assert patch({path: Replace({"value": "7"})}, {path: {"value": "5", "$ref": "../Users/5"}}) == [remove, add]
    assert patch({path: Replace(None)}, {path: {"value": "5"}}) == [remove]
    assert patch({path: Replace(None)}, {path: None}) == []


def test_an_element_is_replaced_in_place() -> None:
    path = 'emails[type eq "work"]'
    value: Json = {"type": "work", "value": "b"}

    assert patch({path: Replace(value)}, {path: {"type": "work", "value": "a"}}) == [
        {"op": "replace", "path": path, "value": value}
    ]


def test_extension_attributes_keep_their_urn() -> None:
    path = f"{ENTERPRISE_URN}:department"

    assert patch({path: Replace("R&D")}, {path: "Sales"}) == [{"op": "replace", "path": path, "value": "R&D"}]


def test_only_a_filtered_sub_attribute_has_an_element_around_it() -> None:
    assert element_path(AttributePath(WORK_MAIL)) == 'emails[type eq "work"]'
    assert element_path(AttributePath('emails[type eq "work"]')) is None
    assert element_path(AttributePath("name.givenName")) is None
