"""What a store has to do with full comparisons."""

from __future__ import annotations

from dataclasses import replace

from usher.contracts.comparisons import Comparison
from usher.contracts.store import Store
from usher.core.model.reports import Compared
from usher.core.model.resources import TargetId
from usher.testing.store_examples import CRM, NOON, WIKI, link_people

_FOUND = Compared(compared=9, drifted=2, reported=1, missing=3, orphans=2, void="")
_NAMED = (TargetId("t-9"), TargetId("t-8"))


class ComparisonStoreContract:
    """Part of `StoreContract`. The fixture's store knows no connector yet."""

    async def test_the_last_comparison_of_a_lane_is_kept_whole_and_of_no_other_lane(self, store: Store) -> None:
        assert await store.comparison(CRM) is None
        await store.save_comparison(CRM, Comparison(NOON), ())
        assert await store.comparison(CRM) == Comparison(NOON)
        await store.save_comparison(CRM, Comparison(NOON, _FOUND), ())
        assert await store.comparison(CRM) == Comparison(NOON, _FOUND)
        unlistable = replace(_FOUND, orphans=None, void="the app can't be listed")
        await store.save_comparison(CRM, Comparison(NOON, unlistable), ())
        assert await store.comparison(CRM) == Comparison(NOON, unlistable)
        assert await store.comparison(WIKI) is None

    async def test_the_orphans_of_the_last_comparison_are_named_until_somebody_has_a_link_to_them(
        self, store: Store
    ) -> None:
        await store.save_comparison(CRM, Comparison(NOON, _FOUND), (TargetId("t-7"),))
        await store.save_comparison(CRM, Comparison(NOON, _FOUND), _NAMED)
        assert await store.orphans(CRM) == ["t-8", "t-9"]
        assert await store.orphans(WIKI) == []
        await link_people(store, CRM, p1="t-9")
        assert await store.orphans(CRM) == ["t-8"]

    async def test_comparisons_are_forgotten_with_their_connector(self, store: Store) -> None:
        await store.save_comparison(CRM, Comparison(NOON, _FOUND), _NAMED)
        await store.forget(CRM.connector)
        assert await store.comparison(CRM) is None
        assert await store.orphans(CRM) == []
