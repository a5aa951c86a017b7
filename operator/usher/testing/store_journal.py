"""What a journal has to do: a part of the contract of a store."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from usher.contracts.journal import Journal, JournalPart
from usher.contracts.log import WHOLE_LOG
from usher.contracts.store import Intent, Record, Store
from usher.core.model.journal import JournalEntry
from usher.core.model.plans import Action, Amend, Replace
from usher.core.model.resources import AttributePath, ConnectorKey, Lane, ResourceType, SourceId, TargetId
from usher.testing.store_examples import ADDRESS, CRM, NOON, USER_NAME, WIKI, collect, make_entry

HOUR = timedelta(hours=1)
FIRST = Journal("one", NOON, ADDRESS)
SECOND = Journal("two", NOON + HOUR, ADDRESS)
MEMBERS = AttributePath("members")
UPDATE = JournalEntry(
    number=0,
    source_id=SourceId("p1"),
    target_id=TargetId("t1"),
    action=Action.UPDATE,
    delta={USER_NAME: Replace(None), MEMBERS: Amend(add=({"value": "t2"},), remove=("x",))},
    before={USER_NAME: "ada", MEMBERS: [{"value": "t3"}, "x"]},
)
CREATE = JournalEntry(1, SourceId("p2"), None, Action.CREATE)
DELETE = JournalEntry(
    2, SourceId("p3"), TargetId("t3"), Action.DELETE, before={USER_NAME: "eve"}, held={MEMBERS: (TargetId("t1"),)}
)


class JournalStoreContract:
    """Entries come with the intents, are corrected with the outcomes, and are found by their cycle."""

    async def test_what_is_announced_is_there_with_its_intent(self, store: Store) -> None:
        part = JournalPart(FIRST, [UPDATE, CREATE, DELETE])
        await store.write_intents(CRM, [Intent(SourceId("p1"), Action.UPDATE)], part)
        assert await store.journal(CRM, "one") == FIRST
        assert await collect(store.journal_entries(CRM, "one")) == [DELETE, CREATE, UPDATE]
        assert set(await store.intents(CRM)) == {"p1"}

    async def test_an_outcome_corrects_what_was_announced_and_drops_what_was_not_done(self, store: Store) -> None:
        await store.write_intents(CRM, [], JournalPart(FIRST, [UPDATE, CREATE, DELETE]))
        made = replace(CREATE, target_id=TargetId("t9"))
        await store.record(CRM, Record(journal=JournalPart(FIRST, [made], [UPDATE.number])))
        assert await collect(store.journal_entries(CRM, "one")) == [DELETE, made]

    async def test_each_cycle_and_each_lane_has_a_journal_of_its_own(self, store: Store) -> None:
        groups = Lane(CRM.connector, ResourceType.GROUP)
        await store.write_intents(CRM, [], JournalPart(FIRST, [UPDATE]))
        await store.write_intents(CRM, [], JournalPart(SECOND, [CREATE]))
        await store.write_intents(groups, [], JournalPart(FIRST, [DELETE]))
        assert await collect(store.journal_entries(CRM, "one")) == [UPDATE]
        assert await collect(store.journal_entries(CRM, "two")) == [CREATE]
        assert await collect(store.journal_entries(groups, "one")) == [DELETE]
        assert await store.journal(WIKI, "one") is None
        assert await collect(store.journal_entries(WIKI, "one")) == []

    async def test_a_cycle_that_changed_nothing_has_no_journal(self, store: Store) -> None:
        await store.write_intents(CRM, [], JournalPart(FIRST))
        await store.record(CRM, Record(journal=JournalPart(FIRST)))
        assert await store.journal(CRM, "one") is None

    async def test_a_long_journal_comes_whole_and_in_order(self, store: Store) -> None:
        many = [replace(CREATE, number=number, source_id=SourceId(f"p{number}")) for number in range(700)]
        for start in range(0, len(many), 100):
            await store.write_intents(CRM, [], JournalPart(FIRST, many[start : start + 100]))
        assert await collect(store.journal_entries(CRM, "one")) == many[::-1]
        assert await store.last_entry(CRM, "one") == 699
        assert await store.last_entry(CRM, "two") == 0

    async def test_a_cycle_is_known_by_its_lines(self, store: Store) -> None:
        await store.append_log(CRM.connector, [make_entry("p1")])
        cycle = (await store.log(CRM.connector, WHOLE_LOG, 1))[0].cycle
        assert await store.knows_cycle(CRM.connector, cycle)
        assert not await store.knows_cycle(CRM.connector, "another")
        assert not await store.knows_cycle(WIKI.connector, cycle)

    async def test_journals_that_are_too_old_go_and_those_of_others_stay(self, store: Store) -> None:
        for lane in (CRM, WIKI):
            await store.write_intents(lane, [], JournalPart(FIRST, [UPDATE]))
            await store.write_intents(lane, [], JournalPart(SECOND, [CREATE]))
        while await store.trim_journal(CRM.connector, NOON + HOUR, 100):
            pass
        assert await store.journal(CRM, "one") is None
        assert await collect(store.journal_entries(CRM, "one")) == []
        assert await collect(store.journal_entries(CRM, "two")) == [CREATE]
        assert await collect(store.journal_entries(WIKI, "one")) == [UPDATE]

    async def test_of_too_many_changes_the_oldest_cycles_go_whole_and_the_last_stays(self, store: Store) -> None:
        await store.write_intents(CRM, [], JournalPart(FIRST, [UPDATE, CREATE]))
        await store.write_intents(CRM, [], JournalPart(SECOND, [UPDATE, CREATE, DELETE]))
        while await store.trim_journal(CRM.connector, NOON, 2):
            pass
        assert await store.journal(CRM, "one") is None
        assert len(await collect(store.journal_entries(CRM, "two"))) == 3

    async def test_a_journal_of_which_a_part_is_gone_is_found_no_more(self, store: Store) -> None:
        many = [replace(CREATE, number=number) for number in range(2500)]
        await store.write_intents(CRM, [], JournalPart(FIRST, many))
        assert await store.trim_journal(CRM.connector, NOON + HOUR, 9)
        assert await store.journal(CRM, "one") is None
        pieces = 1
        while await store.trim_journal(CRM.connector, NOON + HOUR, 9):
            pieces += 1
        assert pieces > 2

    async def test_the_journal_goes_with_its_connector(self, store: Store) -> None:
        await store.write_intents(CRM, [], JournalPart(FIRST, [UPDATE]))
        await store.forget(CRM.connector)
        assert await store.journal(CRM, "one") is None
        assert not await store.trim_journal(ConnectorKey("hr/unknown"), NOON, 1)
