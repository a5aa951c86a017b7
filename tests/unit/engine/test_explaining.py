"""What is told of one person or group is what a cycle would decide, from the state alone."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from usher.contracts.store import Intent
from usher.core.errors import CycleError
from usher.core.model.plans import Action
from usher.core.model.resources import AttributePath, ResourceType, SourceId
from usher.core.sync.assignments import Assignment, Entry
from usher.core.sync.untouchable import Spared, Untouchable
from usher.engine.explaining import Facts, Given, Subject, find_subjects, gather
from usher.testing.world import MANAGER, World, group_mapping, open_world, person, with_manager

ADA, BOB = SourceId("id-ada"), SourceId("id-bob")


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with open_world() as opened:
        opened.group_mapping = group_mapping()
        opened.mapping = with_manager(opened.mapping)
        opened.people(["ada", "bob"])
        opened.source.attributes = ("accountEnabled", "manager")
        yield opened


async def facts_of(world: World, word: str) -> Facts:
    found = await find_subjects(world.job, world.store, word)
    (subject,) = found.subjects
    return await gather(world.job, world.ports, subject, 10)


async def test_nothing_can_be_told_before_the_source_was_read(world: World) -> None:
    with pytest.raises(CycleError, match="run usher sync"):
        await find_subjects(world.job, world.store, "id-ada")


@pytest.mark.parametrize("word", ["id-ada", "ID-ADA", "Ada@Example.com"])
async def test_somebody_is_found_by_id_and_by_name_whatever_the_case(world: World, word: str) -> None:
    await world.sync()
    assert (await find_subjects(world.job, world.store, word)).subjects == [Subject(ResourceType.USER, ADA)]


async def test_of_a_name_that_nobody_has_the_names_there_are_come_back(world: World) -> None:
    await world.sync()
    found = await find_subjects(world.job, world.store, "adda@example.com")
    assert not found.subjects
    assert "ada@example.com" in found.names


async def test_a_group_is_found_by_what_its_accounts_are_found_by(world: World) -> None:
    world.group("staff", "ada")
    await world.sync()

    facts = await facts_of(world, "STAFF")

    assert facts.subject == (ResourceType.GROUP, "id-staff")
    assert facts.references == [("members", ADA, Given.YES)]


async def test_a_reference_waits_for_the_account_at_its_other_end(world: World) -> None:
    world.source.put("id-eve", **person("eve", manager="id-ada"))
    world.source.put("id-new", **person("new", manager="id-nobody"))
    await world.sync()

    eve, new = await facts_of(world, "id-eve"), await facts_of(world, "id-new")

    assert [(one.path, one.given) for one in eve.references] == [(MANAGER, Given.YES)]
    assert [one.given for one in new.references] == [Given.NO_ACCOUNT]
    world.source.put("id-eve", **person("eve", manager="id-bob"))
    await world.read()
    assert [one.given for one in (await facts_of(world, "id-eve")).references] == [Given.PENDING]


async def test_what_each_line_gives_is_what_the_mapping_wants(world: World) -> None:
    await world.sync()

    facts = await facts_of(world, "id-ada")

    assert facts.desired is not None
    assert {line.rule.target: line.value for line in facts.lines} == facts.desired.values
    assert facts.cause == ""


async def test_who_is_gone_and_who_is_disabled_is_told_by_the_cause(world: World) -> None:
    await world.sync()
    world.source.put("id-bob", **person("bob", accountEnabled=False))
    world.source.drop("id-ada")
    await world.read(min_retained=0)

    assert (await facts_of(world, "id-ada")).cause == "SourceDeleted"
    assert (await facts_of(world, "id-bob")).cause == "SourceDisabled"


async def test_the_entries_that_assign_somebody_are_named_before_and_after_a_cycle(world: World) -> None:
    entries = (
        Entry(ResourceType.USER, "mail", "ADA@example.com", place="spec.scope.users[0]"),
        Entry(ResourceType.GROUP, "displayName", "staff", place="spec.scope.groups[0]"),
    )
    world.assignment = Assignment(entries)
    world.group("staff", "ada")
    await world.read()

    for _ in range(2):
        ada, bob = await facts_of(world, "id-ada"), await facts_of(world, "id-bob")
        assert [entry.place for entry in ada.entries] == ["spec.scope.users[0]", "spec.scope.groups[0]"]
        assert (bob.entries, bob.cause) == ([], "Unassigned")
        staff = await facts_of(world, "id-staff")
        assert [entry.place for entry in staff.entries] == ["spec.scope.groups[0]"]
        await world.cycle()


async def test_an_account_that_is_never_written_and_an_open_request_are_told(world: World) -> None:
    await world.sync()
    world.untouchable = Untouchable((Spared(AttributePath("userName"), "ada*"),))
    await world.store.write_intents(world.lane, [Intent(ADA, Action.UPDATE)])

    ada, bob = await facts_of(world, "id-ada"), await facts_of(world, "id-bob")

    assert ada.untouchable
    assert not bob.untouchable
    assert ada.intent is not None
    assert bob.intent is None
