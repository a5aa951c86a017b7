"""References: members and managers come when both accounts are there, and go before all else."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from usher.core.model.reports import CycleResult
from usher.core.model.resources import Json, ResourceType
from usher.core.sync.leaving import Deprovisioning, Policy
from usher.core.sync.policies import Budget
from usher.core.sync.rules import OnNull
from usher.engine.cycle import run_cycle
from usher.engine.job import Control
from usher.testing.documents import read_at
from usher.testing.faults import Call, Fault, FaultKind, FaultSchedule, Operation, every, when
from usher.testing.memory_source import MemoryFeed
from usher.testing.world import MANAGER, World, direct_mapping, group_mapping, open_world, person, with_manager


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with open_world() as opened:
        opened.group_mapping = group_mapping()
        opened.mapping = with_manager(opened.mapping)
        opened.people(["ada", "bob", "eve"])
        opened.source.attributes = ("accountEnabled", "manager")
        yield opened


def manager_of(world: World, name: str) -> str | None:
    """The name of somebody's manager at the app."""
    accounts = world.accounts()
    value = read_at(accounts[f"{name}@example.com"], f"{MANAGER}.value")
    if value is None:
        return None
    return str(world.target.document(str(value))["userName"]).partition("@")[0]


def writes(world: World) -> int:
    faults = world.target.faults
    return sum(faults.count(each) for each in (Operation.CREATE, Operation.UPDATE, Operation.DELETE))


async def settled(world: World) -> None:
    """The next cycle has nothing to do."""
    before = writes(world)
    report = await world.sync()
    assert (report.result, report.pending) == (CycleResult.SUCCEEDED, 0)
    assert writes(world) == before


async def test_a_group_is_created_empty_and_gets_its_members_in_the_same_cycle(world: World) -> None:
    world.group("staff", "ada", "bob")

    report = await world.sync()

    assert report.result is CycleResult.SUCCEEDED
    assert report.groups is not None
    assert (report.groups.created, report.groups.references) == (1, 1)
    assert world.members() == {"staff": {"ada", "bob"}}
    await settled(world)


async def test_members_that_could_not_be_given_are_told_apart_from_accounts_that_failed(world: World) -> None:
    world.group("staff", "ada", "bob")
    schedule = FaultSchedule([every(Operation.UPDATE, 1, Fault(FaultKind.UNAVAILABLE))])
    world.target.faults = world.target.collection(ResourceType.GROUP).faults = schedule

    failed = await world.sync()

    assert (failed.result, failed.pending, failed.due_references) == (CycleResult.PARTIAL, 1, 1)
    world.target.faults = world.target.collection(ResourceType.GROUP).faults = FaultSchedule()
    healed = await world.sync()
    assert (healed.result, healed.pending, healed.due_references) == (CycleResult.SUCCEEDED, 0, 0)
    assert world.members() == {"staff": {"ada", "bob"}}


async def test_only_the_difference_of_a_set_is_sent(world: World) -> None:
    world.group("staff", "ada", "bob")
    await world.sync()
    before = writes(world)
    world.group("staff", "bob", "eve")

    await world.sync()

    assert world.members() == {"staff": {"bob", "eve"}}
    assert writes(world) - before == 2, "one removal, one addition"
    await settled(world)


async def test_a_member_who_comes_into_scope_later_becomes_one_then(world: World) -> None:
    world.group("staff", "ada", "zoe")
    report = await world.sync()
    assert (report.result, report.waiting_references) == (CycleResult.SUCCEEDED, 1)
    assert world.members() == {"staff": {"ada"}}

    world.people(["zoe"])
    report = await world.sync()

    assert world.members() == {"staff": {"ada", "zoe"}}
    assert report.waiting_references == 0
    await settled(world)


async def test_who_is_disabled_leaves_the_groups_and_is_a_member_again_when_back(world: World) -> None:
    world.group("staff", "ada", "bob")
    await world.sync()
    world.source.put("id-bob", **person("bob", accountEnabled=False))

    await world.sync()
    assert world.members() == {"staff": {"ada"}}
    assert world.accounts()["bob@example.com"]["active"] is False

    world.people(["bob"])
    await world.sync()
    assert world.members() == {"staff": {"ada", "bob"}}
    assert world.accounts()["bob@example.com"]["active"] is True
    await settled(world)


async def one_of_six_is_gone(world: World) -> MemoryFeed:
    """Bob is to be deleted, whom the group has as a member."""
    world.source = feed = MemoryFeed(attributes=("accountEnabled", "manager"))
    world.people(["ada", "bob", "cid", "dan", "eve", "fay"])
    world.deprovisioning = Deprovisioning(on_source_deleted=Policy.DELETE)
    world.group("staff", "ada", "bob")
    await world.sync()
    feed.bury("id-bob")
    return feed


async def test_who_comes_back_between_his_removal_and_his_deletion_is_a_member_again(world: World) -> None:
    feed = await one_of_six_is_gone(world)
    control = Control()

    def stops(call: Call) -> bool:
        if call.operation is Operation.UPDATE:
            control.stop.set()
        return False

    world.target.faults.add(when(stops, Fault(FaultKind.REFUSED)))
    await world.read()
    await run_cycle(world.job, world.ports, control)
    assert world.members() == {"staff": {"ada"}}
    feed.put("id-bob", **person("bob"))

    await world.sync()

    assert world.members() == {"staff": {"ada", "bob"}}
    await settled(world)


async def test_whom_the_app_does_not_delete_stays_out_of_the_groups_until_he_is_back(world: World) -> None:
    feed = await one_of_six_is_gone(world)
    world.target.faults.strike(Operation.DELETE, FaultKind.REFUSED)
    world.target.faults.strike(Operation.UPDATE, FaultKind.REFUSED, after=1)

    await world.sync()

    assert world.members() == {"staff": {"ada"}}
    world.target.faults.heal()
    feed.put("id-bob", **person("bob"))
    await world.sync()
    assert world.members() == {"staff": {"ada", "bob"}}
    await settled(world)


async def test_a_stranger_in_a_group_stays_in_it(world: World) -> None:
    world.group("staff", "ada", "bob")
    await world.sync()
    stranger = world.target.plant({"userName": "robot"})
    groups = world.target.collection(ResourceType.GROUP)
    [group] = groups.accounts
    held = read_at(groups.document(group), "members")
    assert isinstance(held, list)
    groups.change(group, "members", [*held, {"value": stranger}])

    world.group("staff", "bob")
    await world.sync()

    assert world.members() == {"staff": {"bob", "robot"}}


async def test_an_existing_group_is_taken_over_with_the_members_that_it_has(world: World) -> None:
    await world.sync()
    ids = {str(world.target.document(i)["userName"]): i for i in world.target.accounts}
    groups = world.target.collection(ResourceType.GROUP)
    members: list[Json] = [{"value": ids["ada@example.com"]}, {"value": ids["eve@example.com"]}]
    groups.plant({"displayName": "staff", "members": members})
    world.group("staff", "ada", "bob")
    before = writes(world)

    report = await world.sync()

    assert report.groups is not None
    assert report.groups.linked == 1
    assert world.members() == {"staff": {"ada", "bob"}}
    assert writes(world) - before == 2
    await settled(world)


async def test_a_renamed_group_is_the_same_group(world: World) -> None:
    world.group("staff", "ada")
    await world.sync()
    world.source.put_group("id-staff", displayName="Everybody", members=("id-ada",))

    await world.sync()

    assert world.members() == {"Everybody": {"ada"}}
    await settled(world)


async def test_groups_are_members_of_groups(world: World) -> None:
    world.group("all", "staff", "eve")
    world.group("staff", "ada", "all")

    await world.sync()

    assert world.members() == {"all": {"staff", "eve"}, "staff": {"ada", "all"}}
    await settled(world)


async def test_managers_are_given_in_any_order_and_in_a_circle(world: World) -> None:
    world.source.put("id-ada", **person("ada", manager="id-bob"))
    world.source.put("id-bob", **person("bob", manager="id-ada"))
    world.source.put("id-eve", **person("eve", manager="id-eve"))

    await world.sync()

    assert [manager_of(world, name) for name in ("ada", "bob", "eve")] == ["bob", "ada", "eve"]
    await settled(world)


async def test_a_manager_out_of_scope_is_waited_for_and_is_no_error(world: World) -> None:
    world.source.put("id-ada", **person("ada", manager="id-zoe"))
    report = await world.sync()
    assert (report.result, report.waiting_references, manager_of(world, "ada")) == (CycleResult.SUCCEEDED, 1, None)
    await settled(world)

    world.people(["zoe"])
    await world.sync()
    assert manager_of(world, "ada") == "zoe"


async def test_a_mapping_that_gets_a_manager_later_reads_who_that_is_and_writes_only_what_differs(world: World) -> None:
    world.mapping = direct_mapping()
    await world.sync()
    ids = {str(world.target.document(one)["userName"]).partition("@")[0]: one for one in world.target.accounts}
    for name in ("ada", "eve"):
        world.target.change(ids[name], MANAGER, {"value": ids["bob"]})
    world.mapping = with_manager(direct_mapping())
    world.source.put("id-ada", **person("ada", manager="id-bob"))
    world.source.put("id-eve", **person("eve", manager="id-ada"))
    before = writes(world)

    await world.sync()

    assert [manager_of(world, name) for name in ("ada", "eve")] == ["bob", "ada"]
    assert writes(world) - before == 1
    await settled(world)


@pytest.mark.parametrize(("on_null", "left"), [(OnNull.CLEAR, None), (OnNull.KEEP, "bob")])
async def test_a_manager_who_is_gone_is_cleared_where_the_mapping_says_so(
    world: World, on_null: OnNull, left: str | None
) -> None:
    world.mapping = with_manager(direct_mapping(), on_null)
    world.source.put("id-ada", **person("ada", manager="id-bob"))
    await world.sync()
    assert manager_of(world, "ada") == "bob"
    world.people(["ada"])

    await world.sync()

    assert manager_of(world, "ada") == left
    await settled(world)


async def test_removals_of_members_over_their_budget_wait_for_an_approval(world: World) -> None:
    world.people([f"p{n}" for n in range(30)])
    world.group("staff", *(f"p{n}" for n in range(30)))
    await world.sync()
    world.membership_budget = Budget(max_count=5, max_percent=100, min_count=5)
    world.group("staff", *(f"p{n}" for n in range(20)), "ada")

    report = await world.sync()

    assert report.held is not None
    assert report.held.summary == "10 of 30 live memberships"
    assert len(world.members()["staff"]) == 31, "who is new came in, nobody went"
    await world.sync(approval=report.held.hash)
    assert world.members() == {"staff": {*(f"p{n}" for n in range(20)), "ada"}}
    await settled(world)


async def test_a_held_removal_is_kept_while_it_is_due_and_takes_away_no_more_than_was_shown(world: World) -> None:
    everybody = [f"p{n}" for n in range(30)]
    world.people(everybody)
    world.group("staff", *everybody)
    await world.sync()
    world.membership_budget = Budget(max_count=5, max_percent=100, min_count=5)
    world.group("staff", *everybody[:20])
    held = (await world.sync()).held
    assert held is not None

    world.group("staff", *everybody[1:20], "p29", "ada")  # p0 goes too, p29 is back, ada is new
    report = await world.sync()

    assert report.held is not None
    assert (report.held.hash, report.result) == (held.hash, CycleResult.PARTIAL)
    assert world.members()["staff"] == {*everybody, "ada"}, "who is new is in, nobody is out"
    await world.sync(approval=held.hash)
    assert world.members()["staff"] == {*everybody[:20], "p29", "ada"}, "p0 was not shown"
    await world.sync()
    assert world.members()["staff"] == {*everybody[1:20], "p29", "ada"}
    await settled(world)


async def test_members_whose_disable_waits_stay_members(world: World) -> None:
    world.people([f"p{n}" for n in range(30)])
    world.group("staff", *(f"p{n}" for n in range(30)))
    await world.sync()
    world.budget = Budget(max_count=5, max_percent=100, min_count=5)
    for n in range(10):
        world.source.put(f"id-p{n}", **person(f"p{n}", accountEnabled=False))

    report = await world.sync()
    assert report.held is not None
    assert len(world.members()["staff"]) == 30

    await world.sync(approval=report.held.hash)
    assert len(world.members()["staff"]) == 20
    await settled(world)


async def test_a_big_group_takes_one_request_for_each_hundred_members(world: World) -> None:
    names = [f"p{n}" for n in range(950)]
    world.people(names)
    await world.sync()
    world.group("staff", *names)
    before = writes(world)

    await world.sync()

    assert len(world.members()["staff"]) == 950
    assert writes(world) - before == 1 + 10
    world.group("staff", *names[1:])
    before = writes(world)
    await world.sync()
    assert writes(world) - before == 1
    await settled(world)


async def test_state_that_was_thrown_away_costs_no_member(world: World) -> None:
    world.group("staff", "ada", "bob")
    await world.sync()
    await world.store.forget(world.connector)
    before = writes(world)

    await world.sync()

    assert world.members() == {"staff": {"ada", "bob"}}
    assert writes(world) == before


async def test_a_member_of_an_adopted_group_who_becomes_ours_later_is_a_member_only_as_the_source_says(
    world: World,
) -> None:
    zoe = world.target.plant({"userName": "zoe@example.com", "active": True})
    ada = world.target.plant({"userName": "ada@example.com", "active": True})
    members: Json = [{"value": ada}, {"value": zoe}]
    world.target.collection(ResourceType.GROUP).plant({"displayName": "staff", "members": members})
    world.group("staff", "ada")
    await world.sync()
    assert world.members() == {"staff": {"ada", "zoe"}}, "zoe is nobody of ours"

    world.people(["zoe"])
    await world.sync()
    report = await world.sync()

    assert (report.result, world.members()) == (CycleResult.SUCCEEDED, {"staff": {"ada"}})
    await settled(world)


async def test_a_member_who_becomes_ours_is_taken_out_within_the_budget(world: World) -> None:
    world.membership_budget = Budget(max_count=0)
    zoe = world.target.plant({"userName": "zoe@example.com", "active": True})
    world.target.collection(ResourceType.GROUP).plant({"displayName": "staff", "members": [{"value": zoe}]})
    world.group("staff", "ada")
    await world.sync()
    world.people(["zoe"])
    await world.sync()
    report = await world.sync()
    assert report.held is not None
    assert world.members() == {"staff": {"ada", "zoe"}}
    await world.sync(approval=report.held.hash)
    assert world.members() == {"staff": {"ada"}}


@pytest.mark.parametrize("looks", [FaultKind.LOST_BEFORE, FaultKind.UNAVAILABLE, FaultKind.REFUSED])
@pytest.mark.parametrize(("first", "then"), [(("ada", "bob"), ("ada",)), ((), ("ada",))])
async def test_members_of_which_neither_change_nor_look_was_answered_are_not_believed_to_be_as_before(
    world: World, looks: FaultKind, first: tuple[str, ...], then: tuple[str, ...]
) -> None:
    world.group("staff", "ada")
    await world.sync()
    world.group("staff", *first)
    world.target.faults.strike(Operation.UPDATE, FaultKind.LOST_AFTER)
    world.target.faults.strike(Operation.GET, looks, count=40)

    await world.sync()
    world.target.faults = FaultSchedule()
    world.group("staff", *then)
    await world.sync()
    await world.sync()

    assert world.members() == {"staff": set(then)}
