"""Running plans, held sets, cycles and the provisioning log."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from typing import Final

from sqlalchemy import Connection, Table, delete, func, insert, literal_column, select, update

from usher.contracts.store import PlanPlace, StoredHold
from usher.core.model.plans import Action, Phase, PlannedChange
from usher.core.model.reports import CycleReport
from usher.core.model.resources import ConnectorKey, Lane, SourceId
from usher.state.codec import (
    decode_change,
    decode_counts,
    decode_report,
    encode_change,
    encode_counts,
    encode_report,
)
from usher.state.connectors import MY_LANE, ensure_connector, ensure_lane, known_connector, known_lane, lanes_of, naming
from usher.state.database import OnDatabase, Order
from usher.state.schema import changes, connectors, cycles, held_changes, holds
from usher.state.statements import Among, AnyRow, Values, after, delete_ids, fetch, insert_rows

_CYCLES_KEPT: Final = 100
_LONGEST_WORD: Final = 128
"""Characters of a word of approval that are compared. A hash is shorter; an annotation may hold anything."""

_PLANNED: Final = Among(
    select(changes.c.source_id, changes.c.action).where(
        changes.c.lane_id == MY_LANE,
        changes.c.phase.not_in(
            [literal_column(str(int(phase))) for phase in (Phase.FOLLOW, Phase.REMOVE, Phase.TRIM, Phase.REFER)]
        ),
    ),
    changes.c.source_id,
)
_HELD: Final = Among(
    select(held_changes.c.source_id, held_changes.c.phase).where(held_changes.c.lane_id == MY_LANE),
    held_changes.c.source_id,
)


class SqlPlans(OnDatabase):
    """PlanStore on tables."""

    async def clear_plan(self, lane: Lane) -> None:
        await self._database.jot(_clear_plan, lane)

    async def add_changes(self, lane: Lane, changes: Sequence[PlannedChange]) -> None:
        await self._database.jot(_add_changes, lane, changes)

    async def clear_phases(self, lane: Lane, phases: Collection[Phase]) -> None:
        await self._database.jot(_clear_phases, lane, phases)

    async def planned(self, lane: Lane, ids: Collection[SourceId]) -> Mapping[SourceId, Action]:
        return dict(await self._database.run(_PLANNED.fetch, ids, _read_planned, **naming(lane)))

    async def count_changes(self, lane: Lane) -> Mapping[Action, int]:
        statement = (
            select(changes.c.action, func.count())
            .where(changes.c.lane_id == known_lane(lane))
            .group_by(changes.c.action)
        )
        return dict(await self._database.rows(statement, _read_count))

    async def ranks(self, lane: Lane) -> Sequence[tuple[Phase, int]]:
        statement = (
            select(changes.c.phase, changes.c.rank)
            .where(changes.c.lane_id == known_lane(lane))
            .distinct()
            .order_by(changes.c.phase, changes.c.rank)
        )
        return await self._database.rows(statement, _read_rank)

    async def changes_of(self, lane: Lane, phase: Phase, rank: int) -> AsyncIterator[Sequence[PlannedChange]]:
        statement = select(changes.c.source_id, changes.c.content).where(
            changes.c.lane_id == known_lane(lane), changes.c.phase == phase, changes.c.rank == rank
        )
        async for page in self._database.pages(statement, Order([changes.c.source_id]), _read_change):
            yield page

    def all_changes(self, lane: Lane, after: PlanPlace | None = None) -> AsyncIterator[Sequence[PlannedChange]]:
        return self._in_order(changes, lane, after)

    async def hold(self, connector: ConnectorKey, hold: StoredHold, changes: Sequence[PlannedChange]) -> None:
        """Nothing to hold is no hold: the former one goes, and none comes."""
        await self._database.run(_hold, connector, hold, changes)

    async def hold_of(self, connector: ConnectorKey) -> StoredHold | None:
        statement = select(holds).where(holds.c.connector_id == known_connector(connector))
        found = await self._database.rows(statement, _read_hold)
        return found[0] if found else None

    def held_changes(self, lane: Lane, after: PlanPlace | None = None) -> AsyncIterator[Sequence[PlannedChange]]:
        return self._in_order(held_changes, lane, after)

    async def held_among(self, lane: Lane, ids: Collection[SourceId]) -> Collection[tuple[SourceId, Phase]]:
        return set(await self._database.run(_HELD.fetch, ids, _read_member, **naming(lane)))

    def _in_order(self, table: Table, lane: Lane, start: PlanPlace | None) -> AsyncIterator[Sequence[PlannedChange]]:
        keys = (table.c.phase, table.c.rank, table.c.source_id)
        statement = select(*keys, table.c.content).where(table.c.lane_id == known_lane(lane))
        order = Order(keys) if start is None else Order(keys, start=after(keys, start))
        return self._database.pages(statement, order, _read_change)

    async def held(self, connector: ConnectorKey) -> tuple[StoredHold, Sequence[PlannedChange]] | None:
        return await self._database.run(_read_held, connector)

    async def drop_held(self, lane: Lane, members: Collection[tuple[SourceId, Phase]]) -> None:
        by_phase: dict[Phase, list[SourceId]] = {}
        for source_id, phase in members:
            by_phase.setdefault(phase, []).append(source_id)
        for phase, ids in by_phase.items():
            await self._database.run(drop_held, lane, ids, (phase,))

    async def release(self, connector: ConnectorKey) -> None:
        await self._database.run(_release, connector)

    async def approve(self, connector: ConnectorKey, word: str) -> bool:
        """A set that is approved already is not approved by this call."""
        return await self._database.run(_approve, connector, word[:_LONGEST_WORD])

    async def save_cycle(self, connector: ConnectorKey, cycle: str, report: CycleReport) -> None:
        """The last hundred of a connector are kept; a cycle that is saved again replaces its report."""
        await self._database.run(_save_cycle, connector, cycle, report)

    async def cycles(self, connector: ConnectorKey, limit: int) -> Sequence[CycleReport]:
        statement = (
            select(cycles.c.report)
            .where(cycles.c.connector_id == known_connector(connector))
            .order_by(cycles.c.id.desc())
            .limit(limit)
        )
        return await self._database.rows(statement, _read_report)


def _clear_plan(connection: Connection, lane: Lane) -> None:
    connection.execute(delete(changes).where(changes.c.lane_id == known_lane(lane)))


def _clear_phases(connection: Connection, lane: Lane, phases: Collection[Phase]) -> None:
    connection.execute(delete(changes).where(changes.c.lane_id == known_lane(lane), changes.c.phase.in_(phases)))


def _add_changes(connection: Connection, lane: Lane, planned: Sequence[PlannedChange]) -> None:
    lane_id = ensure_lane(connection, lane)
    by_phase: dict[Phase, dict[SourceId, Values]] = {}
    for change in planned:
        by_phase.setdefault(change.phase, {})[change.source_id] = _row(lane_id, change)
    for phase, rows in by_phase.items():
        delete_ids(connection, changes, lane_id, rows, (phase,))
        insert_rows(connection, changes, list(rows.values()))


def _row(lane_id: int, change: PlannedChange) -> Values:
    content = encode_change(change)
    return lane_id, change.source_id, change.phase, change.rank, change.action, content


def _held_row(lane_id: int, change: PlannedChange) -> Values:
    return lane_id, change.source_id, change.phase, change.rank, encode_change(change)


def _hold(connection: Connection, connector: ConnectorKey, hold: StoredHold, members: Sequence[PlannedChange]) -> None:
    connector_id = ensure_connector(connection, connector)
    _release(connection, connector)
    if not members:
        return
    rows = []
    for resource_type in sorted({change.resource_type for change in members}):
        lane_id = ensure_lane(connection, Lane(connector, resource_type, hold.anew))
        mine = [change for change in members if change.resource_type is resource_type]
        for phase in sorted({change.phase for change in mine}):
            ids = [change.source_id for change in mine if change.phase is phase]
            delete_ids(connection, changes, lane_id, ids, (phase,))
        rows += [_held_row(lane_id, change) for change in mine]
    insert_rows(connection, held_changes, rows)
    row = (
        connector_id,
        hold.hash,
        hold.reason,
        hold.summary,
        encode_counts(hold.count),
        encode_counts(hold.live),
        hold.created,
        hold.expires,
        hold.approved,
        hold.guarded,
        hold.whole,
        hold.anew,
    )
    insert_rows(connection, holds, [row])


def _read_held(connection: Connection, connector: ConnectorKey) -> tuple[StoredHold, Sequence[PlannedChange]] | None:
    mine = known_connector(connector)
    found = fetch(connection, select(holds).where(holds.c.connector_id == mine), _read_hold)
    if not found:
        return None
    members = select(held_changes.c.content).where(held_changes.c.lane_id.in_(lanes_of(connector)))
    held = fetch(connection, members, _read_change)
    return found[0], sorted(held, key=lambda change: (change.phase, change.rank, change.source_id))


def drop_held(connection: Connection, lane: Lane, ids: Collection[SourceId], phase: tuple[Phase, ...] = ()) -> None:
    """Takes these people out of the held set, or a phase of them; an empty one goes with its hold."""
    delete_ids(connection, held_changes, ensure_lane(connection, lane), ids, phase)
    left = select(held_changes.c.source_id).where(held_changes.c.lane_id.in_(lanes_of(lane.connector))).exists()
    connection.execute(delete(holds).where(holds.c.connector_id == known_connector(lane.connector), ~left))


def _release(connection: Connection, connector: ConnectorKey) -> None:
    connection.execute(delete(held_changes).where(held_changes.c.lane_id.in_(lanes_of(connector))))
    connection.execute(delete(holds).where(holds.c.connector_id == known_connector(connector)))


def _approve(connection: Connection, connector: ConnectorKey, word: str) -> bool:
    connector_id = ensure_connector(connection, connector)
    me = connectors.c.id == connector_id
    if connection.execute(select(connectors.c.word).where(me)).scalar() == word:
        return False
    connection.execute(update(connectors).where(me).values(word=word))
    waiting = update(holds).where(holds.c.connector_id == connector_id, holds.c.hash == word, ~holds.c.approved)
    return connection.execute(waiting.values(approved=True)).rowcount == 1


def _save_cycle(connection: Connection, connector: ConnectorKey, cycle: str, report: CycleReport) -> None:
    connector_id = ensure_connector(connection, connector)
    row = {"connector_id": connector_id, "cycle": cycle, "report": encode_report(report)}
    connection.execute(delete(cycles).where(cycles.c.connector_id == connector_id, cycles.c.cycle == cycle))
    connection.execute(insert(cycles), row)
    newest = (
        select(cycles.c.id)
        .where(cycles.c.connector_id == connector_id)
        .order_by(cycles.c.id.desc())
        .limit(_CYCLES_KEPT)
    )
    connection.execute(delete(cycles).where(cycles.c.connector_id == connector_id, cycles.c.id.not_in(newest)))


def _read_planned(row: AnyRow) -> tuple[SourceId, Action]:
    return SourceId(row.source_id), Action(row.action)


def _read_member(row: AnyRow) -> tuple[SourceId, Phase]:
    return SourceId(row.source_id), Phase(row.phase)


def _read_count(row: AnyRow) -> tuple[Action, int]:
    return Action(row[0]), row[1]


def _read_rank(row: AnyRow) -> tuple[Phase, int]:
    return Phase(row.phase), row.rank


def _read_change(row: AnyRow) -> PlannedChange:
    return decode_change(row.content)


def _read_hold(row: AnyRow) -> StoredHold:
    return StoredHold(
        hash=row.hash,
        reason=row.reason,
        summary=row.summary,
        count=decode_counts(row.size),
        live=decode_counts(row.live),
        created=row.created,
        expires=row.expires,
        approved=row.approved,
        guarded=row.guarded,
        whole=row.whole,
        anew=row.anew,
    )


def _read_report(row: AnyRow) -> CycleReport:
    return decode_report(row.report)
