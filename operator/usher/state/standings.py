"""How connectors stand with their targets."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Column, Connection, Integer, Table, delete, insert, select

from usher.core.model.resources import ConnectorKey
from usher.core.model.standing import Credential, Quarantine, Standing
from usher.state.columns import Instant, Words
from usher.state.connectors import ensure_connector, known_connector
from usher.state.database import OnDatabase
from usher.state.schema import metadata, of_connector
from usher.state.statements import AnyRow

_standings: Final = Table(
    "standings",
    metadata,
    of_connector(),
    Column("spec", Words, nullable=False),
    Column("rests_until", Instant),
    Column("quarantine", Words),
    Column("since", Instant),
    Column("tries", Integer),
    Column("quarantined_spec", Words),
    Column("expires", Instant),
    Column("told_from", Instant),
)
"""`quarantine` is its reason; without one the columns behind it are NULL."""


class SqlStandings(OnDatabase):
    """StandingStore on a table."""

    async def standing(self, connector: ConnectorKey) -> Standing:
        statement = select(_standings).where(_standings.c.connector_id == known_connector(connector))
        found = await self._database.rows(statement, _read)
        return found[0] if found else Standing()

    async def save_standing(self, connector: ConnectorKey, standing: Standing) -> None:
        await self._database.run(_save, connector, standing)


def _save(connection: Connection, connector: ConnectorKey, standing: Standing) -> None:
    mine, held, credential = ensure_connector(connection, connector), standing.quarantine, standing.credential
    row = {
        "connector_id": mine,
        "spec": standing.spec,
        "rests_until": standing.rests_until,
        "quarantine": None if held is None else held.reason,
        "since": None if held is None else held.since,
        "tries": None if held is None else held.count,
        "quarantined_spec": None if held is None else held.spec,
        "expires": None if credential is None else credential.expires,
        "told_from": None if credential is None else credential.told_from,
    }
    connection.execute(delete(_standings).where(_standings.c.connector_id == mine))
    connection.execute(insert(_standings), row)


def _read(row: AnyRow) -> Standing:
    held = None
    if row.quarantine is not None:
        held = Quarantine(row.quarantine, row.since, row.tries, row.quarantined_spec)
    credential = None if row.expires is None else Credential(row.expires, row.told_from)
    return Standing(row.spec, held, row.rests_until, credential)
