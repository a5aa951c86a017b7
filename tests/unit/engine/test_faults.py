"""Any one fault, at any request of a sync, on targets that enforce uniqueness and on targets that don't.

Afterwards, in a new process, with the state of before or with none, everybody has one account, the leaver's is
disabled, nobody had two at any time, and the next cycle writes nothing.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import pytest

from usher.contracts.store import Store
from usher.core.errors import ReadShrunk
from usher.core.model.reports import CycleResult
from usher.state.store import open_store
from usher.testing.faults import Fault, FaultKind, FaultSchedule, Killed, every, nth, request
from usher.testing.faults import Operation as Op
from usher.testing.memory_settings import MemorySettings
from usher.testing.memory_target import MemoryTarget
from usher.testing.world import World, new_world, open_world, person

NAMES = [f"user{n}" for n in range(7)]
UNIQUE = MemorySettings()
ANYTHING_GOES = MemorySettings(unique=None, versioned=False)
KINDS = [
    FaultKind.LOST_BEFORE,
    FaultKind.LOST_AFTER,
    FaultKind.THROTTLED,
    FaultKind.UNAVAILABLE,
    FaultKind.UNAVAILABLE_AFTER,
    FaultKind.UNAUTHORIZED,
    FaultKind.TRUNCATED_JSON,
    FaultKind.HTML_200,
    FaultKind.HTML_200_AFTER,
    FaultKind.REPEATED_PAGE,
    FaultKind.LYING_TOTAL,
    FaultKind.EMPTY_LIST,
    FaultKind.IGNORED_FILTER,
    FaultKind.KILL_BEFORE,
    FaultKind.KILL_AFTER,
]


def sampled(ordinals: range, offset: int) -> range:
    """Every boundary with USHER_EXHAUSTIVE in the environment.

    Else every eighth, beginning elsewhere for each kind of fault.
    """
    return ordinals if os.environ.get("USHER_EXHAUSTIVE") else ordinals[offset % 8 :: 8]


async def run_once(store: Store, target: MemoryTarget) -> None:
    world = new_world(store, target)
    world.people(NAMES)
    with suppress(Killed):
        await world.sync()


async def count_requests() -> int:
    target = MemoryTarget(ANYTHING_GOES)
    async with open_store(None) as store:
        await run_once(store, target)
    return target.faults.calls


@pytest.mark.parametrize("state", ["kept", "lost"])
@pytest.mark.parametrize("settings", [UNIQUE, ANYTHING_GOES], ids=["unique", "anything-goes"])
@pytest.mark.parametrize("kind", KINDS)
async def test_a_fault_at_any_request_leaves_one_account_each(
    kind: FaultKind, settings: MemorySettings, state: str
) -> None:
    boundaries = await count_requests()
    assert boundaries > len(NAMES)
    for ordinal in sampled(range(1, boundaries + 3), KINDS.index(kind)):
        target = MemoryTarget(settings, FaultSchedule([request(ordinal, Fault(kind, retry_after=3))]))
        async with open_store(None) as store, open_store(None) as empty:
            await run_once(store, target)
            target.faults.heal()
            await check_end(store if state == "kept" else empty, target, ordinal)


async def check_end(store: Store, target: MemoryTarget, ordinal: int) -> None:
    """A new process on that state comes to the right end, and the one after it has nothing to do."""
    world = new_world(store, target)
    world.people(NAMES)
    first = await world.sync()
    assert first.result is CycleResult.SUCCEEDED, (ordinal, first)
    writes = len(target.history.writes)
    second = await world.sync()
    assert second.result is CycleResult.SUCCEEDED
    assert len(target.history.writes) == writes
    assert set(world.accounts()) == {f"{name}@example.com" for name in NAMES}
    most = target.history.most_accounts_by("userName")
    assert max(most.values()) == 1, (ordinal, most)


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
