"""Cycles on a state that is on a server: as on a file, and with two processes that both think it is theirs."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

import pytest

from usher.contracts.journal import JournalPart
from usher.contracts.store import Intent, Store
from usher.core.errors import CycleError
from usher.core.model.reports import CycleResult
from usher.core.model.resources import Lane
from usher.state.places import Server
from usher.state.store import open_store
from usher.testing.faults import Fault, FaultKind, FaultSchedule, Killed, Operation, nth
from usher.testing.memory_settings import MemorySettings
from usher.testing.memory_target import MemoryTarget
from usher.testing.world import World, new_world, person

NAMES = [f"user{n}" for n in range(7)]
ANYTHING_GOES = MemorySettings(unique=None, versioned=False)
"""Nothing but the state and a look stands between such an app and a second account."""


def expect_everybody_once(world: World, names: Sequence[str] = NAMES) -> None:
    everybody = {f"{name}@example.com": 1 for name in names}
    assert dict.fromkeys(world.accounts(), 1) == everybody
    assert world.target.history.most_accounts_by("userName") == everybody


async def test_an_initial_cycle_then_changes_then_nothing_to_do(state_server: Server) -> None:
    target = MemoryTarget(ANYTHING_GOES)
    async with open_store(state_server) as store:
        world = new_world(store, target)
        world.people(NAMES)
        assert (await world.sync()).counts.created == len(NAMES)
    async with open_store(state_server) as store:
        world = new_world(store, target)
        world.people(["user1", "user2", "new"])
        world.source.put("id-user1", **person("user1", jobTitle="Director"))
        world.people(NAMES[3:])
        report = await world.sync()
        assert (report.counts.created, report.counts.updated, report.counts.disabled) == (1, 1, 1)
        writes = len(target.history.writes)
        assert (await world.sync()).result is CycleResult.SUCCEEDED
        assert len(target.history.writes) == writes
        assert world.accounts()["user1@example.com"]["title"] == "Director"


@pytest.mark.parametrize("kind", [FaultKind.KILL_BEFORE, FaultKind.KILL_AFTER, FaultKind.LOST_AFTER])
async def test_a_cycle_that_died_at_a_create_is_made_whole_by_the_next(state_server: Server, kind: FaultKind) -> None:
    target = MemoryTarget(ANYTHING_GOES, FaultSchedule([nth(Operation.CREATE, 3, Fault(kind))]))
    for _ in range(2):
        async with open_store(state_server) as store:
            world = new_world(store, target)
            world.people(NAMES)
            with suppress(Killed):
                await world.sync()
    assert (await world_of_nobody(target)).accounts().keys() == {f"{name}@example.com" for name in NAMES}
    assert max(target.history.most_accounts_by("userName").values()) == 1


async def world_of_nobody(target: MemoryTarget) -> World:
    async with open_store(None) as store:
        return new_world(store, target)


async def test_a_holder_who_was_paused_before_its_creates_makes_nothing_when_another_works_already(
    state_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("usher.state.postgres.LEASE", 0)
    monkeypatch.setattr("usher.state.tenure._CERTAIN", 0.0)
    target = MemoryTarget(ANYTHING_GOES)
    async with open_store(state_server) as paused:
        late = new_world(paused, target)
        late.people(NAMES)
        written = paused.write_intents

        async def meanwhile(lane: Lane, intents: Sequence[Intent], journal: JournalPart | None = None) -> None:
            """The process stops right behind its intents, and another one comes to an end of its cycle."""
            await written(lane, intents, journal)
            monkeypatch.setattr(paused, "write_intents", written)
            async with open_store(state_server) as heir:
                await expect_a_whole_cycle(heir, target)

        monkeypatch.setattr(paused, "write_intents", meanwhile)
        with pytest.raises(CycleError) as ended:
            await late.sync()
        assert ended.value.reason == "StateTaken"
        expect_everybody_once(late)

    async with open_store(state_server) as store:
        world = new_world(store, target)
        world.people(NAMES)
        writes = len(target.history.writes)
        assert (await world.sync()).result is CycleResult.SUCCEEDED
        assert len(target.history.writes) == writes


async def expect_a_whole_cycle(store: Store, target: MemoryTarget) -> None:
    world = new_world(store, target)
    world.people(NAMES)
    first, second = await world.sync(), await world.sync()
    assert CycleResult.SUCCEEDED in (first.result, second.result)
    expect_everybody_once(world)
