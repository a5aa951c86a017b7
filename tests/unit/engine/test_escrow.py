"""Whose change failed is left alone until it is due; whoever leaves, or has changed, is not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from usher.contracts.store import LogEntry
from usher.core.model.escrow import Duty, Unsettled
from usher.core.model.reports import CycleReport, CycleResult
from usher.core.model.resources import Lane, ResourceType, SourceId
from usher.core.sync.escrow import AT_ONCE
from usher.testing.faults import Call, Fault, FaultKind, when
from usher.testing.faults import Operation as Op
from usher.testing.world import World, direct_mapping, group_mapping, open_world, person

CYCLE = timedelta(minutes=5).total_seconds()
HOURS = timedelta(hours=1).total_seconds()
ADA, STAFF = SourceId("id-ada"), SourceId("id-staff")


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """Ada and Bob have accounts, and so has a group with Ada in it."""
    async with open_world() as new:
        new.group_mapping = group_mapping()
        new.people(["ada", "bob"])
        new.group("staff", "ada")
        await new.sync()
        yield new


def refuse(world: World, *operations: Op) -> None:
    """From now on the app refuses whatever does this to an account of a user."""
    struck = operations or (Op.CREATE, Op.UPDATE, Op.DELETE)

    def is_struck(call: Call) -> bool:
        return call.operation in struck and not call.subject.startswith("g")

    world.target.faults.add(when(is_struck, Fault(FaultKind.REFUSED)))


def refuse_groups(world: World) -> None:
    world.target.faults.add(when(lambda call: call.subject.startswith("g"), Fault(FaultKind.REFUSED)))


async def later(world: World, seconds: float = CYCLE) -> CycleReport:
    world.clock.advance(seconds)
    return await world.sync()


async def in_escrow(world: World, times: int = AT_ONCE + 1) -> CycleReport:
    """After so many cycles in which everything failed; the last one's report."""
    report = await world.sync()
    for _ in range(times - 1):
        report = await later(world)
    return report


async def entry_of(world: World, source_id: SourceId = ADA) -> Unsettled | None:
    lanes = [Lane(world.connector, kind) for kind in ResourceType]
    found = [(await world.store.unsettled(lane)).get(source_id) for lane in lanes]
    return next((one for one in found if one is not None), None)


async def last_line(world: World, source_id: SourceId = ADA) -> LogEntry:
    return (await world.store.log(world.connector, source_id, 1))[0]


async def test_a_change_that_fails_is_tried_in_the_next_two_cycles_and_then_left_alone(world: World) -> None:
    refuse(world)
    world.source.put(ADA, **person("ada", jobTitle="Boss"))

    last = await in_escrow(world)
    calls = world.target.faults.count(Op.UPDATE)
    for _ in range(10):
        last = await later(world)

    assert calls == world.target.faults.count(Op.UPDATE)
    assert (last.result, last.pending, last.escrowed, last.counts.failed) == (CycleResult.PARTIAL, 1, 1, 0)
    entry = await entry_of(world)
    assert entry is not None
    assert entry.attempts == 3
    assert last.next_retry == entry.since + timedelta(hours=6)


@pytest.mark.parametrize("new", [False, True], ids=["update", "create"])
async def test_it_is_tried_when_it_is_due_and_two_cycles_later_all_is_well(world: World, new: bool) -> None:
    refuse(world)
    world.source.put("id-cyd" if new else ADA, **person("cyd" if new else "ada", jobTitle="Boss"))
    await in_escrow(world)
    world.target.faults.heal()

    await later(world)
    assert (await entry_of(world, SourceId("id-cyd") if new else ADA)) is not None
    healed = await later(world, 6 * HOURS)

    assert healed.result is CycleResult.SUCCEEDED
    assert (await later(world)).counts.unchanged == 0
    assert world.accounts()[f"{'cyd' if new else 'ada'}@example.com"]["title"] == "Boss"


async def test_a_cycle_asks_the_app_nothing_about_who_waits(world: World) -> None:
    refuse(world, Op.CREATE)
    world.people(["cyd"])
    await in_escrow(world)
    calls = world.target.faults.calls

    await later(world)

    assert world.target.faults.calls - calls == 1  # that the app is there


async def test_who_changes_at_the_source_does_not_wait(world: World) -> None:
    refuse(world)
    world.source.put(ADA, **person("ada", jobTitle="Boss"))
    await in_escrow(world)
    world.target.faults.heal()
    world.source.put(ADA, **person("ada", jobTitle="Chief"))

    assert (await later(world)).result is CycleResult.SUCCEEDED
    assert world.accounts()["ada@example.com"]["title"] == "Chief"


async def test_a_change_at_the_source_that_no_mapping_reads_ends_no_wait(world: World) -> None:
    refuse(world)
    world.source.put(ADA, **person("ada", jobTitle="Boss"))
    await in_escrow(world)
    calls = world.target.faults.count(Op.UPDATE)

    world.source.put(ADA, **person("ada", jobTitle="Boss", lastSeen="today"))
    await later(world)

    assert world.target.faults.count(Op.UPDATE) == calls


async def test_who_needs_no_change_any_more_is_out_of_escrow_at_once(world: World) -> None:
    refuse(world)
    world.source.put(ADA, **person("ada", jobTitle="Boss"))
    await in_escrow(world)

    world.source.put(ADA, **person("ada"))

    assert (await later(world)).result is CycleResult.SUCCEEDED


async def test_a_changed_mapping_ends_every_wait(world: World) -> None:
    refuse(world)
    world.source.put(ADA, **person("ada", jobTitle="Boss"))
    await in_escrow(world)
    world.target.faults.heal()

    world.mapping = direct_mapping({"userName": ("userPrincipalName", 1), "title": ("jobTitle", None)})

    assert (await later(world)).result is CycleResult.SUCCEEDED
    assert world.accounts()["ada@example.com"]["title"] == "Boss"


async def test_a_leaver_in_escrow_leaves(world: World) -> None:
    refuse(world)
    world.source.put(ADA, **person("ada", jobTitle="Boss"))
    await in_escrow(world)
    world.target.faults.heal()
    world.source.drop(ADA)
    await world.read(min_retained=0)

    report = await world.cycle()

    assert report.counts.disabled == 1
    assert world.accounts()["ada@example.com"]["active"] is False


@pytest.mark.parametrize("after", [1, 6, 300])
async def test_a_disable_is_tried_in_every_cycle_however_often_it_failed(world: World, after: int) -> None:
    refuse(world)
    world.source.put(ADA, **person("ada", IsSoftDeleted=True))

    for tries in range(1, after + 1):
        await later(world, CYCLE if after < 300 else 6 * HOURS)
        assert world.target.faults.count(Op.UPDATE) >= tries
    world.target.faults.heal()
    await later(world)

    assert world.accounts()["ada@example.com"]["active"] is False
    assert await entry_of(world) is None


async def test_a_leaver_whose_account_can_not_be_read_is_looked_for_in_every_cycle(world: World) -> None:
    world.target.faults.strike(Op.UPDATE, FaultKind.LOST_AFTER, count=1)
    world.target.faults.add(when(lambda call: call.operation is Op.GET, Fault(FaultKind.REFUSED)))
    world.source.put(ADA, **person("ada", IsSoftDeleted=True))
    for _ in range(5):
        await later(world)
    entry = await entry_of(world)
    assert entry is not None
    assert entry.escrow is not None
    assert entry.escrow.duty is Duty.LEAVE
    world.target.faults.heal()

    await later(world)

    assert world.accounts()["ada@example.com"]["active"] is False


async def test_a_person_whose_account_can_not_be_read_waits_like_everybody(world: World) -> None:
    world.target.faults.strike(Op.UPDATE, FaultKind.LOST_BEFORE, count=4)
    world.target.faults.add(when(lambda call: call.operation is Op.UPDATE, Fault(FaultKind.UNAVAILABLE)))
    world.target.faults.add(when(lambda call: call.operation is Op.GET, Fault(FaultKind.REFUSED)))
    world.source.put(ADA, **person("ada", jobTitle="Boss"))
    await in_escrow(world, 4)
    gets = world.target.faults.count(Op.GET)

    await later(world)

    assert world.target.faults.count(Op.GET) == gets


async def test_a_member_that_can_not_be_added_waits_and_one_who_comes_later_does_not(world: World) -> None:
    refuse_groups(world)
    world.group("staff", "ada", "bob")
    report = await in_escrow(world, 4)
    assert report.reasons == {"UnprocessableEntity": 1}
    calls = world.target.faults.count(Op.UPDATE)

    await later(world)
    assert world.target.faults.count(Op.UPDATE) == calls

    world.target.faults.heal()
    world.people(["cyd"])
    world.group("staff", "ada", "bob", "cyd")
    await later(world)

    assert world.members()["staff"] == {"ada", "bob", "cyd"}


async def test_a_membership_is_taken_away_in_every_cycle(world: World) -> None:
    refuse_groups(world)
    world.group("staff")
    for cycles in range(1, 9):
        await later(world)
        assert world.target.faults.count(Op.UPDATE) >= cycles
    world.target.faults.heal()

    await later(world)

    assert world.members()["staff"] == set()


async def test_references_that_are_wanted_no_more_are_out_of_escrow_at_once(world: World) -> None:
    refuse_groups(world)
    world.group("staff", "ada", "bob")
    await in_escrow(world)

    world.group("staff", "ada")

    assert (await later(world)).result is CycleResult.SUCCEEDED
    assert await entry_of(world, STAFF) is None


async def test_after_28_days_it_is_given_up_and_said_so(world: World) -> None:
    refuse(world)
    world.source.put(ADA, **person("ada", jobTitle="Boss"))
    await in_escrow(world)
    for _ in range(29):
        report = await later(world, 24 * HOURS)
    calls = world.target.faults.count(Op.UPDATE)

    assert (report.escrowed, report.given_up, report.next_retry) == (1, 1, None)
    assert report.result is CycleResult.PARTIAL
    assert "given up 28 days after the first" in (await last_line(world)).detail
    await later(world, 24 * HOURS)
    assert world.target.faults.count(Op.UPDATE) == calls

    world.target.faults.heal()
    world.source.put(ADA, **person("ada", jobTitle="Chief"))
    assert (await later(world)).result is CycleResult.SUCCEEDED


async def test_the_log_says_which_attempt_it_was_and_when_the_next_is(world: World) -> None:
    refuse(world)
    world.source.put(ADA, **person("ada", jobTitle="Boss"))
    await world.sync()
    assert (await last_line(world)).detail == "no such title; attempt 1, tried again in the next cycle"

    await later(world)
    await later(world)

    entry = await entry_of(world)
    assert entry is not None
    six_hours_later = f"{entry.since + timedelta(hours=6):%Y-%m-%dT%H:%M:%SZ}"
    assert (await last_line(world)).detail == f"no such title; attempt 3, tried again {six_hours_later}"


async def test_a_success_with_references_does_not_hide_that_the_account_failed() -> None:
    async with open_world() as world:
        world.group_mapping = group_mapping()
        world.people(["ada"])
        world.group("staff")
        await world.sync()
        world.target.faults.add(when(lambda call: call.subject.startswith("g"), Fault(FaultKind.REFUSED)))
        world.source.put_group(STAFF, displayName="crew", members=())
        await world.sync()
        world.target.faults.heal()
        world.target.faults.strike(Op.UPDATE, FaultKind.REFUSED)
        world.source.put_group(STAFF, displayName="crew", members=(ADA,))

        await later(world)
        assert await entry_of(world, STAFF) is not None
        await later(world)

        assert world.members() == {"crew": {"ada"}}


async def test_a_member_that_is_given_leaves_the_name_of_the_group_in_escrow(world: World) -> None:
    refuse_groups(world)
    world.source.put_group(STAFF, displayName="crew", members=(ADA,))
    await in_escrow(world)
    world.target.faults.heal()
    world.source.put_group(STAFF, displayName="crew", members=(ADA, "id-bob"))

    await later(world)
    assert world.members() == {"staff": {"ada", "bob"}}
    assert await entry_of(world, STAFF) is not None

    await later(world, 6 * HOURS)
    assert world.members() == {"crew": {"ada", "bob"}}
