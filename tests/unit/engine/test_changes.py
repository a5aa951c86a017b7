"""Between two whole reads a source tells what changed: that costs little, and proves only what it says."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from usher.contracts.snapshots import Snapshot
from usher.core.errors import IncompleteRead, ReadShrunk
from usher.core.model.resources import ResourceType, SourceKey
from usher.testing.memory_source import MemoryFeed
from usher.testing.world import World, open_world, person

NAMES = [f"user{n}" for n in range(50)]
CORP = SourceKey("identity/corp")


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with open_world() as new:
        new.source = MemoryFeed()
        new.people(NAMES)
        await new.sync()
        yield new


def feed_of(world: World) -> MemoryFeed:
    assert isinstance(world.source, MemoryFeed)
    return world.source


async def snapshot_of(world: World) -> Snapshot:
    found = await world.store.snapshot(CORP, ResourceType.USER)
    assert found is not None
    return found


async def test_a_read_of_changes_brings_joiners_movers_and_leavers_without_a_whole_read(world: World) -> None:
    feed = feed_of(world)
    world.source.put("id-joiner", **person("joiner"))
    world.source.put("id-user1", **person("user1", jobTitle="Director"))
    feed.bury("id-user2")

    report = await world.read()
    cycle = await world.cycle()

    assert (report.version, report.changed, report.removed, report.count) == (2, 2, 1, 50)
    assert (feed.reads, feed.feeds) == (1, 1)
    assert (cycle.counts.created, cycle.counts.updated, cycle.counts.disabled) == (1, 1, 1)


async def test_what_a_read_of_changes_does_not_mention_is_still_there(world: World) -> None:
    world.source.drop("id-user2")

    report = await world.read()

    assert (report.version, report.removed, report.count) == (1, 0, 50)
    assert (await world.cycle()).counts.disabled == 0


async def test_the_next_whole_read_finds_whom_no_tombstone_told(world: World) -> None:
    world.source.drop("id-user2")
    await world.read()
    world.clock.advance(world.full_every.total_seconds())

    report = await world.read()

    assert (report.removed, report.count) == (1, 49)
    assert feed_of(world).reads == 2


async def test_a_list_of_all_present_tells_who_is_gone(world: World) -> None:
    feed = feed_of(world)
    feed.lists_present = True
    world.source.drop("id-user2")
    world.source.put("id-joiner", **person("joiner"))

    report = await world.read()

    assert (report.changed, report.removed, report.count) == (1, 1, 50)
    assert (await world.cycle()).counts.disabled == 1


@pytest.mark.parametrize("lists_present", [True, False])
async def test_changes_that_would_take_too_many_are_not_believed_and_the_source_is_read_whole(
    world: World, lists_present: bool
) -> None:
    feed = feed_of(world)
    feed.lists_present = lists_present
    for name in NAMES[:11]:
        feed.bury(f"id-{name}")

    with pytest.raises(ReadShrunk) as caught:
        await world.read()

    assert (feed.feeds, feed.reads) == (1, 2)
    assert (caught.value.kept, caught.value.former) == (39, 50)
    assert (await snapshot_of(world)).count == 50


async def test_nobody_at_all_is_no_read_of_changes(world: World) -> None:
    feed = feed_of(world)
    world.source.people.clear()
    feed.lists_present = True

    with pytest.raises(IncompleteRead) as caught:
        await world.read(min_retained=0)

    assert caught.value.reason == "ReadShrunk"
    assert (await snapshot_of(world)).count == 50


async def test_an_expired_watermark_ends_in_a_whole_read(world: World) -> None:
    feed_of(world).expired = True
    world.source.drop("id-user2")

    report = await world.read()

    assert (report.removed, feed_of(world).reads, feed_of(world).feeds) == (1, 2, 0)


async def test_a_read_of_changes_that_breaks_off_changes_nothing_and_loses_nothing(world: World) -> None:
    feed = feed_of(world)
    world.source.put("id-user1", **person("user1", jobTitle="Director"))
    feed.bury("id-user2")
    feed.failure = IncompleteRead("the connection broke")

    with pytest.raises(IncompleteRead):
        await world.read()
    assert (await snapshot_of(world)).version == 1
    feed.failure = None
    report = await world.read()

    assert (report.version, report.changed, report.removed) == (2, 1, 1)


async def test_a_change_that_comes_twice_is_one_change(world: World) -> None:
    feed = feed_of(world)
    world.source.put("id-user1", **person("user1", jobTitle="Director"))
    before = (await snapshot_of(world)).watermark
    await world.read()
    feed.journal.append(feed.journal[-1])
    assert (await snapshot_of(world)).watermark != before

    report = await world.read()

    assert (report.version, report.changed, report.removed) == (2, 0, 0)


async def test_the_watermark_moves_though_nothing_differs(world: World) -> None:
    feed = feed_of(world)
    world.source.put("id-user1", **person("user1"))
    await world.read()

    assert (await snapshot_of(world)).watermark == feed.watermark()
    assert (await snapshot_of(world)).version == 1


async def test_a_tombstone_of_somebody_unknown_counts_for_nothing(world: World) -> None:
    feed = feed_of(world)
    world.source.put("id-guest", **person("guest"))
    feed.bury("id-guest")

    report = await world.read()

    assert (report.version, report.removed, report.count) == (1, 0, 50)


async def test_a_digest_after_changes_names_no_content(world: World) -> None:
    """An approval names what a whole read held; after changes nobody has seen the whole."""
    first = (await snapshot_of(world)).digest
    world.source.put("id-joiner", **person("joiner"))
    await world.read()
    changed = (await snapshot_of(world)).digest
    world.clock.advance(world.full_every.total_seconds())
    await world.read()

    assert first
    assert changed == ""
    assert (await snapshot_of(world)).digest not in ("", first)


async def test_a_clock_that_was_set_back_does_not_put_off_the_whole_read(world: World) -> None:
    world.clock.advance(-3600.0)
    world.source.drop("id-user2")

    assert (await world.read()).removed == 1


async def test_a_source_that_is_to_be_read_whole_each_time_is(world: World) -> None:
    world.full_every = timedelta()
    world.source.drop("id-user2")

    assert (await world.read()).removed == 1


async def test_under_another_scheme_of_ids_the_source_is_read_whole(world: World) -> None:
    before = await world.store.snapshot(CORP, ResourceType.USER)
    world.source.identity = "memory:mail"
    world.clock.advance(1)

    await world.read()

    after = await world.store.snapshot(CORP, ResourceType.USER)
    assert before is not None
    assert after is not None
    assert (after.identity, after.whole) == ("memory:mail", after.completed)
    assert after.whole > before.whole
