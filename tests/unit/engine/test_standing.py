"""What the next cycle has to know of how a connector stands with its target, in whichever process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from usher.contracts.store import Record
from usher.core.model.escrow import Duty, Escrow, Unsettled
from usher.core.model.reports import CycleReport, CycleResult
from usher.core.model.resources import SourceId
from usher.core.sync import quarantine as rules
from usher.engine import standing as engine_standing
from usher.testing.faults import Fault, FaultKind, every
from usher.testing.faults import Operation as Op
from usher.testing.world import World, open_world, person

MINUTE = 60.0
ADA = SourceId("id-ada")


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with open_world() as new:
        new.people(["ada", "bob"])
        await new.sync()
        yield new


async def later(world: World, seconds: float = 5 * MINUTE) -> CycleReport:
    world.clock.advance(seconds)
    return await world.sync()


async def fail_with(world: World, kind: FaultKind, retry_after: float | None = None) -> CycleReport:
    world.target.faults.add(every(Op.CHECK, 1, Fault(kind, retry_after)))
    report = await world.sync()
    world.target.faults.heal()
    return report


@pytest.mark.parametrize("kind", [FaultKind.UNAUTHORIZED, FaultKind.HTML_200])
async def test_an_app_that_refuses_us_as_a_whole_is_quarantined_at_once_and_freed_by_the_first_cycle_that_runs(
    world: World, kind: FaultKind
) -> None:
    report = await fail_with(world, kind)
    again = await fail_with(world, kind)

    assert report.quarantine is not None
    assert again.quarantine is not None
    assert (again.quarantine.reason, again.quarantine.count) == ("EncounteredQuarantineException", 2)
    assert (await world.store.standing(world.connector)).quarantine == again.quarantine

    assert (await later(world)).quarantine is None
    assert (await world.store.standing(world.connector)).quarantine is None


async def test_too_many_failures_quarantine_until_one_of_them_succeeds(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "LEAST", 2)
    monkeypatch.setattr(engine_standing, "LEAST", 2)
    world.target.faults.add(every(Op.UPDATE, 1, Fault(FaultKind.REFUSED)))
    world.source.put(ADA, **person("ada", jobTitle="Boss"))
    assert (await world.sync()).quarantine is None
    world.source.put("id-bob", **person("bob", jobTitle="Boss"))

    report = await later(world)

    assert report.quarantine is not None
    assert report.quarantine.reason == rules.PROPORTION
    world.target.faults.heal()
    world.target.faults.strike(Op.UPDATE, FaultKind.REFUSED)
    freed = await later(world)
    assert (freed.recovered, freed.escrowed, freed.quarantine) == (1, 1, None)


async def test_who_fails_for_licences_or_was_given_up_quarantines_nobody(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "LEAST", 1)
    monkeypatch.setattr(engine_standing, "LEAST", 1)
    now = world.clock.now()
    entries = [
        Unsettled(SourceId("p1"), "LicenseLimitExceeded", 3, now, Escrow(Duty.ACCOUNT, now + timedelta(days=1))),
        Unsettled(SourceId("p2"), "Timeout", 31, now, Escrow(Duty.ACCOUNT, None)),
    ]
    await world.store.record(world.lane, Record(unsettled=entries))

    assert (await later(world)).quarantine is None


async def test_a_quarantine_outlives_the_process(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    async with open_world(path) as world:
        world.people(["ada"])
        before = await fail_with(world, FaultKind.UNAUTHORIZED)
        target = world.target
    async with open_world(path, target) as world:
        world.people(["ada"])
        after = await fail_with(world, FaultKind.UNAUTHORIZED)

    assert before.quarantine is not None
    assert after.quarantine is not None
    assert (after.quarantine.since, after.quarantine.count) == (before.quarantine.since, 2)


async def test_an_app_that_wants_to_be_left_alone_is_not_asked_a_second_earlier(world: World) -> None:
    report = await fail_with(world, FaultKind.THROTTLED, retry_after=3600.0)
    assert report.not_before == world.clock.now() + timedelta(hours=1)
    calls = world.target.faults.calls

    early = await later(world, 3599.0)
    assert (early.result, early.error_reason, early.not_before) == (
        CycleResult.FAILED,
        "TooManyRequests",
        report.not_before,
    )
    assert (await world.plan()).result is CycleResult.FAILED
    assert world.target.faults.calls == calls

    assert (await later(world, 1.0)).result is CycleResult.SUCCEEDED


async def test_a_clock_that_went_back_by_years_does_not_make_it_wait_for_years(world: World) -> None:
    await fail_with(world, FaultKind.THROTTLED, retry_after=3600.0)
    world.clock.advance(-366 * 86_400.0)

    assert (await world.sync()).result is CycleResult.SUCCEEDED
