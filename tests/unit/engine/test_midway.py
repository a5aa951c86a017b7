"""What happens while a cycle runs, or between two of its stages: a cycle acts on what it read when it began."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from usher.core.errors import ReadShrunk
from usher.core.model.reports import CycleReport, CycleResult
from usher.core.model.resources import AttributePath, SourceId
from usher.core.scim.schemas import USER_SCHEMA
from usher.core.sync.flows import Constant, Untouched
from usher.core.sync.rules import AttributeRule, CompiledMapping
from usher.engine.cycle import run_cycle
from usher.engine.job import Control
from usher.engine.stowing import CHUNK
from usher.testing.clock import FakeClock
from usher.testing.faults import Fault, FaultKind, Killed
from usher.testing.faults import Operation as Op
from usher.testing.memory_settings import MemorySettings
from usher.testing.memory_target import MemorySession, MemoryTarget
from usher.testing.world import EXPRESSIONS, World, direct_mapping, open_world, person

SIX = ["ada", "bob", "cyd", "dan", "eve", "fay"]
LOOKS = frozenset({Op.FIND, Op.LIST})
Meanwhile = Callable[[], Awaitable[None]]


class InterruptedSession(MemorySession):
    """Something else happens right before its first request of one of these operations."""

    def __init__(self, app: MemoryTarget, before: frozenset[Op], meanwhile: Meanwhile) -> None:
        super().__init__(app)
        self._before = before
        self._meanwhile = meanwhile
        self.interrupted = False

    async def _ask(self, operation: Op, subject: str = "") -> Fault | None:
        if operation in self._before and not self.interrupted:
            self.interrupted = True
            await self._meanwhile()
        return await super()._ask(operation, subject)


async def cycle_with(
    world: World, before: frozenset[Op], meanwhile: Meanwhile, control: Control | None = None
) -> CycleReport:
    """A cycle, and what happens right before its first request of one of these operations."""
    session = InterruptedSession(world.target, before, meanwhile)

    @asynccontextmanager
    async def open_target() -> AsyncIterator[MemorySession]:
        yield session

    report = await run_cycle(replace(world.job, open_target=open_target), world.ports, control or Control())
    assert session.interrupted
    return report


def disabled(world: World) -> set[str]:
    return {name for name, account in world.accounts().items() if account.get("active") is False}


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """Six people have their accounts, in an app that takes two accounts of one name."""
    async with open_world(None, MemoryTarget(MemorySettings(unique=None))) as new:
        new.people(SIX)
        await new.sync()
        yield new


# --- a read that is published in the middle of a cycle --------------------------------------------------------------


async def test_a_person_disabled_by_a_read_during_the_cycle_costs_no_unlinked_account(world: World) -> None:
    target_id = world.target.plant({"userName": "zed@example.com", "active": True})
    world.people(["zed"])
    await world.read()

    async def publish() -> None:
        world.source.put("id-zed", **person("zed", accountEnabled=False))
        await world.read()

    await cycle_with(world, LOOKS, publish)

    assert world.target.document(target_id)["active"] is True


async def test_a_person_made_unmappable_by_a_read_during_the_cycle_is_the_business_of_the_next(world: World) -> None:
    world.mapping = direct_mapping(expressions={"active": 'Switch([status], "True", "odd", [status])'})
    world.people(["zed"])
    await world.read()

    async def publish() -> None:
        world.source.put("id-zed", **person("zed", status="odd"))
        await world.read()

    report = await cycle_with(world, LOOKS, publish)
    following = await world.cycle()

    assert (report.counts.created, report.reasons) == (0, {})
    assert following.reasons == {"SchemaPropertyCanOnlyAcceptValue": 1}


async def test_a_person_renamed_by_a_read_during_the_cycle_gets_no_account_beside_the_one_that_matches(
    world: World,
) -> None:
    world.target.plant({"userName": "new@example.com", "active": True})
    world.people(["old"])
    await world.read()

    async def publish() -> None:
        world.source.put("id-old", **person("new"))
        await world.read()

    await cycle_with(world, LOOKS, publish)
    await world.cycle()

    names = [world.target.document(each)["userName"] for each in world.target.accounts]
    assert names.count("new@example.com") == 1


async def test_an_approved_read_of_nobody_during_the_cycle_disables_nobody(world: World) -> None:
    for name in SIX:
        world.source.put(f"id-{name}", **person(name, jobTitle="Boss"))
    world.people(["joiner"])
    await world.read()

    async def publish() -> None:
        world.source.attributes = ("userPrincipalName", "mail", "displayName", "jobTitle")
        for source_id in list(world.source.people):
            world.source.drop(source_id)
        with pytest.raises(ReadShrunk) as caught:
            await world.read()
        await world.read(approved=caught.value.digest)

    await cycle_with(world, LOOKS, publish)
    assert disabled(world) == set()
    report = await world.cycle()

    assert report.held is not None
    assert disabled(world) == set()


# --- the target changes while a cycle runs --------------------------------------------------------------------------


async def test_a_default_never_overwrites_what_somebody_set_meanwhile() -> None:
    path = AttributePath("nickName")
    rule = AttributeRule(path, Untouched(), USER_SCHEMA.definition(path), default=Constant("n/a", "n/a"))
    async with open_world() as world:
        usual = world.mapping
        world.mapping = CompiledMapping((*usual.rules, rule), usual.disable_path, "with a default")
        world.people(["ada"])
        await world.sync()
        [target_id] = world.target.accounts
        world.target.change(target_id, "nickName", None)
        world.source.put("id-ada", **person("ada", jobTitle="Boss"))
        world.target.faults.strike(Op.UPDATE, FaultKind.KILL_BEFORE)
        with pytest.raises(Killed):
            await world.sync()

        async def set_it() -> None:
            world.target.change(target_id, "nickName", "Addy")

        await cycle_with(world, frozenset({Op.UPDATE}), set_it)

        assert world.target.document(target_id)["nickName"] == "Addy"


async def test_two_linked_people_who_come_to_claim_one_value_get_no_two_accounts_of_it(world: World) -> None:
    world.source.put("id-ada", **{**person("bob"), "displayName": "Ada"})

    await world.sync()

    assert set(world.accounts()) == {f"{name}@example.com" for name in SIX}


async def test_a_link_that_another_connector_made_first_is_not_reported_as_done() -> None:
    async with open_world() as first:
        second = World(first.store, first.source, first.target, FakeClock(), name="identity/second")
        first.people(["ada"])
        await first.read()
        first.target.plant({"userName": "ada@example.com", "active": True})

        reports = await asyncio.gather(first.cycle(), second.cycle())
        again = [await first.cycle(), await second.cycle()]

        assert all(report.linked == 1 or report.result is not CycleResult.SUCCEEDED for report in reports)
        assert sorted(report.linked for report in again) == [0, 1]
        assert {report.result for report in again} == {CycleResult.SUCCEEDED, CycleResult.PARTIAL}


# --- what a cycle that did not end, or was none, leaves behind ------------------------------------------------------


async def test_a_mapping_reverted_during_its_first_cycle_is_reverted_for_everybody(world: World) -> None:
    usual = world.mapping
    world.mapping = direct_mapping(expressions={**EXPRESSIONS, "title": 'Join("", "typo ", [jobTitle])'})
    world.target.faults.strike(Op.UPDATE, FaultKind.UNAUTHORIZED, after=3)
    assert (await world.cycle()).result is CycleResult.FAILED
    assert "typo Engineer" in {account["title"] for account in world.accounts().values()}
    world.mapping = usual

    await world.cycle()

    assert {account["title"] for account in world.accounts().values()} == {"Engineer"}


async def test_a_stop_leaves_no_intent_of_people_nobody_came_to(world: World) -> None:
    more = [f"user{number:04}" for number in range(3 * CHUNK)]
    world.people([*SIX, *more])
    await world.read()
    control, made = Control(), world.target.faults.count(Op.CREATE)

    async def stop() -> None:
        control.stop.set()

    report = await cycle_with(world, frozenset({Op.CREATE}), stop, control)

    assert report.result is CycleResult.INTERRUPTED
    assert world.target.faults.count(Op.CREATE) - made <= world.job.lanes[0].concurrency
    assert await world.store.intents(world.lane) == {}


async def test_a_dry_run_changes_no_link_and_no_intent(world: World) -> None:
    ids = [SourceId("id-ada")]
    world.source.put("id-ada", **person("ada", jobTitle="Boss"))
    world.target.faults.strike(Op.UPDATE, FaultKind.KILL_BEFORE)
    with pytest.raises(Killed):
        await world.sync()
    links = await world.store.links(world.lane, ids)
    intents = await world.store.intents(world.lane)
    assert (set(links), set(intents)) == (set(ids), set(ids))
    world.target.remove(links[ids[0]].target_id)

    await world.plan()

    assert await world.store.links(world.lane, ids) == links
    assert await world.store.intents(world.lane) == intents


async def test_a_revived_connector_that_lost_its_links_is_not_in_sync_though_nobody_changed(world: World) -> None:
    await world.store.retire(world.connector, world.clock.now())
    await World(world.store, world.source, world.target, FakeClock(), name="identity/second").cycle()

    report = await world.sync()

    assert report.result is CycleResult.PARTIAL
    assert (report.linked, report.pending) == (0, len(SIX))
