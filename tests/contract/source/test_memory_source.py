"""The memory source fulfils the contract, with and without changes to tell."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from usher.contracts.source import Watermark
from usher.core.model.resources import SourceId, Value
from usher.testing.memory_source import MemoryFeed, MemorySource
from usher.testing.source_contract import SourceContract, SourceUnderTest


def under_test(memory: MemorySource) -> SourceUnderTest:
    """A source with five people, who know their ids."""

    async def change(person: Mapping[str, Value]) -> None:
        memory.put(str(person["id"]), **{**person, "title": f"not {person.get('title')}"})

    async def remove(person: Mapping[str, Value]) -> None:
        if isinstance(memory, MemoryFeed) and not memory.lists_present:
            memory.bury(str(person["id"]))
        else:
            memory.drop(str(person["id"]))

    async def add() -> None:
        memory.put("new", id="new", mail="new@example.com")

    async def expire(watermark: Watermark) -> Watermark:
        assert isinstance(memory, MemoryFeed)
        memory.expired = True
        return watermark

    for number in range(5):
        memory.people[SourceId(f"p{number}")] = {"id": f"p{number}", "title": "Engineer"}
    return SourceUnderTest(memory.open, change, remove, add, expire)


class TestMemorySource(SourceContract):
    tells_changes = False

    @pytest.fixture
    def source(self) -> SourceUnderTest:
        return under_test(MemorySource(page_size=2))


class TestMemoryFeedWithTombstones(SourceContract):
    @pytest.fixture
    def source(self) -> SourceUnderTest:
        return under_test(MemoryFeed(page_size=2))


class TestMemoryFeedThatListsWhoIsThere(SourceContract):
    @pytest.fixture
    def source(self) -> SourceUnderTest:
        return under_test(MemoryFeed(page_size=2, lists_present=True))
