"""The journal: what a change takes the place of is written down before its request leaves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from usher.core.model.journal import JournalEntry
from usher.core.model.plans import Action, Amend, Replace
from usher.core.model.resources import AttributePath, Lane, ResourceType
from usher.core.scim.schemas import AttributeDefinition, Mutability
from usher.core.sync.flows import Direct
from usher.core.sync.leaving import Deprovisioning, Policy
from usher.core.sync.rules import Apply, AttributeRule
from usher.testing.faults import FaultKind, Killed, Operation
from usher.testing.memory_settings import MEMBERS
from usher.testing.store_examples import collect
from usher.testing.world import MANAGER, World, group_mapping, open_world, person, with_manager

TITLE = AttributePath("title")
USER_NAME = AttributePath("userName")
ACTIVE = AttributePath("active")
PASSWORD = AttributePath("password")
OTHERS = [f"other{number}" for number in range(8)]
SECRET = "correct horse battery staple"


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with open_world() as opened:
        opened.group_mapping = group_mapping()
        opened.mapping = with_manager(opened.mapping)
        opened.source.attributes = ("accountEnabled", "manager", "initialPassword")
        opened.people(["ada", "bob", *OTHERS])
        opened.group("staff", "ada")
        await opened.sync()
        opened.clock.advance(60)
        yield opened


def cycle_of(world: World) -> str:
    """The name of a cycle that began at this moment."""
    return f"{world.clock.now():%Y%m%dT%H%M%SZ}-{world.ports.runtime.random.getrandbits(16):04x}"


async def journal(world: World, kind: ResourceType = ResourceType.USER) -> list[JournalEntry]:
    """That of the cycle of this moment."""
    return await collect(world.store.journal_entries(Lane(world.connector, kind), cycle_of(world)))


def target_id(world: World, name: str) -> str:
    return next(i for i in world.target.accounts if world.target.document(i)["userName"] == f"{name}@example.com")


async def test_an_update_is_written_down_with_what_was_there_and_what_came(world: World) -> None:
    world.source.put("id-ada", **person("ada", jobTitle="Director"))
    await world.sync()

    [entry] = await journal(world)

    assert (entry.action, entry.target_id) == (Action.UPDATE, target_id(world, "ada"))
    assert (entry.delta, entry.before) == ({TITLE: Replace("Director")}, {TITLE: "Engineer"})


async def test_a_create_is_written_down_with_the_account_that_came_of_it_and_no_value(world: World) -> None:
    world.people(["cyd"])
    await world.sync()

    [entry] = await journal(world)

    assert (entry.action, entry.target_id) == (Action.CREATE, target_id(world, "cyd"))
    assert not entry.delta
    assert not entry.before


async def test_a_delete_is_written_down_with_the_whole_image_and_whom_it_referred_to(world: World) -> None:
    world.source.put("id-bob", **person("bob", manager="id-ada"))
    await world.sync()
    bob, ada = target_id(world, "bob"), target_id(world, "ada")
    world.deprovisioning = Deprovisioning(on_source_deleted=Policy.DELETE, delete_after=timedelta(hours=1))
    world.source.drop("id-bob")
    for _ in range(2):
        world.clock.advance(7200)
        await world.sync()

    entries = await journal(world)

    [entry] = [one for one in entries if one.action is Action.DELETE]
    assert (entry.target_id, entry.before[USER_NAME], entry.before[ACTIVE]) == (bob, "bob@example.com", False)
    assert entry.held == {MANAGER: (ada,)}


async def test_members_are_written_down_as_the_accounts_that_come_and_go(world: World) -> None:
    world.group("staff", "bob")
    await world.sync()

    entries = await journal(world, ResourceType.GROUP)

    came = [one for entry in entries for one in _amended(entry).add]
    went = [one for entry in entries for one in _amended(entry).remove]
    assert (came, went) == ([{"value": target_id(world, "bob")}], [{"value": target_id(world, "ada")}])


def _amended(entry: JournalEntry) -> Amend:
    edit = entry.delta[MEMBERS]
    assert isinstance(edit, Amend)
    return edit


async def test_a_manager_is_written_down_with_the_one_before(world: World) -> None:
    world.source.put("id-bob", **person("bob", manager="id-ada"))
    await world.sync()

    [entry] = await journal(world)

    assert entry.before == {MANAGER: None}
    assert entry.delta == {MANAGER: Replace({"value": target_id(world, "ada")})}


async def test_what_a_target_refuses_leaves_nothing_in_the_journal(world: World) -> None:
    world.source.put("id-ada", **person("ada", jobTitle="Director"))
    world.target.faults.strike(Operation.UPDATE, FaultKind.REFUSED)
    await world.sync()
    assert await journal(world) == []


@pytest.mark.parametrize("kind", [FaultKind.KILL_BEFORE, FaultKind.KILL_AFTER])
async def test_a_process_that_dies_over_a_request_has_written_it_down(world: World, kind: FaultKind) -> None:
    world.source.put("id-ada", **person("ada", jobTitle="Director"))
    world.target.faults.strike(Operation.UPDATE, kind)
    with pytest.raises(Killed):
        await world.sync()

    [entry] = await collect(world.store.journal_entries(world.lane, cycle_of(world)))
    assert entry.before == {TITLE: "Engineer"}


async def test_what_was_there_before_is_known_though_the_answer_was_lost(world: World) -> None:
    world.source.put("id-ada", **person("ada", jobTitle="Director"))
    world.target.faults.strike(Operation.UPDATE, FaultKind.LOST_AFTER)
    await world.sync()
    [entry] = await journal(world)
    assert (entry.delta, entry.before) == ({TITLE: Replace("Director")}, {TITLE: "Engineer"})


async def test_what_somebody_wrote_meanwhile_is_what_was_there_before(world: World) -> None:
    world.target.change(target_id(world, "ada"), "title", "Gardener")
    world.source.put("id-ada", **person("ada", jobTitle="Director"))
    await world.sync()
    [entry] = await journal(world)
    assert entry.before == {TITLE: "Gardener"}


async def test_an_account_that_is_taken_over_instead_of_created_is_written_down_as_an_update(world: World) -> None:
    world.people(["cyd"])
    world.target.faults.strike(Operation.FIND, FaultKind.EMPTY_LIST)
    world.target.plant({"userName": "cyd@example.com", "title": "Gardener", "active": True})
    await world.sync()
    [entry] = await journal(world)
    assert (entry.action, entry.before[TITLE]) == (Action.UPDATE, "Gardener")


async def test_what_a_target_never_returns_is_not_in_the_journal(world: World) -> None:
    definition = AttributeDefinition(mutability=Mutability.WRITE_ONLY)
    rule = AttributeRule(PASSWORD, Direct("initialPassword"), definition, asked=Apply.ALWAYS)
    world.mapping = replace(world.mapping, rules=(*world.mapping.rules, rule), digest="with a password")
    for secret in (SECRET, SECRET[::-1]):
        world.source.put("id-ada", **person("ada", initialPassword=secret, jobTitle=secret[:3]))
        await world.sync()
        entries = await journal(world)
        assert secret not in str(entries)
        assert not [entry for entry in entries if PASSWORD in {*entry.delta, *entry.before}]
        world.clock.advance(60)


async def test_the_journal_goes_with_the_lines_of_its_cycle(world: World) -> None:
    world.source.put("id-ada", **person("ada", jobTitle="Director"))
    await world.sync()
    cycle = cycle_of(world)
    assert await world.store.journal(world.lane, cycle) is not None

    world.clock.advance(timedelta(hours=721).total_seconds())
    await world.cycle()

    assert await world.store.journal(world.lane, cycle) is None
