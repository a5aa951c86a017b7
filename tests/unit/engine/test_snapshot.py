"""A read is complete and credible, or it is void and nothing has happened."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping

import pytest

from usher.contracts.source import ReadComplete, SourcePage, Watermark
from usher.core.errors import IncompleteRead, ReadShrunk
from usher.core.model.resources import Fingerprint, ResourceType, SourceId, SourceKey, Value
from usher.core.sync.fingerprints import SnapshotDigest
from usher.testing.memory_source import MemorySource
from usher.testing.world import World, group_mapping, open_world, person

NAMES = [f"user{n}" for n in range(250)]


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with open_world() as new:
        new.people(NAMES)
        await new.sync()
        yield new


async def snapshot_version(world: World) -> int:
    snapshot = await world.store.snapshot(SourceKey("identity/corp"), ResourceType.USER)
    assert snapshot is not None
    return snapshot.version


async def test_an_unchanged_source_gives_no_new_version(world: World) -> None:
    report = await world.read()

    assert (report.version, report.changed, report.removed) == (1, 0, 0)


async def test_a_change_gives_the_next_version(world: World) -> None:
    world.source.put("id-user1", **person("user1", jobTitle="Director"))
    world.source.drop("id-user2")

    report = await world.read()

    assert (report.version, report.changed, report.removed, report.count) == (2, 1, 1, 249)


@pytest.mark.parametrize("after", [0, 1, 2, 3])
async def test_a_read_that_breaks_off_disables_nobody(world: World, after: int) -> None:
    world.source.drop("id-user2")
    world.source.failure = IncompleteRead("the connection broke")
    world.source.fail_after = after

    with pytest.raises(IncompleteRead):
        await world.read()
    report = await world.cycle()

    assert await snapshot_version(world) == 1
    assert report.counts.disabled == 0
    assert len(world.target.history.writes) == len(NAMES)


async def test_an_empty_read_is_void_until_it_is_approved(world: World) -> None:
    world.source.people.clear()

    with pytest.raises(ReadShrunk) as caught:
        await world.read()
    assert await snapshot_version(world) == 1
    report = await world.read(approved=caught.value.digest)

    assert report.count == 0


async def test_an_approved_empty_source_is_held_whatever_the_budget(world: World) -> None:
    world.source.people.clear()
    with pytest.raises(ReadShrunk) as caught:
        await world.read()
    await world.read(approved=caught.value.digest)

    report = await world.cycle()

    assert report.held is not None
    assert report.held.reason == "EmptySource"
    assert report.held.count == len(NAMES)


async def test_a_first_read_that_is_empty_is_void(world: World) -> None:
    async with open_world() as fresh:
        with pytest.raises(ReadShrunk, match="empty"):
            await fresh.read()


async def test_half_of_the_people_is_void(world: World) -> None:
    for name in NAMES[:125]:
        world.source.drop(f"id-{name}")

    with pytest.raises(ReadShrunk) as caught:
        await world.read()

    assert (caught.value.kept, caught.value.former) == (125, 250)
    assert (await world.cycle()).counts.disabled == 0


async def test_as_many_strangers_are_no_evidence_that_the_former_people_left(world: World) -> None:
    world.source.people.clear()
    world.people([f"stranger{n}" for n in range(250)])

    with pytest.raises(ReadShrunk):
        await world.read()


class Twice(MemorySource):
    """A source that repeats its last page."""

    def _pages(self, held: Mapping[SourceId, Mapping[str, Value]]) -> Iterable[SourcePage]:
        pages = list(super()._pages(held))
        yield from (*pages, pages[-1])


async def test_one_id_twice_makes_a_read_void(world: World) -> None:
    world.source = Twice(world.source.people)

    with pytest.raises(IncompleteRead) as caught:
        await world.read()

    assert caught.value.reason == "InvalidData"


class Silent(MemorySource):
    """A source that stops without saying that it was complete."""

    async def fetch(
        self, resource_type: ResourceType, former: Watermark | None
    ) -> AsyncIterator[SourcePage | ReadComplete]:
        async for item in super().fetch(resource_type, former):
            if not isinstance(item, ReadComplete):
                yield item


async def test_a_read_that_does_not_say_that_it_was_complete_is_void(world: World) -> None:
    world.source = Silent(world.source.people)
    world.source.drop("id-user2")

    with pytest.raises(IncompleteRead):
        await world.read()

    assert (await world.cycle()).counts.disabled == 0


async def test_under_another_scheme_of_ids_a_read_is_believed_by_how_many_it_holds(world: World) -> None:
    names = [str(one["displayName"]).lower() for one in world.source.people.values()]
    world.source.identity = "memory:mail"
    world.source.people.clear()
    for name in names[: len(names) // 2]:
        world.source.put(f"mail-{name}", **person(name))
    with pytest.raises(ReadShrunk, match=f"{len(names) // 2} of the {len(names)} people"):
        await world.read()

    for name in names:
        world.source.put(f"mail-{name}", **person(name))
    report = await world.read()

    assert (report.count, report.removed) == (len(names), len(names))
    snapshot = await world.store.snapshot(SourceKey("identity/corp"), ResourceType.USER)
    assert snapshot is not None
    assert snapshot.identity == "memory:mail"


async def test_a_message_names_no_person(world: World) -> None:
    world.source.people.clear()

    with pytest.raises(ReadShrunk) as caught:
        await world.read()

    assert "user" not in str(caught.value)


async def test_a_read_that_no_longer_says_who_is_disabled_is_void(world: World) -> None:
    world.source.put("id-user1", **person("user1", accountEnabled=False))
    await world.sync()
    world.people(["user1"])

    with pytest.raises(ReadShrunk, match="accountEnabled") as caught:
        await world.read()
    report = await world.read(approved=caught.value.digest)

    assert report.changed == 1


async def test_a_read_that_says_of_nobody_whether_he_is_disabled_is_void_where_one_said_it_before(world: World) -> None:
    world.source.attributes, world.source.blank = ("accountEnabled",), frozenset({"accountEnabled"})
    await world.sync()
    world.people(["newcomer"])
    assert (await world.read()).changed == 1, "it never said so"
    world.source.put("id-user1", **person("user1", accountEnabled=False))
    world.source.blank = frozenset()
    await world.sync()
    world.people(["user1"])
    world.source.blank = frozenset({"accountEnabled"})

    with pytest.raises(ReadShrunk, match="accountEnabled") as caught:
        await world.read()
    report = await world.read(approved=caught.value.digest)

    assert report.changed == 1
    world.people(["another"])
    assert (await world.read()).changed == 1, "it was approved"


async def test_the_word_of_approval_for_one_read_approves_no_other(world: World) -> None:
    world.group_mapping = group_mapping()
    world.group("staff", "user1")
    await world.sync()
    words: list[str] = []
    for gone in (world.source.groups, world.source.people):
        kept = dict(gone)
        gone.clear()
        with pytest.raises(ReadShrunk) as caught:
            await world.read(approved="".join(words))
        words.append(caught.value.digest)
        gone.update(kept)

    assert len(set(words)) == 2


# --- the digest -----------------------------------------------------------------------------------------------------


def digest(*people: tuple[str, bytes]) -> str:
    whole = SnapshotDigest()
    for name, print_ in people:
        whole.add(SourceId(name), Fingerprint(print_))
    return whole.hexdigest()


A, B, C = (bytes([number] * 16) for number in range(3))


def test_the_digest_of_a_snapshot_does_not_depend_on_the_order_of_reading() -> None:
    assert digest(("ann", A), ("bob", B), ("cyd", C)) == digest(("cyd", C), ("ann", A), ("bob", B))


def test_the_digest_of_a_snapshot_depends_on_each_person_and_on_what_is_known_of_whom() -> None:
    others = [
        digest(),
        digest(("ann", A)),
        digest(("ann", A), ("bob", C)),
        digest(("ann", B), ("bob", A)),
        digest(("ann", A), ("bo", B)),
        digest(("ann", A), ("bob", B), ("cyd", C)),
    ]
    assert digest(("ann", A), ("bob", B)) not in others
    assert len(set(others)) == len(others)
