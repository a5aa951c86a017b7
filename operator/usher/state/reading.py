"""What is under a store that only reads: a second connection to a state that this process has."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path
from typing import Final

import psycopg
from sqlalchemy import Connection, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import StaticPool

from usher.core.errors import CycleError
from usher.state.nul import allow_nul
from usher.state.postgres import PostgresServer, Raw, configure
from usher.state.sqlite import explain

LONGEST: Final = 10.0
"""Seconds that one transaction may read: a walk through a million lines must not keep the next question waiting."""
_SETTINGS: Final = {
    "default_transaction_read_only": "on",
    "statement_timeout": f"{LONGEST:.0f}s",
    "idle_in_transaction_session_timeout": "30s",
}
_STEPS: Final = 10_000
"""Instructions of SQLite between two looks at the clock: some hundreds of microseconds."""


class ReadFile:
    """The Medium of a file that has a write-ahead log: readers and the writer don't wait for each other."""

    shared: Final = False

    def __init__(self, path: Path) -> None:
        self._path = path.resolve()
        self._deadline = 0.0
        self.engine = create_engine("sqlite://", creator=self._connect, poolclass=StaticPool, hide_parameters=True)
        event.listen(self.engine, "begin", self._began)

    def unusable(self, error: DBAPIError | OSError | str) -> CycleError:
        """As for the writer."""
        if isinstance(error, DBAPIError) and getattr(error.orig, "sqlite_errorcode", 0) == sqlite3.SQLITE_INTERRUPT:
            return _too_long()
        return explain(str(self._path), error)

    def _connect(self) -> sqlite3.Connection:
        raw = sqlite3.connect(f"{self._path.as_uri()}?mode=ro", uri=True, check_same_thread=False)
        raw.execute("PRAGMA query_only=ON")
        raw.execute("PRAGMA busy_timeout=5000")
        raw.execute("PRAGMA trusted_schema=OFF")
        raw.set_progress_handler(self._is_late, _STEPS)
        return raw

    def _began(self, connection: Connection) -> None:
        self._deadline = time.monotonic() + LONGEST
        connection.exec_driver_sql("BEGIN")  # as for the writer: the driver begins none for a SELECT

    def _is_late(self) -> bool:
        return time.monotonic() > self._deadline


class ReadServer(PostgresServer):
    """The Medium of a database on a server: it takes no lock, and the server refuses what writes."""

    def unusable(self, error: DBAPIError | OSError | str) -> CycleError:
        """As for the writer."""
        if isinstance(error, DBAPIError) and isinstance(error.orig, psycopg.errors.QueryCanceled):
            return _too_long()
        return super().unusable(error)

    def _prepare(self, raw: Raw) -> None:
        configure(raw, _SETTINGS)
        allow_nul(raw)


def _too_long() -> CycleError:
    return CycleError(
        f"the state was read for {LONGEST:.0f} seconds without an end: ask for less, such as a shorter time",
        reason="TooLong",
    )
