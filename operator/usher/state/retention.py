"""What is kept of connectors and sources that are gone, and for how long."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import Connection, delete, select, update

from usher.core.model.resources import ConnectorKey, SourceKey
from usher.state.connectors import ensure_connector, retire_connector
from usher.state.database import OnDatabase
from usher.state.schema import connectors, consumptions, discoveries, feeds, lanes, log_entries, metadata
from usher.state.statements import AnyRow


class SqlRetention(OnDatabase):
    """RetentionStore on tables."""

    async def attach(self, connector: ConnectorKey, uid: str, at: datetime) -> None:
        await self._database.run(_attach, connector, uid, at)

    async def active_connectors(self) -> Sequence[ConnectorKey]:
        statement = select(connectors.c.key).where(
            connectors.c.retired.is_(None),
            connectors.c.id.in_(select(lanes.c.connector_id).join(consumptions, consumptions.c.lane_id == lanes.c.id)),
        )
        return await self._database.rows(statement, _read_key)

    async def retire(self, connector: ConnectorKey, at: datetime) -> None:
        await self._database.run(retire_connector, connector, at)

    async def forget(self, connector: ConnectorKey) -> None:
        await self._database.run(_forget, connector)

    async def sources(self) -> Sequence[SourceKey]:
        return await self._database.rows(select(feeds.c.source).distinct().order_by(feeds.c.source), _read_source)

    async def note_absent(self, sources: Collection[SourceKey], at: datetime) -> None:
        await self._database.run(_note_absent, sources, at)

    async def sweep(self, before: datetime) -> int:
        return await self._database.run(_sweep, before)

    async def trim_log(self, before: datetime) -> None:
        await self._database.run(_trim_log, before)


def _attach(connection: Connection, connector: ConnectorKey, uid: str, at: datetime) -> None:
    me = connectors.c.id == ensure_connector(connection, connector)
    former = connection.execute(select(connectors.c.uid).where(me)).scalar()
    if former == uid:
        return
    connection.execute(update(connectors).where(me).values(uid=uid))
    if former is not None:
        retire_connector(connection, connector, at)
        connection.execute(update(connectors).where(me).values(word=None))


def _forget(connection: Connection, connector: ConnectorKey) -> None:
    """Whatever belongs to a connector goes with its row (ON DELETE CASCADE)."""
    connection.execute(delete(connectors).where(connectors.c.key == connector))


def _note_absent(connection: Connection, sources: Collection[SourceKey], at: datetime) -> None:
    known = connection.execute(select(feeds.c.source, feeds.c.gone).distinct()).all()
    for source, gone in known:
        if (source in sources) != (gone is not None):
            fresh = at if source in sources else None
            connection.execute(update(feeds).where(feeds.c.source == source).values(gone=fresh))


def _sweep(connection: Connection, before: datetime) -> int:
    connection.execute(delete(discoveries).where(discoveries.c.read < before))
    _drop_feeds(connection, before)
    retired = select(connectors.c.id).where(connectors.c.retired < before)
    known = connection.execute(select(lanes.c.connector_id).where(lanes.c.connector_id.in_(retired)).distinct()).all()
    for table in metadata.sorted_tables:
        if "connector_id" in table.c and table is not log_entries:
            connection.execute(delete(table).where(table.c.connector_id.in_(retired)))
    connection.execute(update(connectors).where(connectors.c.retired < before).values(word=None, uid=None))
    logged = select(log_entries.c.connector_id).where(log_entries.c.connector_id == connectors.c.id)
    connection.execute(delete(connectors).where(connectors.c.retired < before, ~logged.exists()))
    return len(known)


def _drop_feeds(connection: Connection, before: datetime) -> None:
    """A snapshot that is read anew begins at version 1: who worked off a later one of before has to begin too."""
    gone = select(feeds.c.source).where(feeds.c.gone < before)
    connection.execute(update(consumptions).where(consumptions.c.source.in_(gone)).values(version=None))
    connection.execute(delete(feeds).where(feeds.c.gone < before))


def _trim_log(connection: Connection, before: datetime) -> None:
    connection.execute(delete(log_entries).where(log_entries.c.time < before))


def _read_key(row: AnyRow) -> ConnectorKey:
    return ConnectorKey(row.key)


def _read_source(row: AnyRow) -> SourceKey:
    return SourceKey(row.source)
