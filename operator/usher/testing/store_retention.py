"""What a store has to do with what it knows of objects that are gone (see `store_links` for retired connectors)."""

from __future__ import annotations

from datetime import timedelta

from usher.contracts.store import Store
from usher.core.model.resources import SourceKey
from usher.testing.store_examples import (
    CRM,
    NOON,
    PEOPLE,
    USER,
    collect,
    link_people,
    make_consumption,
    make_entry,
    make_hold,
    make_snapshot,
    make_staged,
)

LATER = NOON + timedelta(seconds=1)


class RetentionStoreContract:
    """Part of `StoreContract`. The fixture's store knows no connector yet."""

    async def test_another_object_of_the_name_comes_back_to_the_links_and_looks_at_everybody(
        self, store: Store
    ) -> None:
        await store.attach(CRM.connector, "uid-1", NOON)
        await store.save_consumption(CRM, make_consumption(version=4))
        await link_people(store, CRM, p1="t1")
        await store.attach(CRM.connector, "uid-1", NOON)
        assert await store.consumption(CRM) == make_consumption(version=4)
        await store.attach(CRM.connector, "uid-2", NOON)
        former = await store.consumption(CRM)
        assert former is not None
        assert former.retired
        assert await store.count_links(CRM) == (1, 1)
        await store.save_consumption(CRM, make_consumption())
        await store.attach(CRM.connector, "uid-2", NOON)
        assert await store.consumption(CRM) == make_consumption()

    async def test_a_word_of_approval_on_another_object_of_the_name_counts(self, store: Store) -> None:
        await store.attach(CRM.connector, "uid-1", NOON)
        await store.approve(CRM.connector, "hash-1")
        await store.attach(CRM.connector, "uid-2", NOON)
        await store.hold(CRM.connector, make_hold("hash-1"), [])
        await store.approve(CRM.connector, "hash-1")
        assert not await store.approve(CRM.connector, "hash-1")

    async def test_what_the_log_says_of_a_swept_connector_stays_its_own_time(self, store: Store) -> None:
        await store.save_consumption(CRM, make_consumption())
        await store.append_log(
            CRM.connector, [make_entry("p1", "old", NOON - timedelta(days=8)), make_entry("p1", "new")]
        )
        await store.retire(CRM.connector, NOON)
        assert await store.sweep(LATER) == 1
        assert await store.sweep(LATER) == 0
        assert [entry.detail for entry in await store.log(CRM.connector, None, 9)] == ["new", "old"]
        await store.trim_log(NOON)
        assert [entry.detail for entry in await store.log(CRM.connector, None, 9)] == ["new"]
        await store.trim_log(LATER)
        await store.sweep(LATER)
        assert await store.log(CRM.connector, None, 9) == []

    async def test_a_swept_connector_that_comes_back_begins_anew(self, store: Store) -> None:
        await store.save_consumption(CRM, make_consumption(version=3))
        await store.append_log(CRM.connector, [make_entry("p1")])
        await store.keep_parts(CRM.connector, {"one": 1})
        await store.retire(CRM.connector, NOON)
        await store.sweep(LATER)
        assert await store.consumption(CRM) is None
        assert await store.kept_parts(CRM.connector) is None
        await store.save_consumption(CRM, make_consumption())
        assert list(await store.active_connectors()) == [CRM.connector]

    async def test_a_source_that_is_gone_is_dropped_after_its_time_and_whoever_worked_it_off_begins_anew(
        self, store: Store
    ) -> None:
        await _read(store, PEOPLE)
        await _read(store, SourceKey("hr/others"))
        await store.save_consumption(CRM, make_consumption(version=7))
        assert list(await store.sources()) == ["hr/others", PEOPLE]
        await store.note_absent([PEOPLE], NOON)
        await store.note_absent([PEOPLE], LATER)
        await store.sweep(NOON)
        assert await store.snapshot(PEOPLE, USER) == make_snapshot(1, 1)
        await store.sweep(LATER)
        assert await store.snapshot(PEOPLE, USER) is None
        assert await collect(store.changes(PEOPLE, USER, None, 1)) == []
        assert list(await store.sources()) == ["hr/others"]
        assert await store.consumption(CRM) == make_consumption(version=None)

    async def test_a_source_that_is_there_again_is_kept(self, store: Store) -> None:
        await _read(store, PEOPLE)
        await store.note_absent([PEOPLE], NOON)
        await store.note_absent([], LATER)
        await store.sweep(LATER)
        assert await store.snapshot(PEOPLE, USER) == make_snapshot(1, 1)


async def _read(store: Store, source: SourceKey) -> None:
    await store.stage(source, USER, [make_staged("p1")])
    await store.publish(source, USER, {}, make_snapshot(1, 1))
