"""Full comparisons: the last one of each lane, and the orphans that it named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

import orjson
from sqlalchemy import Column, Connection, Table, delete, insert, select

from usher.contracts.comparisons import Comparison
from usher.core.model.reports import Compared
from usher.core.model.resources import Lane, TargetId
from usher.state.columns import Content, Identifier, Instant
from usher.state.connectors import ensure_lane, known_lane
from usher.state.database import OnDatabase
from usher.state.schema import links, metadata, of_lane
from usher.state.statements import AnyRow, insert_rows

_comparisons: Final = Table(
    "comparisons", metadata, of_lane(), Column("at", Instant, nullable=False), Column("found", Content)
)
_orphans: Final = Table(
    "orphans", metadata, of_lane(), Column("target_id", Identifier, primary_key=True), sqlite_with_rowid=False
)


class SqlComparisons(OnDatabase):
    """ComparisonStore on two tables."""

    async def comparison(self, lane: Lane) -> Comparison | None:
        statement = select(_comparisons).where(_comparisons.c.lane_id == known_lane(lane))
        found = await self._database.rows(statement, _read)
        return found[0] if found else None

    async def save_comparison(self, lane: Lane, comparison: Comparison, orphans: Sequence[TargetId]) -> None:
        await self._database.run(_save, lane, comparison, orphans)

    async def orphans(self, lane: Lane) -> Sequence[TargetId]:
        mine = known_lane(lane)
        linked = select(links.c.target_id).where(links.c.lane_id == mine)
        statement = select(_orphans.c.target_id).where(_orphans.c.lane_id == mine, _orphans.c.target_id.not_in(linked))
        return sorted(await self._database.rows(statement, _read_id))


def _save(connection: Connection, lane: Lane, comparison: Comparison, orphans: Sequence[TargetId]) -> None:
    lane_id = ensure_lane(connection, lane)
    for table in (_comparisons, _orphans):
        connection.execute(delete(table).where(table.c.lane_id == lane_id))
    found = None if comparison.found is None else orjson.dumps(asdict(comparison.found))
    connection.execute(insert(_comparisons), {"lane_id": lane_id, "at": comparison.at, "found": found})
    insert_rows(connection, _orphans, [(lane_id, one) for one in sorted(set(orphans))])


def _read(row: AnyRow) -> Comparison:
    raw: dict[str, Any] | None = None if row.found is None else orjson.loads(row.found)
    return Comparison(row.at, None if raw is None else Compared(**raw))


def _read_id(row: AnyRow) -> TargetId:
    return TargetId(row.target_id)
