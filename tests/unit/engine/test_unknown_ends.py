"""A request whose end nobody saw: it stays open until somebody looked, then it is finished, adopted or given back.

The targets accept anything (no value is unique, no versions): only the engine's own care prevents a second account.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from usher.contracts.target import Projection, TargetOpener
from usher.core.errors import UniquenessTaken
from usher.core.model.plans import Create, Stored, Update
from usher.core.model.reports import CycleResult
from usher.core.model.resources import AttributePath, Json, ResourceType, SourceId, TargetId, TargetResource
from usher.engine.cycle import run_cycle
from usher.engine.job import Control
from usher.testing.clock import FakeClock, fake_runtime
from usher.testing.faults import FaultKind, Killed
from usher.testing.faults import Operation as Op
from usher.testing.memory_settings import MemorySettings
from usher.testing.memory_target import MemorySession, MemoryTarget
from usher.testing.world import World, direct_mapping, open_world, person, with_manager

ANYTHING_GOES = MemorySettings(unique=None, versioned=False)
TRIES = 4
"""After so many failures in a row a request is given up for this cycle."""
SIX = ["ada", "bob", "cyd", "dan", "eve", "fay"]


def active(world: World, name: str) -> Json:
    return world.accounts()[f"{name}@example.com"]["active"]


async def sync_killed(world: World, operation: Op, kind: FaultKind) -> None:
    """A sync that ends with the process, at its next request of that operation."""
    world.target.faults.strike(operation, kind)
    with pytest.raises(Killed):
        await world.sync()


@pytest.fixture
async def blank() -> AsyncIterator[World]:
    """Nobody is there yet."""
    async with open_world(None, MemoryTarget(ANYTHING_GOES)) as new:
        yield new


@pytest.fixture
async def six(blank: World) -> World:
    """Six people have their accounts."""
    blank.people(SIX)
    await blank.sync()
    return blank


@pytest.fixture
async def orphaned(blank: World) -> World:
    """Ada's account was created, nobody saw that, and she has left meanwhile."""
    blank.people(["ada"])
    await sync_killed(blank, Op.CREATE, FaultKind.KILL_AFTER)
    blank.source.drop("id-ada")
    blank.people(["bob"])
    await blank.read(min_retained=0)
    return blank


@pytest.fixture
async def unsent(blank: World) -> World:
    """Ada's account was to be created, the request was refused, and she has left meanwhile."""
    blank.people(["ada", "bob"])
    blank.target.faults.strike(Op.CREATE, FaultKind.UNAUTHORIZED)
    assert (await blank.sync()).result is CycleResult.FAILED
    blank.source.drop("id-ada")
    await blank.read(min_retained=0)
    await blank.cycle()
    return blank


@pytest.mark.parametrize("settings", [MemorySettings(), ANYTHING_GOES], ids=["unique", "anything-goes"])
async def test_somebody_renamed_after_an_unknown_create_gets_no_second_account(settings: MemorySettings) -> None:
    async with open_world(None, MemoryTarget(settings)) as world:
        world.people(["ada"])
        await sync_killed(world, Op.CREATE, FaultKind.KILL_AFTER)
        world.source.put("id-ada", **person("ada.married"))

        await world.sync()
        await world.sync()

        assert list(world.accounts()) == ["ada.married@example.com"]


async def test_an_unknown_create_that_could_not_be_looked_for_stays_open(six: World) -> None:
    six.people(["gus"])
    six.target.faults.strike(Op.CREATE, FaultKind.LOST_AFTER)
    six.target.faults.strike(Op.FIND, FaultKind.LOST_BEFORE, count=TRIES, after=2)  # both keys of gus, then the look

    assert (await six.sync()).result is CycleResult.PARTIAL
    assert SourceId("id-gus") in await six.store.intents(six.lane)
    six.source.drop("id-gus")
    await six.sync()
    await six.cycle()

    assert active(six, "gus") is False


async def test_an_unknown_create_that_the_target_does_not_show_yet_is_not_sent_again() -> None:
    clock = FakeClock()
    settings = MemorySettings(unique=None, lag=5.0)
    async with open_world(None, MemoryTarget(settings, runtime=fake_runtime(0, clock))) as world:
        world.clock = clock
        world.people(["ada"])
        world.target.faults.strike(Op.CREATE, FaultKind.LOST_AFTER)

        await world.sync()
        assert len(world.target.accounts) == 1
        clock.advance(settings.lag)
        await world.cycle()

        assert list(world.accounts()) == ["ada@example.com"]


async def test_an_orphan_whose_disable_fails_is_disabled_in_the_next_cycle(orphaned: World) -> None:
    orphaned.target.faults.strike(Op.UPDATE, FaultKind.LOST_BEFORE, count=TRIES)

    await orphaned.cycle()
    assert active(orphaned, "ada") is True
    await orphaned.cycle()

    assert active(orphaned, "ada") is False


async def test_an_orphan_is_disabled_by_the_process_after_the_one_that_died_over_it(orphaned: World) -> None:
    orphaned.target.faults.strike(Op.UPDATE, FaultKind.KILL_BEFORE)
    with pytest.raises(Killed):
        await orphaned.cycle()

    await orphaned.cycle()

    assert active(orphaned, "ada") is False


async def test_an_orphan_that_waits_beside_a_held_set_is_disabled_once_that_is_approved(blank: World) -> None:
    names = [f"user{n:02}" for n in range(40)]
    blank.people(names)
    await blank.sync()
    await drop_and_cycle(blank, names[:12])
    blank.people(["ada"])
    await sync_killed(blank, Op.CREATE, FaultKind.KILL_AFTER)

    first = await drop_and_cycle(blank, ["ada", *names[12:24]])
    await blank.cycle(approval=first)
    await blank.cycle(approval=await drop_and_cycle(blank, []))
    await blank.cycle()

    assert active(blank, "ada") is False


async def drop_and_cycle(world: World, names: list[str]) -> str:
    """The hash of what is held after these people left."""
    for name in names:
        world.source.drop(f"id-{name}")
    await world.read(min_retained=0)
    report = await world.cycle()
    assert report.held is not None
    return report.held.hash


async def test_the_intent_of_a_refused_create_goes_with_the_person(unsent: World) -> None:
    looks = unsent.target.faults.count(Op.FIND)

    await unsent.cycle()

    assert await unsent.store.intents(unsent.lane) == {}
    assert unsent.target.faults.count(Op.FIND) == looks


async def test_an_account_that_an_admin_makes_later_is_not_taken_for_that_of_a_refused_create(unsent: World) -> None:
    unsent.clock.advance(timedelta(days=90).total_seconds())
    unsent.target.plant({"userName": "ada@example.com", "active": True, "displayName": "Another Ada"})

    await unsent.cycle()

    assert active(unsent, "ada") is True


async def test_somebody_rehired_under_a_new_id_is_not_blocked_by_a_refused_create(unsent: World) -> None:
    unsent.source.put("id-ada-2", **person("ada"))

    await unsent.sync()
    report = await unsent.sync()

    assert report.result is CycleResult.SUCCEEDED
    assert active(unsent, "ada") is True


async def sync_unseen(world: World) -> None:
    """A sync whose next update is made, its answer lost, and whose look at the account fails, too."""
    world.target.faults.strike(Op.UPDATE, FaultKind.LOST_AFTER)
    world.target.faults.strike(Op.GET, FaultKind.LOST_BEFORE, count=TRIES)
    assert (await world.sync()).result is CycleResult.PARTIAL


async def test_somebody_who_is_back_after_an_unknown_disable_is_enabled(six: World) -> None:
    six.source.drop("id-ada")
    await sync_unseen(six)
    six.people(["ada"])

    await six.sync()
    await six.sync()

    assert active(six, "ada") is True


async def test_somebody_who_leaves_again_after_an_unknown_enable_is_disabled(six: World) -> None:
    six.source.drop("id-ada")
    await six.sync()
    assert active(six, "ada") is False
    six.people(["ada"])
    await sync_unseen(six)
    six.source.drop("id-ada")

    await six.sync()
    await six.sync()

    assert active(six, "ada") is False


async def test_an_unknown_disable_is_undone_also_where_the_mapping_does_not_write_the_attribute(blank: World) -> None:
    blank.mapping = direct_mapping(expressions={})
    blank.people(SIX)
    await blank.sync()
    blank.source.drop("id-ada")
    await sync_killed(blank, Op.UPDATE, FaultKind.KILL_AFTER)
    assert active(blank, "ada") is False
    blank.people(["ada"])

    await blank.sync()
    await blank.sync()

    assert active(blank, "ada") is True


async def test_a_disable_that_the_answer_denies_is_not_believed(blank: World) -> None:
    blank.mapping = direct_mapping(expressions={})
    blank.people(SIX)
    await blank.sync()
    [target_id] = [each for each in blank.target.accounts if "ada" in str(blank.target.document(each)["userName"])]
    blank.target.change(target_id, "active", True)
    blank.source.drop("id-ada")
    blank.target.faults.strike(Op.UPDATE, FaultKind.IGNORED_CHANGE)

    await blank.sync()
    await blank.sync()

    assert active(blank, "ada") is False


class RefusingSession(MemorySession):
    """Makes an account without its title, and says that its name is taken: a proxy has sent the request twice, say."""

    async def create(self, change: Create) -> Stored:
        await super().create(replace(change, values={p: v for p, v in change.values.items() if p != "title"}))
        raise UniquenessTaken("the name is taken")


@pytest.mark.parametrize(
    ("operation", "fault", "count", "after"),
    [
        (Op.FIND, FaultKind.LOST_BEFORE, TRIES, 2),
        (Op.FIND, FaultKind.UNAUTHORIZED, 1, 2),
        (Op.UPDATE, FaultKind.REFUSED, 1, 0),
    ],
)
async def test_an_account_that_was_made_and_refused_in_one_breath_is_not_forgotten_though_the_look_fails(
    six: World, operation: Op, fault: FaultKind, count: int, after: int
) -> None:
    @asynccontextmanager
    async def open_target() -> AsyncIterator[MemorySession]:
        yield RefusingSession(six.target)

    six.people(["gus"])
    six.target.faults.strike(operation, fault, count=count, after=after)  # both keys of gus, then the look

    await run_cycle_after_read(six, open_target)

    assert SourceId("id-gus") in await six.store.intents(six.lane)
    six.source.drop("id-gus")
    await six.sync()
    await six.cycle()
    assert active(six, "gus") is False


class VanishingSession(MemorySession):
    """Whatever is asked for by its id, an admin has just deleted."""

    def __init__(self, app: MemoryTarget) -> None:
        super().__init__(app)
        self._admin = app

    async def get(self, resource_type: ResourceType, target_id: TargetId, wanted: Projection) -> TargetResource | None:
        if target_id in self._admin.accounts:
            self._admin.remove(target_id)
        return await super().get(resource_type, target_id, wanted)


async def test_an_account_that_is_found_gone_while_its_references_are_read_is_made_again(blank: World) -> None:
    @asynccontextmanager
    async def open_target() -> AsyncIterator[MemorySession]:
        yield VanishingSession(blank.target)

    blank.mapping = with_manager(direct_mapping())
    blank.people(["ada"])
    await sync_killed(blank, Op.CREATE, FaultKind.KILL_AFTER)

    await run_cycle_after_read(blank, open_target)
    await blank.sync()

    assert list(blank.accounts()) == ["ada@example.com"]


async def run_cycle_after_read(world: World, open_target: TargetOpener) -> None:
    """One sync, with the app behind these sessions."""
    await world.read()
    await run_cycle(replace(world.job, open_target=open_target), world.ports, Control())


class TitleIgnoringSession(MemorySession):
    """Does every part of a change but the title."""

    async def update(self, change: Update) -> Stored:
        delta = {path: edit for path, edit in change.delta.items() if path != AttributePath("title")}
        return await super().update(replace(change, delta=delta))


async def test_a_change_that_was_made_in_part_and_then_taken_back_leaves_nothing_behind(six: World) -> None:
    @asynccontextmanager
    async def open_target() -> AsyncIterator[MemorySession]:
        yield TitleIgnoringSession(six.target)

    job = replace(six.job, open_target=open_target)
    six.source.put("id-ada", **person("ada", jobTitle="Boss", displayName="Ada Boss"))
    await six.read()
    report = await run_cycle(job, six.ports, Control())
    assert report.reasons == {"ChangeIgnored": 1}
    six.people(["ada"])
    await six.read()

    await run_cycle(job, six.ports, Control())
    await run_cycle(job, six.ports, Control())

    assert six.accounts()["ada@example.com"]["displayName"] == "Ada"
