"""The connector itself is deleted: everybody whom it links leaves, whatever the source says, under the same budgets."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from usher.core.model.reports import CycleResult
from usher.core.model.resources import AttributePath, ConnectorKey, Json, ResourceType
from usher.core.scim.schemas import USER_SCHEMA
from usher.core.sync.leaving import Deprovisioning, Policy, Writes
from usher.core.sync.policies import Budget, Enforcement
from usher.core.sync.untouchable import Spared, Untouchable
from usher.testing.faults import Fault, FaultKind, FaultSchedule, Operation, nth
from usher.testing.memory_target import MemoryTarget
from usher.testing.world import World, direct_mapping, group_mapping, open_world, person

DAY = timedelta(days=1)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with open_world() as opened:
        opened.people(["ada", "bob", "eve"])
        opened.group_mapping = group_mapping()
        opened.group("staff", "ada", "bob")
        yield opened


def active(world: World) -> dict[str, bool]:
    return {name.partition("@")[0]: one.get("active", True) is True for name, one in world.accounts().items()}


async def end(world: World, approval: str = "") -> CycleResult:
    """One cycle of the connector that is deleted; the source is not read."""
    world.ending = True
    return (await world.cycle(approval)).result


# --- what leaves ----------------------------------------------------------------------------------------------------


async def test_everybody_who_is_linked_is_disabled_and_groups_are_emptied_once(world: World) -> None:
    await world.sync()
    stranger = world.target.plant({"userName": "zoe@example.com", "active": True})

    assert await end(world) is CycleResult.SUCCEEDED

    assert active(world) == {"ada": False, "bob": False, "eve": False, "zoe": True}
    assert world.members() == {"staff": set()}
    assert world.target.document(stranger)["active"] is True
    writes = len(world.target.history.writes)
    assert await end(world) is CycleResult.SUCCEEDED
    assert len(world.target.history.writes) == writes


async def test_the_source_is_not_needed_nor_what_was_read_of_it(world: World) -> None:
    await world.sync()
    world.people(["new"])
    await world.read()  # somebody who has no account yet

    await end(world)

    assert active(world) == {"ada": False, "bob": False, "eve": False}


async def test_members_who_are_nobody_of_ours_stay_in_a_group_that_is_emptied(world: World) -> None:
    await world.sync()
    stranger = world.target.plant({"userName": "zoe@example.com", "active": True})
    groups = world.target.collection(ResourceType.GROUP)
    [staff] = groups.accounts
    members: list[Json] = [{"value": one} for one in (*sorted(world.target.members(staff)), stranger)]
    groups.change(staff, "members", members)
    await world.sync()

    await end(world)

    assert world.members() == {"staff": {"zoe"}}


@pytest.mark.parametrize(
    ("policy", "accounts", "groups"),
    [
        (Policy.DISABLE, {"ada": False, "bob": False, "eve": False}, {"staff": set()}),
        (Policy.KEEP, {"ada": True, "bob": True, "eve": True}, {"staff": {"ada", "bob"}}),
        (Policy.DELETE, {"ada": False, "bob": False, "eve": False}, {}),
    ],
)
async def test_what_is_done_is_what_is_done_with_the_unassigned(
    world: World, policy: Policy, accounts: dict[str, bool], groups: dict[str, set[str]]
) -> None:
    other = Policy.DISABLE if policy is not Policy.DISABLE else Policy.DELETE
    world.deprovisioning = Deprovisioning(policy, other, other, other)
    await world.sync()

    assert await end(world) is CycleResult.SUCCEEDED

    assert active(world) == accounts
    assert world.members() == groups


async def test_accounts_that_are_to_be_deleted_wait_for_their_time_and_for_no_read(world: World) -> None:
    world.deprovisioning = Deprovisioning(on_unassigned=Policy.DELETE, delete_after=DAY)
    await world.sync()
    await end(world)
    assert active(world) == {"ada": False, "bob": False, "eve": False}

    world.clock.advance(DAY.total_seconds() - 1)
    await end(world)
    assert len(active(world)) == 3
    world.clock.advance(1)
    assert await end(world) is CycleResult.SUCCEEDED

    assert (active(world), world.members()) == ({}, {})


async def test_accounts_that_are_never_written_stay_as_they_are(world: World) -> None:
    path = AttributePath("userName")
    world.untouchable = Untouchable((Spared(path, "ada*", USER_SCHEMA.definition(path)),))
    await world.sync()
    world.untouchable = Untouchable()
    await world.sync()  # so that ada is linked
    world.untouchable = Untouchable((Spared(path, "ada*", USER_SCHEMA.definition(path)),))

    assert await end(world) is CycleResult.SUCCEEDED

    assert active(world) == {"ada": True, "bob": False, "eve": False}


async def test_a_mapping_without_update_lets_nothing_be_sent(world: World) -> None:
    world.mapping = replace(direct_mapping(), writes=frozenset({Writes.CREATE}))
    await world.sync()

    assert await end(world) is CycleResult.SUCCEEDED

    assert set(active(world).values()) == {True}


async def test_a_connector_that_only_observes_writes_nothing_when_it_ends(world: World) -> None:
    await world.sync()
    world.enforcement = Enforcement.OBSERVE

    assert await end(world) is CycleResult.PLANNED

    assert set(active(world).values()) == {True}


async def test_an_account_that_an_unfinished_create_left_behind_leaves_too(world: World) -> None:
    world.target.faults = FaultSchedule([nth(Operation.CREATE, 2, Fault(FaultKind.LOST_AFTER))])
    await world.sync()

    await end(world)
    await end(world)

    assert set(active(world).values()) == {False}


async def test_an_account_that_is_gone_already_is_a_success(world: World) -> None:
    await world.sync()
    [bob] = [i for i in world.target.accounts if world.target.document(i)["userName"] == "bob@example.com"]
    world.target.remove(bob)

    await end(world)

    assert await end(world) is CycleResult.SUCCEEDED
    assert active(world) == {"ada": False, "eve": False}


async def test_an_app_that_is_away_ends_the_cycle_and_the_next_one_goes_on(world: World) -> None:
    await world.sync()
    world.target.faults = FaultSchedule([nth(Operation.UPDATE, 2, Fault(FaultKind.UNAUTHORIZED))])

    first = await end(world)

    assert first is not CycleResult.SUCCEEDED
    assert await end(world) is CycleResult.SUCCEEDED
    assert set(active(world).values()) == {False}


# --- budgets --------------------------------------------------------------------------------------------------------


async def test_more_than_the_budget_is_held_until_it_is_approved(world: World) -> None:
    world.budget = Budget(max_count=500, max_percent=10, min_count=2)
    await world.sync()

    world.ending = True
    report = await world.cycle()

    assert report.held is not None
    assert report.held.reason == "OverBudget"
    assert (set(active(world).values()), world.members()) == ({True}, {"staff": {"ada", "bob"}})
    report = await world.cycle(approval=report.held.hash)
    assert (report.result, report.held) == (CycleResult.SUCCEEDED, None)
    assert (set(active(world).values()), world.members()) == ({False}, {"staff": set()})


async def test_as_many_as_the_minimum_are_never_held_though_it_is_everybody(world: World) -> None:
    world.budget = Budget(max_count=500, max_percent=10, min_count=3)
    await world.sync()
    assert await end(world) is CycleResult.SUCCEEDED


async def test_groups_have_a_budget_of_their_own(world: World) -> None:
    world.group_budget = Budget(max_count=0)
    await world.sync()
    world.ending = True
    report = await world.cycle()
    assert report.held is not None
    assert report.held.summary == "3 of 3 live accounts, 1 of 1 live group"


async def test_a_group_that_is_the_only_one_to_leave_is_emptied_once_that_is_approved(world: World) -> None:
    """Nobody refers to anybody any more by then: the group itself has to be looked at all the same."""
    world.group_budget = Budget(max_count=0)
    world.group("empty")
    await world.sync()
    world.source.drop_group("id-staff")
    await world.read(min_retained=10)
    held = (await world.cycle()).held
    assert held is not None
    await world.cycle(held.hash)
    assert world.members() == {"staff": set(), "empty": set()}


async def test_what_was_held_before_is_part_of_the_one_plan_that_is_held_then(world: World) -> None:
    world.people(names := [f"p{n:02}" for n in range(30)])
    await world.sync()
    for name in names[:15]:
        world.source.put(f"id-{name}", **person(name, accountEnabled=False))
    before = (await world.sync()).held
    assert before is not None

    world.ending = True
    report = await world.cycle()

    assert report.held is not None
    assert report.held.hash != before.hash
    assert report.held.count == 34
    assert (await world.cycle(approval=report.held.hash)).result is CycleResult.SUCCEEDED
    assert set(active(world).values()) == {False}


# --- across processes -----------------------------------------------------------------------------------------------


async def test_the_next_process_goes_on_where_the_last_one_stopped(tmp_path: Path) -> None:
    path, target = tmp_path / "state.db", MemoryTarget()
    async with open_world(path, target) as world:
        world.people(["ada", "bob", "eve"])
        world.budget = Budget(min_count=0)
        await world.sync()
        world.ending = True
        report = await world.cycle()
        assert report.held is not None
    async with open_world(path, target) as world:
        world.budget, world.ending = Budget(min_count=0), True
        again = await world.cycle(approval=report.held.hash)

    assert (again.result, set(active(world).values())) == (CycleResult.SUCCEEDED, {False})


async def test_a_connector_of_the_same_name_afterwards_gives_everybody_the_same_account_back(world: World) -> None:
    await world.sync()
    before = set(world.target.accounts)
    await end(world)
    await world.store.retire(ConnectorKey(world.name), world.clock.now())

    world.ending = False
    assert (await world.sync()).result is CycleResult.SUCCEEDED

    assert set(world.target.accounts) == before
    assert (set(active(world).values()), world.members()) == ({True}, {"staff": {"ada", "bob"}})
