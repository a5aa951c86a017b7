"""A second connection, over which a state that is in use can be read and not written."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import Connection

from database.keys import make_keys
from usher.contracts.log import WHOLE_LOG
from usher.core.errors import CycleError
from usher.state import reading
from usher.state.places import Server
from usher.state.store import SqlStore, open_store, open_to_read
from usher.testing.store_examples import CRM, make_entry


@pytest.fixture(params=["file", "server"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Path | Server:
    if request.param == "file":
        return tmp_path / "a state #1?.db"
    server: Server = request.getfixturevalue("state_server")
    return server


@pytest.mark.parametrize("keys", ["", "1"])
async def test_a_reader_sees_what_is_written_and_can_write_nothing(
    place: Path | Server, keys: str, tmp_path: Path
) -> None:
    folder = make_keys(tmp_path / "keys", keys) if keys else None
    async with open_store(place, folder) as store, open_to_read(place, folder) as read:
        await store.append_log(CRM.connector, [make_entry("p1", "first\x00")])
        assert await read.log(CRM.connector, WHOLE_LOG, 9) == await store.log(CRM.connector, WHOLE_LOG, 9) != []
        for write in (read.append_log(CRM.connector, [make_entry("p1")]), read.release(CRM.connector)):
            with pytest.raises(CycleError):
                await write
        await store.append_log(CRM.connector, [make_entry("p1", "second")])
        assert [one.detail for one in await read.log(CRM.connector, WHOLE_LOG, 9)] == ["second", "first\x00"]


async def test_neither_waits_for_a_transaction_of_the_other(place: Path | Server) -> None:
    async with open_store(place) as store, open_to_read(place) as read:
        await store.append_log(CRM.connector, [make_entry("p1", "first")])
        for busy, other in ((read, store), (store, read)):
            assert isinstance(busy, SqlStore)
            begun, released = threading.Event(), threading.Event()

            def hold(connection: Connection, begun: threading.Event = begun, end: threading.Event = released) -> None:
                connection.exec_driver_sql("SELECT count(*) FROM log_entries")
                begun.set()
                assert end.wait(20)

            holding = asyncio.create_task(busy._database.run(hold))
            assert await asyncio.to_thread(begun.wait, 5)
            assert len(await other.log(CRM.connector, WHOLE_LOG, 9)) >= 1
            if other is store:
                await other.append_log(CRM.connector, [make_entry("p1", "meanwhile")])
            assert not holding.done()
            released.set()
            await holding


ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"


async def test_a_walk_without_end_is_ended_and_the_next_question_is_answered(
    place: Path | Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "LONGEST", 1.0)
    monkeypatch.setitem(reading._SETTINGS, "statement_timeout", "1s")
    async with open_store(place), open_to_read(place) as read:
        assert isinstance(read, SqlStore)
        began = time.monotonic()
        with pytest.raises(CycleError) as caught:
            await read._database.run(lambda connection: connection.exec_driver_sql(ENDLESS).scalar())
        assert caught.value.reason == "TooLong"
        assert time.monotonic() - began < 20
        assert await read.log(CRM.connector, WHOLE_LOG, 9) == []


async def test_a_file_that_is_damaged_is_told_to_readers_as_to_everybody(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    async with open_store(path):
        pass
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TABLE log_entries")
    async with open_to_read(path) as read:
        with pytest.raises(CycleError) as caught:
            await read.log(CRM.connector, WHOLE_LOG, 9)
    assert caught.value.reason == "StateUnusable"
