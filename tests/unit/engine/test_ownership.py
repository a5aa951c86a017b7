"""One account has one linking connector; what another one links is never written."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from usher.contracts.transfers import Transfer
from usher.core.model.reports import CycleResult
from usher.core.model.resources import ResourceType
from usher.core.sync.assignments import Assignment, Entry
from usher.testing.clock import FakeClock
from usher.testing.memory_source import MemorySource
from usher.testing.memory_target import MemoryTarget
from usher.testing.world import ATTRIBUTES, World, direct_mapping, group_mapping, open_world, person

WITH_NICK_NAME = direct_mapping({**ATTRIBUTES, "nickName": ("displayName", None)})


@pytest.fixture
async def first() -> AsyncIterator[World]:
    async with open_world() as new:
        new.people(["ada", "bob"])
        await new.sync()
        yield new


def second_of(first: World) -> World:
    return World(first.store, first.source, first.target, FakeClock(), name="identity/second")


async def test_a_second_connector_on_the_same_accounts_writes_nothing(first: World) -> None:
    writes = len(first.target.history.writes)
    first.source.put("id-ada", **person("ada", jobTitle="Director"))
    await first.read()

    report = await second_of(first).cycle()

    assert report.reasons == {"OwnedByOtherConnector": 2}
    assert len(first.target.history.writes) == writes


async def test_the_accounts_of_a_deleted_connector_are_free(first: World) -> None:
    await first.store.retire(first.connector, first.clock.now())

    report = await second_of(first).cycle()

    assert report.result is CycleResult.SUCCEEDED
    assert report.counts.linked == 2


async def test_a_connector_that_comes_back_within_the_retention_finds_its_links(first: World) -> None:
    await first.store.retire(first.connector, first.clock.now())
    writes = len(first.target.history.writes)

    report = await first.sync()

    assert report.result is CycleResult.SUCCEEDED
    assert report.linked == 2
    assert len(first.target.history.writes) == writes


async def test_what_a_connector_lost_while_it_was_deleted_stays_with_the_other(first: World) -> None:
    await first.store.retire(first.connector, first.clock.now())
    await second_of(first).cycle()
    first.source.put("id-ada", **person("ada", jobTitle="Director"))
    first.source.put("id-bob", **person("bob", jobTitle="Director"))

    report = await first.sync()

    assert report.reasons == {"OwnedByOtherConnector": 2}
    assert report.linked == 0


async def test_a_connector_that_names_another_target_writes_nothing_there_before_an_approval(first: World) -> None:
    other = World(first.store, MemorySource(first.source.people), MemoryTarget(), FakeClock(), address="https://b/scim")

    report = await other.sync()

    assert report.held is not None
    assert report.held.reason == "ApprovalRequired"
    assert other.target.history.writes == ()


async def test_a_deleted_connector_may_be_made_anew_for_another_target(first: World) -> None:
    await first.store.retire(first.connector, first.clock.now())
    other = World(first.store, first.source, MemoryTarget(), FakeClock(), address="https://b/scim")

    report = await other.sync()

    assert report.counts.created == 2


# --- transfer -------------------------------------------------------------------------------------------------------


def hand_over(first: World) -> Transfer:
    return Transfer(first.connector, second_of(first).connector)


async def test_after_a_transfer_the_second_connector_updates_and_the_first_one_lets_go(first: World) -> None:
    second = replace(second_of(first), mapping=WITH_NICK_NAME)
    assert (await second.cycle()).reasons == {"OwnedByOtherConnector": 2}
    first.source.put("id-ada", **person("ada", jobTitle="Director"))
    await first.read()

    await first.store.transfer(hand_over(first), first.clock.now())
    taken = await second.cycle()

    assert (taken.result, taken.counts.updated, taken.linked, taken.pending) == (CycleResult.SUCCEEDED, 2, 2, 0)
    assert first.accounts()["ada@example.com"]["title"] == "Director"
    assert first.accounts()["ada@example.com"]["nickName"] == "Ada"
    assert await first.store.intents(second.lane) == {}
    writes = len(first.target.history.writes)
    assert (await first.cycle()).reasons == {"OwnedByOtherConnector": 2}
    assert (await second.cycle()).counts.unchanged == 0
    first.source.drop("id-ada")
    first.source.put("id-bob", **person("bob", IsSoftDeleted=True))
    await first.read(min_retained=0)
    left = await first.cycle()
    assert (left.reasons, left.counts.disabled, len(first.target.history.writes)) == ({}, 0, writes)
    assert (await second.cycle()).counts.disabled == 2


async def test_a_transferred_account_is_read_before_it_is_written_so_that_only_what_differs_is_sent() -> None:
    async with open_world() as first:
        first.target.plant({"userName": "ada@example.com", "displayName": "Ada", "nickName": "Ada", "active": True})
        first.people(["ada"])
        await first.sync()
        second = replace(second_of(first), mapping=WITH_NICK_NAME)
        await second.cycle()
        writes = len(first.target.history.writes)

        await first.store.transfer(hand_over(first), first.clock.now())
        report = await second.cycle()

        assert (report.result, report.linked, report.pending) == (CycleResult.SUCCEEDED, 1, 0)
        assert len(first.target.history.writes) == writes
        assert await first.store.intents(second.lane) == {}


async def test_a_transfer_costs_nobody_the_membership_in_a_group_of_the_first_connector(first: World) -> None:
    grouped = replace(first, group_mapping=group_mapping())
    grouped.group("staff", "ada", "bob")
    await grouped.sync()
    await second_of(first).cycle()

    await first.store.transfer(hand_over(first), first.clock.now())
    await second_of(first).cycle()
    writes = len(first.target.history.writes)
    report = await grouped.cycle()

    assert grouped.members() == {"staff": {"ada", "bob"}}
    assert len(first.target.history.writes) == writes
    assert report.waiting_references == 2


async def test_whom_the_first_connector_does_not_mean_any_more_it_reports_no_more(first: World) -> None:
    await second_of(first).cycle()
    await first.store.transfer(hand_over(first), first.clock.now())
    await first.cycle()
    entries = (Entry(ResourceType.USER, "userPrincipalName", "zoe@example.com"),)
    first.people(["zoe"])
    narrowed = replace(first, assignment=Assignment(entries))

    report = await narrowed.sync()

    assert (report.result, report.reasons, report.counts.disabled) == (CycleResult.SUCCEEDED, {}, 0)
    assert report.linked == 1
