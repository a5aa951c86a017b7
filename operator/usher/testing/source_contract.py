"""What every source has to prove. Subclass `SourceContract` in a test module, give the fixture `source`, run pytest.

    class TestMySource(SourceContract):
        @pytest.fixture
        async def source(self) -> AsyncIterator[SourceUnderTest]:
            ...

What a source can't do is said by a class attribute; the test then holds it to what follows from that, so nothing is
skipped.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Final

import pytest

from usher.contracts.source import (
    ChangesComplete,
    ReadComplete,
    SourceOpener,
    SourceReader,
    SupportsChanges,
    Watermark,
)
from usher.core.errors import WatermarkExpired
from usher.core.model.resources import ResourceType, SourceId, Value
from usher.core.sync.fingerprints import fingerprint

USER: Final = ResourceType.USER
People = Mapping[SourceId, Mapping[str, Value]]


@dataclass(frozen=True, slots=True)
class SourceUnderTest:
    """The way in, and a hand behind it. The source holds at least three people.

    `change` changes an attribute of somebody, `remove` ends somebody: each takes the person's attributes as they were
    read. `add` makes somebody new. `expire` makes a watermark one that the source gave long ago, or for something else.
    """

    open: SourceOpener
    change: Callable[[Mapping[str, Value]], Awaitable[None]]
    remove: Callable[[Mapping[str, Value]], Awaitable[None]]
    add: Callable[[], Awaitable[None]]
    expire: Callable[[Watermark], Awaitable[Watermark]]


class SourceContract:
    """The suite. Class attributes say what a read of changes tells."""

    tells_changes: ClassVar[bool] = True
    tells_deletions: ClassVar[bool] = True
    reads_before_changes: ClassVar[int] = 1
    """Whole reads until a watermark is one that changes can be read from."""

    async def test_a_read_ends_in_the_one_item_that_says_so(self, source: SourceUnderTest) -> None:
        async with source.open() as reader:
            items = [item async for item in reader.fetch(USER, None)]
        assert isinstance(items[-1], ReadComplete)
        assert not any(isinstance(item, ReadComplete) for item in items[:-1])

    async def test_everybody_comes_once_with_an_id_and_values_that_can_be_compared(
        self, source: SourceUnderTest
    ) -> None:
        async with source.open() as reader:
            items = [item async for item in reader.fetch(USER, None)]
        resources = [each for item in items if not isinstance(item, ReadComplete) for each in item]
        assert len({each.id for each in resources}) == len(resources) >= 3
        for resource in resources:
            assert resource.id
            assert fingerprint(resource.attributes)
            assert all(value is not None for value in resource.attributes.values())

    async def test_every_name_that_somebody_has_is_known(self, source: SourceUnderTest) -> None:
        people, end = await self._read(source, None)
        assert {name for attributes in people.values() for name in attributes} <= set(end.attributes)
        assert len(set(end.attributes)) == len(end.attributes)

    async def test_a_second_read_brings_the_same_in_this_conversation_and_in_the_next(
        self, source: SourceUnderTest
    ) -> None:
        async with source.open() as reader:
            first = await self._fetch(reader, None)
            second = await self._fetch(reader, first[1].watermark)
        third = await self._read(source, second[1].watermark)
        assert first[0] == second[0] == third[0]
        assert first[1].attributes == second[1].attributes == third[1].attributes

    async def test_the_scheme_of_ids_is_the_same_each_time(self, source: SourceUnderTest) -> None:
        async with source.open() as first, source.open() as second:
            assert first.identity == second.identity
            assert first.identity

    async def test_whoever_is_changed_keeps_the_id(self, source: SourceUnderTest) -> None:
        before, _ = await self._read(source, None)
        someone = next(iter(before))
        await source.change(before[someone])
        after, _ = await self._read(source, None)
        assert set(after) == set(before)
        assert {each for each in before if before[each] != after[each]} == {someone}

    async def test_whoever_is_new_or_gone_is_so_in_the_next_read(self, source: SourceUnderTest) -> None:
        before, _ = await self._read(source, None)
        gone = next(iter(before))
        await source.remove(before[gone])
        await source.add()
        after, _ = await self._read(source, None)
        assert gone not in after
        assert len(set(after) - set(before)) == 1
        assert set(before) - set(after) == {gone}

    # --- changes ---

    async def test_a_watermark_is_given_where_changes_can_be_told(self, source: SourceUnderTest) -> None:
        async with source.open() as reader:
            assert isinstance(reader, SupportsChanges) is self.tells_changes
        assert (await self._since(source) is not None) is self.tells_changes

    async def test_changes_end_in_the_one_item_that_says_so(self, source: SourceUnderTest) -> None:
        since = await self._since(source)
        async with source.open() as reader:
            if not isinstance(reader, SupportsChanges) or since is None:
                assert not self.tells_changes
                return
            items = [item async for item in reader.fetch_changes(USER, since)]
        assert isinstance(items[-1], ChangesComplete)
        assert not any(isinstance(item, ChangesComplete) for item in items[:-1])

    async def test_what_changed_since_is_told_as_it_is_now(self, source: SourceUnderTest) -> None:
        since = await self._since(source)
        before, _ = await self._read(source, None)
        gone, changed, *_ = before
        await source.change(before[changed])
        await source.remove(before[gone])
        await source.add()
        after, _ = await self._read(source, None)
        found = await self._changes(source, since)
        if found is None:
            return
        told, end = found
        (added,) = set(after) - set(before)
        assert {each: told[each] for each in (changed, added)} == {each: after[each] for each in (changed, added)}
        assert gone not in told or told[gone] is None
        assert all(told[each] == after[each] for each in told if each in after)
        away = {each for each, attributes in told.items() if attributes is None}
        if end.present is not None:
            away |= set(before) - set(end.present)
            assert set(end.present) == set(after)
        assert (gone in away) is self.tells_deletions
        assert {name for each in told.values() for name in each or {}} <= set(end.attributes)

    async def test_changes_go_on_from_the_watermark_of_the_last(self, source: SourceUnderTest) -> None:
        since = await self._since(source)
        people, _ = await self._read(source, None)
        for someone in list(people)[:2]:
            await source.change(people[someone])
            now, _ = await self._read(source, None)
            found = await self._changes(source, since)
            if found is None:
                return
            told, end = found
            assert told[someone] == now[someone]
            since = end.watermark

    async def test_reading_changes_twice_from_one_watermark_tells_them_twice(self, source: SourceUnderTest) -> None:
        since = await self._since(source)
        people, _ = await self._read(source, None)
        someone = next(iter(people))
        await source.change(people[someone])
        first, second = await self._changes(source, since), await self._changes(source, since)
        if first is None or second is None:
            return
        assert first[0] == second[0]
        assert someone in first[0]

    async def test_a_watermark_that_means_nothing_any_more_asks_for_a_whole_read(self, source: SourceUnderTest) -> None:
        since = await self._since(source)
        async with source.open() as reader:
            if not isinstance(reader, SupportsChanges) or since is None:
                assert not self.tells_changes
                return
            expired = await source.expire(since)
            with pytest.raises(WatermarkExpired):
                _ = [item async for item in reader.fetch_changes(USER, expired)]

    # --- steps ---

    async def _read(self, source: SourceUnderTest, former: Watermark | None) -> tuple[People, ReadComplete]:
        async with source.open() as reader:
            return await self._fetch(reader, former)

    async def _fetch(self, reader: SourceReader, former: Watermark | None) -> tuple[People, ReadComplete]:
        people: dict[SourceId, Mapping[str, Value]] = {}
        end: ReadComplete | None = None
        async for item in reader.fetch(USER, former):
            if isinstance(item, ReadComplete):
                end = item
            else:
                people.update({each.id: each.attributes for each in item})
        assert end is not None
        return people, end

    async def _since(self, source: SourceUnderTest) -> Watermark | None:
        """A watermark after as many whole reads as the source needs."""
        since: Watermark | None = None
        for _ in range(self.reads_before_changes):
            _, end = await self._read(source, since)
            since = end.watermark
        return since

    async def _changes(
        self, source: SourceUnderTest, since: Watermark | None
    ) -> tuple[dict[SourceId, Mapping[str, Value] | None], ChangesComplete] | None:
        """What a read of changes tells, None for a tombstone; None altogether for a source that tells none."""
        told: dict[SourceId, Mapping[str, Value] | None] = {}
        async with source.open() as reader:
            if not isinstance(reader, SupportsChanges) or since is None:
                assert not self.tells_changes
                return None
            async for item in reader.fetch_changes(USER, since):
                if isinstance(item, ChangesComplete):
                    return told, item
                told.update({each.id: None if each.resource is None else each.resource.attributes for each in item})
        raise AssertionError("the changes ended without saying so")
