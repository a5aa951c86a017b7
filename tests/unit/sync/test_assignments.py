"""From entries to people: who is assigned, with which roles, and what stays while an entry is not understood."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from usher.core.model.resources import AttributePath, ResourceType, SourceId, SourceResource, Value
from usher.core.sync.assignments import (
    APP_ROLES,
    Assignment,
    Entry,
    Nested,
    Search,
    Unresolved,
    assign_groups,
    assign_users,
    entries_for,
    keep_remembered,
    map_assigned,
)
from usher.testing.world import direct_mapping, person

TITLE = AttributePath("title")
A, B, C, D = map(SourceId, "abcd")
ENG, OPS, ALL = map(SourceId, ("eng", "ops", "all"))
MEMBERS: Mapping[SourceId, Sequence[SourceId]] = {ENG: (A, B), OPS: (B, ENG, OPS), ALL: (OPS, C)}


def user(one: SourceId, role: str = "") -> Entry:
    return Entry(ResourceType.USER, "mail", one, role, f"users {one}")


def group(one: SourceId, role: str = "") -> Entry:
    return Entry(ResourceType.GROUP, "displayName", one, role, f"groups {one}")


def pins(*entries: Entry) -> dict[str, SourceId]:
    return {entry.name: SourceId(entry.value) for entry in entries}


@pytest.mark.parametrize(
    ("entries", "nested", "people"),
    [
        ((user(D),), Nested.IGNORE, {D: ()}),
        ((group(ENG, "E"),), Nested.IGNORE, {A: ("E",), B: ("E",)}),
        ((user(A, "X"), group(ENG, "E"), group(OPS, "X")), Nested.IGNORE, {A: ("X", "E"), B: ("E", "X")}),
        ((user(A), group(ENG, "E"), group(ENG, "E")), Nested.IGNORE, {A: ("E",), B: ("E",)}),
        ((group(ALL, "Z"),), Nested.FLATTEN, {A: ("Z",), B: ("Z",), C: ("Z",)}),
        ((group(OPS),), Nested.IGNORE, {B: ()}),
    ],
)
def test_people_are_in_with_the_roles_of_the_entries_in_their_order(
    entries: tuple[Entry, ...], nested: Nested, people: Mapping[SourceId, tuple[str, ...]]
) -> None:
    found = assign_users(Assignment(entries, nested), pins(*entries), MEMBERS)
    assert {one: roles for one, roles in found.items() if one not in MEMBERS} == people


def test_groups_are_in_without_roles_and_with_flatten_those_inside_them() -> None:
    entries = (user(D), group(ALL, "Z"))
    assert assign_groups(Assignment(entries), pins(*entries), MEMBERS) == {ALL: ()}
    assert assign_groups(Assignment(entries, Nested.FLATTEN), pins(*entries), MEMBERS) == {ALL: (), OPS: (), ENG: ()}


@pytest.mark.parametrize(
    ("held", "found"),
    [
        ("a@x", True),
        ("A@X", True),
        (("b@x", "A@x"), True),
        ("a@x ", False),
        ("a", False),
        (True, False),
    ],
)
def test_a_value_is_compared_as_a_whole_without_regard_to_case(held: Value, found: bool) -> None:
    search = Search([Entry(ResourceType.USER, "mail", "a@X")])
    search.look_at(SourceResource(A, {"mail": held}))
    assert bool(search.pins()) is found


def test_what_means_nobody_or_several_is_told_without_its_value() -> None:
    entries = [Entry(ResourceType.USER, "mail", value, place=value[0]) for value in ("1secret", "2secret", "3secret")]
    search = Search(entries)
    for source_id, value in ((A, "1secret"), (B, "2SECRET"), (C, "2secret")):
        search.look_at(SourceResource(source_id, {"mail": value}))
    assert [str(one) for one in search.unresolved()] == [
        "2: 2 users of the source have this mail",
        "3: no user of the source has this mail",
    ]
    assert list(search.pins().values()) == [A]


def test_an_attribute_that_nobody_has_is_told_as_what_it_is() -> None:
    search = Search([Entry(ResourceType.USER, "upn", "a@x.org", place="users[0]")])
    search.look_at(SourceResource(A, {"mail": "a@x.org"}))
    assert [str(one) for one in search.unresolved()] == ["users[0]: no user of the source has an attribute upn"]


def test_while_an_entry_is_open_who_was_in_stays_with_the_roles_that_it_may_stand_for() -> None:
    assignment = Assignment((group(ENG, "E"), group(OPS, "O")))
    open_ = [Unresolved("groups eng", "gone")]
    kept = keep_remembered({A: ("O",), B: ()}, {A: ("E", "O"), B: ("O",), C: ("E",)}, assignment, open_)
    assert kept == {A: ("E", "O"), B: (), C: ("E",)}


@pytest.mark.parametrize("other", [("attribute", "mail2"), ("value", "b"), ("resource_type", ResourceType.GROUP)])
def test_another_attribute_or_value_is_another_entry_and_another_role_is_not(other: tuple[str, Any]) -> None:
    entry = Entry(ResourceType.USER, "mail", "a")
    assert Entry(ResourceType.USER, "mail", "A", "Admin", "elsewhere").name == entry.name
    assert replace(entry, **{other[0]: other[1]}).name != entry.name


def test_roles_come_from_the_scope_alone() -> None:
    mapping = direct_mapping({"userName": ("userPrincipalName", 1), "title": (APP_ROLES, None)})
    ada = SourceResource(A, {**person("ada"), APP_ROLES: "root"})
    assert map_assigned(mapping, {A: ()}, ada).values.get(TITLE) is None
    assert map_assigned(mapping, None, ada).values[TITLE] == "root"


def test_whoever_is_disabled_at_the_source_is_so_whether_assigned_or_not() -> None:
    mapping = direct_mapping()
    ada = SourceResource(A, person("ada"))
    off = SourceResource(A, person("ada", accountEnabled=False))
    assert [map_assigned(mapping, who, one).cause for who in ({}, {A: ()}) for one in (ada, off)] == [
        "Unassigned",
        "SourceDisabled",
        "",
        "SourceDisabled",
    ]


@pytest.mark.parametrize("nested", list(Nested))
def test_the_entries_that_are_told_are_those_that_assign(nested: Nested) -> None:
    assignment = Assignment((user(D), user(A, "X"), group(ENG, "E"), group(OPS, "O"), group(ALL)), nested)
    known = pins(*assignment.entries)
    users, groups = assign_users(assignment, known, MEMBERS), assign_groups(assignment, known, MEMBERS)

    for one in (A, B, C, D, ENG, OPS, ALL):
        told = list(entries_for(assignment, known, MEMBERS, (ResourceType.USER, one)))
        assert bool(told) is (one in users)
        assert {entry.role for entry in told if entry.role} == set(users.get(one, ()))
        assert bool(list(entries_for(assignment, known, MEMBERS, (ResourceType.GROUP, one)))) is (one in groups)
