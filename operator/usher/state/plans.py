"""Running plans, held sets, cycles and the provisioning log."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Final

from sqlalchemy import Connection, delete, func, insert, select, update

from usher.contracts.store import LogEntry, StoredHold
from usher.core.model.plans import Action, Phase, PlannedChange
from usher.core.model.reports import CycleReport
from usher.core.model.resources import ConnectorKey, SourceId, TargetId
from usher.state.codec import decode_change, decode_names, decode_report, encode_change, encode_report
from usher.state.connectors import ensure_connector, known_connector
from usher.state.database import OnDatabase, Order
from usher.state.recording import append_entries
from usher.state.schema import changes, connectors, cycles, held_changes, holds, log_entries
from usher.state.statements import AnyRow, Values, delete_ids, fetch, insert_rows, replace_ids

_CYCLES_KEPT: Final = 100
_LONGEST_WORD: Final = 128
"""Characters of a word of approval that are compared. A hash is shorter; an annotation may hold anything."""

_ORDER: Final = (changes.c.phase, changes.c.rank, changes.c.source_id)
_HELD_ORDER: Final = (held_changes.c.phase, held_changes.c.rank, held_changes.c.source_id)


class SqlPlans(OnDatabase):
    """PlanStore on tables."""

    async def clear_plan(self, connector: ConnectorKey) -> None:
        await self._database.jot(_clear_plan, connector)

    async def add_changes(self, connector: ConnectorKey, changes: Sequence[PlannedChange]) -> None:
        await self._database.jot(_add_changes, connector, changes)

    async def count_changes(self, connector: ConnectorKey) -> Mapping[Action, int]:
        statement = (
            select(changes.c.action, func.count())
            .where(changes.c.connector_id == known_connector(connector))
            .group_by(changes.c.action)
        )
        return dict(await self._database.rows(statement, _read_count))

    async def ranks(self, connector: ConnectorKey) -> Sequence[tuple[Phase, int]]:
        statement = (
            select(changes.c.phase, changes.c.rank)
            .where(changes.c.connector_id == known_connector(connector))
            .distinct()
            .order_by(changes.c.phase, changes.c.rank)
        )
        return await self._database.rows(statement, _read_rank)

    async def changes_of(
        self, connector: ConnectorKey, phase: Phase, rank: int
    ) -> AsyncIterator[Sequence[PlannedChange]]:
        statement = select(changes.c.source_id, changes.c.content).where(
            changes.c.connector_id == known_connector(connector), changes.c.phase == phase, changes.c.rank == rank
        )
        async for page in self._database.pages(statement, Order([changes.c.source_id]), _read_change):
            yield page

    async def all_changes(self, connector: ConnectorKey) -> AsyncIterator[Sequence[PlannedChange]]:
        statement = select(*_ORDER, changes.c.content).where(changes.c.connector_id == known_connector(connector))
        async for page in self._database.pages(statement, Order(_ORDER), _read_change):
            yield page

    async def hold(self, connector: ConnectorKey, hold: StoredHold, changes: Sequence[PlannedChange]) -> None:
        """Nothing to hold is no hold: the former one goes, and none comes."""
        await self._database.run(_hold, connector, hold, changes)

    async def held(self, connector: ConnectorKey) -> tuple[StoredHold, Sequence[PlannedChange]] | None:
        return await self._database.run(_read_held, connector)

    async def drop_held(self, connector: ConnectorKey, ids: Sequence[SourceId]) -> None:
        await self._database.run(_drop_held, connector, ids)

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

    async def log(self, connector: ConnectorKey, source_id: SourceId | None, limit: int) -> Sequence[LogEntry]:
        statement = select(log_entries).where(log_entries.c.connector_id == known_connector(connector))
        if source_id is not None:
            statement = statement.where(log_entries.c.source_id == source_id)
        return await self._database.rows(statement.order_by(log_entries.c.id.desc()).limit(limit), _read_entry)

    async def append_log(self, connector: ConnectorKey, entries: Sequence[LogEntry]) -> None:
        await self._database.run(_append_log, connector, entries)


def _clear_plan(connection: Connection, connector: ConnectorKey) -> None:
    connection.execute(delete(changes).where(changes.c.connector_id == known_connector(connector)))


def _add_changes(connection: Connection, connector: ConnectorKey, planned: Sequence[PlannedChange]) -> None:
    connector_id = ensure_connector(connection, connector)
    rows = {change.source_id: _row(connector_id, change) for change in planned}
    replace_ids(connection, changes, connector_id, rows)


def _row(connector_id: int, change: PlannedChange) -> Values:
    content = encode_change(change)
    return connector_id, change.source_id, change.phase, change.rank, change.action, content


def _held_row(connector_id: int, change: PlannedChange) -> Values:
    return connector_id, change.source_id, change.phase, change.rank, encode_change(change)


def _hold(connection: Connection, connector: ConnectorKey, hold: StoredHold, members: Sequence[PlannedChange]) -> None:
    connector_id = ensure_connector(connection, connector)
    _release(connection, connector)
    if not members:
        return
    rows = {change.source_id: _held_row(connector_id, change) for change in members}
    delete_ids(connection, changes, connector_id, rows)
    insert_rows(connection, held_changes, list(rows.values()))
    row = (
        connector_id,
        hold.hash,
        hold.reason,
        hold.summary,
        hold.count,
        hold.live,
        hold.created,
        hold.expires,
        hold.approved,
    )
    insert_rows(connection, holds, [row])


def _read_held(connection: Connection, connector: ConnectorKey) -> tuple[StoredHold, Sequence[PlannedChange]] | None:
    mine = known_connector(connector)
    found = fetch(connection, select(holds).where(holds.c.connector_id == mine), _read_hold)
    if not found:
        return None
    members = select(held_changes.c.content).where(held_changes.c.connector_id == mine).order_by(*_HELD_ORDER)
    return found[0], fetch(connection, members, _read_change)


def _drop_held(connection: Connection, connector: ConnectorKey, ids: Sequence[SourceId]) -> None:
    connector_id = ensure_connector(connection, connector)
    delete_ids(connection, held_changes, connector_id, ids)
    left = select(held_changes.c.source_id).where(held_changes.c.connector_id == connector_id).exists()
    connection.execute(delete(holds).where(holds.c.connector_id == connector_id, ~left))


def _release(connection: Connection, connector: ConnectorKey) -> None:
    mine = known_connector(connector)
    connection.execute(delete(held_changes).where(held_changes.c.connector_id == mine))
    connection.execute(delete(holds).where(holds.c.connector_id == mine))


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


def _append_log(connection: Connection, connector: ConnectorKey, entries: Sequence[LogEntry]) -> None:
    append_entries(connection, ensure_connector(connection, connector), entries)


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
        count=row.size,
        live=row.live,
        created=row.created,
        expires=row.expires,
        approved=row.approved,
    )


def _read_report(row: AnyRow) -> CycleReport:
    return decode_report(row.report)


def _read_entry(row: AnyRow) -> LogEntry:
    return LogEntry(
        time=row.time,
        cycle=row.cycle,
        source_id=None if row.source_id is None else SourceId(row.source_id),
        target_id=None if row.target_id is None else TargetId(row.target_id),
        step=row.step,
        action=row.action,
        result=row.result,
        reason=row.reason,
        detail=row.detail,
        attributes=decode_names(row.attributes),
    )
