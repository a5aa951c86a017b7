"""What every store has to prove about links that change their connector."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from usher.contracts.store import Intent, Owner, Record, Store
from usher.contracts.transfers import Handover, Obstacle, Transfer
from usher.core.model.escrow import Unsettled
from usher.core.model.plans import Action, Phase
from usher.core.model.resources import Holding, Lane, ResourceType, SourceId, TargetId
from usher.testing.memory_settings import MEMBERS
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
    make_hold,
    make_link,
)

P1, P2, P3, P4 = SourceId("p1"), SourceId("p2"), SourceId("p3"), SourceId("p4")
GROUPS, WIKI_GROUPS = (Lane(lane.connector, ResourceType.GROUP) for lane in (CRM, WIKI))
TO_WIKI = Transfer(CRM.connector, WIKI.connector)
LATER = NOON + timedelta(hours=1)


async def two_connectors(store: Store, *meant: SourceId) -> None:
    """CRM links p1 and p2; WIKI, at the same target, has `meant` in its scope."""
    for lane in (CRM, WIKI, GROUPS, WIKI_GROUPS):
        await store.save_consumption(lane, make_consumption())
    await link_people(store, CRM, p1="t1", p2="t2")
    await store.save_claims(WIKI, {one: [f"userName eq {one}"] for one in meant})


def moved(source_id: SourceId, target_id: str) -> Handover:
    """A link with nothing in its way, of somebody whom the former connector does not mean any more."""
    return Handover(USER, source_id, TargetId(target_id), still_meant=False)


class TransferStoreContract:
    """Part of `StoreContract`. The fixture's store knows no connector yet."""

    async def test_a_link_changes_its_connector_and_owns_its_account_as_before(self, store: Store) -> None:
        await two_connectors(store, P1, P2)
        assert await store.transferable(TO_WIKI) == [moved(P1, "t1"), moved(P2, "t2")]
        assert await store.count_links(CRM) == (2, 2), "that was only a look"

        assert await store.transfer(TO_WIKI, LATER) == [moved(P1, "t1"), moved(P2, "t2")]

        assert (await store.count_links(CRM), await store.count_links(WIKI)) == ((0, 0), (2, 2))
        owners = await store.owners(ADDRESS, USER, [TargetId("t1"), TargetId("t2")])
        assert owners == {TargetId("t1"): Owner(WIKI.connector, P1), TargetId("t2"): Owner(WIKI.connector, P2)}
        link = (await store.links(WIKI, [P1]))[P1]
        assert (link.image, link.fingerprint) == (make_link("p1", "t1").image, b"")

    async def test_the_heir_looks_at_an_account_before_it_trusts_the_image(self, store: Store) -> None:
        await two_connectors(store, P1)
        await store.transfer(TO_WIKI, LATER)
        assert await store.intents(WIKI) == {P1: Intent(P1, Action.LINK)}
        assert await store.intents(CRM) == {}

    async def test_a_transfer_can_be_taken_back_at_once(self, store: Store) -> None:
        await two_connectors(store, P1, P2)
        await store.save_claims(CRM, {P1: ["a"], P2: ["b"]})
        await store.transfer(TO_WIKI, LATER)
        back = Transfer(WIKI.connector, CRM.connector)
        assert [one.obstacle for one in await store.transfer(back, LATER)] == [None, None]
        assert (await store.count_links(CRM), await store.count_links(WIKI)) == ((2, 2), (0, 0))
        assert await store.intents(WIKI) == {}

    async def test_only_the_named_move_and_a_name_without_a_link_is_told(self, store: Store) -> None:
        await two_connectors(store, P1, P2)
        found = await store.transfer(replace(TO_WIKI, ids=frozenset({P2, P4})), LATER)
        assert found == [moved(P2, "t2"), Handover(USER, P4, None, still_meant=False, obstacle=Obstacle.NO_LINK)]
        assert await store.count_links(CRM) == (1, 1)

    async def test_whom_the_heir_does_not_have_in_scope_stays(self, store: Store) -> None:
        await two_connectors(store, P1)
        found = await store.transfer(TO_WIKI, LATER)
        assert [one.obstacle for one in found] == [None, Obstacle.NOT_IN_SCOPE]
        assert set(await store.links(CRM, [P1, P2])) == {P2}

    async def test_nobody_moves_while_the_end_of_a_request_is_unknown_at_either_connector(self, store: Store) -> None:
        await two_connectors(store, P1, P2)
        await store.write_intents(CRM, [Intent(P1, Action.UPDATE)])
        await store.write_intents(WIKI, [Intent(P2, Action.CREATE)])
        found = await store.transfer(TO_WIKI, LATER)
        assert [one.obstacle for one in found] == [Obstacle.OPEN_INTENT, Obstacle.OPEN_INTENT]
        assert await store.count_links(CRM) == (2, 2)
        assert await store.intents(CRM) == {P1: Intent(P1, Action.UPDATE)}

    async def test_a_person_whom_the_heir_links_to_another_account_stays(self, store: Store) -> None:
        await two_connectors(store, P1)
        await link_people(store, WIKI, p1="t9")
        found = await store.transfer(replace(TO_WIKI, ids=frozenset({P1})), LATER)
        assert [one.obstacle for one in found] == [Obstacle.LINKED_BY_HEIR]
        assert (await store.links(WIKI, [P1]))[P1].target_id == "t9"

    async def test_the_former_connector_forgets_what_it_had_put_off(self, store: Store) -> None:
        await two_connectors(store, P1, P2)
        disabled = replace(make_link("p1", "t1"), enabled=False)
        waits = Unsettled(P1, "Conflict", 3, NOON)
        await store.record(CRM, Record(links=[disabled], ripening={P1: NOON}, unsettled=[waits]))
        await store.add_changes(CRM, [make_change("p1"), make_change("p2")])
        held = [make_change(one, Action.DISABLE, Phase.DISABLE) for one in ("p1", "p2")]
        await store.hold(CRM.connector, make_hold(count=2), held)
        await store.add_changes(CRM, [make_change("p1"), make_change("p2")])

        await store.transfer(replace(TO_WIKI, ids=frozenset({P1})), LATER)

        assert list(await store.ripe(CRM, LATER)) == []
        assert await store.unsettled(CRM) == {}
        assert [row.source_id for row in await collect(store.all_changes(CRM))] == [P2]
        kept = await store.held(CRM.connector)
        assert kept is not None
        assert [row.source_id for row in kept[1]] == [P2]
        await store.transfer(TO_WIKI, LATER)
        assert await store.held(CRM.connector) is None

    async def test_whom_the_former_connector_still_means_is_unsettled_there(self, store: Store) -> None:
        await two_connectors(store, P1, P2)
        await store.save_claims(CRM, {P1: ["userName eq p1"], P2: []})
        found = await store.transfer(TO_WIKI, LATER)
        assert [one.still_meant for one in found] == [True, False]
        assert await store.unsettled(CRM) == {P1: Unsettled(P1, "Transferred", 1, LATER)}

    async def test_what_is_unsettled_at_the_heir_stays_so_until_its_next_cycle(self, store: Store) -> None:
        await two_connectors(store, P1)
        waits = Unsettled(P1, "OwnedByOtherConnector", 2, NOON)
        await store.record(WIKI, Record(unsettled=[waits]))
        await store.transfer(TO_WIKI, LATER)
        assert await store.unsettled(WIKI) == {P1: waits}

    async def test_references_to_and_from_a_moved_account_are_looked_at_by_both(self, store: Store) -> None:
        await two_connectors(store, P1)
        for lane in (CRM, WIKI):
            await store.save_references(lane, {P1: [P3]})
            await store.save_references(Lane(lane.connector, ResourceType.GROUP), {SourceId("g1"): [P1]})
        await store.record(CRM, Record(referring={P1: 1}, holding={P1: Holding(TargetId("t1"), {MEMBERS: ()})}))
        for lane in (GROUPS, WIKI, WIKI_GROUPS):
            await store.record(lane, Record(referring={P1: 0, SourceId("g1"): 0}))

        await store.transfer(TO_WIKI, LATER)

        for lane in (CRM, WIKI):
            assert list(await store.due_holders(lane)) == [P1]
        for lane in (GROUPS, WIKI_GROUPS):
            assert SourceId("g1") in await store.due_holders(lane)
        assert await store.holdings(CRM, [P1]) == {}
        assert await store.count_waiting_references(CRM) == 0

    async def test_a_group_moves_with_the_groups_of_its_connector(self, store: Store) -> None:
        await two_connectors(store, P1)
        await link_people(store, GROUPS, g1="t1")
        await store.save_claims(WIKI_GROUPS, {SourceId("g1"): ["displayName eq g1"]})
        found = await store.transfer(replace(TO_WIKI, ids=frozenset({SourceId("g1")})), LATER)
        assert [(one.resource_type, one.obstacle) for one in found] == [(ResourceType.GROUP, None)]
        assert await store.count_links(WIKI_GROUPS) == (1, 1)
        assert await store.count_links(CRM) == (2, 2)

    async def test_a_transfer_is_a_line_in_the_log_of_both(self, store: Store) -> None:
        await two_connectors(store, P1)
        await store.transfer(TO_WIKI, LATER)
        for connector, detail in ((CRM.connector, "to hr/wiki"), (WIKI.connector, "from hr/crm")):
            [line] = await store.log(connector, P1, 10)
            assert (line.time, line.target_id, line.action, line.result) == (LATER, "t1", "Transfer", "Success")
            assert (line.reason, line.detail) == ("Transferred", detail)
            assert len(await store.log(connector, None, 10)) == 1

    async def test_many_links_move_at_once(self, store: Store) -> None:
        many = {f"p{index:04}": f"m{index}" for index in range(1_000)}
        await two_connectors(store, *map(SourceId, many))
        await link_people(store, CRM, **many)
        await store.transfer(TO_WIKI, LATER)
        assert (await store.count_links(CRM), await store.count_links(WIKI)) == ((2, 2), (1_000, 1_000))
        assert len(await store.intents(WIKI)) == 1_000
