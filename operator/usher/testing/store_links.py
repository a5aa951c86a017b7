"""What every store has to prove about links and the state of a person beside them."""

from __future__ import annotations

from datetime import timedelta

from usher.contracts.log import WHOLE_LOG
from usher.contracts.store import Intent, LinkDigest, Owner, Record, Store
from usher.core.model.escrow import Unsettled
from usher.core.model.plans import Action
from usher.core.model.resources import SourceId, TargetId
from usher.testing.store_examples import (
    ADDRESS,
    CRM,
    NOON,
    USER,
    WIKI,
    collect,
    link_people,
    make_change,
    make_consumption,
    make_entry,
    make_link,
    name_people,
)

P1, P2, P3 = SourceId("p1"), SourceId("p2"), SourceId("p3")
T1, T2 = TargetId("t1"), TargetId("t2")


class LinkStoreContract:
    """Part of `StoreContract`. The fixture's store knows no connector yet."""

    async def test_a_link_comes_back_as_it_was_recorded(self, store: Store) -> None:
        await store.save_consumption(CRM, make_consumption())
        link = make_link("p1", "t1", version='W/"7"')
        assert await store.record(CRM, Record(links=[link])) == []
        assert await store.links(CRM, [P1, P2]) == {P1: link}
        assert await collect(store.link_digests(CRM)) == [LinkDigest(P1, T1, link.fingerprint, enabled=True)]
        assert await store.count_links(CRM) == (1, 1)

    async def test_what_nobody_recorded_is_empty_and_no_error(self, store: Store) -> None:
        assert await store.consumption(CRM) is None
        assert await store.links(CRM, [P1]) == {}
        assert await store.count_links(CRM) == (0, 0)
        assert await collect(store.link_digests(CRM)) == []
        assert await store.intents(CRM) == {}
        assert await store.unsettled(CRM) == {}
        assert await store.log(CRM.connector, WHOLE_LOG, 10) == []
        await store.retire(CRM.connector, NOON)
        await store.forget(CRM.connector)
        await store.clear_plan(CRM)

    async def test_consumption_is_replaced_whole(self, store: Store) -> None:
        await store.save_consumption(CRM, make_consumption())
        await store.save_consumption(CRM, make_consumption(version=3))
        assert await store.consumption(CRM) == make_consumption(version=3)

    async def test_a_link_replaces_that_of_its_person(self, store: Store) -> None:
        await store.save_consumption(CRM, make_consumption())
        await link_people(store, CRM, p1="t1")
        assert await link_people(store, CRM, p1="t2") == []
        assert await store.links(CRM, [P1]) == {P1: make_link("p1", "t2")}
        assert await store.owners(ADDRESS, USER, [T1, T2]) == {T2: Owner(CRM.connector, P1)}

    async def test_people_may_swap_their_accounts_in_one_record(self, store: Store) -> None:
        await store.save_consumption(CRM, make_consumption())
        await link_people(store, CRM, p1="t1", p2="t2")
        assert await link_people(store, CRM, p1="t2", p2="t1") == []
        assert await store.owners(ADDRESS, USER, [T1, T2]) == {
            T1: Owner(CRM.connector, P2),
            T2: Owner(CRM.connector, P1),
        }

    async def test_an_account_of_another_person_is_refused_and_the_old_link_stays(self, store: Store) -> None:
        await store.save_consumption(CRM, make_consumption())
        await link_people(store, CRM, p1="t1", p2="t2")
        assert await link_people(store, CRM, p1="t2") == [P1]
        assert await store.links(CRM, [P1, P2]) == {P1: make_link("p1", "t1"), P2: make_link("p2", "t2")}

    async def test_who_is_refused_keeps_an_account_that_is_then_refused_to_the_next(self, store: Store) -> None:
        await store.save_consumption(CRM, make_consumption())
        await link_people(store, CRM, p1="t1", p2="t2")
        assert await link_people(store, CRM, p3="t1", p1="t2") == [P3, P1]
        assert await store.owners(ADDRESS, USER, [T1, T2]) == {
            T1: Owner(CRM.connector, P1),
            T2: Owner(CRM.connector, P2),
        }

    async def test_of_two_people_in_one_record_the_holder_keeps_the_account(self, store: Store) -> None:
        await store.save_consumption(CRM, make_consumption())
        await link_people(store, CRM, p2="t1")
        assert await link_people(store, CRM, p1="t1", p2="t1") == [P1]
        assert await store.owners(ADDRESS, USER, [T1]) == {T1: Owner(CRM.connector, P2)}

    async def test_an_account_unlinked_in_the_record_is_free_in_it(self, store: Store) -> None:
        await store.save_consumption(CRM, make_consumption())
        await link_people(store, CRM, p1="t1")
        assert await store.record(CRM, Record(links=[make_link("p2", "t1")], unlinked=[P1])) == []
        assert await store.links(CRM, [P1, P2]) == {P2: make_link("p2", "t1")}

    async def test_a_refused_link_does_not_stop_the_rest_of_the_record(self, store: Store) -> None:
        await store.save_consumption(CRM, make_consumption())
        await store.save_consumption(WIKI, make_consumption())
        await link_people(store, WIKI, p1="t1")
        await store.write_intents(CRM, [Intent(P1, Action.LINK)])
        waiting = Unsettled(P1, "OwnedByOtherConnector", 1, NOON)
        record = Record(
            links=[make_link("p1", "t1"), make_link("p2", "t2")],
            finished=[P1],
            unsettled=[waiting],
            log=[make_entry("p1")],
        )

        assert await store.record(CRM, record) == [P1]

        assert await store.links(CRM, [P1, P2]) == {P2: make_link("p2", "t2")}
        assert await store.intents(CRM) == {}
        assert await store.unsettled(CRM) == {P1: waiting}
        assert await store.log(CRM.connector, WHOLE_LOG, 9) == [make_entry("p1")]
        assert await store.owners(ADDRESS, USER, [T1, T2]) == {
            T1: Owner(WIKI.connector, P1),
            T2: Owner(CRM.connector, P2),
        }

    async def test_the_same_id_at_another_address_is_another_account(self, store: Store) -> None:
        await store.save_consumption(CRM, make_consumption())
        await store.save_consumption(WIKI, make_consumption("https://wiki.example/scim"))
        await link_people(store, WIKI, p1="t1")
        assert await link_people(store, CRM, p1="t1") == []
        assert await store.owners(ADDRESS, USER, [T1]) == {T1: Owner(CRM.connector, P1)}

    async def test_a_retired_connector_owns_nothing(self, store: Store) -> None:
        await store.save_consumption(CRM, make_consumption(version=4))
        await store.save_consumption(WIKI, make_consumption())
        await link_people(store, CRM, p1="t1")
        await store.retire(CRM.connector, NOON)
        consumption = await store.consumption(CRM)
        assert consumption is not None
        assert consumption.retired
        assert await store.owners(ADDRESS, USER, [T1]) == {}
        assert await link_people(store, WIKI, p2="t1") == []

    async def test_the_active_connectors_are_those_that_consume_and_are_not_retired(self, store: Store) -> None:
        await store.save_consumption(CRM, make_consumption())
        await store.save_consumption(WIKI, make_consumption())
        await store.retire(WIKI.connector, NOON)
        assert list(await store.active_connectors()) == [CRM.connector]

    async def test_a_connector_that_comes_back_owns_what_nobody_took(self, store: Store) -> None:
        await store.save_consumption(CRM, make_consumption())
        await store.save_consumption(WIKI, make_consumption())
        await link_people(store, CRM, p1="t1", p2="t2")
        await store.retire(CRM.connector, NOON)
        await link_people(store, WIKI, p3="t1")

        await store.save_consumption(CRM, make_consumption())

        assert await store.consumption(CRM) == make_consumption()
        assert await store.links(CRM, [P1, P2]) == {P2: make_link("p2", "t2")}
        assert await store.owners(ADDRESS, USER, [T1, T2]) == {
            T1: Owner(WIKI.connector, P3),
            T2: Owner(CRM.connector, P2),
        }

    async def test_what_a_retired_connector_records_owns_nothing_until_it_comes_back(self, store: Store) -> None:
        await store.save_consumption(CRM, make_consumption())
        await store.save_consumption(WIKI, make_consumption())
        await store.retire(CRM.connector, NOON)
        await link_people(store, WIKI, p3="t2")
        assert await link_people(store, CRM, p1="t1", p2="t2") == [P2]
        assert await store.owners(ADDRESS, USER, [T1]) == {}
        await store.save_consumption(CRM, make_consumption())
        assert await store.owners(ADDRESS, USER, [T1]) == {T1: Owner(CRM.connector, P1)}

    async def test_links_follow_their_connector_to_a_new_address(self, store: Store) -> None:
        moved = "https://new.example/scim"
        await store.save_consumption(CRM, make_consumption())
        await store.save_consumption(WIKI, make_consumption(moved))
        await link_people(store, CRM, p1="t1", p2="t2")
        await link_people(store, WIKI, p3="t1")
        await store.save_consumption(CRM, make_consumption(moved))
        assert await store.owners(ADDRESS, USER, [T1, T2]) == {}
        assert await store.owners(moved, USER, [T1, T2]) == {
            T1: Owner(WIKI.connector, P3),
            T2: Owner(CRM.connector, P2),
        }
        assert await store.count_links(CRM) == (1, 1)

    async def test_a_sweep_drops_who_retired_before_it_and_nobody_else(self, store: Store) -> None:
        for connector in (CRM, WIKI):
            await store.save_consumption(connector, make_consumption(f"https://{connector}/scim"))
            await link_people(store, connector, p1="t1")
        await store.retire(CRM.connector, NOON)
        assert await store.sweep(NOON) == 0
        assert await store.sweep(NOON + timedelta(seconds=1)) == 1
        assert await store.consumption(CRM) is None
        await store.save_consumption(CRM, make_consumption())
        assert await store.count_links(CRM) == (0, 0)
        assert await store.count_links(WIKI) == (1, 1)

    async def test_a_second_retirement_does_not_put_off_the_sweep(self, store: Store) -> None:
        await store.save_consumption(CRM, make_consumption())
        await store.retire(CRM.connector, NOON)
        await store.retire(CRM.connector, NOON + timedelta(days=7))
        assert await store.sweep(NOON + timedelta(days=1)) == 1

    async def test_who_came_back_is_not_swept(self, store: Store) -> None:
        await store.save_consumption(CRM, make_consumption())
        await store.retire(CRM.connector, NOON)
        await store.save_consumption(CRM, make_consumption())
        assert await store.sweep(NOON + timedelta(days=8)) == 0

    async def test_a_forgotten_connector_leaves_nothing_behind(self, store: Store) -> None:
        await store.save_consumption(CRM, make_consumption(version=1))
        await link_people(store, CRM, p1="t1")
        await store.write_intents(CRM, [Intent(P1, Action.UPDATE)])
        await store.save_claims(CRM, {P1: ["same"], P2: ["same"]})
        await store.append_log(CRM.connector, [make_entry("p1")])
        await store.add_changes(CRM, [make_change("p1")])

        await store.forget(CRM.connector)
        assert await store.consumption(CRM) is None
        await store.save_consumption(CRM, make_consumption())

        assert await store.count_links(CRM) == (0, 0)
        assert await store.owners(ADDRESS, USER, [T1]) == {}
        assert await store.intents(CRM) == {}
        assert await store.rivals(CRM, ["same"]) == {}
        assert await store.log(CRM.connector, WHOLE_LOG, 9) == []
        assert await collect(store.all_changes(CRM)) == []

    async def test_every_link_comes_once_while_links_come_and_go(self, store: Store) -> None:
        people = name_people(4500)
        await store.save_consumption(CRM, make_consumption())
        await store.record(CRM, Record(links=[make_link(person, f"t-{person}") for person in people]))
        pages = aiter(store.link_digests(CRM))
        seen = [digest.source_id for digest in await anext(pages)]

        await store.record(CRM, Record(unlinked=seen[:10], links=[make_link(seen[20], "t-changed")]))
        seen += [digest.source_id async for page in pages for digest in page]

        assert sorted(seen) == people

    async def test_links_can_be_read_on_from_any_of_them(self, store: Store) -> None:
        await store.save_consumption(CRM, make_consumption())
        links = [make_link(person, f"t-{person}") for person in name_people(2500)]
        await store.record(CRM, Record(links=links))
        whole = await collect(store.link_digests(CRM))
        for place in (0, 1999, 2000, 2499):
            assert await collect(store.link_digests(CRM, whole[place].source_id)) == whole[place + 1 :]

    async def test_more_ids_than_one_statement_takes_are_found(self, store: Store) -> None:
        people = name_people(1200)
        await store.save_consumption(CRM, make_consumption())
        await store.record(CRM, Record(links=[make_link(person, f"t-{person}") for person in people]))
        assert len(await store.links(CRM, people)) == 1200
        assert len(await store.owners(ADDRESS, USER, [TargetId(f"t-{person}") for person in people])) == 1200

    async def test_disabled_accounts_are_counted_apart(self, store: Store) -> None:
        await store.save_consumption(CRM, make_consumption())
        link = make_link("p2", "t2")
        off = type(link)(link.source_id, link.target_id, None, {}, link.fingerprint, enabled=False)
        await store.record(CRM, Record(links=[make_link("p1", "t1"), off]))
        assert await store.count_links(CRM) == (2, 1)

    async def test_rivals_are_all_who_claim_the_same(self, store: Store) -> None:
        await store.save_claims(
            CRM, {P1: ["mail eq a", "name eq x"], P2: ["mail eq a", "mail eq a"], P3: ["name eq y"]}
        )
        await store.save_claims(WIKI, {P3: ["name eq y", "name eq x"]})
        found = await store.rivals(CRM, ["mail eq a", "name eq x", "name eq y", "name eq z"])
        assert {claim: sorted(people) for claim, people in found.items()} == {"mail eq a": [P1, P2]}

    async def test_claims_of_a_person_are_replaced(self, store: Store) -> None:
        await store.save_claims(CRM, {P1: ["a"], P2: ["a", "b"], P3: ["b"]})
        await store.save_claims(CRM, {P1: ["b"], P3: []})
        found = await store.rivals(CRM, ["a", "b"])
        assert {claim: sorted(people) for claim, people in found.items()} == {"b": [P1, P2]}

    async def test_an_intent_stays_open_until_its_person_is_finished(self, store: Store) -> None:
        create = Intent(P1, Action.CREATE, make_change("p1").keys)
        await store.write_intents(CRM, [create, Intent(P2, Action.UPDATE)])
        await store.write_intents(CRM, [Intent(P2, Action.DISABLE)])
        assert await store.intents(CRM) == {P1: create, P2: Intent(P2, Action.DISABLE)}
        await store.record(CRM, Record(finished=[P2]))
        assert await store.intents(CRM) == {P1: create}
        assert await store.intents(WIKI) == {}

    async def test_the_unsettled_are_replaced_and_settled(self, store: Store) -> None:
        first = Unsettled(P1, "Timeout", 1, NOON)
        again = Unsettled(P1, "Timeout", 2, NOON)
        other = Unsettled(P2, "EntryConflict", 1, NOON + timedelta(microseconds=1))
        await store.record(CRM, Record(unsettled=[first, other]))
        await store.record(CRM, Record(unsettled=[again]))
        assert await store.unsettled(CRM) == {P1: again, P2: other}
        await store.record(CRM, Record(settled=[P1, P3]))
        assert await store.unsettled(CRM) == {P2: other}
