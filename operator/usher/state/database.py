"""The one thread that speaks to the database.

The event loop hands over whole transactions and never waits for a disk. One connection in one thread: no two
transactions overlap, and a caller that is cancelled leaves a transaction that is whole or was never begun.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from stat import S_IMODE
from typing import Any, Concatenate, Final, ParamSpec, Self, TypeVar

import orjson
from sqlalchemy import Column, ColumnElement, Connection, Engine, create_engine, event, insert, inspect, select, true
from sqlalchemy.engine import URL
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import ConnectionPoolEntry, StaticPool

from usher.state.schema import SCHEMA_VERSION, metadata, schema_version
from usher.state.statefile import PRIVATE, unusable
from usher.state.statements import AnyRow, AnySelect, after, fetch

P = ParamSpec("P")
T = TypeVar("T")

PAGE: Final = 256
"""Rows with content in one page: about half a megabyte of people."""

_PRAGMAS: Final = (
    "busy_timeout=5000",
    "cache_size=-16384",
    "foreign_keys=ON",
    "journal_size_limit=67108864",
    "trusted_schema=OFF",
    "wal_autocheckpoint=8192",
)


_SYNCHRONOUS: Final = "usher_synchronous"


@dataclass(frozen=True, slots=True)
class Order:
    """How pages follow each other: by `keys`, unique together and part of the selection.

    `start` is where the first page begins. It stands apart, as later pages begin behind the last row, and of two lower
    bounds SQLite would seek to the wrong one.
    """

    keys: Sequence[Column[Any]]
    start: ColumnElement[bool] = field(default_factory=true)


class Database:
    """One database, one connection, one thread. What the database refuses comes out as CycleError `StateUnusable`."""

    def __init__(self, name: str, engine: Engine, executor: ThreadPoolExecutor) -> None:
        self._name = name
        self._engine = engine
        self._hasty = engine.execution_options(**{_SYNCHRONOUS: "NORMAL"})
        self._executor = executor

    @classmethod
    async def open(cls, path: Path | None) -> Self:
        """SQLite in the file, or in memory; its schema is made where there is none, and checked where there is one."""
        executor = ThreadPoolExecutor(1, thread_name_prefix="usher-state")
        database = cls("memory" if path is None else str(path), _make_engine(path), executor)
        try:
            await database.run(_prepare, database._name)
            if path is not None:
                await database.run(_take_over, path)
        except BaseException:
            await database.close()
            raise
        return database

    async def close(self) -> None:
        """Lets the running transaction end, then closes the connection and the thread."""
        closing = asyncio.get_running_loop().run_in_executor(self._executor, self._engine.dispose)
        try:
            await asyncio.shield(closing)
        finally:
            self._executor.shutdown()

    async def run(self, work: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """One transaction in the thread of the database: all of `work`, or (when it raises) nothing of it.

        It is on the disk when this returns.
        """
        return await self._transact(self._engine, lambda connection: work(connection, *args, **kwargs))

    async def jot(self, work: Callable[Concatenate[Connection, P], None], *args: P.args, **kwargs: P.kwargs) -> None:
        """As `run`, without waiting for the disk: for what the next cycle makes again.

        It gets there with the next `run` that writes, at the latest. A loss of power before that takes it away, whole;
        a kill of the process does not.
        """
        await self._transact(self._hasty, lambda connection: work(connection, *args, **kwargs))

    async def _transact(self, engine: Engine, work: Callable[[Connection], T]) -> T:
        def transact() -> T:
            try:
                with engine.begin() as connection:
                    return work(connection)
            except DBAPIError as error:
                raise unusable(self._name, str(error.orig)) from error
            except OSError as error:
                raise unusable(self._name, error.strerror or type(error).__name__) from error
            except orjson.JSONDecodeError as error:
                raise unusable(self._name, "a row holds no JSON") from error

        return await asyncio.get_running_loop().run_in_executor(self._executor, transact)

    async def rows(self, statement: AnySelect, read: Callable[[AnyRow], T]) -> list[T]:
        """All rows of one statement."""
        return await self.run(fetch, statement, read)

    async def pages(
        self, statement: AnySelect, order: Order, read: Callable[[AnyRow], T], size: int = PAGE
    ) -> AsyncIterator[Sequence[T]]:
        """The rows in their order, each page a transaction of its own.

        Between two pages anything may change: no row is seen twice, and none is missed that keeps its place.
        """
        ordered = statement.order_by(*order.keys).limit(size)
        items, last = await self.run(_page, ordered.where(order.start), order.keys, read)
        while items:
            yield items
            if len(items) < size:
                return
            items, last = await self.run(_page, ordered.where(after(order.keys, last)), order.keys, read)


class OnDatabase:
    """A part of the store: it has a database and no state of its own."""

    def __init__(self, database: Database) -> None:
        self._database = database


def _page(
    connection: Connection, statement: AnySelect, keys: Sequence[Column[Any]], read: Callable[[AnyRow], T]
) -> tuple[list[T], Sequence[Any]]:
    rows = connection.execute(statement).all()
    last = [getattr(rows[-1], key.name) for key in keys] if rows else []
    return [read(row) for row in rows], last


def _make_engine(path: Path | None) -> Engine:
    url = URL.create("sqlite", database=None if path is None else str(path))
    # hide_parameters: an error of the database would else show rows, and with them people.
    engine = create_engine(url, poolclass=StaticPool, hide_parameters=True)

    def connected(raw: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        cursor = raw.cursor()
        for pragma in _PRAGMAS:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    def began(connection: Connection) -> None:
        level = connection.get_execution_options().get(_SYNCHRONOUS, "FULL")
        if connection.info.get(_SYNCHRONOUS) != level:
            connection.exec_driver_sql(f"PRAGMA synchronous={level}")  # can't change inside a transaction
            connection.info[_SYNCHRONOUS] = level
        # The driver alone begins no transaction for CREATE TABLE (a kill would leave half a schema), nor for a SELECT.
        connection.exec_driver_sql("BEGIN")

    event.listen(engine, "connect", connected)
    event.listen(engine, "begin", began)
    return engine


def _take_over(connection: Connection, path: Path) -> None:
    """The file is known to be ours: from here on it is private, and has a write-ahead log (that inherits its mode).

    A file that had a log before and came here readable by others has opened its log in that mode already.
    """
    for file in (path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
        if file.exists() and S_IMODE(file.stat().st_mode) != PRIVATE:
            file.chmod(PRIVATE)
    connection.exec_driver_sql("COMMIT")  # the mode of the journal can't change inside a transaction
    connection.exec_driver_sql("PRAGMA journal_mode=WAL")


def _prepare(connection: Connection, name: str) -> None:
    tables = inspect(connection).get_table_names()
    if not tables:
        metadata.create_all(connection)
        connection.execute(insert(schema_version).values(version=SCHEMA_VERSION))
        return
    if schema_version.name not in tables:
        raise unusable(name, "it is a database of another program")
    version = connection.execute(select(schema_version.c.version)).scalar()
    if version != SCHEMA_VERSION:
        raise unusable(name, f"it has schema {version}, this program knows schema {SCHEMA_VERSION}")
