"""What every store has to prove about snapshots."""

from __future__ import annotations

from usher.contracts.source import Evidence, SourceChange
from usher.contracts.store import Store
from usher.core.model.resources import SourceId, SourceKey
from usher.testing.store_examples import PEOPLE, USER, collect, make_snapshot, make_staged, name_people


class SnapshotStoreContract:
    """Part of `StoreContract`."""

    async def test_what_is_staged_is_invisible_until_it_is_published(self, store: Store) -> None:
        await store.stage(PEOPLE, USER, [make_staged("p1")])
        assert await store.snapshot(PEOPLE, USER) is None
        assert await store.fingerprints(PEOPLE, USER) == {}
        assert await store.resources(PEOPLE, USER, [SourceId("p1")]) == {}

        await store.publish(PEOPLE, USER, {}, make_snapshot(1, 1))

        staged = make_staged("p1")
        assert await store.snapshot(PEOPLE, USER) == make_snapshot(1, 1)
        assert await store.fingerprints(PEOPLE, USER) == {"p1": staged.fingerprint}
        assert await store.resources(PEOPLE, USER, [SourceId("p1"), SourceId("p2")]) == {"p1": staged.resource}

    async def test_attributes_come_back_with_their_types(self, store: Store) -> None:
        await store.stage(PEOPLE, USER, [make_staged("p1")])
        await store.publish(PEOPLE, USER, {}, make_snapshot(1))
        [found] = (await store.resources(PEOPLE, USER, [SourceId("p1")])).values()
        assert found.attributes["active"] is True
        assert found.attributes["mails"] == ("a@x", "b@x")
        assert found.attributes["none"] == ()
        assert isinstance(found.attributes["share"], float)
        assert type(found.attributes["floor"]) is int

    async def test_staged_twice_the_last_one_counts(self, store: Store) -> None:
        await store.stage(PEOPLE, USER, [make_staged("p1", "one"), make_staged("p1", "two")])
        await store.stage(PEOPLE, USER, [make_staged("p1", "three")])
        await store.publish(PEOPLE, USER, {}, make_snapshot(1))
        assert await store.fingerprints(PEOPLE, USER) == {"p1": make_staged("p1", "three").fingerprint}

    async def test_a_discarded_read_leaves_the_snapshot_in_force(self, store: Store) -> None:
        await store.stage(PEOPLE, USER, [make_staged("p1")])
        await store.publish(PEOPLE, USER, {}, make_snapshot(1))
        await store.stage(PEOPLE, USER, [make_staged("p1", "changed"), make_staged("p2")])

        await store.discard(PEOPLE, USER)
        await store.publish(PEOPLE, USER, {}, make_snapshot(2))

        assert await store.fingerprints(PEOPLE, USER) == {"p1": make_staged("p1").fingerprint}
        assert await collect(store.changes(PEOPLE, USER, 1, 2)) == []

    async def test_the_staging_area_is_empty_after_a_publish(self, store: Store) -> None:
        await store.stage(PEOPLE, USER, [make_staged("p1")])
        await store.publish(PEOPLE, USER, {}, make_snapshot(1))
        await store.publish(PEOPLE, USER, dict.fromkeys([SourceId("p1")], Evidence.ABSENT), make_snapshot(2))
        assert await store.fingerprints(PEOPLE, USER) == {}

    async def test_the_feed_holds_what_changed_since_a_version_and_tombstones(self, store: Store) -> None:
        await store.stage(PEOPLE, USER, [make_staged(one) for one in ("stays", "changes", "goes")])
        await store.publish(PEOPLE, USER, {}, make_snapshot(1))
        await store.stage(PEOPLE, USER, [make_staged("changes", "new"), make_staged("comes")])
        await store.publish(PEOPLE, USER, dict.fromkeys([SourceId("goes")], Evidence.ABSENT), make_snapshot(2))

        changes = {change.id: change for change in await collect(store.changes(PEOPLE, USER, 1, 2))}

        assert changes == {
            "changes": SourceChange(SourceId("changes"), make_staged("changes", "new").resource),
            "comes": SourceChange(SourceId("comes"), make_staged("comes").resource),
            "goes": SourceChange(SourceId("goes"), None),
        }
        assert await store.fingerprints(PEOPLE, USER) == {
            "stays": make_staged("stays").fingerprint,
            "changes": make_staged("changes", "new").fingerprint,
            "comes": make_staged("comes").fingerprint,
        }
        assert await store.resources(PEOPLE, USER, [SourceId("goes")]) == {}

    async def test_the_feed_ends_at_the_version_asked_for(self, store: Store) -> None:
        for version, person in enumerate(("first", "second", "third"), 1):
            await store.stage(PEOPLE, USER, [make_staged(person)])
            await store.publish(PEOPLE, USER, {}, make_snapshot(version))
        assert [change.id for change in await collect(store.changes(PEOPLE, USER, 1, 2))] == ["second"]
        assert await collect(store.changes(PEOPLE, USER, 3, 3)) == []

    async def test_without_a_version_the_feed_holds_the_living_and_no_tombstone(self, store: Store) -> None:
        await store.stage(PEOPLE, USER, [make_staged("p1"), make_staged("p2")])
        await store.publish(PEOPLE, USER, {}, make_snapshot(1))
        await store.publish(PEOPLE, USER, dict.fromkeys([SourceId("p1")], Evidence.ABSENT), make_snapshot(2))
        assert [change.id for change in await collect(store.changes(PEOPLE, USER, None, 2))] == ["p2"]

    async def test_who_changes_while_everybody_is_read_is_not_missed(self, store: Store) -> None:
        people = name_people(1500)
        await store.stage(PEOPLE, USER, [make_staged(person) for person in people])
        await store.publish(PEOPLE, USER, {}, make_snapshot(1))
        pages = aiter(store.changes(PEOPLE, USER, None, 1))
        seen = [change.id for change in await anext(pages)]

        await store.stage(PEOPLE, USER, [make_staged(people[0], "new"), make_staged(people[-1], "new")])
        await store.publish(PEOPLE, USER, {}, make_snapshot(2))
        seen += [change.id async for page in pages for change in page]

        assert sorted(seen) == people

    async def test_the_feed_comes_in_chunks_that_miss_nobody(self, store: Store) -> None:
        people = name_people(2100)
        await store.stage(PEOPLE, USER, [make_staged(person) for person in people[:1000]])
        await store.publish(PEOPLE, USER, {}, make_snapshot(1))
        await store.stage(PEOPLE, USER, [make_staged(person) for person in people[1000:]])
        await store.publish(PEOPLE, USER, {}, make_snapshot(2))

        pages = [page async for page in store.changes(PEOPLE, USER, 0, 2)]

        assert len(pages) > 1
        assert sorted(change.id for page in pages for change in page) == people

    async def test_who_comes_back_has_no_tombstone_any_more(self, store: Store) -> None:
        await store.stage(PEOPLE, USER, [make_staged("p1")])
        await store.publish(PEOPLE, USER, {}, make_snapshot(1))
        await store.publish(PEOPLE, USER, dict.fromkeys([SourceId("p1")], Evidence.ABSENT), make_snapshot(2))
        await store.stage(PEOPLE, USER, [make_staged("p1")])
        await store.publish(PEOPLE, USER, {}, make_snapshot(3))
        assert await collect(store.changes(PEOPLE, USER, 1, 3)) == [
            SourceChange(SourceId("p1"), make_staged("p1").resource)
        ]

    async def test_a_tombstone_keeps_the_version_of_its_death(self, store: Store) -> None:
        await store.stage(PEOPLE, USER, [make_staged("p1")])
        await store.publish(PEOPLE, USER, {}, make_snapshot(1))
        await store.publish(PEOPLE, USER, dict.fromkeys([SourceId("p1")], Evidence.ABSENT), make_snapshot(2))
        await store.publish(
            PEOPLE, USER, dict.fromkeys([SourceId("p1"), SourceId("never")], Evidence.ABSENT), make_snapshot(3)
        )
        assert await collect(store.changes(PEOPLE, USER, 2, 3)) == []

    async def test_sources_share_nothing(self, store: Store) -> None:
        other = SourceKey("sales/people")
        await store.stage(PEOPLE, USER, [make_staged("p1")])
        await store.stage(other, USER, [make_staged("p1", "another")])
        await store.publish(PEOPLE, USER, {}, make_snapshot(1))
        await store.discard(PEOPLE, USER)
        await store.publish(other, USER, {}, make_snapshot(7))
        assert await store.fingerprints(PEOPLE, USER) == {"p1": make_staged("p1").fingerprint}
        assert await store.fingerprints(other, USER) == {"p1": make_staged("p1", "another").fingerprint}
        assert await store.snapshot(other, USER) == make_snapshot(7)
