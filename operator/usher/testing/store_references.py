"""What a store has to do with references: who refers to whom, and who has to be looked at again."""

from __future__ import annotations

from dataclasses import replace

from usher.contracts.store import Record, Store
from usher.core.model.plans import Action, Phase
from usher.core.model.resources import Holding, Lane, ResourceType, SourceId, TargetId
from usher.testing.store_examples import CRM, WIKI, make_change, make_link

P1, P2, P3 = SourceId("p1"), SourceId("p2"), SourceId("p3")
G1, G2 = SourceId("g1"), SourceId("g2")
GROUPS = Lane(CRM.connector, ResourceType.GROUP)


class ReferenceStoreContract:
    """Part of `StoreContract`. The fixture's store knows no connector yet."""

    async def test_new_references_make_their_holder_due(self, store: Store) -> None:
        await store.save_references(GROUPS, {G1: [P1, P2], G2: []})
        assert await store.due_holders(GROUPS) == [G1]
        assert await store.due_holders(CRM) == []

    async def test_settled_holders_are_due_no_more_until_their_references_differ(self, store: Store) -> None:
        await store.save_references(GROUPS, {G1: [P1, P2]})
        await store.record(GROUPS, Record(referring={G1: 1}))
        await store.save_references(GROUPS, {G1: [P2, P1]})
        assert await store.due_holders(GROUPS) == []
        await store.save_references(GROUPS, {G1: [P1]})
        assert await store.due_holders(GROUPS) == [G1]

    async def test_a_holder_that_is_woken_is_due_again(self, store: Store) -> None:
        await store.save_references(GROUPS, {G1: [P1], G2: [P2]})
        await store.record(GROUPS, Record(referring={G1: 0, G2: 0}))
        await store.record(GROUPS, Record(waking=[G2]))
        assert await store.due_holders(GROUPS) == [G2]

    async def test_an_account_that_was_there_before_its_link_wakes_all_whose_references_are_known(
        self, store: Store
    ) -> None:
        await store.save_references(GROUPS, {G1: [P1], G2: [P2]})
        await store.record(GROUPS, Record(referring={G1: 0, G2: 0}, holding={G1: Holding(TargetId("g"), {})}))
        await store.record(CRM, Record(links=[make_link("p3", "t3")]))
        assert await store.due_holders(GROUPS) == []
        await store.record(CRM, Record(found=[P3]))
        assert await store.due_holders(GROUPS) == [G1]

    async def test_a_holder_that_refers_to_nobody_any_more_is_due(self, store: Store) -> None:
        await store.save_references(GROUPS, {G1: [P1]})
        await store.record(GROUPS, Record(referring={G1: 0}))
        await store.save_references(GROUPS, {G1: []})
        assert await store.due_holders(GROUPS) == [G1]

    async def test_waiting_references_are_counted(self, store: Store) -> None:
        await store.save_references(GROUPS, {G1: [P1, P2, P3], G2: [P1]})
        await store.record(GROUPS, Record(referring={G1: 3, G2: 1}))
        assert await store.count_waiting_references(GROUPS) == 4
        await store.record(GROUPS, Record(referring={G1: 0}))
        assert await store.count_waiting_references(GROUPS) == 1

    async def test_whoever_refers_to_an_account_that_comes_or_goes_is_due(self, store: Store) -> None:
        await store.save_references(GROUPS, {G1: [P1], G2: [P2]})
        settled = Record(referring={G1: 1, G2: 1})
        await store.record(GROUPS, settled)

        await store.record(CRM, Record(links=[make_link("p1", "t1")]))
        assert await store.due_holders(GROUPS) == [G1], "it has an account now"
        await store.record(GROUPS, settled)
        await store.record(CRM, Record(links=[replace(make_link("p1", "t1"), enabled=False)]))
        assert await store.due_holders(GROUPS) == [G1], "it is disabled"
        await store.record(GROUPS, settled)
        await store.record(CRM, Record(links=[make_link("p1", "t9")]))
        assert await store.due_holders(GROUPS) == [G1], "it is another one"
        await store.record(GROUPS, settled)
        await store.record(CRM, Record(unlinked=[P1]))
        assert await store.due_holders(GROUPS) == [G1], "it is gone"

    async def test_an_account_that_only_changes_wakes_nobody(self, store: Store) -> None:
        await store.save_references(GROUPS, {G1: [P1]})
        await store.record(CRM, Record(links=[make_link("p1", "t1")]))
        await store.record(GROUPS, Record(referring={G1: 0}))
        await store.record(CRM, Record(links=[make_link("p1", "t1", version="2")]))
        assert await store.due_holders(GROUPS) == []

    async def test_a_holder_whose_own_account_comes_is_due(self, store: Store) -> None:
        await store.save_references(GROUPS, {G1: [P1]})
        await store.record(GROUPS, Record(referring={G1: 1}))
        await store.record(GROUPS, Record(links=[make_link("g1", "t1")]))
        assert await store.due_holders(GROUPS) == [G1]

    async def test_an_account_of_another_connector_wakes_nobody(self, store: Store) -> None:
        await store.save_references(GROUPS, {G1: [P1]})
        await store.record(GROUPS, Record(referring={G1: 1}))
        await store.record(WIKI, Record(links=[make_link("p1", "t1")]))
        assert await store.due_holders(GROUPS) == []

    async def test_holders_are_found_by_what_a_plan_does_with_whom_they_refer_to(self, store: Store) -> None:
        await store.save_references(GROUPS, {G1: [P1, P2], G2: [P2], P3: [P3]})
        await store.add_changes(CRM, [make_change("p1", Action.CREATE, Phase.CREATE)])
        assert await store.holders_of_planned(GROUPS) == [G1]
        await store.add_changes(CRM, [make_change("p2", Action.DISABLE, Phase.DISABLE), make_change("p3")])
        assert await store.holders_of_planned(GROUPS) == [G1, G2]
        assert await store.holders_of_planned(CRM) == []
