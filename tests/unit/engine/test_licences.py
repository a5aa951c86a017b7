"""Licences that are used up stop whoever needs one, for this cycle, and nobody else."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from usher.core.model.reports import CycleReport
from usher.core.model.resources import SourceId
from usher.testing.faults import FaultKind
from usher.testing.faults import Operation as Op
from usher.testing.world import World, group_mapping, open_world, person

STAFF = [f"user{n:02}" for n in range(60)]


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with open_world() as new:
        new.group_mapping = group_mapping()
        new.people(["ada", "bob", "eve"])
        await new.sync()
        yield new


async def later(world: World) -> CycleReport:
    world.clock.advance(300.0)
    return await world.sync()


async def test_creates_stop_for_the_cycle_and_everything_else_goes_on(world: World) -> None:
    world.people(STAFF)
    world.source.put("id-ada", **person("ada", IsSoftDeleted=True))
    world.source.put("id-bob", **person("bob", jobTitle="Boss"))
    world.group("staff", "bob")
    made = world.target.faults.count(Op.CREATE)
    world.target.faults.strike(Op.CREATE, FaultKind.NO_LICENCE, count=100)

    report = await later(world)

    concurrency = world.job.lanes[0].concurrency
    assert world.target.faults.count(Op.CREATE) - made <= concurrency + 1  # those in flight, and the group
    assert report.reasons["LicenseLimitExceeded"] >= len(STAFF)
    assert (report.counts.disabled, report.counts.updated) == (1, 1)
    assert world.accounts()["ada@example.com"]["active"] is False
    line = (await world.store.log(world.connector, SourceId("id-user59"), 1))[0]
    assert line.detail.startswith("not sent: the app said in this cycle that no licence is left; attempt 1")


async def test_who_comes_back_needs_a_licence_too_and_who_only_changes_does_not(world: World) -> None:
    world.source.put("id-ada", **person("ada", IsSoftDeleted=True))
    await later(world)
    world.source.put("id-ada", **person("ada", IsSoftDeleted=False))
    world.people(["zoe"])
    world.source.put("id-bob", **person("bob", jobTitle="Boss"))
    world.target.faults.strike(Op.CREATE, FaultKind.NO_LICENCE)

    report = await later(world)

    assert report.reasons == {"LicenseLimitExceeded": 2}
    assert world.accounts()["ada@example.com"]["active"] is False
    assert world.accounts()["bob@example.com"]["title"] == "Boss"


async def test_the_next_cycle_asks_again_and_goes_on_when_there_are_some(world: World) -> None:
    world.people(STAFF)
    world.target.faults.strike(Op.CREATE, FaultKind.NO_LICENCE)
    await later(world)

    report = await later(world)

    assert report.reasons == {}
    assert len(world.accounts()) == 3 + len(STAFF)


async def test_a_refused_change_that_needs_no_licence_stops_no_create(world: World) -> None:
    world.source.put("id-bob", **person("bob", jobTitle="Boss"))
    world.people(["zoe"])
    world.target.faults.strike(Op.UPDATE, FaultKind.NO_LICENCE)

    await later(world)

    assert "zoe@example.com" in world.accounts()
