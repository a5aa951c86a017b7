"""The groups of our SCIM app, requests as data."""

from __future__ import annotations

import pytest

from usher.core.model.resources import Json, ResourceType
from usher.testing.documents import Document
from usher.testing.history import Actor
from usher.testing.memory_accounts import members_of
from usher.testing.memory_settings import MemorySettings
from usher.testing.memory_target import MemoryTarget
from usher.testing.scim_app import Query, Reply, ScimApp
from usher.testing.scim_filters import parse_filter
from usher.testing.scim_schemas import GROUP, GROUPS, Refusal

PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
ALL = Query()
STAFF: Json = {"displayName": "Staff", "members": [{"value": "u1", "type": "User"}, {"value": "U1"}]}


@pytest.fixture
def app() -> ScimApp:
    new = ScimApp(MemoryTarget(MemorySettings()))
    new.base = "https://app.example"
    for name in ("ada", "bob"):
        new.memory.plant({"userName": name})
    return new


def make(app: ScimApp, name: str = "staff", *members: Json) -> str:
    body: Document = {"schemas": [GROUP], "displayName": name, "members": list(members)}
    return str(body_of(app.at("Groups").create(body, ALL))["id"])


def patch(app: ScimApp, group: str, *operations: Document) -> Reply:
    return app.at("Groups").patch(group, {"schemas": [PATCH], "Operations": list(operations)}, ALL)


def body_of(reply: Reply) -> Document:
    assert reply.body is not None
    return reply.body


def members(app: ScimApp, group: str, query: Query = ALL) -> Json:
    return body_of(app.at("Groups").get(group, query)).get("members")


def test_the_app_says_of_a_member_where_and_what_it_is_and_keeps_nothing_else(app: ScimApp) -> None:
    inner = make(app, "inner")
    outer = make(app, "outer", {"value": "u1", "type": "Group", "$ref": "nowhere"}, {"value": inner}, {"value": "u1"})
    assert members(app, outer) == [
        {"value": "u1", "$ref": "https://app.example/Users/u1", "type": "User"},
        {"value": inner, "$ref": f"https://app.example/Groups/{inner}", "type": "Group"},
    ]
    assert app.memory.collection(ResourceType.GROUP).document(outer)["members"] == [{"value": "u1"}, {"value": inner}]


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        (Query(excluded=("members",)), {"schemas", "id", "displayName", "meta"}),
        (Query(excluded=("MEMBERS", "meta")), {"schemas", "id", "displayName"}),
        (Query(attributes=("displayName",)), {"schemas", "id", "displayName"}),
        (Query(attributes=("members",)), {"schemas", "id", "members"}),
    ],
)
def test_a_client_chooses_what_it_is_told_of_a_group(app: ScimApp, query: Query, shown: set[str]) -> None:
    group = make(app, "staff", {"value": "u1"})
    one, listed = app.at("Groups").get(group, query), body_of(app.at("Groups").query(query))["Resources"]
    assert isinstance(listed, list)
    assert [set(body_of(one))] == [set(each) for each in listed if isinstance(each, dict)] == [shown]


def test_members_are_added_once_and_removed_by_their_value_alone(app: ScimApp) -> None:
    group = make(app, "staff", {"value": "u1"})
    patch(app, group, {"op": "add", "path": "members", "value": [{"value": "u1", "type": "User"}, {"value": "u2"}]})
    assert app.memory.members(group) == {"u1", "u2"}
    assert members_of(app.memory.collection(ResourceType.GROUP).document(group)) == ["u1", "u2"]
    patch(app, group, {"op": "remove", "path": 'members[value eq "u1"]'})
    assert app.memory.members(group) == {"u2"}
    patch(app, group, {"op": "remove", "path": "members"})
    assert members(app, group) is None


def test_a_removal_of_members_that_names_them_in_its_value_removes_all(app: ScimApp) -> None:
    group = make(app, "staff", {"value": "u1"}, {"value": "u2"})
    patch(app, group, {"op": "remove", "path": "members", "value": [{"value": "u1"}]})
    assert members(app, group) is None


@pytest.mark.parametrize(
    ("operation", "scim_type"),
    [
        ({"op": "add", "path": "members", "value": [{"value": "u9"}]}, "invalidValue"),
        ({"op": "remove", "path": 'members[value eq "u2"]'}, "noTarget"),
        ({"op": "remove", "path": "displayName"}, "mutability"),
        ({"op": "replace", "path": "displayName", "value": "Other"}, "uniqueness"),
        ({"op": "replace", "path": "userName", "value": "x"}, "invalidPath"),
        ({"op": "add", "path": "members", "value": {"value": 7}}, "invalidValue"),
    ],
)
def test_what_can_not_be_done_to_a_group_is_refused_and_nothing_happens(
    app: ScimApp, operation: Document, scim_type: str
) -> None:
    make(app, "other")
    group = make(app, "staff", {"value": "u1"})
    first: Document = {"op": "add", "path": "externalId", "value": "x"}
    with pytest.raises(Refusal) as caught:
        patch(app, group, first, operation)
    assert caught.value.scim_type == scim_type
    assert app.memory.members(group) == {"u1"}
    assert "externalId" not in app.memory.collection(ResourceType.GROUP).document(group)


def test_an_app_may_take_members_whom_nobody_knows() -> None:
    app = ScimApp(MemoryTarget(MemorySettings(takes_strangers=True)))
    group = make(app, "staff", {"value": "u9"})
    assert members(app, group) == [{"value": "u9"}]


def test_a_stranger_whom_an_admin_put_there_is_in_nobodys_way(app: ScimApp) -> None:
    groups = app.memory.collection(ResourceType.GROUP)
    group = groups.plant({"displayName": "staff", "members": [{"value": "u9"}]})
    patch(app, group, {"op": "add", "path": "members", "value": [{"value": "u1"}]})
    assert app.memory.members(group) == {"u9", "u1"}


def test_who_is_deleted_is_out_of_all_groups(app: ScimApp) -> None:
    inner = make(app, "inner", {"value": "u1"}, {"value": "u2"})
    outer = make(app, "outer", {"value": inner}, {"value": "u1"})
    app.at("Users").delete("u1")
    assert (app.memory.members(inner), app.memory.members(outer)) == ({"u2"}, {inner})
    app.memory.collection(ResourceType.GROUP).remove(inner, Actor.CLIENT)
    assert members(app, outer) is None


@pytest.mark.parametrize(
    "text",
    [
        'displayName eq "STAFF"',
        'members.value eq "u1"',
        'members[value eq "u1" and type eq "user"]',
        'urn:ietf:params:scim:schemas:core:2.0:Group:displayName sw "st"',
        'not (members.value eq "u2")',
    ],
)
def test_a_filter_selects_groups_by_name_and_member(text: str) -> None:
    assert parse_filter(text, GROUPS.attributes)(STAFF)


@pytest.mark.parametrize("text", ['members.value eq "uu1"', 'members[value eq "u1" and type eq "Group"]'])
def test_the_id_of_a_member_counts_with_its_case_and_in_one_element(text: str) -> None:
    assert not parse_filter(text, GROUPS.attributes)(STAFF)
    lower: Json = {"members": [{"value": "u1"}]}
    assert not parse_filter('members.value eq "U1"', GROUPS.attributes)(lower)


def test_a_search_of_everything_finds_users_and_groups_by_what_they_have_in_common(app: ScimApp) -> None:
    app.memory.change("u1", "displayName", "staff")
    group = make(app, "staff")

    def found(text: str) -> list[Json]:
        listed = body_of(app.query("", Query(filter=text)))["Resources"]
        assert isinstance(listed, list)
        return [each["id"] for each in listed if isinstance(each, dict)]

    assert found('displayName eq "staff"') == ["u1", group]
    assert found('userName eq "ada"') == ["u1"]
    with pytest.raises(Refusal):
        found('shoeSize eq "43"')
