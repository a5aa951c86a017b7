"""Connectors as rows: known from the first word about them, active once they consume, retired when they are deleted."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import Connection, ScalarSelect, bindparam, delete, insert, select, update

from usher.contracts.store import Consumption
from usher.core.model.resources import ConnectorKey, SourceKey
from usher.state.schema import connectors, consumptions, discoveries, links, log_entries
from usher.state.statements import AnyRow

_KNOWN: Final = select(connectors.c.id).where(connectors.c.key == bindparam("connector"))


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
        retired=row.retired is not None,
    )


def save_consumption(connection: Connection, connector: ConnectorKey, consumption: Consumption) -> None:
    """Makes the connector active.

    At a new address, or back from retirement, its links own again what nobody took by then; the others are dropped.
    """
    connector_id = ensure_connector(connection, connector)
    former = connection.execute(
        select(consumptions.c.address).where(consumptions.c.connector_id == connector_id)
    ).scalar()
    revived = connection.execute(
        update(connectors)
        .where(connectors.c.id == connector_id, connectors.c.retired.is_not(None))
        .values(retired=None)
    ).rowcount
    row = {
        "connector_id": connector_id,
        "source": consumption.source,
        "identity": consumption.identity,
        "address": consumption.address,
        "mapping": consumption.mapping,
        "schema": consumption.schema,
        "version": consumption.version,
        "guarded": consumption.guarded,
    }
    connection.execute(delete(consumptions).where(consumptions.c.connector_id == connector_id))
    connection.execute(insert(consumptions), row)
    if revived or former != consumption.address:
        _claim_links(connection, connector_id, consumption.address)


def _claim_links(connection: Connection, connector_id: int, address: str) -> None:
    taken = select(links.c.target_id).where(links.c.owner_address == address, links.c.connector_id != connector_id)
    connection.execute(delete(links).where(links.c.connector_id == connector_id, links.c.target_id.in_(taken)))
    connection.execute(update(links).where(links.c.connector_id == connector_id).values(owner_address=address))


def retire_connector(connection: Connection, connector: ConnectorKey, at: datetime) -> None:
    """Only the first time counts, so that an operator that sees the absence again does not put off the sweep."""
    mine = known_connector(connector)
    connection.execute(
        update(connectors).where(connectors.c.key == connector, connectors.c.retired.is_(None)).values(retired=at)
    )
    connection.execute(update(links).where(links.c.connector_id == mine).values(owner_address=None))


def forget_connector(connection: Connection, connector: ConnectorKey) -> None:
    """Whatever belongs to a connector goes with its row (ON DELETE CASCADE)."""
    connection.execute(delete(connectors).where(connectors.c.key == connector))


def sweep(connection: Connection, before: datetime) -> int:
    """Returns how many connectors went, each with whatever belongs to it."""
    connection.execute(delete(log_entries).where(log_entries.c.time < before))
    connection.execute(delete(discoveries).where(discoveries.c.read < before))
    return connection.execute(delete(connectors).where(connectors.c.retired < before)).rowcount
