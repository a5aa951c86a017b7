"""What is kept for the end of a connector."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import orjson
from sqlalchemy import Column, Connection, Table, delete, insert, select

from usher.core.model.resources import ConnectorKey, Json
from usher.state.columns import Sealed
from usher.state.connectors import ensure_connector, known_connector
from usher.state.database import OnDatabase
from usher.state.schema import metadata, of_connector
from usher.state.statements import AnyRow

_kept: Final = Table("kept_parts", metadata, of_connector(), Column("content", Sealed, nullable=False))


class SqlEndings(OnDatabase):
    """EndingStore on a table."""

    async def keep_parts(self, connector: ConnectorKey, parts: Mapping[str, Json]) -> None:
        await self._database.run(_keep, connector, orjson.dumps(parts))

    async def kept_parts(self, connector: ConnectorKey) -> Mapping[str, Json] | None:
        statement = select(_kept.c.content).where(_kept.c.connector_id == known_connector(connector))
        found = await self._database.rows(statement, _read)
        return found[0] if found else None


def _keep(connection: Connection, connector: ConnectorKey, content: bytes) -> None:
    mine = ensure_connector(connection, connector)
    connection.execute(delete(_kept).where(_kept.c.connector_id == mine))
    connection.execute(insert(_kept), {"connector_id": mine, "content": content})


def _read(row: AnyRow) -> Mapping[str, Any]:
    parts: dict[str, Any] = orjson.loads(row.content)
    return parts
