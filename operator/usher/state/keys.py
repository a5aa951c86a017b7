"""The secret of one state."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Column, Connection, Integer, Table, insert, select

from usher.state.columns import Sealed
from usher.state.database import OnDatabase
from usher.state.schema import metadata

_seal_keys: Final = Table(
    "seal_keys",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("key", Sealed, nullable=False),
)


class SqlKeys(OnDatabase):
    """KeyStore on a table with one row."""

    async def seal_key(self, fresh: bytes) -> bytes:
        return await self._database.run(_key, fresh)


def _key(connection: Connection, fresh: bytes) -> bytes:
    found = connection.execute(select(_seal_keys.c.key)).scalar_one_or_none()
    if found is not None:
        return bytes(found)
    connection.execute(insert(_seal_keys), {"id": 1, "key": fresh})
    return fresh
