"""The thread of the database and the event loop."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest
from sqlalchemy import Connection, insert, inspect, select

from unit.state.databases import open_database
from usher.core.errors import CycleError
from usher.state.schema import connectors


def add_connector(connection: Connection, key: str) -> None:
    connection.execute(insert(connectors).values(key=key))


def read_keys(connection: Connection) -> list[str]:
    return list(connection.execute(select(connectors.c.key)).scalars())


async def test_the_loop_runs_while_the_database_works() -> None:
    database = await open_database(None)
    released = threading.Event()
    job = asyncio.create_task(database.run(lambda _: released.wait(5)))
    await asyncio.sleep(0.01)
    released.set()
    assert await job
    await database.close()


@pytest.mark.parametrize(("pragma", "value"), [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1)])
async def test_a_file_is_opened_for_durable_commits_and_kept_references(
    tmp_path: Path, pragma: str, value: object
) -> None:
    (tmp_path / "state.db").touch()
    database = await open_database(tmp_path / "state.db")
    assert await database.run(lambda connection: connection.exec_driver_sql(f"PRAGMA {pragma}").scalar()) == value
    await database.close()


async def test_only_what_is_made_again_does_not_wait_for_the_disk() -> None:
    database = await open_database(None)
    levels: list[object] = []

    def note(connection: Connection) -> None:
        levels.append(connection.exec_driver_sql("PRAGMA synchronous").scalar())

    for transact in (database.run, database.jot, database.run, database.jot):
        await transact(note)
    assert levels == [2, 1, 2, 1]
    await database.close()


async def test_what_is_jotted_is_there_for_the_next_transaction_whole_or_not_at_all() -> None:
    database = await open_database(None)

    def fail(connection: Connection) -> None:
        add_connector(connection, "hr/never")
        raise LookupError

    await database.jot(add_connector, "hr/crm")
    with pytest.raises(LookupError):
        await database.jot(fail)
    assert await database.run(read_keys) == ["hr/crm"]
    await database.close()


async def test_a_transaction_that_fails_leaves_nothing() -> None:
    database = await open_database(None)

    def fail(connection: Connection) -> None:
        add_connector(connection, "hr/crm")
        raise LookupError

    with pytest.raises(LookupError):
        await database.run(fail)
    assert await database.run(read_keys) == []
    await database.close()


async def test_a_schema_is_made_whole_or_not_at_all() -> None:
    database = await open_database(None)

    def make_half(connection: Connection) -> None:
        connection.exec_driver_sql("CREATE TABLE half (id INTEGER)")
        raise LookupError

    with pytest.raises(LookupError):
        await database.run(make_half)
    assert "half" not in await database.run(lambda connection: inspect(connection).get_table_names())
    await database.close()


async def test_a_cancelled_caller_leaves_a_whole_transaction() -> None:
    database = await open_database(None)
    started, released = threading.Event(), threading.Event()

    def wait_inside(connection: Connection) -> None:
        add_connector(connection, "hr/crm")
        started.set()
        released.wait(5)
        add_connector(connection, "hr/wiki")

    running = asyncio.create_task(database.run(wait_inside))
    queued = asyncio.create_task(database.run(add_connector, "hr/never"))
    assert await asyncio.to_thread(started.wait, 5)
    running.cancel()
    queued.cancel()
    await asyncio.gather(running, queued, return_exceptions=True)
    released.set()
    assert sorted(await database.run(read_keys)) == ["hr/crm", "hr/wiki"]
    await database.close()


async def test_closing_waits_for_the_running_transaction() -> None:
    database = await open_database(None)
    done: list[str] = []
    job = asyncio.create_task(database.run(lambda _: done.append("whole")))
    await asyncio.sleep(0)
    await database.close()
    assert done == ["whole"]
    await job


async def test_an_error_of_the_database_names_no_person() -> None:
    database = await open_database(None)
    await database.run(add_connector, "ann@example.com")
    with pytest.raises(CycleError) as refused:
        await database.run(add_connector, "ann@example.com")
    assert refused.value.reason == "StateUnusable"
    assert "ann" not in str(refused.value)
    assert "ann" not in str(refused.value.__cause__)
    await database.close()
