"""The state of all runs: one database in memory, which is put back to what it was as often as somebody likes."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Self, cast

from sqlalchemy import Connection, event
from sqlalchemy.exc import OperationalError

from simulation.process import CURRENT
from usher.contracts.permits import FOR_EVER
from usher.contracts.store import Store
from usher.state.store import SqlStore, open_store


class Fenced:
    """The store as it is on a server: a process that was stopped for long finds that it is another one's."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)

    async def confirm(self) -> float:
        """As `TenureStore.confirm`."""
        process = CURRENT.get()
        if process is not None and process.confirm() is not None:
            await process.stop()
            process.refuse_the_state()
        return FOR_EVER


class States:
    """The store, with the bytes under it. A commit that changes something is a boundary of its process."""

    def __init__(self, store: SqlStore) -> None:
        self.store: Store = cast(Store, Fenced(store))
        self._engine = store._database._medium.engine
        raw = self._engine.raw_connection()
        connection = raw.driver_connection
        assert isinstance(connection, sqlite3.Connection)
        self._raw = connection
        raw.close()
        self.blank = self.take()
        self._changes = 0
        event.listen(self._engine, "begin", self._began)
        event.listen(self._engine, "commit", self._commits)

    @classmethod
    @asynccontextmanager
    async def open(cls) -> AsyncIterator[Self]:
        """An empty one."""
        async with open_store(None) as store:
            assert isinstance(store, SqlStore)
            yield cls(store)

    def take(self) -> bytes:
        """All of it."""
        return self._raw.serialize()

    def put(self, content: bytes) -> None:
        """What `take` gave."""
        self._raw.deserialize(content)

    def _began(self, connection: Connection) -> None:
        del connection
        process = CURRENT.get()
        if process is not None:
            process.refuse_the_state()
        self._changes = self._raw.total_changes

    def _commits(self, connection: Connection) -> None:
        """Raises what a disk or a kill would; the transaction is rolled back then."""
        del connection
        process = CURRENT.get()
        if process is None or self._raw.total_changes == self._changes:
            return
        match process.write():
            case "kill-before-write":
                process.die()
            case "kill-after-write":
                process.dies_after_commit = True
            case "disk-full":
                raise OperationalError("commit", {}, sqlite3.OperationalError("database or disk is full"))
            case "disk-error":
                raise OSError(errno.EIO, "Input/output error")
            case _:
                return
