"""What targets say of themselves."""

from __future__ import annotations

from sqlalchemy import Connection, delete, insert, select

from usher.contracts.discoveries import StoredDiscovery
from usher.state.database import OnDatabase
from usher.state.discovery_codec import decode_discovery, encode_discovery
from usher.state.schema import discoveries
from usher.state.statements import AnyRow


class SqlDiscoveries(OnDatabase):
    """DiscoveryStore on a table."""

    async def discovery(self, address: str) -> StoredDiscovery | None:
        found = await self._database.rows(select(discoveries).where(discoveries.c.address == address), _read)
        return found[0] if found else None

    async def save_discovery(self, address: str, stored: StoredDiscovery) -> None:
        await self._database.run(_save, address, stored)


def _save(connection: Connection, address: str, stored: StoredDiscovery) -> None:
    row = {"address": address, "read": stored.read, "content": encode_discovery(stored.discovery)}
    connection.execute(delete(discoveries).where(discoveries.c.address == address))
    connection.execute(insert(discoveries), row)


def _read(row: AnyRow) -> StoredDiscovery:
    return StoredDiscovery(decode_discovery(row.content), row.read)
