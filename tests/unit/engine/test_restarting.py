"""A restart puts aside what was learnt, and loses nobody by it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from usher.core.errors import CycleError
from usher.core.model.reports import CycleKind, CycleReport, CycleResult, HeldPlan
from usher.core.model.resources import SourceId
from usher.core.model.standing import Quarantine
from usher.engine.job import Control
from usher.engine.restarting import USUAL, Scope, restart, restart_and_run
from usher.testing.faults import Fault, FaultKind, Killed, Operation, nth, when
from usher.testing.world import World, open_world, person


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """Three people with their accounts."""
    async with open_world() as new:
        new.people(["ada", "bob", "eve"])
        await new.sync()
        yield new


async def run(world: World, *scopes: Scope) -> CycleReport:
    return await restart_and_run(scopes or USUAL, world.job, world.ports, Control())


async def held(world: World) -> HeldPlan:
    report = await run(world, Scope.LINKS)
    assert report.held is not None
    return report.held


async def targets(world: World) -> dict[SourceId, str]:
    found: dict[SourceId, str] = {}
    async for digests in world.store.link_digests(world.lane):
        found |= {one.source_id: str(one.target_id) for one in digests}
    return found


async def test_the_usual_restart_evaluates_everybody_and_keeps_the_links(world: World) -> None:
    before, writes = await targets(world), world.target.faults.writes

    report = await run(world)

    assert (report.kind, report.result, report.held) == (CycleKind.INITIAL, CycleResult.SUCCEEDED, None)
    assert await targets(world) == before
    assert world.target.faults.writes == writes


async def test_without_the_watermark_only_what_changed_is_looked_at(world: World) -> None:
    assert (await run(world, Scope.ESCROWS)).kind is CycleKind.INCREMENTAL


async def test_whoever_waits_in_escrow_is_tried_at_once_as_one_who_never_failed(world: World) -> None:
    world.target.faults.add(when(lambda call: call.operation is Operation.UPDATE, Fault(FaultKind.REFUSED)))
    world.source.put("id-ada", **person("ada", jobTitle="Director"))
    for _ in range(4):
        await world.sync()
    assert (await world.store.unsettled(world.lane))[SourceId("id-ada")].attempts > 1
    world.target.faults.heal()

    await world.cycle()
    assert world.accounts()["ada@example.com"]["title"] == "Engineer", "it waits for its time"
    await run(world, Scope.ESCROWS)

    assert world.accounts()["ada@example.com"]["title"] == "Director"
    assert await world.store.unsettled(world.lane) == {}


async def test_whoever_was_given_up_begins_anew_and_is_not_forgotten(world: World) -> None:
    world.target.faults.add(when(lambda call: call.operation is Operation.UPDATE, Fault(FaultKind.REFUSED)))
    world.source.put("id-ada", **person("ada", jobTitle="Director"))
    await world.sync()
    world.clock.advance(timedelta(days=29).total_seconds())
    await world.cycle()

    await run(world, Scope.ESCROWS)

    [entry] = (await world.store.unsettled(world.lane)).values()
    assert entry.attempts == 1
    assert entry.escrow is not None
    assert entry.escrow.due is not None


async def test_an_open_create_stays_open_and_nobody_gets_a_second_account(world: World) -> None:
    world.people(["joe"])
    creates = world.target.faults.count(Operation.CREATE)
    world.target.faults.add(nth(Operation.CREATE, creates + 1, Fault(FaultKind.KILL_AFTER)))
    with pytest.raises(Killed):
        await world.sync()

    await restart(world.job, world.ports, tuple(Scope))

    assert set(await world.store.intents(world.lane)) == {"id-joe"}
    plan = (await world.cycle()).held
    assert plan is not None
    await world.cycle(approval=plan.hash)
    assert len(world.accounts()) == 4
    assert set(await targets(world)) == {"id-ada", "id-bob", "id-eve", "id-joe"}


async def test_a_restart_lifts_the_quarantine(world: World) -> None:
    standing = await world.store.standing(world.connector)
    quarantine = Quarantine("EncounteredQuarantineException", world.clock.now())
    await world.store.save_standing(world.connector, type(standing)(standing.spec, quarantine))

    await restart(world.job, world.ports, [Scope.WATERMARK])
    assert (await world.store.standing(world.connector)).quarantine == quarantine
    await restart(world.job, world.ports, [Scope.QUARANTINE])

    assert (await world.store.standing(world.connector)).quarantine is None


async def test_links_are_found_again_and_held_whole_until_somebody_approves(world: World) -> None:
    before, writes = await targets(world), world.target.faults.writes

    plan = await held(world)

    assert plan.reason == "ApprovalRequired"
    assert plan.summary == (
        "a restart of the links was asked for. Accounts were matched anew and nobody leaves: 3 to take over"
    )
    assert await targets(world) == before
    report = await world.cycle(approval=plan.hash)
    assert report.held is None
    assert await targets(world) == before
    assert world.target.faults.writes == writes
    assert (await world.cycle()).result is CycleResult.SUCCEEDED


async def test_an_account_that_nothing_matches_any_more_stays_its_persons(world: World) -> None:
    before = await targets(world)
    world.target.change(before[SourceId("id-ada")], "userName", "renamed@example.com")
    world.target.change(before[SourceId("id-ada")], "emails", [])

    plan = await held(world)
    await world.cycle(approval=plan.hash)

    assert await targets(world) == before
    assert len(world.accounts()) == 3


async def test_whoever_left_stays_linked_and_leaves_afterwards(world: World) -> None:
    before = await targets(world)
    world.source.put("id-eve", **person("eve", IsSoftDeleted=True))
    await world.read()

    plan = await held(world)
    await world.cycle(approval=plan.hash)
    assert world.accounts()["eve@example.com"].get("active") is not False
    assert await targets(world) == before
    for _ in range(2):
        report = await world.cycle()
        if report.held is not None:
            await world.cycle(approval=report.held.hash)

    assert world.accounts()["eve@example.com"]["active"] is False


async def test_a_restart_of_links_that_nobody_approves_ends_by_itself(world: World) -> None:
    before = await targets(world)
    await held(world)
    world.clock.advance(timedelta(hours=73).total_seconds())

    report = await world.cycle()

    assert (report.result, report.held) == (CycleResult.SUCCEEDED, None)
    assert await targets(world) == before


async def test_links_to_an_app_that_cannot_be_asked_are_not_found_again(world: World) -> None:
    blind = replace(world.job, lanes=tuple(replace(lane, settle=None) for lane in world.job.lanes))

    with pytest.raises(CycleError, match="can't be asked who is there"):
        await restart(blind, world.ports, [Scope.LINKS])
