from __future__ import annotations

import pytest

from usher.contracts.source import ReadComplete, SourcePage
from usher.core.errors import IncompleteRead
from usher.core.model.resources import ResourceType, SourceId, SourceResource
from usher.testing.memory_source import MemorySource


async def read(source: MemorySource) -> list[SourcePage | ReadComplete]:
    async with source.open() as reader:
        return [item async for item in reader.fetch(ResourceType.USER, None)]


async def test_a_read_brings_everybody_and_ends_in_complete() -> None:
    source = MemorySource(page_size=2, attributes=("mail",))
    for number in range(3):
        source.put(f"p{number}", name=f"n{number}")
    *pages, end = await read(source)
    assert [len(page) for page in pages if not isinstance(page, ReadComplete)] == [2, 1]
    assert end == ReadComplete(watermark=None, attributes=("mail", "name"))


async def test_a_broken_read_stops_after_the_pages_it_was_told_to() -> None:
    source = MemorySource(page_size=1, failure=IncompleteRead("cut"), fail_after=2)
    for number in range(5):
        source.put(f"p{number}")
    reading = source.fetch(ResourceType.USER, None)
    assert [await anext(reading) for _ in range(2)] == [[SourceResource(SourceId(p), {})] for p in ("p0", "p1")]
    with pytest.raises(IncompleteRead):
        await anext(reading)
    assert source.reads == 1


async def test_an_empty_source_reads_as_complete() -> None:
    assert await read(MemorySource()) == [ReadComplete(watermark=None, attributes=())]
