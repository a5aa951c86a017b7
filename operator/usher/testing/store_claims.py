"""What a store has to do with claims, beyond those that several make (see `store_links`)."""

from __future__ import annotations

from usher.contracts.store import Store
from usher.core.model.resources import SourceId
from usher.testing.store_examples import CRM, WIKI


class ClaimStoreContract:
    """Part of `StoreContract`. The fixture's store knows no connector yet."""

    async def test_whoever_makes_a_claim_is_found_by_it_in_the_same_lane(self, store: Store) -> None:
        await store.save_claims(CRM, {SourceId("b"): ["x", "y"], SourceId("a"): ["y"]})
        await store.save_claims(WIKI, {SourceId("c"): ["x"]})
        assert await store.claimants(CRM, ["x", "y", "z"]) == {"x": ["b"], "y": ["a", "b"]}
        assert await store.claimants(CRM, []) == {}

    async def test_claims_that_are_cleared_are_made_by_nobody_of_that_lane(self, store: Store) -> None:
        for lane in (CRM, WIKI):
            await store.save_claims(lane, {SourceId("a"): ["x"]})
        await store.clear_claims(CRM)
        assert (await store.count_claimants(CRM), await store.count_claimants(WIKI)) == (0, 1)
