"""The provisioning log on tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import orjson
from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    ForeignKey,
    Index,
    Table,
    delete,
    func,
    insert,
    select,
)

from usher.contracts.log import LogEntry, LogQuery
from usher.core.model.outcomes import ValueChange
from usher.core.model.resources import AttributePath, ConnectorKey, ResourceType, SourceId, TargetId
from usher.state.codec import decode_names, encode_names
from usher.state.columns import Content, Identifier, Instant, Sealed, SealedWords, Words
from usher.state.connectors import ensure_connector, known_connector
from usher.state.database import OnDatabase
from usher.state.schema import ROW_ID, connectors, metadata
from usher.state.statements import AnyRow, Values, insert_rows

log_entries: Final = Table(
    "log_entries",
    metadata,
    Column("id", ROW_ID, primary_key=True),
    Column("connector_id", ROW_ID, ForeignKey("connectors.id", ondelete="CASCADE"), nullable=False),
    Column("time", Instant, nullable=False),
    Column("cycle", Words, nullable=False),
    Column("source_id", Identifier),
    Column("target_id", Identifier),
    Column("step", Words, nullable=False),
    Column("action", Words, nullable=False),
    Column("result", Words, nullable=False),
    Column("reason", Words, nullable=False),
    Column("detail", SealedWords, nullable=False),
    Column("attributes", Content, nullable=False),
    Column("resource_type", Words, nullable=False),
    Column("duration", BigInteger, nullable=False),
    Column("edits", Sealed),
    Index("log_entries_of_connector", "connector_id", "id"),
    Index("log_entries_of_person", "connector_id", "source_id", "id"),
    sqlite_autoincrement=True,
)
"""`duration` is in microseconds. No number comes twice, though a log may be trimmed to nothing."""
log_tellings: Final = Table(
    "log_tellings", metadata, Column("id", ROW_ID, primary_key=True), Column("number", BigInteger, nullable=False)
)
"""One row at the most: the number of the last line that was told to whoever follows."""

TRIMMED_AT_ONCE: Final = 1000
_MICROSECOND: Final = timedelta(microseconds=1)


class SqlLog(OnDatabase):
    """LogStore on tables."""

    async def log(self, connector: ConnectorKey, query: LogQuery, limit: int) -> Sequence[LogEntry]:
        statement = select(log_entries).where(log_entries.c.connector_id == known_connector(connector))
        wanted = statement.where(*_conditions(query)).order_by(log_entries.c.id.desc()).limit(limit)
        return await self._database.rows(wanted, _read_entry)

    async def follow_log(self, after: int, limit: int) -> Sequence[tuple[ConnectorKey, LogEntry]]:
        statement = select(log_entries, connectors.c.key).join(connectors).where(log_entries.c.id > after)
        return await self._database.rows(statement.order_by(log_entries.c.id).limit(limit), _read_followed)

    async def log_told(self) -> int:
        return await self._database.run(_told)

    async def save_log_told(self, number: int) -> None:
        await self._database.run(_save_told, number)

    async def append_log(self, connector: ConnectorKey, entries: Sequence[LogEntry]) -> None:
        await self._database.run(_append_log, connector, entries)

    async def logged_connectors(self) -> Sequence[ConnectorKey]:
        known = select(log_entries.c.connector_id).where(log_entries.c.connector_id == connectors.c.id).exists()
        return await self._database.rows(select(connectors.c.key).where(known).order_by(connectors.c.key), _read_key)

    async def trim_log(self, connector: ConnectorKey, before: datetime, keep: int) -> bool:
        return await self._database.run(_trim_log, connector, before, keep)


def append_entries(connection: Connection, connector_id: int, entries: Sequence[LogEntry]) -> None:
    """The lines in their order, behind all that are there."""
    insert_rows(connection, log_entries, [_log_row(connector_id, entry) for entry in entries])


def _conditions(query: LogQuery) -> Iterator[ColumnElement[bool]]:
    lines = log_entries.c
    texts = {
        lines.cycle: query.cycle,
        lines.step: query.step,
        lines.action: query.action,
        lines.result: query.result,
        lines.reason: query.reason,
    }
    yield from (column == text for column, text in texts.items() if text)
    if query.source_id is not None:
        yield lines.source_id == query.source_id
    if query.since is not None:
        yield lines.time >= query.since
    if query.until is not None:
        yield lines.time < query.until
    if query.before:
        yield lines.id < query.before


def _told(connection: Connection) -> int:
    found = connection.execute(select(log_tellings.c.number)).scalar()
    if found is None:
        found = connection.execute(select(func.coalesce(func.max(log_entries.c.id), 0))).scalar_one()
    return int(found)


def _save_told(connection: Connection, number: int) -> None:
    connection.execute(delete(log_tellings))
    connection.execute(insert(log_tellings), {"id": 1, "number": number})


def _append_log(connection: Connection, connector: ConnectorKey, entries: Sequence[LogEntry]) -> None:
    append_entries(connection, ensure_connector(connection, connector), entries)


def _trim_log(connection: Connection, connector: ConnectorKey, before: datetime, keep: int) -> bool:
    """Looks at the oldest lines alone, by the index: lines come in the order of their times, or nearly so."""
    mine = log_entries.c.connector_id == known_connector(connector)
    lines = select(log_entries.c.id, log_entries.c.time).where(mine)
    oldest = connection.execute(lines.order_by(log_entries.c.id).limit(TRIMMED_AT_ONCE)).all()
    if not oldest:
        return False
    last_too_many = _last_too_many(connection, connector, oldest[0].id, keep)
    gone = [row.id for row in oldest if row.time < before or row.id <= last_too_many]
    if gone:
        connection.execute(delete(log_entries).where(log_entries.c.id.in_(gone)))
    return len(gone) == TRIMMED_AT_ONCE


def _last_too_many(connection: Connection, connector: ConnectorKey, first: int, keep: int) -> int:
    """The number of the newest line behind the newest `keep`, 0 where there is none.

    Lines are counted only where there can be so many: all connectors share the numbers.
    """
    numbers = select(log_entries.c.id).where(log_entries.c.connector_id == known_connector(connector))
    newest = numbers.order_by(log_entries.c.id.desc())
    last = connection.execute(newest.limit(1)).scalar()
    if last is None or last - first < keep:
        return 0
    found = connection.execute(newest.offset(keep).limit(1)).scalar()
    return 0 if found is None else int(found)


def _log_row(connector_id: int, entry: LogEntry) -> Values:
    return (
        connector_id,
        entry.time,
        entry.cycle,
        entry.source_id,
        entry.target_id,
        entry.step,
        entry.action,
        entry.result,
        entry.reason,
        entry.detail,
        encode_names(entry.attributes),
        entry.resource_type,
        entry.duration // _MICROSECOND,
        _encode_values(entry.values) if entry.values else None,
    )


def _read_followed(row: AnyRow) -> tuple[ConnectorKey, LogEntry]:
    return ConnectorKey(row.key), _read_entry(row)


def _read_key(row: AnyRow) -> ConnectorKey:
    return ConnectorKey(row.key)


def _read_entry(row: AnyRow) -> LogEntry:
    return LogEntry(
        time=row.time,
        cycle=row.cycle,
        source_id=None if row.source_id is None else SourceId(row.source_id),
        target_id=None if row.target_id is None else TargetId(row.target_id),
        step=row.step,
        action=row.action,
        result=row.result,
        reason=row.reason,
        detail=row.detail,
        attributes=decode_names(row.attributes),
        resource_type=ResourceType(row.resource_type),
        duration=row.duration * _MICROSECOND,
        values={} if row.edits is None else _decode_values(row.edits),
        number=row.id,
    )


def _encode_values(values: Mapping[AttributePath, ValueChange]) -> bytes:
    """Old and new values by path."""
    return orjson.dumps({path: [one.old, one.new] for path, one in values.items()})


def _decode_values(data: bytes) -> dict[AttributePath, ValueChange]:
    """In their order."""
    return {AttributePath(path): ValueChange(old, new) for path, (old, new) in orjson.loads(data).items()}
