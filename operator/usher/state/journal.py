"""The journal on tables."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any, Final

import orjson
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    ForeignKey,
    Table,
    UniqueConstraint,
    bindparam,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from usher.contracts.journal import Journal, JournalPart
from usher.core.model.journal import JournalEntry
from usher.core.model.plans import Action, Amend, Replace
from usher.core.model.resources import AttributePath, ConnectorKey, Lane, SourceId, TargetId
from usher.state.codec import decode_edit, encode_edit
from usher.state.columns import Identifier, Instant, Sealed, Words
from usher.state.connectors import known_connector, known_lane, lanes_of
from usher.state.database import OnDatabase, Order
from usher.state.log import log_entries
from usher.state.schema import ROW_ID, cycles, metadata
from usher.state.statements import AnyRow, Values, delete_ids, insert_rows

journals: Final = Table(
    "journals",
    metadata,
    Column("id", ROW_ID, primary_key=True),
    Column("lane_id", ROW_ID, ForeignKey("lanes.id", ondelete="CASCADE"), nullable=False),
    Column("cycle", Words),
    Column("begun", Instant, nullable=False),
    Column("address", Words, nullable=False),
    UniqueConstraint("lane_id", "cycle"),
)
"""Which cycle changed anything, in one lane. `cycle` is NULL while the entries of one that is too old are removed."""

journal_entries: Final = Table(
    "journal_entries",
    metadata,
    Column("journal_id", ROW_ID, ForeignKey("journals.id", ondelete="CASCADE"), primary_key=True),
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("source_id", Identifier, nullable=False),
    Column("target_id", Identifier),
    Column("action", Words, nullable=False),
    Column("content", Sealed),
    sqlite_with_rowid=False,
)
"""`position` is minus the number of the change: a table is read in the order of its key, and the last one is undone
first. `content` is NULL where the change took nothing's place."""

TRIMMED_AT_ONCE: Final = 1000

_KNOWN: Final = select(journals.c.id).where(
    journals.c.lane_id == bindparam("lane_id"), journals.c.cycle == bindparam("cycle")
)


class SqlJournal(OnDatabase):
    """JournalStore on tables."""

    async def journal(self, lane: Lane, cycle: str) -> Journal | None:
        statement = select(journals).where(journals.c.lane_id == known_lane(lane), journals.c.cycle == cycle)
        found = await self._database.rows(statement, _read_journal)
        return found[0] if found else None

    async def journal_entries(self, lane: Lane, cycle: str) -> AsyncIterator[Sequence[JournalEntry]]:
        mine = select(journals.c.id).where(journals.c.lane_id == known_lane(lane), journals.c.cycle == cycle)
        statement = select(journal_entries).where(journal_entries.c.journal_id == mine.scalar_subquery())
        async for page in self._database.pages(statement, Order([journal_entries.c.position]), _read_entry):
            yield page

    async def last_entry(self, lane: Lane, cycle: str) -> int:
        mine = select(journals.c.id).where(journals.c.lane_id == known_lane(lane), journals.c.cycle == cycle)
        first = select(func.min(journal_entries.c.position)).where(
            journal_entries.c.journal_id == mine.scalar_subquery()
        )
        [position] = await self._database.rows(first, _read_position)
        return -position

    async def knows_cycle(self, connector: ConnectorKey, cycle: str) -> bool:
        return await self._database.run(_knows_cycle, connector, cycle)

    async def trim_journal(self, connector: ConnectorKey, before: datetime, keep: int) -> bool:
        return await self._database.run(_trim, connector, before, keep)


def announce_entries(connection: Connection, lane_id: int, part: JournalPart) -> None:
    """Changes that are about to be made: none of them is in the journal yet."""
    if part.entries:
        journal_id = _ensure_journal(connection, lane_id, part.journal)
        insert_rows(connection, journal_entries, [_row(journal_id, entry) for entry in part.entries])


def settle_entries(connection: Connection, lane_id: int, part: JournalPart) -> None:
    """What is known better of changes that were announced."""
    if not (part.entries or part.dropped):
        return
    journal_id = _ensure_journal(connection, lane_id, part.journal)
    numbers = (*part.dropped, *(entry.number for entry in part.entries))
    delete_ids(connection, journal_entries, journal_id, [-number for number in numbers])
    insert_rows(connection, journal_entries, [_row(journal_id, entry) for entry in part.entries])


def _ensure_journal(connection: Connection, lane_id: int, journal: Journal) -> int:
    known: int | None = connection.execute(_KNOWN, {"lane_id": lane_id, "cycle": journal.cycle}).scalar()
    if known is not None:
        return known
    row = {"lane_id": lane_id, "cycle": journal.cycle, "begun": journal.begun, "address": journal.address}
    made: int = connection.execute(insert(journals).values(row).returning(journals.c.id)).scalar_one()
    return made


def _knows_cycle(connection: Connection, connector: ConnectorKey, cycle: str) -> bool:
    mine = known_connector(connector)
    reports = select(cycles.c.id).where(cycles.c.connector_id == mine, cycles.c.cycle == cycle)
    lines = select(log_entries.c.id).where(log_entries.c.connector_id == mine, log_entries.c.cycle == cycle)
    return any(connection.execute(each.limit(1)).first() is not None for each in (reports, lines))


# --- retention ------------------------------------------------------------------------------------------------------


def _trim(connection: Connection, connector: ConnectorKey, before: datetime, keep: int) -> bool:
    """One journal at a time, hidden before its first entry goes: nobody undoes what is left of one."""
    mine = journals.c.lane_id.in_(lanes_of(connector))
    journal_id = _find_too_old(connection, connector, before, keep)
    if journal_id is None:
        return False
    connection.execute(update(journals).where(mine, journals.c.id == journal_id).values(cycle=None))
    entries = select(journal_entries.c.position).where(journal_entries.c.journal_id == journal_id)
    oldest = (
        connection.execute(entries.order_by(journal_entries.c.position.desc()).limit(TRIMMED_AT_ONCE)).scalars().all()
    )
    delete_ids(connection, journal_entries, journal_id, oldest)
    if len(oldest) < TRIMMED_AT_ONCE:
        connection.execute(delete(journals).where(journals.c.id == journal_id))
    return True


def _find_too_old(connection: Connection, connector: ConnectorKey, before: datetime, keep: int) -> int | None:
    """One that is hidden already, or whose time is over, or behind too many changes; the oldest first."""
    mine = journals.c.lane_id.in_(lanes_of(connector))
    old = select(journals.c.id).where(mine, or_(journals.c.cycle.is_(None), journals.c.begun < before))
    found: int | None = connection.execute(old.order_by(journals.c.id).limit(1)).scalar()
    if found is not None:
        return found
    last = select(func.min(journal_entries.c.position)).where(journal_entries.c.journal_id == journals.c.id)
    newest = select(journals.c.id, last.scalar_subquery().label("last")).where(mine).order_by(journals.c.id.desc())
    size = 0
    rows = connection.execute(newest).all()
    for row in rows:
        size += 0 if row.last is None else 1 - row.last
        if size > keep and row.id != rows[0].id:
            return int(rows[-1].id)
    return None


# --- rows -----------------------------------------------------------------------------------------------------------


def _row(journal_id: int, entry: JournalEntry) -> Values:
    return journal_id, -entry.number, entry.source_id, entry.target_id, entry.action, _encode(entry)


def _encode(entry: JournalEntry) -> bytes | None:
    if not (entry.delta or entry.before or entry.held):
        return None
    delta = {path: encode_edit(edit) for path, edit in entry.delta.items()}
    held = {path: list(ids) for path, ids in entry.held.items()}
    return orjson.dumps([delta, dict(entry.before), held])


def _read_position(row: AnyRow) -> int:
    return row[0] or 0


def _read_journal(row: AnyRow) -> Journal:
    return Journal(row.cycle, row.begun, row.address)


def _read_entry(row: AnyRow) -> JournalEntry:
    content: list[dict[str, Any]] = [{}, {}, {}] if row.content is None else orjson.loads(row.content)
    delta, before, held = content
    edits = {AttributePath(path): decode_edit(edit) for path, edit in delta.items()}
    return JournalEntry(
        number=-row.position,
        source_id=SourceId(row.source_id),
        target_id=None if row.target_id is None else TargetId(row.target_id),
        action=Action(row.action),
        delta={path: edit for path, edit in edits.items() if isinstance(edit, Replace | Amend)},
        before={AttributePath(path): value for path, value in before.items()},
        held={AttributePath(path): tuple(map(TargetId, ids)) for path, ids in held.items()},
    )
