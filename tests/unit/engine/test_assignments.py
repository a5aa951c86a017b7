"""Who is assigned is in; whoever is not any more loses the access, and the evidence for it has to be whole."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from usher.contracts.log import LogQuery
from usher.core.expressions.compile import compile_expression
from usher.core.model.reports import CycleKind, CycleReport, CycleResult
from usher.core.model.resources import AttributePath, ResourceType, SourceId
from usher.core.scim.schemas import USER_SCHEMA
from usher.core.sync.assignments import Assignment, Entry, Nested
from usher.core.sync.flows import Computed
from usher.core.sync.leaving import Deprovisioning, Policy
from usher.core.sync.policies import Budget
from usher.core.sync.rules import AttributeRule, CompiledMapping, OnNull
from usher.testing.clock import fake_surroundings
from usher.testing.world import World, direct_mapping, group_mapping, open_world, person

TITLE = AttributePath("title")


def user(name: str, role: str = "", index: int = 0) -> Entry:
    value = f"{name}@example.com"
    return Entry(ResourceType.USER, "userPrincipalName", value, role, f"spec.scope.users[{index}]")


def group(name: str, role: str = "", index: int = 0) -> Entry:
    return Entry(ResourceType.GROUP, "displayName", name, role, f"spec.scope.groups[{index}]")


def with_role() -> CompiledMapping:
    """The role of each person as the title, none without one."""
    mapping = direct_mapping()
    expression = compile_expression("SingleAppRoleAssignment([appRoleAssignments])", fake_surroundings())
    rule = AttributeRule(TITLE, Computed(expression), USER_SCHEMA.definition(TITLE), on_null=OnNull.CLEAR)
    return replace(mapping, rules=(*(each for each in mapping.rules if each.target != TITLE), rule), digest="roles")


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with open_world() as opened:
        opened.budget = Budget(min_count=100)
        opened.people(["ada", "bob", "cyd", "dan"])
        yield opened


def active(world: World) -> set[str]:
    return {name.partition("@")[0] for name, each in world.accounts().items() if each.get("active", True)}


def titles(world: World) -> dict[str, object]:
    return {name.partition("@")[0]: each.get("title") for name, each in world.accounts().items()}


async def sync(world: World) -> CycleReport:
    """However much the source has lost."""
    await world.read(min_retained=0)
    return await world.cycle()


async def quiet(world: World) -> None:
    """Another cycle has nothing to do."""
    writes = len(world.target.history.writes)
    assert (await world.cycle()).result is CycleResult.SUCCEEDED
    assert len(world.target.history.writes) == writes


# --- who is in ------------------------------------------------------------------------------------------------------


async def test_users_who_are_assigned_are_in_and_nobody_else(world: World) -> None:
    world.assignment = Assignment((user("ada"), user("BOB")))
    report = await sync(world)
    assert active(world) == {"ada", "bob"}
    assert (report.in_scope, report.linked, report.counts.skipped) == (2, 2, 0)
    await quiet(world)


async def test_direct_members_of_an_assigned_group_are_in(world: World) -> None:
    world.group("eng", "ada", "inner")
    world.group("inner", "bob")
    world.assignment = Assignment((group("Eng"),))
    await sync(world)
    assert active(world) == {"ada"}


async def test_with_flatten_all_nested_members_are_in_even_where_groups_contain_each_other(world: World) -> None:
    world.group("eng", "ada", "inner")
    world.group("inner", "bob", "deep")
    world.group("deep", "cyd", "eng")
    world.assignment = Assignment((group("eng"),), Nested.FLATTEN)
    await sync(world)
    assert active(world) == {"ada", "bob", "cyd"}
    await quiet(world)


async def test_a_change_deep_inside_is_noticed_without_a_change_of_any_person(world: World) -> None:
    world.group("eng", "inner")
    world.group("inner", "ada", "bob")
    world.assignment = Assignment((group("eng"),), Nested.FLATTEN)
    await sync(world)
    world.group("inner", "bob", "cyd")
    report = await sync(world)
    assert report.kind is CycleKind.INCREMENTAL
    assert active(world) == {"bob", "cyd"}
    await quiet(world)


async def test_whoever_leaves_the_group_is_disabled_as_unassigned_and_comes_back_to_the_same_account(
    world: World,
) -> None:
    world.group("eng", "ada", "bob")
    world.assignment = Assignment((group("eng"),))
    await sync(world)
    before = set(world.target.accounts)

    world.group("eng", "ada")
    await sync(world)
    assert active(world) == {"ada"}
    log = await world.store.log(world.connector, LogQuery(source_id=SourceId("id-bob")), 1)
    assert (log[0].action, log[0].reason) == ("Disable", "Unassigned")

    world.group("eng", "ada", "bob")
    await sync(world)
    assert active(world) == {"ada", "bob"}
    assert set(world.target.accounts) == before


async def test_a_new_member_whom_the_source_has_later_gets_in_then(world: World) -> None:
    world.group("eng", "ada", "eve")
    world.assignment = Assignment((group("eng"),))
    await sync(world)
    world.people(["eve"])
    await sync(world)
    assert active(world) == {"ada", "eve"}


async def test_a_process_that_dies_before_the_end_loses_nobody(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    async with open_world(path) as world:
        world.people(["ada", "bob"])
        world.group("eng", "ada", "bob")
        world.budget, world.assignment = Budget(min_count=100), Assignment((group("eng"),))
        await sync(world)
        world.group("eng", "ada")
        await world.read()
        assert (await world.plan()).counts.disabled == 1
    async with open_world(path, world.target) as again:
        again.source, again.assignment = world.source, world.assignment
        assert (await again.cycle()).kind is CycleKind.INCREMENTAL
        assert active(again) == {"ada"}


async def test_with_a_mapping_for_groups_the_assigned_ones_are_in_and_with_flatten_the_nested(world: World) -> None:
    world.group_mapping = group_mapping()
    world.group("eng", "ada", "inner")
    world.group("inner", "bob")
    world.group("sales", "cyd")
    world.assignment = Assignment((group("eng"),))
    await sync(world)
    assert world.members() == {"eng": {"ada"}}

    world.assignment = Assignment((group("eng"),), Nested.FLATTEN)
    await sync(world)
    assert world.members() == {"eng": {"ada", "inner"}, "inner": {"bob"}}


# --- roles ----------------------------------------------------------------------------------------------------------


async def test_roles_come_from_the_entries_and_a_change_of_them_alone_is_noticed(world: World) -> None:
    world.mapping = with_role()
    world.group("eng", "ada", "bob")
    world.group("leads", "bob")
    world.assignment = Assignment((user("cyd"), group("eng", "Editor"), group("leads", "", 1)))
    await sync(world)
    assert titles(world) == {"ada": "Editor", "bob": "Editor", "cyd": None}

    world.group("eng", "ada")
    await sync(world)
    assert titles(world) == {"ada": "Editor", "bob": None, "cyd": None}
    await quiet(world)


async def test_somebody_with_two_roles_where_one_is_needed_is_left_undone_alone(world: World) -> None:
    world.mapping = with_role()
    world.group("eng", "ada", "bob")
    world.assignment = Assignment((user("ada", "Admin"), group("eng", "Editor")))
    report = await sync(world)
    assert titles(world) == {"bob": "Editor"}
    assert (report.result, report.pending) == (CycleResult.PARTIAL, 1)


# --- pins and what is not understood --------------------------------------------------------------------------------


async def test_a_rename_follows_the_id(world: World) -> None:
    world.group("eng", "ada")
    world.assignment = Assignment((user("bob"), group("eng")))
    await sync(world)
    world.source.put_group("id-eng", displayName="Engineering", members=("id-ada",))
    world.source.put("id-bob", **person("robert"))
    world.source.put("id-new", **person("bob"))
    report = await sync(world)
    assert report.unresolved == ()
    assert active(world) == {"ada", "robert"}


async def test_a_pinned_user_who_is_gone_is_a_leaver_and_nothing_is_unresolved(world: World) -> None:
    world.assignment = Assignment((user("ada"), user("bob", index=1)))
    await sync(world)
    world.source.drop("id-bob")
    report = await sync(world)
    assert active(world) == {"ada"}
    assert report.unresolved == ()


@pytest.mark.parametrize("rename", [False, True], ids=["gone", "never resolved"])
async def test_while_an_entry_is_not_understood_nobody_leaves_by_absence(world: World, *, rename: bool) -> None:
    world.group("eng", "ada", "bob")
    world.group("ops", "cyd", "dan")
    world.assignment = Assignment((group("eng"), group("ops", index=1)))
    await sync(world)
    if rename:
        world.assignment = Assignment((group("engineering"), group("ops", index=1)))
    else:
        world.source.drop_group("id-eng")
    world.group("ops", "dan")

    report = await sync(world)

    assert active(world) == {"ada", "bob", "cyd", "dan"}
    [unresolved] = report.unresolved
    assert unresolved.startswith("spec.scope.groups[0]: ")
    assert "eng" not in unresolved.partition(": ")[2]
    assert report.result is CycleResult.PARTIAL

    world.source.put("id-ada", **person("ada", accountEnabled=False))
    world.source.drop("id-bob")
    await sync(world)
    assert active(world) == {"cyd", "dan"}, "their own record is evidence"

    world.assignment = Assignment((group("ops", index=1),))
    held = (await sync(world)).held
    assert held is not None, "a changed scope has no small changes"
    await world.cycle(held.hash)
    assert active(world) == {"dan"}, "the entry was taken out: now the absence says something"


async def test_whoever_waits_to_leave_goes_on_waiting_while_an_entry_is_not_understood(world: World) -> None:
    world.budget = Budget(max_count=0)
    world.group("eng", "ada", "bob")
    world.group("ops", "cyd")
    world.assignment = Assignment((group("eng"), group("ops", index=1)))
    await sync(world)
    world.group("ops")
    held = (await sync(world)).held
    assert held is not None
    world.source.drop_group("id-eng")
    await world.read(min_retained=0)

    report = await world.cycle(held.hash)

    assert active(world) == {"ada", "bob", "cyd"}
    assert report.reasons == {"ScopeUnresolved": 1}


async def test_nobody_is_deleted_for_an_absence_while_an_entry_is_not_understood(world: World) -> None:
    world.deprovisioning = Deprovisioning(on_unassigned=Policy.DELETE, delete_after=timedelta(hours=1))
    world.group("eng", "ada")
    world.group("other")
    world.assignment = Assignment((user("ada"), user("bob"), group("eng")))
    await sync(world)
    world.assignment = Assignment((user("ada"), group("eng")))
    held = (await sync(world)).held
    assert held is not None
    await world.cycle(held.hash)
    world.source.drop_group("id-eng")
    world.clock.advance(7200)
    await sync(world)
    assert set(world.accounts()) == {"ada@example.com", "bob@example.com"}
    world.group("eng", "ada")
    await sync(world)
    assert set(world.accounts()) == {"ada@example.com"}


async def test_somebody_new_gets_in_while_another_entry_is_not_understood(world: World) -> None:
    world.group("ops", "cyd")
    world.assignment = Assignment((user("nobody"), group("ops")))
    await sync(world)
    world.group("ops", "cyd", "dan")
    await sync(world)
    assert active(world) == {"cyd", "dan"}


async def test_an_entry_that_several_answer_to_is_not_guessed(world: World) -> None:
    world.source.put("id-ada2", **person("ada2", userPrincipalName="ADA@example.com"))
    world.assignment = Assignment((user("ada"),))
    report = await sync(world)
    assert report.unresolved == ("spec.scope.users[0]: 2 users of the source have this userPrincipalName",)
    assert active(world) == set()

    world.source.drop("id-ada2")
    assert (await sync(world)).unresolved == ()
    assert active(world) == {"ada"}


async def test_from_everybody_to_a_scope_with_a_typo_nobody_leaves(world: World) -> None:
    await sync(world)
    world.assignment = Assignment((user("ada"), user("bbo", index=1)))
    report = await sync(world)
    assert active(world) == {"ada", "bob", "cyd", "dan"}
    assert len(report.unresolved) == 1
    world.assignment = Assignment((user("ada"), user("bob", index=1)))
    held = (await sync(world)).held
    assert held is not None, "a changed scope has no small changes"
    await world.cycle(held.hash)
    assert active(world) == {"ada", "bob"}


async def test_roles_of_an_entry_that_is_not_understood_stay_and_those_of_others_go(world: World) -> None:
    world.mapping = with_role()
    world.group("eng", "ada")
    world.group("ops", "bob")
    world.assignment = Assignment((user("ada", index=0), user("bob", index=1), group("eng", "E"), group("ops", "O", 1)))
    await sync(world)
    assert titles(world) == {"ada": "E", "bob": "O"}
    world.source.drop_group("id-eng")
    world.group("ops")
    await sync(world)
    assert titles(world) == {"ada": "E", "bob": None}


async def test_an_entry_that_was_taken_out_and_comes_back_is_looked_for_anew(world: World) -> None:
    world.assignment = Assignment((user("ada"), user("bob", index=1)))
    await sync(world)
    world.source.put("id-bob", **person("robert"))
    world.source.put("id-new", **person("bob"))
    world.assignment = Assignment((user("ada"),))
    held = (await sync(world)).held
    assert held is not None
    await world.cycle(held.hash)
    world.assignment = Assignment((user("ada"), user("bob", index=1)))
    await sync(world)
    resolution = await world.store.resolution(world.connector)
    assert resolution is not None
    assert set(resolution.pins.values()) == {"id-ada", "id-new"}


# --- a changed scope ------------------------------------------------------------------------------------------------


async def test_a_changed_scope_looks_at_everybody_and_has_no_small_changes(world: World) -> None:
    world.assignment = Assignment((user("ada"), user("bob", index=1)))
    await sync(world)
    world.assignment = Assignment((user("ada"),))
    report = await sync(world)
    assert (report.kind, report.held is not None) == (CycleKind.INITIAL, True)
    assert active(world) == {"ada", "bob"}


async def test_back_to_everybody_all_are_in_and_nothing_is_remembered(world: World) -> None:
    world.assignment = Assignment((user("ada"),))
    await sync(world)
    world.assignment = None
    await sync(world)
    assert active(world) == {"ada", "bob", "cyd", "dan"}
    assert await world.store.resolution(world.connector) is None
    assert await world.store.assigned(world.lane) == {}


async def test_a_source_without_groups_can_not_assign_any(world: World) -> None:
    await sync(world)
    world.assignment = Assignment((group("eng"),))
    report = await world.cycle()
    assert (report.result, report.error_reason) == (CycleResult.FAILED, "InvalidSpec")
    assert report.error.startswith("spec.scope.groups: ")
