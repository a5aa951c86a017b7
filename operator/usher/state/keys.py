"""The secret of one state."""

from __future__ import annotations

from sqlalchemy import Connection, insert, select

from usher.state.database import OnDatabase
from usher.state.schema import seal_keys


class SqlKeys(OnDatabase):
    """KeyStore on a table with one row."""

    async def seal_key(self, fresh: bytes) -> bytes:
        return await self._database.run(_key, fresh)


def _key(connection: Connection, fresh: bytes) -> bytes:
    found = connection.execute(select(seal_keys.c.key)).scalar_one_or_none()
    if found is not None:
        return bytes(found)
    connection.execute(insert(seal_keys), {"id": 1, "key": fresh})
    return fresh
