"""An undo promises no more than a cycle does: no second account, nobody taken over, nothing left out in silence."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from usher.contracts.log import LogQuery
from usher.core.model.reports import CycleResult
from usher.core.model.resources import AttributePath, SourceId
from usher.core.sync.leaving import Deprovisioning, Policy
from usher.core.sync.matching import Adopt
from usher.core.sync.policies import Budget
from usher.core.sync.untouchable import Spared, Untouchable
from usher.engine.job import Control
from usher.engine.undo import run_undo
from usher.testing.faults import FaultKind, Killed, Operation
from usher.testing.memory_settings import MemorySettings
from usher.testing.memory_target import MemoryTarget
from usher.testing.world import World, group_mapping, open_world, person

DAN = SourceId("id-dan")
TWICE = MemorySettings(unique=None)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """The app refuses no second account of a name."""
    async with open_world(None, MemoryTarget(TWICE)) as opened:
        opened.group_mapping = group_mapping()
        opened.people(["ada", "dan", *(f"other{number}" for number in range(8))])
        opened.group("staff", "ada")
        await opened.sync()
        opened.clock.advance(60)
        yield opened


async def sync(world: World) -> str:
    """A cycle, and its name; time goes on after it."""
    cycle = f"{world.clock.now():%Y%m%dT%H%M%SZ}-{world.ports.runtime.random.getrandbits(16):04x}"
    await world.read(min_retained=0)
    await world.cycle()
    world.clock.advance(60)
    return cycle


async def delete_dan(world: World) -> str:
    """The name of the cycle that deleted his account."""
    world.deprovisioning = Deprovisioning(on_source_deleted=Policy.DELETE, delete_after=timedelta(hours=1))
    world.source.drop("id-dan")
    for _ in range(2):
        world.clock.advance(7200)
        cycle = await sync(world)
    return cycle


async def undo_killed(world: World, cycle: str) -> None:
    """Dies over the create that brings him back, after it had its effect."""
    world.target.faults.strike(Operation.CREATE, FaultKind.KILL_AFTER)
    with pytest.raises(Killed):
        await world.undo(cycle)
    world.clock.advance(60)


def accounts_of_dan(world: World) -> int:
    users = (world.target.document(one)["userName"] for one in world.target.accounts)
    return sum(name == "dan@example.com" for name in users)


async def reasons(world: World) -> set[str]:
    lines = await world.store.log(world.connector, LogQuery(source_id=DAN, action="Skip"), 9)
    return {line.reason for line in lines}


async def test_where_nobody_can_be_looked_for_a_create_of_unknown_end_is_not_sent_again(world: World) -> None:
    cycle = await delete_dan(world)
    lanes = tuple(replace(lane, settle=None) for lane in world.job.lanes)
    job = replace(world.job, lanes=lanes)
    world.target.faults.strike(Operation.CREATE, FaultKind.KILL_AFTER)
    with pytest.raises(Killed):
        await run_undo(job, world.ports, Control(), cycle)
    world.clock.advance(60)

    report = await run_undo(job, world.ports, Control(), cycle)

    assert accounts_of_dan(world) == 1
    assert report.result is CycleResult.PARTIAL
    assert await reasons(world) == {"CreateOutcomeUnknown"}


async def test_a_stranger_is_not_taken_over_where_nobody_is(world: World) -> None:
    cycle = await delete_dan(world)
    world.target.plant({"userName": "dan@example.com", "active": True})
    world.adopt = Adopt.NEVER

    report = await world.undo(cycle)

    assert (report.counts.created, report.counts.linked, accounts_of_dan(world)) == (0, 0, 1)
    assert not await world.store.links(world.lane, [DAN])
    assert await reasons(world) == {"AdoptionRefused"}


async def test_what_an_undo_that_died_had_made_is_our_own_where_nobody_is_taken_over(world: World) -> None:
    cycle = await delete_dan(world)
    world.adopt = Adopt.NEVER
    await undo_killed(world, cycle)

    report = await world.undo(cycle)

    assert (report.counts.created, report.counts.linked, accounts_of_dan(world)) == (0, 1, 1)


async def test_an_account_that_is_never_written_is_linked_to_nobody(world: World) -> None:
    cycle = await delete_dan(world)
    world.target.plant({"userName": "dan@example.com", "title": "Robot", "active": True})
    world.untouchable = Untouchable((Spared(AttributePath("title"), "Robot"),))

    await world.undo(cycle)

    assert not await world.store.links(world.lane, [DAN])
    assert await reasons(world) == {"NeverTouch"}


async def test_a_cycle_that_changed_groups_is_not_undone_where_nobody_maps_them(world: World) -> None:
    world.group("staff", "dan")
    world.source.put("id-ada", **person("ada", jobTitle="Director"))
    cycle = await sync(world)
    world.group_mapping = None
    writes = world.target.faults.writes

    report = await world.undo(cycle)

    assert (report.result, report.error_reason) == (CycleResult.FAILED, "InvalidSpec")
    assert "groups" in report.error
    assert world.target.faults.writes == writes


async def test_members_who_are_disabled_count_as_accounts_alone(world: World) -> None:
    world.people(["eve"])
    world.group("staff", "ada", "eve")
    cycle = await sync(world)
    world.membership_budget = Budget(max_count=0, min_count=0)

    report = await world.undo(cycle)

    assert report.result is CycleResult.SUCCEEDED
    assert world.members() == {"staff": {"ada"}}


async def test_names_that_were_swapped_are_swapped_back(world: World) -> None:
    world.target.settings = replace(TWICE, unique=AttributePath("userName"))
    world.source.put("id-ada", **person("zoe"))
    await sync(world)
    world.source.put("id-ada", **person("ada.married"))
    world.source.put("id-dan", **person("zoe"))
    cycle = await sync(world)
    assert "zoe@example.com" in world.accounts()

    report = await world.undo(cycle)

    assert report.result is CycleResult.SUCCEEDED
    assert {"zoe@example.com", "dan@example.com"} <= world.accounts().keys()
    assert "ada.married@example.com" not in world.accounts()
