"""SQLite under a store: a file that is ours, or memory."""

from __future__ import annotations

from pathlib import Path
from stat import S_IMODE
from typing import Final

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import ConnectionPoolEntry, StaticPool

from usher.core.errors import CycleError
from usher.state.database import HASTY, LOOSE
from usher.state.statefile import PRIVATE, unusable

_PRAGMAS: Final = (
    "busy_timeout=5000",
    "cache_size=-16384",
    "foreign_keys=ON",
    "journal_size_limit=67108864",
    "trusted_schema=OFF",
    "wal_autocheckpoint=8192",
)
_SYNCHRONOUS: Final = "usher_synchronous"


class SqliteFile:
    """The Medium of a file, or of memory with None."""

    shared: Final = False

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self.engine: Engine = _make_engine(path)

    def unusable(self, error: DBAPIError | OSError | str) -> CycleError:
        """As `statefile.unusable`."""
        return explain("memory" if self._path is None else str(self._path), error)

    def take_over(self, connection: Connection) -> None:
        """The file is known to be ours: from here on it is private, and has a write-ahead log (that inherits its mode).

        A file that had a log before and came here readable by others has opened its log in that mode already.
        """
        path = self._path
        if path is None:
            return
        for file in (path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
            if file.exists() and S_IMODE(file.stat().st_mode) != PRIVATE:
                file.chmod(PRIVATE)
        connection.exec_driver_sql("COMMIT")  # the mode of the journal can't change inside a transaction
        connection.exec_driver_sql("PRAGMA journal_mode=WAL")

    def wipe(self, connection: Connection) -> None:
        """Writes the database anew, so that no page holds what was changed or deleted. Ends the transaction first.

        The log goes too: it would hold the pages of before.
        """
        connection.exec_driver_sql("COMMIT")  # nor can VACUUM run inside of one
        connection.exec_driver_sql("VACUUM")
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")


def explain(name: str, error: DBAPIError | OSError | str) -> CycleError:
    """What is told of a file that refuses."""
    match error:
        case DBAPIError():
            return unusable(name, str(error.orig))
        case OSError():
            return unusable(name, error.strerror or type(error).__name__)
        case str():
            return unusable(name, error)


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
        loose = bool(connection.get_execution_options().get(LOOSE))
        if connection.info.get(LOOSE, False) != loose:
            connection.exec_driver_sql(f"PRAGMA foreign_keys={'OFF' if loose else 'ON'}")  # nor can this
            connection.info[LOOSE] = loose
        level = "NORMAL" if connection.get_execution_options().get(HASTY) else "FULL"
        if connection.info.get(_SYNCHRONOUS) != level:
            connection.exec_driver_sql(f"PRAGMA synchronous={level}")  # can't change inside a transaction
            connection.info[_SYNCHRONOUS] = level
        # The driver alone begins no transaction for CREATE TABLE (a kill would leave half a schema), nor for a SELECT.
        connection.exec_driver_sql("BEGIN")

    event.listen(engine, "connect", connected)
    event.listen(engine, "begin", began)
    return engine
