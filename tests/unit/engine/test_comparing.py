"""The full comparison: what somebody changed at the app is found, and dealt with as the mapping says."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from usher.contracts.log import WHOLE_LOG
from usher.core.model.reports import Compared, CycleKind, CycleReport, CycleResult
from usher.core.model.resources import AttributePath, TargetId
from usher.core.sync.leaving import Deprovisioning, Policy
from usher.core.sync.policies import Budget
from usher.core.sync.rules import CompiledMapping, OnDrift
from usher.core.sync.untouchable import Spared, Untouchable
from usher.engine.cycle import preview_cycle
from usher.engine.job import Control
from usher.testing.faults import Fault, FaultKind, Operation, every, when
from usher.testing.memory_target import MemoryTarget
from usher.testing.world import MANAGER, World, group_mapping, open_world, person, with_manager

DAY = timedelta(days=1)
NOTHING = Compared(compared=3, drifted=0, reported=0, missing=0, orphans=0)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with open_world() as opened:
        opened.compare_every = DAY
        opened.people(["ada", "bob", "eve"])
        await opened.sync()
        await opened.sync()
        yield opened


def with_policy(mapping: CompiledMapping, policy: OnDrift, *paths: str) -> CompiledMapping:
    """The mapping with this policy for some attributes."""
    rules = tuple(replace(one, on_drift=policy) if one.target in paths else one for one in mapping.rules)
    return replace(mapping, rules=rules, digest=f"{mapping.digest} {policy} {paths}")


async def compared(world: World, approval: str = "") -> CycleReport:
    """A cycle a day later."""
    world.clock.advance(DAY.total_seconds())
    report = await world.sync(approval)
    assert report.kind is CycleKind.FULL_COMPARISON
    return report


def id_of(world: World, name: str) -> TargetId:
    return next(i for i in world.target.accounts if world.target.document(i)["userName"] == f"{name}@example.com")


def writes(world: World) -> int:
    return world.target.faults.writes


async def test_the_first_is_made_when_its_time_has_passed_since_the_first_incremental_cycle(world: World) -> None:
    world.clock.advance(DAY.total_seconds() - 1)
    assert (await world.sync()).kind is CycleKind.INCREMENTAL
    world.clock.advance(1)
    report = await world.sync()
    assert (report.kind, report.comparisons) == (CycleKind.FULL_COMPARISON, {"User": NOTHING})
    assert (await world.store.cycles(world.connector, 1))[0] == report
    assert (await world.sync()).kind is CycleKind.INCREMENTAL


async def test_without_a_time_none_is_made(world: World) -> None:
    world.compare_every = None
    world.clock.advance(10 * DAY.total_seconds())
    assert (await world.sync()).kind is CycleKind.INCREMENTAL


async def test_where_nothing_was_changed_nothing_is_written_nor_kept(world: World) -> None:
    before, links = writes(world), await world.store.links(world.lane, [])
    report = await compared(world)
    assert (report.result, report.comparisons, writes(world)) == (CycleResult.SUCCEEDED, {"User": NOTHING}, before)
    assert await world.store.links(world.lane, []) == links


async def test_a_value_that_somebody_changed_is_put_back_in_the_same_cycle(world: World) -> None:
    world.target.change(id_of(world, "bob"), "title", "Emperor")
    report = await compared(world)
    assert world.accounts()["bob@example.com"]["title"] == "Engineer"
    assert report.comparisons == {"User": replace(NOTHING, drifted=1)}
    assert (report.result, report.counts.updated, report.pending) == (CycleResult.SUCCEEDED, 1, 0)
    lines = [one for one in await world.store.log(world.connector, WHOLE_LOG, 10) if one.action == "Compare"]
    assert [(one.source_id, one.reason, one.attributes) for one in lines] == [("id-bob", "DriftedRevert", ("title",))]
    assert lines[0].cycle != ""
    again = await compared(world)
    assert again.comparisons == {"User": NOTHING}


async def test_a_preview_finds_the_drift_and_writes_nothing_and_the_next_cycle_puts_it_right(world: World) -> None:
    world.target.change(id_of(world, "bob"), "title", "Emperor")
    world.clock.advance(DAY.total_seconds())
    before = writes(world)
    preview = await preview_cycle(world.job, world.ports, Control())
    assert (preview.report.counts.updated, writes(world)) == (1, before)
    assert preview.report.comparisons == {"User": replace(NOTHING, drifted=1)}
    await world.sync()
    assert world.accounts()["bob@example.com"]["title"] == "Engineer"


@pytest.mark.parametrize("policy", [OnDrift.IGNORE, OnDrift.REPORT])
async def test_what_is_tolerated_stays_beside_other_changes_until_the_source_says_something_new(
    world: World, policy: OnDrift
) -> None:
    world.mapping = with_policy(world.mapping, policy, "title")
    await world.sync()
    bob = id_of(world, "bob")
    world.target.change(bob, "title", "Emperor")
    told = 1 if policy is OnDrift.REPORT else 0
    for _ in range(2):
        report = await compared(world)
        assert report.comparisons == {"User": replace(NOTHING, reported=told)}
    world.source.put("id-bob", **person("bob", displayName="Bobby"))
    await world.sync()
    assert (world.target.document(bob)["title"], world.target.document(bob)["displayName"]) == ("Emperor", "Bobby")
    world.source.put("id-bob", **person("bob", displayName="Bobby", jobTitle="Chief"))
    await world.sync()
    assert world.target.document(bob)["title"] == "Chief"
    assert (await compared(world)).comparisons == {"User": NOTHING}


async def test_what_no_line_keeps_up_belongs_to_the_app(world: World) -> None:
    world.source.put("id-bob", **{k: v for k, v in person("bob").items() if k != "jobTitle"})
    await world.sync()
    bob = id_of(world, "bob")
    world.target.change(bob, "title", "Emperor")
    world.target.change(bob, "nickName", "Bo")
    before = writes(world)
    assert (await compared(world)).comparisons == {"User": NOTHING}
    assert writes(world) == before


async def test_a_leaver_who_was_enabled_again_at_the_app_leaves_again_within_the_budget(world: World) -> None:
    world.source.put("id-bob", **person("bob", accountEnabled=False))
    world.source.attributes = ("accountEnabled",)
    await world.sync()
    bob = id_of(world, "bob")
    world.target.change(bob, "active", True)
    report = await compared(world)
    assert (report.counts.disabled, report.comparisons["User"].drifted) == (1, 1)
    assert world.target.document(bob)["active"] is False

    world.budget = Budget(max_count=0)
    world.target.change(bob, "active", True)
    held = await compared(world)
    assert held.held is not None
    assert world.target.document(bob)["active"] is True
    assert (await world.sync()).held == held.held
    await world.sync(approval=held.held.hash)
    assert world.target.document(bob)["active"] is False


async def test_a_leaver_who_was_deleted_from_the_source_and_is_enabled_again_leaves_again(world: World) -> None:
    world.source.drop("id-bob")
    await world.read(min_retained=0)
    await world.cycle()
    world.target.change(id_of(world, "bob"), "active", True)
    assert (await compared(world)).counts.disabled == 1
    assert world.accounts()["bob@example.com"]["active"] is False


async def test_the_time_until_a_disabled_account_is_deleted_begins_anew_when_somebody_enabled_it(world: World) -> None:
    world.deprovisioning = Deprovisioning(on_source_disabled=Policy.DELETE, delete_after=2 * DAY)
    world.source.attributes = ("accountEnabled",)
    await world.sync()
    world.source.put("id-bob", **person("bob", accountEnabled=False))
    await world.sync()
    world.target.change(id_of(world, "bob"), "active", True)
    await compared(world)
    await compared(world)
    assert "bob@example.com" in world.accounts()
    await compared(world)
    assert "bob@example.com" not in world.accounts()


async def test_an_account_that_is_gone_is_made_again_in_the_same_cycle(world: World) -> None:
    world.target.remove(id_of(world, "bob"))
    report = await compared(world)
    assert (report.counts.created, report.comparisons["User"].missing) == (1, 1)
    assert world.accounts().keys() == {"ada@example.com", "bob@example.com", "eve@example.com"}
    assert (await compared(world)).comparisons == {"User": NOTHING}


async def test_an_account_that_only_the_list_lacks_is_not_gone(world: World) -> None:
    before = writes(world)
    world.clock.advance(DAY.total_seconds())
    world.target.faults.strike(Operation.LIST, FaultKind.EMPTY_LIST, count=9)
    report = await world.sync()
    assert report.comparisons["User"].missing == 0
    assert "lacks" in report.comparisons["User"].void
    assert (report.result, report.pending, writes(world)) == (CycleResult.SUCCEEDED, 0, before)
    world.target.faults.heal()
    assert (await compared(world)).comparisons == {"User": NOTHING}


async def test_an_app_that_cannot_be_listed_is_read_account_by_account(world: World) -> None:
    world.target.change(id_of(world, "bob"), "title", "Emperor")
    world.target.remove(id_of(world, "eve"))
    world.target.faults.add(every(Operation.LIST, 1, Fault(FaultKind.UNAVAILABLE)))
    report = await compared(world)
    found = report.comparisons["User"]
    assert (found.compared, found.drifted, found.missing, found.orphans) == (2, 1, 1, None)
    assert "can't be listed" in found.void
    assert world.accounts()["bob@example.com"]["title"] == "Engineer"
    assert "eve@example.com" in world.accounts()


async def test_a_read_that_fails_says_neither_gone_nor_drifted(world: World) -> None:
    world.target.faults.add(every(Operation.LIST, 1, Fault(FaultKind.UNAVAILABLE)))
    bob = id_of(world, "bob")
    world.target.faults.add(when(lambda call: call.subject == bob, Fault(FaultKind.UNAVAILABLE)))
    report = await compared(world)
    assert (report.comparisons["User"].missing, report.comparisons["User"].drifted) == (0, 0)
    assert report.comparisons["User"].compared == 2


async def test_accounts_that_nobody_links_and_nobody_matches_are_orphans(world: World) -> None:
    stray = world.target.plant({"userName": "stray"})
    world.target.plant({"userName": "svc-backup"})
    world.target.plant({"userName": "fay@example.com"})
    world.people(["fay"])
    world.untouchable = Untouchable((Spared(AttributePath("userName"), "svc-*"),))
    await world.read()
    await world.cycle()
    report = await compared(world)
    assert report.comparisons["User"].orphans == 1
    assert await world.store.orphans(world.lane) == [stray]
    world.target.remove(stray)
    await compared(world)
    assert await world.store.orphans(world.lane) == []


async def test_somebody_who_joins_in_the_cycle_of_the_comparison_takes_an_orphan_over(world: World) -> None:
    world.target.plant({"userName": "fay@example.com"})
    world.people(["fay"])
    report = await compared(world)
    assert (report.comparisons["User"].orphans, report.counts.linked + report.counts.updated) == (0, 1)


async def test_an_account_that_is_never_written_is_not_compared(world: World) -> None:
    world.untouchable = Untouchable((Spared(AttributePath("userName"), "bob*"),))
    await world.sync()
    world.target.change(id_of(world, "bob"), "title", "Emperor")
    report = await compared(world)
    assert report.comparisons == {"User": replace(NOTHING, compared=2)}


async def test_a_comparison_that_was_stopped_is_made_by_the_next_cycle(world: World) -> None:
    world.clock.advance(DAY.total_seconds())
    control = Control()
    control.stop.set()
    preview = await preview_cycle(world.job, world.ports, control)
    assert preview.report.comparisons == {}
    assert (await world.sync()).kind is CycleKind.FULL_COMPARISON


async def test_an_app_that_dies_in_the_middle_of_it_loses_nothing(world: World) -> None:
    world.target.change(id_of(world, "bob"), "title", "Emperor")
    world.clock.advance(DAY.total_seconds())
    world.target.faults.strike(Operation.UPDATE, FaultKind.LOST_BEFORE, count=4)
    report = await world.sync()
    assert report.pending == 1
    report = await world.sync()
    assert (report.pending, world.accounts()["bob@example.com"]["title"]) == (0, "Engineer")


# --- references


@pytest.fixture
async def team() -> AsyncIterator[World]:
    async with open_world() as opened:
        opened.compare_every = DAY
        opened.group_mapping = group_mapping()
        opened.mapping = with_manager(opened.mapping)
        opened.people(["ada", "bob", "eve"])
        opened.source.put("id-bob", **person("bob", manager="id-ada"))
        opened.group("staff", "ada", "bob")
        await opened.sync()
        await opened.sync()
        yield opened


def put_members(world: World, *ids: str) -> None:
    groups = world.target.collection(group_mapping().resource_type)
    (staff,) = groups.accounts
    groups.change(staff, "members", [{"value": one} for one in ids])


async def test_members_that_somebody_added_and_took_away_are_put_right_and_strangers_stay(team: World) -> None:
    stranger = team.target.plant({"userName": "stranger"})
    put_members(team, id_of(team, "ada"), id_of(team, "eve"), stranger)
    report = await compared(team)
    assert team.members() == {"staff": {"ada", "bob", "stranger"}}
    assert report.comparisons["Group"] == Compared(compared=1, drifted=1, reported=0, missing=0, orphans=0)
    again = await compared(team)
    assert again.comparisons["Group"].drifted == 0


async def test_a_stranger_in_a_group_is_no_drift(team: World) -> None:
    put_members(team, id_of(team, "ada"), id_of(team, "bob"), team.target.plant({"userName": "stranger"}))
    report = await compared(team)
    assert report.comparisons["Group"].drifted == 0
    assert team.members() == {"staff": {"ada", "bob", "stranger"}}


async def test_members_that_are_only_reported_stay_as_somebody_put_them(team: World) -> None:
    assert team.group_mapping is not None
    team.group_mapping = with_policy(team.group_mapping, OnDrift.REPORT, "members")
    await team.sync()
    put_members(team, id_of(team, "ada"), id_of(team, "eve"))
    for _ in range(2):
        report = await compared(team)
        assert (report.comparisons["Group"].reported, report.comparisons["Group"].drifted) == (1, 0)
        assert team.members() == {"staff": {"ada", "eve"}}


async def test_removals_of_a_comparison_count_against_the_budget_of_memberships(team: World) -> None:
    team.membership_budget = Budget(max_count=0)
    put_members(team, id_of(team, "ada"), id_of(team, "bob"), id_of(team, "eve"))
    report = await compared(team)
    assert report.held is not None
    assert team.members() == {"staff": {"ada", "bob", "eve"}}
    await team.sync(approval=report.held.hash)
    assert team.members() == {"staff": {"ada", "bob"}}


async def test_a_manager_that_somebody_changed_is_put_back(team: World) -> None:
    team.target.change(id_of(team, "bob"), f"{MANAGER}.value", id_of(team, "eve"))
    report = await compared(team)
    assert report.comparisons["User"].drifted == 1
    manager = team.accounts()["bob@example.com"]
    assert id_of(team, "ada") in str(manager)


async def test_a_group_that_was_deleted_comes_back_with_its_members(team: World) -> None:
    groups = team.target.collection(group_mapping().resource_type)
    (staff,) = groups.accounts
    groups.remove(staff)
    report = await compared(team)
    assert report.comparisons["Group"].missing == 1
    assert team.members() == {"staff": {"ada", "bob"}}


async def test_a_member_whose_account_was_deleted_is_a_member_again(team: World) -> None:
    team.target.remove(id_of(team, "bob"))
    await compared(team)
    assert team.members() == {"staff": {"ada", "bob"}}


async def test_a_world_in_which_ids_of_users_and_groups_are_alike_is_compared_type_by_type() -> None:
    async with open_world(target=MemoryTarget()) as opened:
        opened.compare_every = DAY
        opened.people(["ada"])
        await opened.sync()
        await opened.sync()
        report = await compared(opened)
        assert report.comparisons == {"User": replace(NOTHING, compared=1)}
