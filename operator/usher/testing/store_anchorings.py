"""What every store has to prove about links that are found again."""

from __future__ import annotations

from dataclasses import replace

from usher.contracts.store import Consumption, Intent, Record, Store
from usher.core.model.plans import Action
from usher.core.model.resources import ResourceType, SourceId, SourceKey, TargetId
from usher.testing.store_examples import CRM, NOON, WIKI, collect, link_people, make_change, make_hold

ANEW = CRM._replace(anew=True)
USER = ResourceType.USER


def _consumption(address: str = "https://crm.example.com") -> Consumption:
    return Consumption(SourceKey("hr/corp"), "memory:id", address, "digest", 3)


class AnchoringStoreContract:
    """Part of `StoreContract`."""

    async def test_a_lane_that_is_anew_knows_nothing_of_the_one_in_force(self, store: Store) -> None:
        await store.save_consumption(CRM, _consumption())
        await link_people(store, CRM, p1="t1")
        await store.save_claims(CRM, {SourceId("p1"): ["ada"]})
        assert await store.consumption(ANEW) is None
        assert await store.links(ANEW, [SourceId("p1")]) == {}
        assert await store.count_claimants(ANEW) == 0

        await store.add_changes(ANEW, [make_change("p1")])
        await store.save_claims(ANEW, {SourceId("q1"): ["bob"]})
        await store.save_consumption(ANEW, _consumption("https://new.example.com"))

        assert await collect(store.all_changes(CRM)) == []
        assert await store.consumption(CRM) == _consumption()
        assert await store.claimants(CRM, ["ada", "bob"]) == {"ada": ["p1"]}
        assert set(await store.links(CRM, [SourceId("p1")])) == {"p1"}

    async def test_what_is_held_in_it_goes_with_it(self, store: Store) -> None:
        hold = replace(make_hold(), whole=True, anew=True)
        await store.save_consumption(CRM, _consumption())
        await store.add_changes(ANEW, [make_change("p1")])
        await store.hold(CRM.connector, hold, [make_change("p1")])
        assert await store.held(CRM.connector) == (hold, [make_change("p1")])
        assert await collect(store.all_changes(ANEW)) == []

        await store.drop_anew(CRM.connector)

        assert await store.held(CRM.connector) is None
        assert await store.consumption(ANEW) is None
        assert await store.consumption(CRM) == _consumption()

    async def test_to_drop_it_leaves_a_set_that_is_held_of_the_lane_in_force(self, store: Store) -> None:
        await store.hold(CRM.connector, make_hold(), [make_change("p1")])
        await store.drop_anew(CRM.connector)
        assert await store.held(CRM.connector) == (make_hold(), [make_change("p1")])

    async def test_it_takes_the_place_of_the_lane_in_force_with_what_is_held(self, store: Store) -> None:
        hold = replace(make_hold(), whole=True, anew=True)
        await store.save_consumption(CRM, _consumption())
        await store.save_consumption(WIKI, _consumption())
        await link_people(store, CRM, p1="t1")
        await link_people(store, WIKI, p1="t2")
        await store.write_intents(CRM, [Intent(SourceId("p2"), Action.CREATE)])
        await store.save_consumption(ANEW, _consumption("https://new.example.com"))
        await store.hold(CRM.connector, hold, [make_change("q1")])

        await store.anchor(CRM.connector, {})

        assert await store.consumption(CRM) == _consumption("https://new.example.com")
        assert await store.consumption(ANEW) is None
        assert await store.links(CRM, [SourceId("p1")]) == {}
        assert await store.intents(CRM) == {}
        assert await store.held(CRM.connector) == (replace(hold, anew=False), [make_change("q1")])
        assert set(await store.links(WIKI, [SourceId("p1")])) == {"p1"}
        assert await link_people(store, CRM, q1="t1") == []

    async def test_links_that_are_kept_stay_with_their_time_and_with_every_open_create(self, store: Store) -> None:
        await store.save_consumption(CRM, _consumption())
        await link_people(store, CRM, p1="t1", p2="t2")
        await store.record(CRM, Record(ripening={SourceId("p1"): NOON}))
        looks = [Intent(SourceId("p3"), Action.CREATE), Intent(SourceId("p1"), Action.UPDATE)]
        await store.write_intents(CRM, looks)
        await store.save_consumption(ANEW, _consumption())

        await store.anchor(CRM.connector, {USER: [SourceId("p1")]})

        assert set(await store.links(CRM, [SourceId("p1"), SourceId("p2")])) == {"p1"}
        assert await store.ripe(CRM, NOON) == ["p1"]
        assert set(await store.intents(CRM)) == {"p3"}
        owners = await store.owners("https://crm.example.com", USER, [TargetId("t1"), TargetId("t2")])
        assert set(owners) == {"t1"}

    async def test_a_type_that_was_not_found_again_stays_in_force(self, store: Store) -> None:
        groups = CRM._replace(resource_type=ResourceType.GROUP)
        await store.save_consumption(groups, _consumption())
        await link_people(store, groups, g1="t1")
        await store.save_consumption(ANEW, _consumption())

        await store.anchor(CRM.connector, {})

        assert set(await store.links(groups, [SourceId("g1")])) == {"g1"}
