"""Lanes in which links are found again, and how they take the place of those in force."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy import Connection, delete, select, update

from usher.core.model.plans import Action
from usher.core.model.resources import ConnectorKey, ResourceType, SourceId
from usher.state.connectors import known_connector
from usher.state.database import OnDatabase
from usher.state.schema import deletions, holds, intents, lanes, links
from usher.state.statements import AT_ONCE, chunked


class SqlAnchorings(OnDatabase):
    """AnchoringStore on tables."""

    async def anchor(self, connector: ConnectorKey, kept: Mapping[ResourceType, Collection[SourceId]]) -> None:
        await self._database.run(_anchor, connector, kept)

    async def drop_anew(self, connector: ConnectorKey) -> None:
        await self._database.run(_drop_anew, connector)


def _anchor(connection: Connection, connector: ConnectorKey, kept: Mapping[ResourceType, Collection[SourceId]]) -> None:
    """What belongs to a lane goes with its row (ON DELETE CASCADE)."""
    mine = lanes.c.connector_id == known_connector(connector)
    found = connection.execute(select(lanes.c.resource_type, lanes.c.anew, lanes.c.id).where(mine)).all()
    by_place = {(ResourceType(kind), anew): lane_id for kind, anew, lane_id in found}
    for kind in ResourceType:
        former, heir = by_place.get((kind, False)), by_place.get((kind, True))
        if heir is None:
            continue
        if former is not None and kind in kept:
            _keep(connection, former, heir, kept[kind])
        connection.execute(delete(lanes).where(lanes.c.id == former))
        connection.execute(update(lanes).where(lanes.c.id == heir).values(anew=False))
    connection.execute(update(holds).where(holds.c.connector_id == known_connector(connector)).values(anew=False))


def _keep(connection: Connection, former: int, heir: int, ids: Collection[SourceId]) -> None:
    for chunk in chunked(ids, AT_ONCE):
        for table in (links, deletions):
            theirs = table.c.lane_id == former, table.c.source_id.in_(chunk)
            connection.execute(update(table).where(*theirs).values(lane_id=heir))
    created = intents.c.lane_id == former, intents.c.action == Action.CREATE
    connection.execute(update(intents).where(*created).values(lane_id=heir))


def _drop_anew(connection: Connection, connector: ConnectorKey) -> None:
    mine = known_connector(connector)
    connection.execute(delete(lanes).where(lanes.c.connector_id == mine, lanes.c.anew))
    connection.execute(delete(holds).where(holds.c.connector_id == mine, holds.c.anew))
