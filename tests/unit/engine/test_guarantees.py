"""A create whose answer was lost, by what the target lets be looked for: with a delay, or not at all."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from usher.core.model.plans import Action
from usher.core.model.reports import CycleReport, CycleResult
from usher.core.model.resources import AttributePath, ResourceType, SourceId
from usher.core.sync.planning import CREATE_UNKNOWN
from usher.engine.cycle import run_cycle
from usher.engine.job import Control
from usher.testing.clock import FakeClock, fake_runtime
from usher.testing.faults import FaultKind, Killed
from usher.testing.faults import Operation as Op
from usher.testing.history import Actor
from usher.testing.memory_settings import MemorySettings
from usher.testing.memory_target import MemoryTarget
from usher.testing.world import World, direct_mapping, group_mapping, open_world, person, with_manager

LAG = 30.0
SLOW = MemorySettings(unique=None, versioned=False, lag=LAG)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """An app that accepts anything, and hides a new account for a time. Eve is there, and manages whoever comes."""
    clock = FakeClock()
    async with open_world(None, MemoryTarget(SLOW, runtime=fake_runtime(0, clock))) as new:
        new.clock = clock
        new.mapping = with_manager(direct_mapping())
        new.people(["eve"])
        await new.sync()
        yield new


async def cycle(world: World, settle: timedelta | None) -> CycleReport:
    """One cycle that knows this of the target."""
    await world.read(min_retained=0)
    lanes = tuple([replace(lane, settle=settle) for lane in world.job.lanes])
    return await run_cycle(replace(world.job, lanes=lanes), world.ports, Control())


async def create_unseen(world: World, settle: timedelta | None, kind: FaultKind = FaultKind.LOST_AFTER) -> None:
    world.source.put("id-ada", **person("ada", manager="id-eve"))
    world.target.faults.strike(Op.CREATE, kind)
    await cycle(world, settle)


async def test_nobody_is_created_again_before_the_target_had_time_to_show_the_account(world: World) -> None:
    settle = timedelta(seconds=LAG + 5)
    with pytest.raises(Killed):
        await create_unseen(world, settle, FaultKind.KILL_AFTER)

    report = await cycle(world, settle)

    assert report.result is CycleResult.SUCCEEDED
    assert world.target.faults.count(Op.CREATE) == 2
    assert set(world.accounts()) == {"ada@example.com", "eve@example.com"}


async def test_a_state_that_is_new_waits_for_what_an_earlier_one_may_have_made(world: World) -> None:
    settle = timedelta(seconds=LAG + 5)
    with pytest.raises(Killed):
        await create_unseen(world, settle, FaultKind.KILL_AFTER)
    async with open_world(None, world.target) as fresh:
        fresh.clock, fresh.mapping, fresh.source = world.clock, world.mapping, world.source

        report = await cycle(fresh, settle)

    assert (report.result, report.counts.linked, report.counts.created) == (CycleResult.SUCCEEDED, 2, 0)
    assert set(world.accounts()) == {"ada@example.com", "eve@example.com"}


async def test_a_conflict_with_an_account_that_is_hidden_yet_is_looked_into_again(world: World) -> None:
    settle = timedelta(seconds=LAG + 5)
    await cycle(world, settle)
    world.target.settings = replace(SLOW, unique=AttributePath("userName"))
    world.target.plant({"userName": "ada@example.com", "displayName": "Ada", "active": True}, Actor.CLIENT)
    world.source.put("id-ada", **person("ada"))

    first = await cycle(world, settle)
    second = await cycle(world, settle)

    assert (first.result, first.counts.failed) == (CycleResult.PARTIAL, 1)
    assert second.result is CycleResult.SUCCEEDED
    assert await world.store.digests(world.lane, [SourceId("id-ada")])
    assert world.target.faults.count(Op.CREATE) == 2


async def test_a_create_that_came_to_nothing_is_sent_again_after_two_looks(world: World) -> None:
    settle = timedelta(seconds=LAG + 5)
    await create_unseen(world, settle, FaultKind.UNAVAILABLE)
    begun = world.clock.monotonic()

    report = await cycle(world, settle)

    assert report.counts.created == 1
    assert world.clock.monotonic() - begun >= settle.total_seconds()


async def test_a_target_that_cant_be_asked_gets_a_create_of_unknown_end_once(world: World) -> None:
    await create_unseen(world, None)
    for _ in range(3):
        report = await cycle(world, None)

    assert (report.result, report.reasons) == (CycleResult.PARTIAL, {CREATE_UNKNOWN: 1})
    assert world.target.faults.count(Op.CREATE) == 2
    assert world.target.faults.count(Op.FIND) == 2  # of eve, while the target could be asked


async def test_what_a_person_refers_to_does_not_close_the_question_whether_there_is_an_account(world: World) -> None:
    await create_unseen(world, None)

    intents = await world.store.intents(world.lane)

    assert {one: intent.action for one, intent in intents.items()} == {SourceId("id-ada"): Action.CREATE}


async def test_a_create_that_was_refused_with_the_cycle_is_no_question(world: World) -> None:
    await create_unseen(world, None, FaultKind.UNAUTHORIZED)

    report = await cycle(world, None)

    assert (report.result, report.counts.created) == (CycleResult.SUCCEEDED, 1)


async def test_a_reference_that_came_through_leaves_an_update_of_unknown_end_open(world: World) -> None:
    world.group_mapping = group_mapping()
    world.people(["ada"])
    world.group("crew", "eve")
    await cycle(world, timedelta())
    world.source.put("id-ada", **person("ada", jobTitle="Director", manager="id-eve"))
    world.target.faults.strike(Op.UPDATE, FaultKind.UNAVAILABLE)
    world.target.faults.strike(Op.GET, FaultKind.LOST_BEFORE, count=4)

    await cycle(world, timedelta())

    assert set(await world.store.intents(world.lane)) == {SourceId("id-ada")}
    assert world.job.lanes[1].resource_type is ResourceType.GROUP


async def test_somebody_who_came_and_left_while_cycles_failed_makes_no_claim_any_more() -> None:
    async with open_world() as world:
        world.people(["ada", "bob"])
        world.target.faults.strike(Op.CREATE, FaultKind.UNAUTHORIZED)
        assert (await cycle(world, timedelta())).result is CycleResult.FAILED
        world.source.drop("id-ada")
        world.source.put("id-ada-2", **person("ada"))

        report = await cycle(world, timedelta())

        assert report.result is CycleResult.SUCCEEDED
        assert set(world.accounts()) == {"ada@example.com", "bob@example.com"}
