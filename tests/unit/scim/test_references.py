"""Attributes that hold other resources, and the ids in them."""

from __future__ import annotations

import pytest

from usher.core.model.resources import AttributePath, Json
from usher.core.scim.definitions import believe
from usher.core.scim.paths import ENTERPRISE_URN
from usher.core.scim.references import is_reference, referenced
from usher.core.scim.schemas import (
    GROUP_SCHEMA,
    USER_SCHEMA,
    AttributeDefinition,
    AttributeType,
    Mutability,
    TargetSchema,
)

MEMBERS = AttributePath("members")
MANAGER = AttributePath(f"{ENTERPRISE_URN}:manager")


@pytest.mark.parametrize(
    ("members", "ids"),
    [
        ([{"value": "2", "$ref": "u", "type": "User"}, {"value": "1"}], ("2", "1")),
        ([{"value": "1"}, {"VALUE": "1"}, {"value": "2"}], ("1", "2")),
        (["1", "2"], ("1", "2")),
        ([7, {"value": 8}], ("7", "8")),
        ({"value": "1"}, ("1",)),
        ([{"display": "Ada"}, {"value": None}, {"value": ""}, {"value": ["1"]}, None, True, [["1"]]], ()),
        ([], ()),
        (None, ()),
    ],
)
def test_the_ids_of_members_come_once_each_and_in_their_order(members: Json, ids: tuple[str, ...]) -> None:
    assert referenced(MEMBERS, {"displayName": "staff", "Members": members}) == ids


@pytest.mark.parametrize(
    ("manager", "ids"), [({"value": "7", "displayName": "Ada"}, ("7",)), ("7", ("7",)), ({}, ()), (None, ())]
)
def test_the_id_of_a_manager_is_in_its_value_or_the_whole_of_it(manager: Json, ids: tuple[str, ...]) -> None:
    assert referenced(MANAGER, {ENTERPRISE_URN: {"manager": manager}}) == ids


def test_a_resource_without_the_attribute_refers_to_nobody() -> None:
    assert referenced(MEMBERS, {}) == ()
    assert referenced(MANAGER, {ENTERPRISE_URN: "odd"}) == ()


def test_members_and_manager_are_references_and_parts_of_them_are_none() -> None:
    assert is_reference(GROUP_SCHEMA, MEMBERS)
    assert is_reference(USER_SCHEMA, MANAGER)
    for path in ("members.value", 'members[value eq "1"]', "displayName", "emails", "unknown"):
        assert not is_reference(GROUP_SCHEMA, AttributePath(path))
        assert not is_reference(USER_SCHEMA, AttributePath(path))


def test_what_no_client_may_write_is_no_reference() -> None:
    read_only = AttributeDefinition(AttributeType.COMPLEX, multi_valued=True, mutability=Mutability.READ_ONLY)
    told = TargetSchema(believe({"members": read_only}, GROUP_SCHEMA))
    assert not is_reference(told, MEMBERS)


def test_the_ids_of_members_compare_with_their_case() -> None:
    definition = GROUP_SCHEMA.definition(AttributePath("members.value"))
    assert definition is not None
    assert (definition.case_exact, definition.multi_valued) == (True, True)
    name = GROUP_SCHEMA.definition(AttributePath("displayName"))
    assert name == AttributeDefinition(required=True, unique=True)
