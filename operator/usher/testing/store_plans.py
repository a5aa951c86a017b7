"""What every store has to prove about plans, held sets, cycles and the log."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from usher.contracts.log import WHOLE_LOG, LogQuery
from usher.contracts.store import Intent, PlanPlace, Record, Store
from usher.core.model.plans import Action, Phase
from usher.core.model.reports import Counts, CycleKind, CycleReport, CycleResult
from usher.core.model.resources import SourceId
from usher.testing.store_examples import CRM, NOON, WIKI, collect, make_change, make_entry, make_hold, name_people


class PlanStoreContract:
    """Part of `StoreContract`."""

    async def test_a_row_of_the_same_resource_and_phase_is_replaced(self, store: Store) -> None:
        later = make_change("p1", Action.UPDATE, Phase.UPDATE, rank=1)
        refers = make_change("p1", Action.REFER, Phase.REFER)
        await store.add_changes(CRM, [make_change("p1", Action.UPDATE, Phase.UPDATE), refers])
        await store.add_changes(CRM, [later])
        assert await collect(store.all_changes(CRM)) == [later, refers]
        assert await store.count_changes(CRM) == {Action.UPDATE: 1, Action.REFER: 1}

    async def test_what_a_plan_does_with_references_is_not_done_with_the_resource(self, store: Store) -> None:
        rows = [make_change("p1", Action.REMOVE, Phase.REMOVE), make_change("p2", Action.DISABLE, Phase.DISABLE)]
        await store.add_changes(CRM, rows)
        assert await store.planned(CRM, [*name_people(9), SourceId("p1"), SourceId("p2")]) == {"p2": Action.DISABLE}

    async def test_a_plan_is_shown_in_the_order_of_its_application(self, store: Store) -> None:
        last = make_change("a", Action.UPDATE, Phase.UPDATE, rank=2)
        early = make_change("b", Action.UPDATE, Phase.UPDATE, rank=1)
        first = make_change("c", Action.DISABLE, Phase.DISABLE)
        await store.add_changes(CRM, [last, early, first])
        assert await collect(store.all_changes(CRM)) == [first, early, last]
        assert await store.ranks(CRM) == [(Phase.DISABLE, 0), (Phase.UPDATE, 1), (Phase.UPDATE, 2)]
        assert await collect(store.changes_of(CRM, Phase.UPDATE, 1)) == [early]
        assert await store.count_changes(CRM) == {Action.DISABLE: 1, Action.UPDATE: 2}

    async def test_rows_finished_meanwhile_do_not_disturb_the_iteration(self, store: Store) -> None:
        people = name_people(1300)
        await store.add_changes(CRM, [make_change(person) for person in people])
        seen: list[SourceId] = []
        async for page in store.changes_of(CRM, Phase.UPDATE, 0):
            seen += [change.source_id for change in page]
            await store.record(CRM, Record(finished=[change.source_id for change in page]))
        assert sorted(seen) == people

    async def test_the_whole_plan_comes_in_chunks_that_miss_nothing(self, store: Store) -> None:
        people = name_people(1300)
        await store.add_changes(CRM, [make_change(person, rank=index % 3) for index, person in enumerate(people)])
        pages = [page async for page in store.all_changes(CRM)]
        assert len(pages) > 1
        shown = [(change.rank, change.source_id) for page in pages for change in page]
        assert [rank for rank, _ in shown] == sorted(rank for rank, _ in shown)
        assert sorted(shown) == sorted((index % 3, person) for index, person in enumerate(people))

    async def test_a_plan_and_a_held_set_can_be_read_on_from_any_change(self, store: Store) -> None:
        people = name_people(1300)
        rows = [make_change(person, rank=index % 3) for index, person in enumerate(people)]
        await store.add_changes(CRM, rows)
        await store.hold(WIKI.connector, make_hold(), rows)
        for read, lane in ((store.all_changes, CRM), (store.held_changes, WIKI)):
            whole = await collect(read(lane))
            assert len(whole) == len(rows)
            for place in (0, 433, 434, 1299):
                last = whole[place]
                behind = read(lane, PlanPlace(last.phase, last.rank, last.source_id))
                assert await collect(behind) == whole[place + 1 :]

    async def test_what_is_held_can_be_known_without_reading_all_of_it(self, store: Store) -> None:
        assert await store.hold_of(CRM.connector) is None
        await store.hold(CRM.connector, make_hold(count=2), [make_change("p1"), make_change("p2")])
        assert await store.hold_of(CRM.connector) == make_hold(count=2)
        assert await store.hold_of(WIKI.connector) is None
        asked = [SourceId("p1"), SourceId("p9")]
        assert set(await store.held_among(CRM, asked)) == {(SourceId("p1"), Phase.UPDATE)}
        assert set(await store.held_among(WIKI, asked)) == set()

    async def test_clearing_the_plan_leaves_the_held_set_and_other_connectors(self, store: Store) -> None:
        await store.add_changes(CRM, [make_change("p1"), make_change("p2")])
        await store.add_changes(WIKI, [make_change("p1")])
        await store.hold(CRM.connector, make_hold(), [make_change("p2")])
        await store.clear_plan(CRM)
        assert await collect(store.all_changes(CRM)) == []
        assert await store.held(CRM.connector) == (make_hold(), [make_change("p2")])
        assert await collect(store.all_changes(WIKI)) == [make_change("p1")]

    async def test_held_rows_leave_the_running_plan_and_replace_the_former_set(self, store: Store) -> None:
        await store.add_changes(CRM, [make_change("p1"), make_change("p2"), make_change("p3")])
        await store.hold(CRM.connector, make_hold("hash-1"), [make_change("p1")])
        await store.hold(CRM.connector, make_hold("hash-2"), [make_change("p2")])
        assert await store.held(CRM.connector) == (make_hold("hash-2"), [make_change("p2")])
        assert await collect(store.all_changes(CRM)) == [make_change("p3")]

    async def test_what_is_finished_loses_its_intent_and_no_row_of_a_plan(self, store: Store) -> None:
        await store.hold(CRM.connector, make_hold(), [make_change("p1", Action.DISABLE, Phase.DISABLE)])
        await store.add_changes(CRM, [make_change("p1")])
        await store.write_intents(CRM, [Intent(SourceId("p1"), Action.UPDATE)])

        await store.record(CRM, Record(finished=[SourceId("p1")]))

        assert await collect(store.all_changes(CRM)) == [make_change("p1")]
        assert await store.intents(CRM) == {}
        assert await store.held(CRM.connector) == (make_hold(), [make_change("p1", Action.DISABLE, Phase.DISABLE)])

    async def test_a_hold_goes_with_its_last_member(self, store: Store) -> None:
        await store.hold(CRM.connector, make_hold(count=2), [make_change("p1"), make_change("p2")])
        await store.drop_held(CRM, [(SourceId("p1"), Phase.UPDATE), (SourceId("unknown"), Phase.UPDATE)])
        assert await store.held(CRM.connector) == (make_hold(count=2), [make_change("p2")])
        await store.drop_held(CRM, [(SourceId("p2"), Phase.CREATE)])
        assert await store.held(CRM.connector) == (make_hold(count=2), [make_change("p2")])
        await store.drop_held(CRM, [(SourceId("p2"), Phase.UPDATE)])
        assert await store.held(CRM.connector) is None

    async def test_a_held_set_has_several_changes_of_a_resource_one_a_phase(self, store: Store) -> None:
        hold = replace(make_hold(count=2), whole=True)
        updates, refers = make_change("p1"), make_change("p1", Action.REFER, Phase.REFER)
        await store.add_changes(CRM, [updates, refers])
        await store.hold(CRM.connector, hold, [updates, refers])
        assert await collect(store.all_changes(CRM)) == []
        assert await store.held(CRM.connector) == (hold, [updates, refers])
        await store.drop_held(CRM, [(SourceId("p1"), Phase.UPDATE)])
        assert await store.held(CRM.connector) == (hold, [refers])

    async def test_a_released_hold_is_gone_with_its_rows(self, store: Store) -> None:
        await store.hold(CRM.connector, make_hold(), [make_change("p1")])
        await store.release(CRM.connector)
        assert await store.held(CRM.connector) is None
        await store.release(WIKI.connector)
        assert await store.held(WIKI.connector) is None

    async def test_a_hold_of_nothing_is_no_hold(self, store: Store) -> None:
        await store.hold(CRM.connector, make_hold("hash-1"), [make_change("p1")])
        await store.hold(CRM.connector, make_hold("hash-2"), [])
        assert await store.held(CRM.connector) is None

    async def test_only_the_hash_of_the_held_set_approves_it(self, store: Store) -> None:
        await store.hold(CRM.connector, make_hold("hash-1"), [make_change("p1")])
        assert not await store.approve(CRM.connector, "hash-2")
        assert not await store.approve(WIKI.connector, "hash-1")
        assert await store.approve(CRM.connector, "hash-1")
        assert await store.held(CRM.connector) == (replace(make_hold("hash-1"), approved=True), [make_change("p1")])

    async def test_a_word_that_stays_approves_once(self, store: Store) -> None:
        await store.hold(CRM.connector, make_hold("hash-1"), [make_change("p1")])
        assert await store.approve(CRM.connector, "hash-1")
        assert not await store.approve(CRM.connector, "hash-1")
        await store.drop_held(CRM, [(SourceId("p1"), Phase.UPDATE)])

        await store.hold(CRM.connector, make_hold("hash-1"), [make_change("p1")])

        assert not await store.approve(CRM.connector, "hash-1")
        assert await store.held(CRM.connector) == (make_hold("hash-1"), [make_change("p1")])

    async def test_a_word_taken_back_and_given_again_approves_again(self, store: Store) -> None:
        await store.hold(CRM.connector, make_hold("hash-1"), [make_change("p1")])
        assert await store.approve(CRM.connector, "hash-1")
        await store.release(CRM.connector)
        assert not await store.approve(CRM.connector, "")
        await store.hold(CRM.connector, make_hold("hash-1"), [make_change("p1")])
        assert await store.approve(CRM.connector, "hash-1")

    async def test_a_word_given_before_the_set_was_held_does_not_approve_it(self, store: Store) -> None:
        assert not await store.approve(CRM.connector, "hash-1")
        await store.hold(CRM.connector, make_hold("hash-1"), [make_change("p1")])
        assert not await store.approve(CRM.connector, "hash-1")

    async def test_cycles_come_newest_first(self, store: Store) -> None:
        reports = [_make_report(failed) for failed in range(5)]
        for index, report in enumerate(reports):
            await store.save_cycle(CRM.connector, f"cycle-{index}", report)
        await store.save_cycle(WIKI.connector, "cycle-0", reports[0])
        assert await store.cycles(CRM.connector, 3) == reports[:1:-1]

    async def test_a_cycle_saved_again_is_not_counted_twice(self, store: Store) -> None:
        await store.save_cycle(CRM.connector, "cycle-1", _make_report(0))
        await store.save_cycle(CRM.connector, "cycle-1", _make_report(1))
        assert await store.cycles(CRM.connector, 10) == [_make_report(1)]

    async def test_the_log_comes_newest_first_and_of_one_person_where_asked(self, store: Store) -> None:
        await store.append_log(CRM.connector, [make_entry("p1", "1"), make_entry("p2", "2"), make_entry(None, "3")])
        await store.record(CRM, Record(log=[make_entry("p1", "4")]))
        await store.append_log(WIKI.connector, [make_entry("p1", "elsewhere")])
        assert [entry.detail for entry in await store.log(CRM.connector, WHOLE_LOG, 3)] == ["4", "3", "2"]
        of_p1 = await store.log(CRM.connector, LogQuery(source_id=SourceId("p1")), 10)
        assert of_p1 == [make_entry("p1", "4"), make_entry("p1", "1")]


def _make_report(failed: int) -> CycleReport:
    later = NOON + timedelta(minutes=failed)
    counts = Counts(created=1, failed=failed)
    return CycleReport(
        CycleKind.INITIAL, CycleResult.PARTIAL, NOON, later, counts, {"EntryConflict": failed}, pending=failed
    )
