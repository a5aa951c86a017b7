"""Whoever leaves the scope loses the access, and gets the same account back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from usher.api.v1alpha1.mappings import AttributeMappingSpec
from usher.assembly.mappings import compile_mapping
from usher.contracts.log import WHOLE_LOG, LogQuery
from usher.core.model.reports import CycleResult
from usher.core.model.resources import ResourceType, SourceId
from usher.core.sync.assignments import Assignment, Entry
from usher.core.sync.policies import Budget
from usher.core.sync.rules import CompiledMapping
from usher.core.sync.scoping import Filter, Operator, compile_clause
from usher.testing.clock import fake_surroundings
from usher.testing.world import World, group_mapping, open_world, person

BERLIN: dict[str, Any] = {"attribute": "city", "operator": "Equals", "value": "Berlin"}


def mapping(*clauses: dict[str, Any]) -> CompiledMapping:
    spec = {
        "attributes": ({"target": "userName", "source": "userPrincipalName", "match": 1},),
        "scopeFilters": tuple({"clauses": (clause,)} for clause in clauses),
    }
    return compile_mapping("people", AttributeMappingSpec.model_validate(spec), fake_surroundings())


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with open_world() as opened:
        opened.mapping = mapping(BERLIN)
        yield opened


def put(world: World, name: str, city: str) -> None:
    world.source.put(f"id-{name}", **person(name, city=city))


async def active(world: World) -> dict[str, object]:
    """Who is active, after a cycle that left nothing undone and another that wrote nothing."""
    assert (await world.sync()).result is CycleResult.SUCCEEDED
    writes = len(world.target.history.writes)
    again = await world.cycle()
    assert again.result is CycleResult.SUCCEEDED
    assert len(world.target.history.writes) == writes
    return {name.partition("@")[0]: each.get("active", True) for name, each in world.accounts().items()}


async def test_only_whom_a_filter_admits_gets_an_account(world: World) -> None:
    put(world, "ada", "Berlin")
    put(world, "bob", "Bonn")
    world.source.put("id-cyd", **person("cyd"))

    report = await world.sync()

    assert set(world.accounts()) == {"ada@example.com"}
    assert (report.in_scope, report.pending, report.result) == (1, 0, CycleResult.SUCCEEDED)


async def test_whoever_moves_out_is_disabled_once_and_whoever_comes_back_gets_the_same_account(world: World) -> None:
    put(world, "ada", "Berlin")
    put(world, "bob", "Berlin")
    assert await active(world) == {"ada": True, "bob": True}
    before = dict(world.target.accounts)

    put(world, "ada", "Bonn")
    assert await active(world) == {"ada": False, "bob": True}
    put(world, "ada", "Berlin")
    assert await active(world) == {"ada": True, "bob": True}

    assert world.target.accounts.keys() == before.keys()


async def test_the_log_says_that_it_was_the_scope(world: World) -> None:
    put(world, "ada", "Berlin")
    await world.sync()
    put(world, "ada", "Bonn")
    put(world, "bob", "Bonn")
    await world.sync()

    told = {
        (entry.source_id, entry.action, entry.reason) for entry in await world.store.log(world.connector, WHOLE_LOG, 9)
    }

    assert ("id-ada", "Disable", "OutOfScope") in told
    assert ("id-bob", "Skip", "OutOfScope") in told


async def test_a_narrower_scope_is_held_whatever_the_budget_leaves_alone(world: World) -> None:
    world.budget = Budget(max_count=500, max_percent=10, min_count=10)
    for number in range(8):
        put(world, f"user{number}", "Berlin" if number else "Bonn")
    world.mapping = mapping(BERLIN, {"attribute": "city", "operator": "Equals", "value": "Bonn"})
    await world.sync()

    world.mapping = mapping({"attribute": "city", "operator": "Equals", "value": "Bonn"})
    report = await world.cycle()

    assert report.held is not None
    assert (report.held.count, report.counts.disabled) == (7, 0)
    assert (await world.cycle(approval=report.held.hash)).counts.disabled == 7


async def test_somebody_who_can_not_be_judged_keeps_the_account(world: World) -> None:
    world.mapping = mapping({"attribute": "city", "operator": "RegexMatch", "value": "B.*"})
    put(world, "ada", "Berlin")
    await world.sync()

    put(world, "ada", "B" * 70_000)
    report = await world.sync()

    assert report.reasons == {"ScopingFailed": 1}
    assert world.accounts()["ada@example.com"].get("active", True) is True


async def test_a_disabled_person_is_a_leaver_of_the_source_wherever_the_scope_ends(world: World) -> None:
    put(world, "ada", "Berlin")
    await world.sync()
    world.source.put("id-ada", **person("ada", city="Bonn", accountEnabled=False))

    assert await active(world) == {"ada": False}
    reasons = [
        entry.reason for entry in await world.store.log(world.connector, WHOLE_LOG, 9) if entry.action == "Disable"
    ]
    assert reasons == ["SourceDisabled"]


# --- filters of the connector ---------------------------------------------------------------------------------------

STAFF = Filter("staff", (compile_clause("kind", Operator.EQUALS, "staff"),))


def within(world: World, *filters: Filter) -> None:
    world.mapping = replace(world.mapping, scope=replace(world.mapping.scope, within=filters))


async def test_a_filter_of_the_connector_is_asked_besides_those_of_the_mapping(world: World) -> None:
    within(world, STAFF)
    for name, city, kind in (("ada", "Berlin", "staff"), ("bob", "Bonn", "staff"), ("cyd", "Berlin", "guest")):
        world.source.put(f"id-{name}", **person(name, city=city, kind=kind))

    assert await active(world) == {"ada": True}
    world.source.put("id-ada", **person("ada", city="Berlin", kind="guest"))
    assert await active(world) == {"ada": False}
    entries = await world.store.log(world.connector, LogQuery(source_id=SourceId("id-ada")), 1)
    assert [entry.reason for entry in entries] == ["OutOfScope"]
    world.source.put("id-ada", **person("ada", city="Berlin", kind="staff"))
    assert await active(world) == {"ada": True}


async def test_a_narrower_filter_of_the_connector_is_held_whatever_the_budget_leaves_alone(world: World) -> None:
    world.budget = Budget(max_count=500, max_percent=10, min_count=10)
    for number in range(8):
        world.source.put(f"id-{number}", **person(f"user{number}", city="Berlin", kind="staff" if number else "guest"))
    await world.sync()

    within(world, Filter("guests", (compile_clause("kind", Operator.EQUALS, "guest"),)))
    report = await world.cycle()

    assert report.held is not None
    assert (report.held.count, report.counts.disabled) == (7, 0)
    within(world)
    assert (await world.cycle()).held is None


async def test_of_those_who_are_assigned_only_whom_a_filter_of_the_connector_admits_is_in(world: World) -> None:
    world.mapping = mapping()
    within(world, STAFF)
    world.assignment = Assignment((Entry(ResourceType.GROUP, "displayName", "crew"),))
    for name, kind in (("ada", "staff"), ("bob", "guest"), ("cyd", "staff")):
        world.source.put(f"id-{name}", **person(name, kind=kind))
    world.group("crew", "ada", "bob")

    assert await active(world) == {"ada": True}
    world.source.put("id-bob", **person("bob", kind="staff"))
    assert await active(world) == {"ada": True, "bob": True}


async def test_groups_are_not_asked_by_a_filter_of_the_connector(world: World) -> None:
    world.mapping, world.group_mapping = mapping(), group_mapping()
    within(world, STAFF)
    world.source.put("id-ada", **person("ada", kind="staff"))
    world.source.put("id-bob", **person("bob", kind="guest"))
    world.group("crew", "ada", "bob")

    await world.sync()

    assert world.members() == {"crew": {"ada"}}
