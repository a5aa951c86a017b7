"""One account has one linking connector; what another one links is never written."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from usher.core.model.reports import CycleResult
from usher.testing.clock import FakeClock
from usher.testing.memory_source import MemorySource
from usher.testing.memory_target import MemoryTarget
from usher.testing.world import World, open_world, person


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


async def test_a_connector_that_names_another_target_is_refused(first: World) -> None:
    other = World(first.store, MemorySource(first.source.people), MemoryTarget(), FakeClock(), address="https://b/scim")

    report = await other.sync()

    assert (report.result, report.error_reason) == (CycleResult.FAILED, "InvalidSpec")
    assert other.target.history.writes == ()


async def test_a_deleted_connector_may_be_made_anew_for_another_target(first: World) -> None:
    await first.store.retire(first.connector, first.clock.now())
    other = World(first.store, first.source, MemoryTarget(), FakeClock(), address="https://b/scim")

    report = await other.sync()

    assert report.counts.created == 2
