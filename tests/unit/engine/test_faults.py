"""Single faults, each with what is to be seen of it. Every fault at every request is played in tests/simulation."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

from usher.core.errors import ReadShrunk
from usher.core.model.reports import CycleResult
from usher.testing.faults import Fault, FaultKind, FaultSchedule, Killed, every, nth
from usher.testing.faults import Operation as Op
from usher.testing.memory_settings import MemorySettings
from usher.testing.memory_target import MemoryTarget
from usher.testing.world import World, open_world, person

NAMES = [f"user{n}" for n in range(7)]
UNIQUE = MemorySettings()
ANYTHING_GOES = MemorySettings(unique=None, versioned=False)


@pytest.mark.parametrize("kind", [FaultKind.LOST_AFTER, FaultKind.KILL_AFTER, FaultKind.TRUNCATED_JSON])
@pytest.mark.parametrize("operation", [Op.CREATE, Op.UPDATE])
async def test_a_change_whose_end_is_unknown_is_not_made_twice(tmp_path: Path, kind: FaultKind, operation: Op) -> None:
    target = MemoryTarget(ANYTHING_GOES)
    path = tmp_path / "state.db"
    async with open_world(path, target) as world:
        world.people(NAMES)
        await world.sync()
        target.faults.add(nth(operation, target.faults.count(operation) + 1, Fault(kind)))
        world.people(["new"])
        world.source.put("id-user1", **person("user1", jobTitle="Director"))
        with suppress(Killed):
            await world.sync()
        people_now = dict(world.source.people)
    async with open_world(path, target) as world:
        world.source.people = people_now
        await world.sync()
        report = await world.sync()
        assert report.result is CycleResult.SUCCEEDED
        assert len(world.accounts()) == 8
        assert world.accounts()["user1@example.com"]["title"] == "Director"
    assert target.history.most_accounts_by("userName") == {f"{name}@example.com": 1 for name in [*NAMES, "new"]}


async def test_somebody_who_leaves_right_after_an_unknown_create_is_disabled(tmp_path: Path) -> None:
    target = MemoryTarget(ANYTHING_GOES, FaultSchedule([nth(Op.CREATE, 1, Fault(FaultKind.KILL_AFTER))]))
    path = tmp_path / "state.db"
    async with open_world(path, target) as world:
        world.people(["ada"])
        with pytest.raises(Killed):
            await world.sync()
    async with open_world(path, target) as world:
        world.people(["bob"])
        await world.read(approved=(await shrunken_digest(world)))
        report = await world.cycle()
        assert report.counts.disabled == 1
        assert world.accounts()["ada@example.com"]["active"] is False


async def shrunken_digest(world: World) -> str:
    """The hash under which the read that lacks so many people can be approved."""
    with pytest.raises(ReadShrunk) as caught:
        await world.read()
    return caught.value.digest


async def test_the_email_of_a_replayed_update_is_not_added_twice(tmp_path: Path) -> None:
    target = MemoryTarget(ANYTHING_GOES)
    path = tmp_path / "state.db"
    async with open_world(path, target) as world:
        world.source.put("id-ada", userPrincipalName="ada@example.com", displayName="Ada")
        await world.sync()
        target.faults.add(nth(Op.UPDATE, 1, Fault(FaultKind.KILL_AFTER)))
        world.source.put("id-ada", **person("ada"))
        with pytest.raises(Killed):
            await world.sync()
        people_now = dict(world.source.people)
    async with open_world(path, target) as world:
        world.source.people = people_now
        await world.sync()
        assert world.accounts()["ada@example.com"]["emails"] == [{"type": "work", "value": "ada@example.com"}]


async def test_a_target_that_is_away_ends_the_cycle_and_not_one_try_a_person(tmp_path: Path) -> None:
    target = MemoryTarget(UNIQUE)
    async with open_world(tmp_path / "state.db", target) as world:
        world.people([f"user{n}" for n in range(500)])
        await world.read()
        for index in range(1, 2000):
            target.faults.add(nth(Op.CREATE, index, Fault(FaultKind.LOST_BEFORE)))

        report = await world.cycle()

        assert report.result is CycleResult.FAILED
        assert report.error_reason == "TargetUnreachable"
        assert target.faults.count(Op.CREATE) < 150


async def test_retry_after_is_waited_for_by_every_request(tmp_path: Path) -> None:
    target = MemoryTarget(UNIQUE, FaultSchedule([nth(Op.CREATE, 1, Fault(FaultKind.THROTTLED, retry_after=30))]))
    async with open_world(tmp_path / "state.db", target) as world:
        world.people(["ada"])
        await world.read()
        begun = world.clock.monotonic()

        report = await world.cycle()

        assert report.result is CycleResult.SUCCEEDED
        assert world.clock.monotonic() - begun >= 30
        assert target.faults.count(Op.CREATE) == 2


async def test_a_target_whose_lists_are_always_empty_gets_no_second_accounts(tmp_path: Path) -> None:
    target = MemoryTarget(ANYTHING_GOES)
    async with open_world(tmp_path / "before.db", target) as world:
        world.people(NAMES)
        await world.sync()
    target.faults.add(every(Op.LIST, 1, Fault(FaultKind.EMPTY_LIST)))
    async with open_world(tmp_path / "after.db", target) as world:
        world.people(NAMES)

        report = await world.sync()

        assert report.result is CycleResult.SUCCEEDED
        assert report.counts.created == 0
        assert len(world.accounts()) == len(NAMES)


async def test_a_target_that_confirms_what_it_did_not_do_is_not_believed(tmp_path: Path) -> None:
    target = MemoryTarget(UNIQUE)
    async with open_world(tmp_path / "state.db", target) as world:
        world.people(["ada"])
        await world.sync()
        target.faults.add(nth(Op.UPDATE, 1, Fault(FaultKind.IGNORED_CHANGE)))
        world.source.put("id-ada", **person("ada", jobTitle="Director"))

        first = await world.sync()
        second = await world.sync()

        assert first.reasons == {"ChangeIgnored": 1}
        assert second.result is CycleResult.SUCCEEDED
        assert world.accounts()["ada@example.com"]["title"] == "Director"
