"""What every store has to prove about what failed and waits for its time."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Final

from usher.contracts.store import Record, Store
from usher.core.model.escrow import Duty, Escrow, Unsettled
from usher.core.model.resources import Fingerprint, SourceId
from usher.testing.store_examples import CRM, NOON, WIKI

P1, P2, P3 = SourceId("p1"), SourceId("p2"), SourceId("p3")
WAITS: Final = Escrow(Duty.REFER, NOON + timedelta(hours=6), Fingerprint(b"\x00wish"))


class EscrowStoreContract:
    """Part of `StoreContract`."""

    async def test_an_escrow_comes_back_as_it_was(self, store: Store) -> None:
        entries = [
            Unsettled(P1, "Timeout", 3, NOON, WAITS),
            Unsettled(P2, "Timeout", 31, NOON, replace(WAITS, due=None)),
        ]
        await store.record(CRM, Record(unsettled=entries))
        assert await store.unsettled(CRM) == {entry.source_id: entry for entry in entries}

    async def test_whose_escrow_is_renewed_is_unsettled_since_then_and_nobody_is_forgotten(self, store: Store) -> None:
        later = NOON + timedelta(days=1)
        waits, given_up = Unsettled(P1, "Timeout", 3, NOON, WAITS), replace(WAITS, due=None)
        decides = Unsettled(P3, "DuplicateSourceEntries", 2, NOON)
        await store.record(CRM, Record(unsettled=[waits, Unsettled(P2, "Timeout", 31, NOON, given_up), decides]))
        await store.record(WIKI, Record(unsettled=[waits]))

        await store.renew_escrows(CRM, later)

        fresh = {one: Unsettled(one, "Timeout", 0, later) for one in (P1, P2)}
        assert await store.unsettled(CRM) == {**fresh, P3: decides}
        assert await store.unsettled(WIKI) == {P1: waits}
