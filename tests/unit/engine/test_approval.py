"""`approval: Always`: nothing is written that was not shown and approved."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from usher.contracts.log import LogQuery
from usher.core.model.reports import CycleResult, HeldPlan
from usher.core.sync.policies import Approval
from usher.testing.faults import Fault, FaultKind, Killed, Operation, nth
from usher.testing.world import World, group_mapping, open_world, person


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """Two people and a group of both, of which the app has nothing yet."""
    async with open_world() as new:
        new.approval = Approval.ALWAYS
        new.group_mapping = group_mapping()
        new.people(["ada", "bob"])
        new.group("staff", "ada", "bob")
        await new.read()
        yield new


def writes(world: World) -> int:
    return world.target.faults.writes


async def held(world: World) -> HeldPlan:
    report = await world.cycle()
    assert report.held is not None
    assert report.result is CycleResult.PARTIAL
    return report.held


async def test_the_whole_plan_is_held_creates_and_members_too(world: World) -> None:
    plan = await held(world)

    assert (plan.reason, plan.summary) == ("ApprovalRequired", "3 to create, 1 with other references")
    assert plan.count == 4
    assert writes(world) == 0


async def test_the_hash_is_kept_over_cycles_and_a_dry_run_shows_it(world: World) -> None:
    shown = (await world.plan()).held
    first, second = await held(world), await held(world)

    assert shown is not None
    assert shown.hash == first.hash == second.hash
    assert first.expires == second.expires


async def test_an_approval_applies_all_of_it_once_and_is_recorded(world: World) -> None:
    plan = await held(world)

    report = await world.cycle(approval=plan.hash)
    settled = await world.cycle(approval=plan.hash)

    assert report.held is None
    assert world.members() == {"staff": {"ada", "bob"}}
    assert (settled.result, settled.held) == (CycleResult.SUCCEEDED, None)
    [line] = await world.store.log(world.connector, LogQuery(action="Approve"), 9)
    assert plan.hash in line.detail


async def test_what_is_new_waits_beside_it_and_is_the_next_set(world: World) -> None:
    plan = await held(world)
    world.people(["eve"])
    world.group("staff", "ada", "bob", "eve")
    await world.read()
    assert (await held(world)).hash == plan.hash

    await world.cycle(approval=plan.hash)
    assert world.members() == {"staff": {"ada", "bob"}}
    following = await held(world)

    assert following.summary == "1 to create, 1 with other references"
    assert (await world.cycle(approval=following.hash)).held is None
    assert world.members() == {"staff": {"ada", "bob", "eve"}}


async def test_whoever_came_back_is_dropped_and_the_rest_applied(world: World) -> None:
    plan = await held(world)
    world.source.drop("id-bob")
    world.group("staff", "ada")
    await world.read(min_retained=0)

    kept = await held(world)
    await world.cycle(approval=plan.hash)

    assert (kept.hash, kept.count) == (plan.hash, 3)
    assert world.members() == {"staff": {"ada"}}
    assert set(world.accounts()) == {"ada@example.com"}


async def test_a_person_with_other_values_than_were_shown_waits_for_the_next_approval(world: World) -> None:
    plan = await held(world)
    world.source.put("id-ada", **person("ada", jobTitle="Director"))
    await world.read()

    await world.cycle(approval=plan.hash)

    assert set(world.accounts()) == {"bob@example.com"}
    assert (await held(world)).summary == "1 to create, 1 with other references"


async def test_updates_and_disables_wait_as_well(world: World) -> None:
    await world.cycle(approval=(await held(world)).hash)
    await world.cycle()
    world.source.put("id-ada", **person("ada", jobTitle="Director"))
    world.source.put("id-bob", **person("bob", IsSoftDeleted=True))
    await world.read()

    plan = await held(world)

    assert plan.summary == "1 to update, 1 to disable, 1 with other references"
    assert world.accounts()["bob@example.com"].get("active") is not False
    await world.cycle(approval=plan.hash)
    assert world.accounts()["ada@example.com"]["title"] == "Director"
    assert world.accounts()["bob@example.com"]["active"] is False
    assert world.members() == {"staff": {"ada"}}


async def test_a_member_who_has_an_account_already_waits_too(world: World) -> None:
    world.people(["eve"])
    await world.read()
    await world.cycle(approval=(await held(world)).hash)
    world.group("staff", "ada", "bob", "eve")
    await world.read()

    plan = await held(world)

    assert plan.summary == "1 with other references"
    assert world.members() == {"staff": {"ada", "bob"}}
    await world.cycle(approval=plan.hash)
    assert world.members() == {"staff": {"ada", "bob", "eve"}}


async def test_a_plan_that_nobody_approves_expires_and_is_shown_anew(world: World) -> None:
    plan = await held(world)
    world.clock.advance(timedelta(hours=73).total_seconds())

    again = await held(world)

    assert again.hash == plan.hash
    assert again.expires > plan.expires


async def test_without_the_rule_everything_goes_on_by_itself(world: World) -> None:
    await held(world)
    world.approval = Approval.ON_VIOLATION

    report = await world.cycle()

    assert report.held is None
    assert world.members() == {"staff": {"ada", "bob"}}


async def test_an_account_whose_create_had_an_unknown_end_needs_no_second_approval(world: World) -> None:
    plan = await held(world)
    world.target.faults.add(nth(Operation.CREATE, 1, Fault(FaultKind.KILL_AFTER)))
    with pytest.raises(Killed):
        await world.cycle(approval=plan.hash)

    report = await world.cycle(approval=plan.hash)

    assert report.held is None
    assert world.members() == {"staff": {"ada", "bob"}}


async def test_a_cycle_with_nothing_to_do_holds_nothing(world: World) -> None:
    await world.cycle(approval=(await held(world)).hash)

    report = await world.cycle()

    assert (report.result, report.held) == (CycleResult.SUCCEEDED, None)
