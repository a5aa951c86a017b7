"""What a store has to do with claims, beyond those that several make (see `store_links`)."""

from __future__ import annotations

from typing import Final

from usher.contracts.store import Store
from usher.core.model.resources import SourceId
from usher.testing.store_examples import CRM, WIKI, collect, link_people, make_consumption

ODD: Final = ("a\0", "a\x01", "a\x01\x02", "a\x01\x01", "\0", "a\x01\0\x01\x01\x02b")


class ClaimStoreContract:
    """Part of `StoreContract`. The fixture's store knows no connector yet."""

    async def test_whoever_makes_a_claim_is_found_by_it_in_the_same_lane(self, store: Store) -> None:
        await store.save_claims(CRM, {SourceId("b"): ["x", "y"], SourceId("a"): ["y"]})
        await store.save_claims(WIKI, {SourceId("c"): ["x"]})
        assert await store.claimants(CRM, ["x", "y", "z"]) == {"x": ["b"], "y": ["a", "b"]}
        assert await store.claimants(CRM, []) == {}

    async def test_ids_are_told_apart_by_their_bytes_whatever_is_in_them(self, store: Store) -> None:
        ids = [
            SourceId(text)
            for text in ("A", "B", "_", "a", "a b", "ab", "b", "\u00e4", "\u00c4", "a\u0308", "\U0001f600", *ODD)
        ]
        await store.save_claims(CRM, {one: ["x"] for one in reversed(ids)})
        assert await store.claimants(CRM, ["x"]) == {"x": sorted(ids, key=str.encode)}
        await store.save_consumption(CRM, make_consumption())
        await link_people(store, CRM, **{one: f"t{index}" for index, one in enumerate(ids)})
        assert sorted(digest.source_id for digest in await collect(store.link_digests(CRM))) == sorted(ids)
        assert set(await store.links(CRM, [SourceId("a"), SourceId("AB")])) == {"a"}

    async def test_claims_that_are_cleared_are_made_by_nobody_of_that_lane(self, store: Store) -> None:
        for lane in (CRM, WIKI):
            await store.save_claims(lane, {SourceId("a"): ["x"]})
        await store.clear_claims(CRM)
        assert (await store.count_claimants(CRM), await store.count_claimants(WIKI)) == (0, 1)
