"""What a provisioning log has to do: a part of the contract of a store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from usher.contracts.log import WHOLE_LOG, LogEntry, LogQuery
from usher.contracts.store import Store
from usher.core.model.outcomes import ValueChange
from usher.core.model.resources import AttributePath, ConnectorKey, SourceId
from usher.testing.store_examples import CRM, NOON, WIKI, make_entry

HOUR = timedelta(hours=1)
FIRST = replace(make_entry("p1", "first"), cycle="one", step="match", action="Skip", result="Skipped", reason="Taken")
SECOND = replace(make_entry("p2", "second", NOON + HOUR), cycle="two", result="Failure", reason="Conflict")
OF_THE_FIRST = (
    LogQuery(source_id=SourceId("p1")),
    LogQuery(until=NOON + HOUR),
    LogQuery(cycle="one"),
    LogQuery(step="match"),
    LogQuery(action="Skip"),
    LogQuery(result="Skipped"),
    LogQuery(reason="Taken"),
    LogQuery(since=NOON, reason="Taken", cycle="one"),
)


class LogStoreContract:
    """Lines come newest first, are found by what they say, and go when their time is over."""

    async def test_a_line_comes_back_as_it_was_written(self, store: Store) -> None:
        path = AttributePath("title")
        values = {path: ValueChange(None, ["a", {"b": 1}])}
        entry = replace(make_entry("p1"), duration=timedelta(seconds=1.25), values=values)
        await store.append_log(CRM.connector, [entry])
        assert await store.log(CRM.connector, WHOLE_LOG, 9) == [entry]

    async def test_only_lines_to_which_all_of_a_query_applies_are_found(self, store: Store) -> None:
        await store.append_log(CRM.connector, [FIRST, SECOND])
        for query in OF_THE_FIRST:
            assert await store.log(CRM.connector, query, 9) == [FIRST], query
            assert await store.log(CRM.connector, replace(query, action="Delete"), 9) == [], query

    async def test_the_first_moment_is_in_and_the_last_is_not(self, store: Store) -> None:
        await store.append_log(CRM.connector, [FIRST, SECOND])
        assert await store.log(CRM.connector, LogQuery(since=NOON + HOUR), 9) == [SECOND]
        assert await store.log(CRM.connector, LogQuery(since=NOON, until=NOON), 9) == []

    async def test_pages_follow_each_other_while_lines_are_written(self, store: Store) -> None:
        await store.append_log(CRM.connector, [make_entry("p1", str(number)) for number in range(5)])
        first = await store.log(CRM.connector, WHOLE_LOG, 2)
        await store.append_log(CRM.connector, [make_entry("p1", "later")])
        second = await store.log(CRM.connector, LogQuery(before=first[-1].number), 9)
        assert _details([*first, *second]) == ["4", "3", "2", "1", "0"]

    async def test_whoever_follows_gets_the_lines_of_all_connectors_in_their_order(self, store: Store) -> None:
        await store.append_log(CRM.connector, [make_entry("p1", "1"), make_entry("p1", "2")])
        await store.append_log(WIKI.connector, [make_entry("p2", "3")])
        first = await store.follow_log(0, 2)
        second = await store.follow_log(first[-1][1].number, 2)
        told = [(connector, entry.detail) for connector, entry in [*first, *second]]
        assert told == [(CRM.connector, "1"), (CRM.connector, "2"), (WIKI.connector, "3")]
        assert await store.follow_log(second[-1][1].number, 2) == []

    async def test_no_number_comes_twice_though_all_lines_are_gone(self, store: Store) -> None:
        await store.append_log(CRM.connector, [FIRST, SECOND])
        last = (await store.follow_log(0, 9))[-1][1].number
        await store.trim_log(CRM.connector, SECOND.time + HOUR, 100)
        assert await store.follow_log(0, 9) == []
        await store.append_log(CRM.connector, [FIRST])
        assert [entry.number > last for _, entry in await store.follow_log(last, 9)] == [True]

    async def test_how_far_the_lines_were_told_is_kept_and_begins_with_those_that_are_there(self, store: Store) -> None:
        assert await store.log_told() == 0
        await store.append_log(CRM.connector, [FIRST, SECOND])
        assert await store.log_told() == (await store.follow_log(0, 9))[-1][1].number
        await store.save_log_told(7)
        await store.save_log_told(9)
        assert await store.log_told() == 9

    async def test_lines_that_are_too_old_go_and_those_of_others_stay(self, store: Store) -> None:
        for connector in (CRM.connector, WIKI.connector):
            await store.append_log(connector, [FIRST, SECOND])
        assert not await store.trim_log(CRM.connector, NOON + HOUR, 100)
        assert await store.log(CRM.connector, WHOLE_LOG, 9) == [SECOND]
        assert len(await store.log(WIKI.connector, WHOLE_LOG, 9)) == 2

    async def test_an_old_line_behind_a_younger_one_goes_too(self, store: Store) -> None:
        await store.append_log(CRM.connector, [SECOND, FIRST])
        await store.trim_log(CRM.connector, NOON + HOUR, 100)
        assert await store.log(CRM.connector, WHOLE_LOG, 9) == [SECOND]

    async def test_of_too_many_lines_the_oldest_go(self, store: Store) -> None:
        for number in range(6):
            await store.append_log(CRM.connector, [make_entry("p1", str(number))])
            await store.append_log(WIKI.connector, [make_entry("p1", str(number))])
        await store.trim_log(CRM.connector, NOON, 4)
        assert _details(await store.log(CRM.connector, WHOLE_LOG, 9)) == ["5", "4", "3", "2"]
        assert len(await store.log(WIKI.connector, WHOLE_LOG, 9)) == 6

    async def test_a_long_log_is_trimmed_in_pieces_to_its_end(self, store: Store) -> None:
        await store.append_log(CRM.connector, [make_entry(None, "old")] * 2500 + [SECOND])
        pieces = 1
        while await store.trim_log(CRM.connector, NOON + HOUR, 1_000_000):
            pieces += 1
        assert pieces > 1
        assert await store.log(CRM.connector, WHOLE_LOG, 9) == [SECOND]

    async def test_whoever_has_lines_is_told_also_when_he_is_gone(self, store: Store) -> None:
        await store.append_log(CRM.connector, [FIRST])
        await store.append_log(WIKI.connector, [FIRST])
        await store.retire(CRM.connector, NOON)
        await store.trim_log(WIKI.connector, NOON + HOUR, 9)
        assert list(await store.logged_connectors()) == [CRM.connector]

    async def test_there_is_no_log_of_a_connector_that_nobody_knows(self, store: Store) -> None:
        unknown = ConnectorKey("identity/unknown")
        assert not await store.trim_log(unknown, NOON, 1)
        assert await store.log(unknown, WHOLE_LOG, 9) == []


def _details(entries: Sequence[LogEntry]) -> list[str]:
    return [entry.detail for entry in entries]
