"""The provisioning log on standard output: each line, in order, and after a restart none is missing."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from usher.contracts.store import Store
from usher.kube import log_stream
from usher.kube.log_stream import LogStream, streaming
from usher.state.store import open_store, open_to_read
from usher.testing.store_examples import CRM, WIKI, make_entry


@pytest.fixture
async def stores(tmp_path: Path) -> AsyncIterator[tuple[Store, Store]]:
    """The store, and the same to read."""
    async with open_store(tmp_path / "state.db") as store, open_to_read(tmp_path / "state.db") as reader:
        yield store, reader


def said(output: io.StringIO) -> list[str]:
    return [json.loads(line)["detail"] for line in output.getvalue().splitlines()]


async def until(check: Callable[[], bool]) -> None:
    for _ in range(1000):
        if check():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never came to that")


async def write(store: Store, *details: str) -> None:
    await store.append_log(CRM.connector, [make_entry("p1", detail) for detail in details])


async def test_lines_come_in_order_with_their_connector_and_number(stores: tuple[Store, Store]) -> None:
    store, reader = stores
    output = io.StringIO()
    async with streaming(LogStream(reader, store, output, every=0.01)):
        await write(store, "first")
        await store.append_log(WIKI.connector, [make_entry("p2", "second")])
        await until(lambda: len(said(output)) == 2)
        await write(store, "at the end")
    lines = [json.loads(line) for line in output.getvalue().splitlines()]
    assert [line["detail"] for line in lines] == ["first", "second", "at the end"]
    assert [line["connector"] for line in lines] == [CRM.connector, WIKI.connector, CRM.connector]
    assert [line["sourceId"] for line in lines] == ["p1", "p2", "p1"]
    numbers = [line["number"] for line in lines]
    assert numbers == sorted(set(numbers))


async def test_it_begins_where_the_option_is_given_and_goes_on_after_a_restart(stores: tuple[Store, Store]) -> None:
    store, reader = stores
    await write(store, "before anybody listened")
    first, second = io.StringIO(), io.StringIO()
    async with streaming(LogStream(reader, store, first)):
        pass
    await write(store, "while nobody ran")
    async with streaming(LogStream(reader, store, second)):
        pass
    assert (said(first), said(second)) == ([], ["while nobody ran"])


async def test_a_long_log_comes_whole(stores: tuple[Store, Store], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_stream, "AT_ONCE", 7)
    store, reader = stores
    output = io.StringIO()
    async with streaming(LogStream(reader, store, output)):
        await write(store, *map(str, range(50)))
    assert said(output) == [str(number) for number in range(50)]


class Broken(io.StringIO):
    """Takes nothing, until it is mended."""

    broken = True

    def write(self, text: str) -> int:
        if self.broken:
            raise OSError("no space")
        return super().write(text)


async def test_what_could_not_be_written_is_written_later(
    stores: tuple[Store, Store], caplog: pytest.LogCaptureFixture
) -> None:
    store, reader = stores
    output = Broken()
    async with streaming(LogStream(reader, store, output, every=0.01)):
        await write(store, "somebody")
        await until(lambda: bool(caplog.records))
        output.broken = False
    assert said(output) == ["somebody"]
    assert "somebody" not in caplog.text
