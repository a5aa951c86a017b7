"""Who was assigned, and what the entries of a scope meant."""

from __future__ import annotations

from collections.abc import Mapping

import orjson
from sqlalchemy import Connection, delete, insert, select

from usher.contracts.assignments import Resolution
from usher.core.model.resources import ConnectorKey, Lane, SourceId
from usher.core.sync.assignments import Assigned, Roles, Unresolved
from usher.state.connectors import ensure_connector, ensure_lane, known_connector, known_lane, lanes_of
from usher.state.database import OnDatabase
from usher.state.scopes import assignees, resolutions
from usher.state.statements import AnyRow, delete_ids, fetch, replace_ids


class SqlAssignments(OnDatabase):
    """AssignmentStore on tables."""

    async def resolution(self, connector: ConnectorKey) -> Resolution | None:
        statement = select(resolutions).where(resolutions.c.connector_id == known_connector(connector))
        found = await self._database.rows(statement, _read_resolution)
        return found[0] if found else None

    async def save_resolution(self, connector: ConnectorKey, resolution: Resolution | None) -> None:
        await self._database.run(_save_resolution, connector, resolution)

    async def assigned(self, lane: Lane) -> Mapping[SourceId, Roles]:
        statement = select(assignees.c.source_id, assignees.c.roles).where(assignees.c.lane_id == known_lane(lane))
        return dict(await self._database.rows(statement, _read_assignee))

    async def save_assigned(self, lane: Lane, assigned: Assigned) -> None:
        await self._database.run(_save_assigned, lane, assigned)


def _save_resolution(connection: Connection, connector: ConnectorKey, resolution: Resolution | None) -> None:
    connection.execute(delete(resolutions).where(resolutions.c.connector_id == known_connector(connector)))
    if resolution is None:
        connection.execute(delete(assignees).where(assignees.c.lane_id.in_(lanes_of(connector))))
        return
    row = {
        "connector_id": ensure_connector(connection, connector),
        "scope": resolution.scope,
        "users": resolution.users,
        "groups": resolution.groups,
        "pins": orjson.dumps(dict(resolution.pins)),
        "unresolved": orjson.dumps([list(each) for each in resolution.unresolved]),
    }
    connection.execute(insert(resolutions), row)


def _read_resolution(row: AnyRow) -> Resolution:
    return Resolution(
        scope=row.scope,
        users=row.users,
        groups=row.groups,
        pins={name: SourceId(pin) for name, pin in orjson.loads(row.pins).items()},
        unresolved=tuple(Unresolved(*each) for each in orjson.loads(row.unresolved)),
    )


def _save_assigned(connection: Connection, lane: Lane, assigned: Assigned) -> None:
    lane_id = ensure_lane(connection, lane)
    statement = select(assignees.c.source_id, assignees.c.roles).where(assignees.c.lane_id == lane_id)
    former = dict(fetch(connection, statement, _read_assignee))
    delete_ids(connection, assignees, lane_id, former.keys() - assigned.keys())
    fresh = {one: (lane_id, one, _plain(roles)) for one, roles in assigned.items() if former.get(one) != roles}
    replace_ids(connection, assignees, lane_id, fresh)


def _plain(roles: Roles) -> bytes | None:
    return orjson.dumps(roles) if roles else None


def _read_assignee(row: AnyRow) -> tuple[SourceId, Roles]:
    return SourceId(row[0]), tuple(orjson.loads(row[1])) if row[1] else ()
