"""Connectors as rows: known from the first word about them, active once they consume, retired when they are deleted."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import Connection, ScalarSelect, Select, bindparam, delete, insert, select, update

from usher.contracts.store import Consumption
from usher.core.model.resources import ConnectorKey, Lane, ResourceType, SourceKey
from usher.state.schema import connectors, consumptions, lanes, links
from usher.state.statements import AnyRow

_KNOWN: Final = select(connectors.c.id).where(connectors.c.key == bindparam("connector"))
_KNOWN_LANE: Final = (
    select(lanes.c.id)
    .join(connectors, connectors.c.id == lanes.c.connector_id)
    .where(
        connectors.c.key == bindparam("connector"),
        lanes.c.resource_type == bindparam("resource_type"),
        lanes.c.anew == bindparam("anew"),
    )
)
MY_LANE: Final = _KNOWN_LANE.scalar_subquery()
"""The row id of the lane that the parameters of `naming` name."""


def naming(lane: Lane) -> dict[str, str | bool]:
    """The parameters that name the lane."""
    return {"connector": lane.connector, "resource_type": lane.resource_type, "anew": lane.anew}


def known_connector(connector: ConnectorKey) -> ScalarSelect[int]:
    """Its row id inside a statement; NULL, which equals nothing, where it is not known."""
    return select(connectors.c.id).where(connectors.c.key == connector).scalar_subquery()


def ensure_connector(connection: Connection, connector: ConnectorKey) -> int:
    """Its row id, made where it was not known."""
    known: int | None = connection.execute(_KNOWN, {"connector": connector}).scalar()
    if known is not None:
        return known
    made: int = connection.execute(insert(connectors).values(key=connector).returning(connectors.c.id)).scalar_one()
    return made


def known_lane(lane: Lane) -> ScalarSelect[int]:
    """Its row id inside a statement; NULL, which equals nothing, where it is not known."""
    connector, resource_type, anew = lane
    mine = connectors.c.key == connector, lanes.c.resource_type == resource_type, lanes.c.anew.is_(anew)
    return select(lanes.c.id).join(connectors, connectors.c.id == lanes.c.connector_id).where(*mine).scalar_subquery()


def ensure_lane(connection: Connection, lane: Lane) -> int:
    """Its row id, made where it was not known."""
    known: int | None = connection.execute(_KNOWN_LANE, naming(lane)).scalar()
    if known is not None:
        return known
    connector_id = ensure_connector(connection, lane.connector)
    row = {"connector_id": connector_id, "resource_type": lane.resource_type, "anew": lane.anew}
    made: int = connection.execute(insert(lanes).values(row).returning(lanes.c.id)).scalar_one()
    return made


def lanes_of(connector: ConnectorKey) -> Select[tuple[int]]:
    """The row ids of all lanes of a connector, inside a statement."""
    return select(lanes.c.id).where(lanes.c.connector_id == known_connector(connector))


def lanes_beside(lane: Lane) -> Select[tuple[int]]:
    """The row ids of the lanes with which this one makes a whole, inside a statement."""
    return lanes_of(lane.connector).where(lanes.c.anew.is_(lane.anew))


def owned_at(address: str, resource_type: ResourceType) -> str:
    """Where ids of resources of that type mean something: an app may number its users and its groups alike."""
    return address if resource_type is ResourceType.USER else f"{address} {resource_type}"


def read_consumption(row: AnyRow) -> Consumption:
    """From a row of `consumptions` with `retired` of its connector."""
    return Consumption(
        source=SourceKey(row.source),
        identity=row.identity,
        address=row.address,
        mapping=row.mapping,
        schema=row.schema,
        version=row.version,
        guarded=row.guarded,
        scope=row.scope,
        lost=row.lost,
        restarted=row.restarted,
        retired=row.retired is not None,
    )


def save_consumption(connection: Connection, lane: Lane, consumption: Consumption) -> None:
    """Makes the connector active.

    At a new address, or back from retirement, its links own again what nobody took by then; the others are dropped.
    """
    lane_id = ensure_lane(connection, lane)
    former = connection.execute(select(consumptions.c.address).where(consumptions.c.lane_id == lane_id)).scalar()
    revived = connection.execute(
        update(connectors)
        .where(connectors.c.key == lane.connector, connectors.c.retired.is_not(None))
        .values(retired=None)
    ).rowcount
    row = {
        "lane_id": lane_id,
        "source": consumption.source,
        "identity": consumption.identity,
        "address": consumption.address,
        "mapping": consumption.mapping,
        "schema": consumption.schema,
        "version": consumption.version,
        "guarded": consumption.guarded,
        "scope": consumption.scope,
        "lost": consumption.lost,
        "restarted": consumption.restarted,
    }
    connection.execute(delete(consumptions).where(consumptions.c.lane_id == lane_id))
    connection.execute(insert(consumptions), row)
    if revived:
        _revive(connection, lane.connector)
    elif former != consumption.address:
        _claim_links(connection, lane_id, owned_at(consumption.address, lane.resource_type))


def _revive(connection: Connection, connector: ConnectorKey) -> None:
    """All lanes of a connector come back at once."""
    found = select(lanes.c.id, lanes.c.resource_type, consumptions.c.address).join(
        consumptions, consumptions.c.lane_id == lanes.c.id
    )
    for lane_id, resource_type, address in connection.execute(found.where(lanes.c.id.in_(lanes_of(connector)))).all():
        _claim_links(connection, lane_id, owned_at(address, ResourceType(resource_type)))


def _claim_links(connection: Connection, lane_id: int, owned: str) -> None:
    taken = select(links.c.target_id).where(links.c.owner_address == owned, links.c.lane_id != lane_id)
    connection.execute(delete(links).where(links.c.lane_id == lane_id, links.c.target_id.in_(taken)))
    connection.execute(update(links).where(links.c.lane_id == lane_id).values(owner_address=owned))


def retire_connector(connection: Connection, connector: ConnectorKey, at: datetime) -> None:
    """Only the first time counts, so that an operator that sees the absence again does not put off the sweep."""
    connection.execute(
        update(connectors).where(connectors.c.key == connector, connectors.c.retired.is_(None)).values(retired=at)
    )
    connection.execute(update(links).where(links.c.lane_id.in_(lanes_of(connector))).values(owner_address=None))
