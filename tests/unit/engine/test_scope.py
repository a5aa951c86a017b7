"""Whoever leaves the scope loses the access, and gets the same account back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from usher.api.v1alpha1.mappings import AttributeMappingSpec
from usher.assembly.mappings import compile_mapping
from usher.core.model.reports import CycleResult
from usher.core.sync.policies import Budget
from usher.core.sync.rules import CompiledMapping
from usher.testing.clock import fake_surroundings
from usher.testing.world import World, open_world, person

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

    told = {(entry.source_id, entry.action, entry.reason) for entry in await world.store.log(world.connector, None, 9)}

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
    reasons = [entry.reason for entry in await world.store.log(world.connector, None, 9) if entry.action == "Disable"]
    assert reasons == ["SourceDisabled"]
