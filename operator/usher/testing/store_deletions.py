"""What every store has to prove about accounts that wait to be deleted."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from usher.contracts.store import Record, Store
from usher.core.model.resources import Lane, ResourceType, SourceId
from usher.testing.store_examples import CRM, NOON, WIKI, make_consumption, make_link

P1, P2, P3 = SourceId("p1"), SourceId("p2"), SourceId("p3")
GROUPS = Lane(CRM.connector, ResourceType.GROUP)
LATER = NOON + timedelta(hours=1)


class DeletionStoreContract:
    """Part of `StoreContract`. The fixture's store knows no connector yet."""

    async def test_who_waits_is_ripe_from_the_time_on_that_was_given(self, store: Store) -> None:
        await store.record(CRM, Record(ripening={P1: NOON, P2: LATER}))
        assert list(await store.ripe(CRM, NOON - timedelta(seconds=1))) == []
        assert list(await store.ripe(CRM, NOON)) == [P1]
        assert list(await store.ripe(CRM, LATER)) == [P1, P2]

    async def test_who_waits_already_keeps_the_earlier_time(self, store: Store) -> None:
        await store.record(CRM, Record(ripening={P1: NOON}))
        await store.record(CRM, Record(ripening={P1: LATER, P2: LATER}))
        assert list(await store.ripe(CRM, NOON)) == [P1]

    async def test_who_is_enabled_or_spared_or_gone_waits_no_more(self, store: Store) -> None:
        await store.save_consumption(CRM, make_consumption())
        disabled = [replace(make_link(one, f"t-{one}"), enabled=False) for one in (P1, P2, P3)]
        await store.record(CRM, Record(links=disabled, ripening=dict.fromkeys((P1, P2, P3), NOON)))
        assert list(await store.ripe(CRM, NOON)) == [P1, P2, P3], "a link of a disabled account ends no waiting"

        await store.record(CRM, Record(links=[replace(disabled[0], enabled=True)]))
        assert list(await store.ripe(CRM, NOON)) == [P2, P3]
        await store.record(CRM, Record(spared=[P2]))
        assert list(await store.ripe(CRM, NOON)) == [P3]
        await store.record(CRM, Record(unlinked=[P3]))
        assert list(await store.ripe(CRM, NOON)) == []

    async def test_who_waits_again_begins_anew(self, store: Store) -> None:
        await store.record(CRM, Record(ripening={P1: NOON}))
        await store.record(CRM, Record(spared=[P1]))
        await store.record(CRM, Record(ripening={P1: LATER}))
        assert list(await store.ripe(CRM, NOON)) == []

    async def test_lanes_and_connectors_share_nobody_who_waits(self, store: Store) -> None:
        await store.record(CRM, Record(ripening={P1: NOON}))
        assert list(await store.ripe(GROUPS, LATER)) == list(await store.ripe(WIKI, LATER)) == []
        await store.forget(CRM.connector)
        assert list(await store.ripe(CRM, LATER)) == []
