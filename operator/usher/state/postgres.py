"""PostgreSQL under a store: one connection, which is at the same time the proof that the state is ours.

Whoever has the state holds an advisory lock for as long as the connection lives: whatever goes over the connection is
written by the holder, and nobody has to be asked before each write. A connection over which nothing came for `LEASE`
seconds belongs to a process that is stopped, or cut off: who wants the state then has the server end it. When that
process goes on, its connection is broken, and a new one finds another epoch: it writes nothing any more.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Mapping
from typing import Any, Final, TypeAlias

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import TupleRow
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import QueuePool

from usher.core.errors import CycleError, scrub
from usher.state.database import LOOSE, TAKEN
from usher.state.nul import allow_nul
from usher.state.places import Server

LEASE: Final = 30
"""Seconds without a word after which a connection no longer keeps the state."""
OLDEST: Final = 140000
"""PostgreSQL 14: the first whose pg_terminate_backend waits until the connection is gone."""

_LOCK: Final = (0x75736865, 0x72)
_SETTINGS: Final = {
    "statement_timeout": "120s",
    "lock_timeout": "20s",
    "idle_in_transaction_session_timeout": f"{LEASE}s",
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
}
_CONNECTION: Final = {
    "connect_timeout": "10",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "30000",
}
"""What the URL may say otherwise."""
_ATTEMPTS: Final = 20
_PAUSE: Final = 0.1
"""Seconds between attempts: a server takes its time to see that a process has ended."""
_HOLDER: Final = """
SELECT a.pid, coalesce(a.application_name, ''), coalesce(host(a.client_addr), 'the same machine'),
  a.state LIKE 'idle%%' AND a.state_change < clock_timestamp() - make_interval(secs => %s)
FROM pg_locks l JOIN pg_stat_activity a USING (pid)
WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2 AND l.classid = %s::oid AND l.objid = %s::oid
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
_NEXT_EPOCH: Final = """
INSERT INTO tenures (id, epoch) VALUES (1, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint)
ON CONFLICT (id) DO UPDATE SET epoch = greatest(tenures.epoch + 1, excluded.epoch) RETURNING epoch
"""
"""Grows by the clock too: a copy of the state that is put back must not repeat a number."""
_AWAY: Final = ("08", "57", "53", "25P03", "40", "55P03", "28", "3D")
"""SQLSTATEs (the beginning) that speak of the server or the way to it, not of what it was asked to do."""

Raw: TypeAlias = psycopg.Connection[TupleRow]


class PostgresServer:
    """The Medium of a database on a server.

    Every transaction waits for the disk, `jot` too: a server that crashes and comes back would have forgotten the first
    half of a read or of a plan while the process that goes on with the second half lives.
    """

    shared: Final = True

    def __init__(self, server: Server) -> None:
        self._file = server.url_file
        self._name = f"the database of {server.url_file}"
        self._epoch: int | None = None
        self._pid = 0
        self._lost = False
        self.engine: Engine = create_engine(
            "postgresql+psycopg://",
            creator=self._connect,
            poolclass=QueuePool,
            pool_size=1,
            max_overflow=0,
            paramstyle="format",
            hide_parameters=True,
        )
        event.listen(self.engine, "begin", _began)

    def begin_tenure(self, connection: Connection) -> None:
        """From here on the state is ours, and whoever had it before can't write."""
        self._epoch = connection.exec_driver_sql(_NEXT_EPOCH).scalar_one()

    def wipe(self, connection: Connection) -> None:
        """As `SqliteFile.wipe`. The server's own log and older copies keep what they have until they are gone."""
        raw: Raw = connection.connection.driver_connection  # type: ignore[assignment]  # by the engine's creator
        raw.commit()
        raw.autocommit = True
        raw.execute("SET statement_timeout TO 0")
        raw.execute("VACUUM FULL")
        raw.execute("SELECT set_config('statement_timeout', %s, false)", (_SETTINGS["statement_timeout"],))
        raw.autocommit = False

    def unusable(self, error: DBAPIError | OSError | str) -> CycleError:
        """`StateUnreachable` where the server is away, refuses us or is busy; `StateUnusable` where it is of no use."""
        match error:
            case DBAPIError():
                return self._explain(error.orig)
            case OSError():
                return self._unreachable(f"the file can't be read: {error.strerror or type(error).__name__}")
            case str():
                return CycleError(
                    f"the state in {self._name} can't be used: {scrub(error)}. Where the database itself is the cause, "
                    "put a copy in its place. Without a copy, the next cycle matches again, but people who left "
                    "since the last sync stay active at the app: nobody remembers whose account was whose",
                    reason="StateUnusable",
                )

    def _explain(self, error: BaseException | None) -> CycleError:
        """The words of the server are told only where they can't quote a row."""
        if not isinstance(error, psycopg.Error):
            return self.unusable(type(error).__name__)
        state = error.sqlstate or ""
        if not state and isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
            return self._unreachable(str(error))
        if state.startswith(_AWAY):
            return self._unreachable(error.diag.message_primary or type(error).__name__)
        return self.unusable(f"it answers {type(error).__name__} ({state or 'without a code'})")

    def _unreachable(self, why: str) -> CycleError:
        return CycleError(
            f"the state in {self._name} can't be reached: {scrub(why)}. Nothing of it is lost, and the next cycle "
            "tries again; look at the server, at the way to it, and at user and password in the URL",
            reason="StateUnreachable",
        )

    # --- connecting, in the thread of the database

    def _connect(self) -> Raw:
        if self._lost:
            raise self._taken()
        url = self._read_url()
        raw = psycopg.connect(url, autocommit=True, application_name=_own_name(), **_missing_in(url))
        try:
            self._prepare(raw)
        except BaseException:
            raw.close()
            raise
        raw.autocommit = False
        return raw

    def _read_url(self) -> str:
        url = self._file.read_text(encoding="utf-8").strip()
        try:
            known = conninfo_to_dict(url)
        except psycopg.ProgrammingError:
            known = {}
        if not url.startswith(("postgresql://", "postgres://")) or not known.get("dbname"):
            # The words of the library would quote the URL.
            raise self.unusable("the file holds no URL like postgresql://user:password@host:5432/database")
        self._name = f"the database {known['dbname']} at {known.get('host', 'localhost')}:{known.get('port', 5432)}"
        return url

    def _prepare(self, raw: Raw) -> None:
        """Makes the state ours, on a connection that is new."""
        if raw.info.server_version < OLDEST:
            raise self.unusable(f"the server is PostgreSQL {raw.info.server_version // 10000}, 14 is the oldest")
        if raw.info.parameter_status("server_encoding") != "UTF8":
            raise self.unusable("its encoding is not UTF8: make the database with ENCODING 'UTF8' TEMPLATE template0")
        configure(raw, _SETTINGS)
        self._lock(raw)
        if self._epoch is not None and _one(raw, "SELECT max(epoch) FROM tenures") != (self._epoch,):
            self._lost = True
            raise self._taken()
        self._pid = raw.info.backend_pid
        allow_nul(raw)

    def _lock(self, raw: Raw) -> None:
        """Raises CycleError: `StateLocked`, or `StateTaken` for a process that had the state."""
        name, address = "", ""
        for _ in range(_ATTEMPTS):
            if _one(raw, "SELECT pg_try_advisory_lock(%s, %s)", _LOCK) == (True,):
                return
            holder = _one(raw, _HOLDER, (LEASE, *_LOCK))
            if holder is not None:
                pid, name, address, is_silent = holder
                if pid == self._pid or (is_silent and self._epoch is None):
                    raw.execute("SELECT pg_terminate_backend(%s, 5000)", (pid,))
                    continue
                if self._epoch is not None:
                    break
            time.sleep(_PAUSE)
        if self._epoch is not None:
            self._lost = True
            raise self._taken()
        raise CycleError(
            f"the state in {self._name} is in use by {scrub(name) or 'a process'} from {address}: stop that one "
            "first, or give this one a database of its own",
            reason="StateLocked",
        )

    def _taken(self) -> CycleError:
        return CycleError(
            f"another process has taken over the state in {self._name}, as nothing was heard of this one for {LEASE} "
            "seconds or more: this one writes nothing any more, and has to be started again",
            reason=TAKEN,
        )


def configure(raw: Raw, settings: Mapping[str, str]) -> None:
    """For as long as the connection lives."""
    for name, value in settings.items():
        raw.execute("SELECT set_config(%s, %s, false)", (name, value))


def _began(connection: Connection) -> None:
    if connection.get_execution_options().get(LOOSE):
        connection.exec_driver_sql("SET LOCAL statement_timeout TO 0")  # tables may be large


def _missing_in(url: str) -> dict[str, Any]:
    said = conninfo_to_dict(url)
    return {name: value for name, value in _CONNECTION.items() if name not in said}


def _one(raw: Raw, query: str, values: tuple[object, ...] = ()) -> TupleRow | None:
    return raw.execute(query, values or None).fetchone()


def _own_name() -> str:
    """What the server, and who finds the state in use, sees of us: 63 bytes at the most."""
    return f"usher on {socket.gethostname()}"[:63]
