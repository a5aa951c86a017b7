"""The state was lost, and people left while nobody knew that they were linked: their accounts are found."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

import pytest

from usher.contracts.log import WHOLE_LOG
from usher.core.model.reports import CycleReport, CycleResult
from usher.core.model.resources import AttributePath, SourceId
from usher.core.sync.matching import Adopt
from usher.core.sync.policies import Budget, OnStateLoss
from usher.core.sync.untouchable import Spared, Untouchable
from usher.state.store import open_store
from usher.testing.memory_target import MemoryTarget
from usher.testing.world import ATTRIBUTES, World, direct_mapping, new_world, open_world, person

ANCHORED: Mapping[str, tuple[str, int | None]] = {**ATTRIBUTES, "externalId": ("employeeId", 3)}
NAMES = ("ada", "bob", "cyd", "dan")


def put(world: World, name: str, *, enabled: bool = True) -> None:
    world.source.put(f"id-{name}", **person(name, employeeId=f"id-{name}", accountEnabled=enabled))


@pytest.fixture
async def target() -> MemoryTarget:
    """An app with accounts of four people, made by a connector whose state is gone since."""
    async with open_world() as before:
        before.mapping = direct_mapping(ANCHORED)
        for name in NAMES:
            put(before, name)
        await before.sync()
        return before.target


@pytest.fixture
async def world(target: MemoryTarget) -> AsyncIterator[World]:
    """The same with no state: bob was disabled and cyd deleted at the source meanwhile."""
    async with open_store(None) as store:
        opened = new_world(store, target)
        opened.lost, opened.mapping = True, direct_mapping(ANCHORED)
        opened.source.attributes = ("accountEnabled",)
        for name in ("ada", "bob", "dan"):
            put(opened, name, enabled=name != "bob")
        yield opened


def active(world: World) -> set[str]:
    return {name.partition("@")[0] for name, one in world.accounts().items() if one.get("active") is not False}


async def is_lost(world: World) -> bool:
    consumption = await world.store.consumption(world.lane)
    assert consumption is not None
    return consumption.lost


async def strays(world: World) -> int:
    comparison = await world.store.comparison(world.lane)
    return 0 if comparison is None or comparison.found is None else comparison.found.strays


async def cycles(world: World, count: int) -> CycleReport:
    report = await world.sync()
    for _ in range(count - 1):
        report = await world.sync()
    return report


async def test_in_the_first_cycle_nobody_leaves_nothing_is_made_twice_and_nothing_is_written(world: World) -> None:
    before = world.target.faults.writes
    report = await world.sync()
    assert (report.counts.linked, report.counts.created, report.counts.disabled) == (2, 0, 0)
    assert world.target.faults.writes == before
    assert await is_lost(world)


async def test_whoever_left_meanwhile_is_reported_and_stays_lost_until_somebody_decides(world: World) -> None:
    await cycles(world, 3)
    assert active(world) == set(NAMES)
    assert (await strays(world), await is_lost(world)) == (2, True)
    lines = [one for one in await world.store.log(world.connector, WHOLE_LOG, 50) if one.reason == "StateLost"]
    assert {one.source_id for one in lines} == {"id-bob", "id-cyd"}

    for name in ("bob", "cyd"):
        account = next(i for i in world.target.accounts if name in str(world.target.document(i)["userName"]))
        world.target.change(account, "active", False)
    world.clock.advance(86_400)
    await world.sync()
    assert (await strays(world), await is_lost(world)) == (0, False)


async def test_with_disable_they_leave_within_a_guarded_budget(world: World) -> None:
    world.on_state_loss = OnStateLoss.DISABLE
    report = await cycles(world, 3)
    assert report.held is not None, "two of four, and nothing is too little"
    assert active(world) == set(NAMES)
    report = await world.sync(approval=report.held.hash)
    assert (report.counts.disabled, active(world)) == (2, {"ada", "dan"})
    report = await world.sync()
    assert (report.result, await is_lost(world)) == (CycleResult.SUCCEEDED, False)


async def test_within_the_budget_they_leave_by_themselves(world: World) -> None:
    world.on_state_loss, world.budget = OnStateLoss.DISABLE, Budget(max_percent=60)
    await cycles(world, 3)
    assert active(world) == {"ada", "dan"}
    report = await world.sync()
    assert (report.result, report.pending, await is_lost(world)) == (CycleResult.SUCCEEDED, 0, False)


async def test_a_decision_that_comes_later_counts_at_once(world: World) -> None:
    await cycles(world, 3)
    world.on_state_loss, world.budget = OnStateLoss.DISABLE, Budget(max_percent=60)
    await cycles(world, 2)
    assert active(world) == {"ada", "dan"}


async def test_accounts_of_strangers_and_those_that_are_never_written_are_no_strays(world: World) -> None:
    world.on_state_loss, world.budget = OnStateLoss.DISABLE, Budget(max_percent=100)
    world.untouchable = Untouchable((Spared(AttributePath("userName"), "bob*"),))
    stranger = world.target.plant({"userName": "stranger", "active": True})
    await cycles(world, 4)
    assert world.target.document(stranger)["active"] is True
    assert active(world) == {"ada", "dan", "bob", "stranger"}
    assert not await is_lost(world)


async def test_whose_an_account_is_can_be_in_doubt_and_then_it_is_left_alone(world: World) -> None:
    world.on_state_loss, world.budget = OnStateLoss.DISABLE, Budget(max_percent=100)
    world.target.plant({"userName": "twin", "emails": [{"type": "work", "value": "bob@example.com"}], "active": True})
    world.source.put("id-bob", mail="bob@example.com", accountEnabled=False)
    await cycles(world, 3)
    assert {"bob", "twin"} <= active(world)
    assert await is_lost(world)


async def test_somebody_who_came_back_meanwhile_gets_the_account_and_no_second_one(world: World) -> None:
    world.on_state_loss, world.budget = OnStateLoss.DISABLE, Budget(max_percent=100)
    await world.sync()
    put(world, "cyd")
    await cycles(world, 3)
    assert active(world) == {"ada", "cyd", "dan"}
    assert len(world.target.accounts) == 4


async def test_our_own_accounts_are_known_by_their_anchor_even_where_none_is_adopted(world: World) -> None:
    world.adopt = Adopt.NEVER
    world.mapping = direct_mapping({**ANCHORED, "externalId": ("employeeId", 1), "userName": ("userPrincipalName", 4)})
    report = await world.sync()
    assert (report.counts.linked, report.pending) == (2, 0)
    assert (await world.store.links(world.lane, [SourceId("id-ada")])).keys() == {"id-ada"}


async def test_a_new_connector_finds_no_strays(target: MemoryTarget) -> None:
    async with open_store(None) as store:
        opened = new_world(store, target)
        opened.mapping, opened.on_state_loss = direct_mapping(ANCHORED), OnStateLoss.DISABLE
        opened.budget = Budget(max_percent=100)
        put(opened, "ada")
        await cycles(opened, 3)
        assert active(opened) == set(NAMES)
        assert await opened.store.comparison(opened.lane) is None
