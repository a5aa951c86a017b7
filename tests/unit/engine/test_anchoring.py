"""Other ids of the source, or another address of the app: nobody leaves, nobody comes twice, somebody approves it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Final

import pytest

from usher.core.model.reports import CycleReport, CycleResult, HeldPlan
from usher.core.model.resources import Lane, Link, ResourceType, SourceId
from usher.core.sync.matching import Adopt
from usher.engine.cycle import run_cycle
from usher.engine.job import Control
from usher.testing.faults import Fault, FaultKind, Killed, Operation, nth, when
from usher.testing.memory_target import MemoryTarget
from usher.testing.world import World, group_mapping, open_world, person

NAMES: Final = ["ada", "bob", "eve"]
ELSEWHERE: Final = "https://new.example.com/scim/v2"


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """Three people and a group of two of them, all with what they shall have at the app."""
    async with open_world() as new:
        new.group_mapping = group_mapping()
        new.people(NAMES)
        new.group("staff", "ada", "bob")
        await new.sync()
        assert (await new.cycle()).result is CycleResult.SUCCEEDED
        yield new


def rename_ids(world: World) -> None:
    """The source gives each person and group another id."""
    world.source.identity = "memory:mail"
    people = {f"mail-{one.removeprefix('id-')}": person for one, person in world.source.people.items()}
    groups = {one: dict(group) for one, group in world.source.groups.items()}
    world.source.people.clear()
    world.source.groups.clear()
    for one, attributes in people.items():
        world.source.put(one, **attributes)
    for one, group in groups.items():
        former = group["members"]
        assert isinstance(former, tuple)
        members = tuple(str(each).replace("id-", "mail-") for each in former)
        world.source.put_group(one.replace("id-", "mail-"), displayName=group["displayName"], members=members)


async def links_of(world: World) -> dict[SourceId, Link]:
    found: dict[SourceId, Link] = {}
    for kind in ResourceType:
        lane = Lane(world.connector, kind)
        async for digests in world.store.link_digests(lane):
            found |= await world.store.links(lane, [one.source_id for one in digests])
    return found


async def held(report: CycleReport) -> HeldPlan:
    assert report.held is not None, report
    return report.held


async def test_under_other_ids_nobody_leaves_and_the_whole_plan_is_held(world: World) -> None:
    before, writes = await links_of(world), world.target.faults.writes
    rename_ids(world)

    plan = await held(await world.sync())
    again = await held(await world.sync())

    assert plan.reason == "ApprovalRequired"
    assert "the ids of IdentitySource/corp changed from memory:id to memory:mail" in plan.summary
    assert "nobody leaves: 4 to take over" in plan.summary
    assert (again.hash, again.expires) == (plan.hash, plan.expires)
    assert world.target.faults.writes == writes
    assert await links_of(world) == before


async def test_an_approval_anchors_the_links_anew_and_makes_and_disables_nobody(world: World) -> None:
    before = {link.target_id for link in (await links_of(world)).values()}
    writes = world.target.faults.writes
    rename_ids(world)
    plan = await held(await world.sync())

    await world.sync(approval=plan.hash)
    settled = await world.sync(approval=plan.hash)

    after = await links_of(world)
    assert set(after) == {"mail-ada", "mail-bob", "mail-eve", "mail-staff"}
    assert {link.target_id for link in after.values()} == before
    assert world.target.faults.writes == writes
    assert settled.held is None
    assert world.members() == {"staff": {"ada", "bob"}}


async def test_after_it_people_come_and_go_as_ever(world: World) -> None:
    rename_ids(world)
    await world.sync(approval=(await held(await world.sync())).hash)
    world.source.put("mail-bob", **person("bob", IsSoftDeleted=True))
    world.source.put("mail-joe", **person("joe"))
    await world.sync()

    for _ in range(2):
        report = await world.sync()
        if report.held is not None:  # until a comparison has ended nothing is too little to be looked at
            await world.sync(approval=report.held.hash)

    assert world.accounts()["bob@example.com"]["active"] is False
    assert set(world.accounts()) == {"ada@example.com", "bob@example.com", "eve@example.com", "joe@example.com"}
    assert world.members() == {"staff": {"ada"}}


async def test_the_old_ids_put_back_before_the_approval_restore_what_was(world: World) -> None:
    before, writes = await links_of(world), world.target.faults.writes
    people, groups = dict(world.source.people), dict(world.source.groups)
    rename_ids(world)
    plan = await held(await world.sync())
    world.source.identity = "memory:id"
    world.source.people.clear()
    world.source.groups.clear()
    world.source.people.update(people)
    world.source.groups.update(groups)

    report = await world.sync(approval=plan.hash)

    assert (report.result, report.held) == (CycleResult.SUCCEEDED, None)
    assert await links_of(world) == before
    assert world.target.faults.writes == writes
    world.source.put("id-eve", **person("eve", IsSoftDeleted=True))
    assert (await world.sync()).counts.disabled == 1


async def test_at_another_address_accounts_are_matched_anew(world: World) -> None:
    old = world.target
    world.target, world.address = MemoryTarget(), ELSEWHERE
    elsewhere = world.target.plant({"userName": "ada@example.com", "displayName": "Ada"})

    plan = await held(await world.sync())
    assert f"the app's address changed from https://app.example.com/scim/v2 to {ELSEWHERE}" in plan.summary
    assert "1 to update" in plan.summary
    assert world.target.faults.writes == 0
    await world.sync(approval=plan.hash)
    await world.sync()

    assert set(world.accounts()) == {"ada@example.com", "bob@example.com", "eve@example.com"}
    assert (await links_of(world))[SourceId("id-ada")].target_id == elsewhere
    assert world.members() == {"staff": {"ada", "bob"}}
    assert len(old.accounts) == 3


async def test_the_old_address_put_back_before_the_approval_restores_what_was(world: World) -> None:
    before, old, address = await links_of(world), world.target, world.address
    world.target, world.address = MemoryTarget(), ELSEWHERE
    plan = await held(await world.sync())
    world.target, world.address = old, address

    report = await world.sync(approval=plan.hash)

    assert (report.result, report.held) == (CycleResult.SUCCEEDED, None)
    assert await links_of(world) == before


async def test_a_plan_that_nobody_approves_is_planned_anew_when_it_expires(world: World) -> None:
    rename_ids(world)
    plan = await held(await world.sync())
    world.clock.advance(timedelta(hours=73).total_seconds())

    again = await held(await world.sync())

    assert (again.hash, again.count) == (plan.hash, plan.count)
    assert again.expires > plan.expires


async def test_whoever_is_new_meanwhile_comes_after_the_approval(world: World) -> None:
    rename_ids(world)
    plan = await held(await world.sync())
    world.source.put("mail-joe", **person("joe"))
    kept = await held(await world.sync())
    assert kept.hash == plan.hash

    await world.sync(approval=plan.hash)
    assert "joe@example.com" not in world.accounts()
    await world.sync()

    assert "joe@example.com" in world.accounts()


async def test_accounts_that_were_ours_are_found_again_though_others_are_not_taken_over(world: World) -> None:
    world.adopt = Adopt.NEVER
    rename_ids(world)
    world.target.plant({"userName": "joe@example.com", "displayName": "Joe"})
    world.source.put("mail-joe", **person("joe"))

    plan = await held(await world.sync())
    await world.sync(approval=plan.hash)

    assert set(await links_of(world)) == {"mail-ada", "mail-bob", "mail-eve", "mail-staff"}


async def test_whoever_left_with_the_old_ids_is_told_as_an_orphan(world: World) -> None:
    rename_ids(world)
    world.source.people.pop(SourceId("mail-eve"))
    await world.read(min_retained=50)
    plan = await held(await world.cycle())
    await world.cycle(approval=plan.hash)

    report = await world.cycle()

    assert world.accounts()["eve@example.com"].get("active") is not False
    assert report.comparisons["User"].orphans == 1


async def test_an_approval_that_was_cut_short_makes_nobody_twice(world: World) -> None:
    world.target, world.address = MemoryTarget(), ELSEWHERE
    plan = await held(await world.sync())
    world.target.faults.add(nth(Operation.CREATE, 2, Fault(FaultKind.KILL_AFTER)))
    with pytest.raises(Killed):
        await world.sync(approval=plan.hash)

    for _ in range(2):
        report = await world.sync(approval=plan.hash)

    assert report.held is None
    assert set(world.accounts()) == {"ada@example.com", "bob@example.com", "eve@example.com"}
    assert world.members() == {"staff": {"ada", "bob"}}


async def test_the_account_of_a_create_with_an_unknown_end_is_ours_under_the_new_ids_too(world: World) -> None:
    world.adopt = Adopt.NEVER
    world.source.put("id-joe", **person("joe"))
    creates = world.target.faults.count(Operation.CREATE)
    world.target.faults.add(nth(Operation.CREATE, creates + 1, Fault(FaultKind.KILL_AFTER)))
    with pytest.raises(Killed):
        await world.sync()
    rename_ids(world)

    plan = await held(await world.sync())
    await world.sync(approval=plan.hash)

    assert "5 to take over" in plan.summary
    assert SourceId("mail-joe") in await links_of(world)
    assert len(world.accounts()) == 4


async def test_a_connector_that_links_nobody_yet_begins_at_the_other_address() -> None:
    async with open_world() as world:
        world.target.faults.add(when(lambda call: call.operation is Operation.CREATE, Fault(FaultKind.REFUSED)))
        world.people(NAMES)
        await world.sync()
        world.target, world.address = MemoryTarget(), ELSEWHERE

        report = await world.sync()

        assert report.held is None
        assert report.counts.created == 3


async def test_a_dry_run_shows_the_plan_that_would_be_held(world: World) -> None:
    rename_ids(world)
    await world.read()

    shown = (await world.plan()).held

    assert shown is not None
    assert shown.hash == (await held(await world.cycle())).hash
    assert await links_of(world)


async def test_an_app_that_cannot_be_asked_who_is_there_is_refused(world: World) -> None:
    rename_ids(world)
    await world.read()
    blind = [replace(lane, settle=None) for lane in world.job.lanes]

    report = await run_cycle(replace(world.job, lanes=tuple(blind)), world.ports, Control())

    assert report.error_reason == "InvalidSpec"
    assert "can't be matched anew. Put it back" in report.error
