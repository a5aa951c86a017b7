"""Who refers to whom: a ledger by source ids, which outlives every account at either end.

Whatever makes a reference possible or impossible, in whichever transaction, marks its holder due in the same one: a
process that dies afterwards has forgotten nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import Connection, and_, bindparam, func, or_, select, tuple_, update

from usher.contracts.store import Record
from usher.core.model.plans import Action
from usher.core.model.resources import Holding, Lane, SourceId, TargetId
from usher.state.codec import decode_holding, encode_holding
from usher.state.connectors import MY_LANE, ensure_lane, known_lane, lanes_beside, naming
from usher.state.database import OnDatabase
from usher.state.ledger import holders, references
from usher.state.schema import changes, links
from usher.state.statements import AT_ONCE, Among, AnyRow, Values, chunked, insert_rows, replace_ids

_ENDS: Final = Among(
    select(references.c.source_id, references.c.referent).where(references.c.lane_id == bindparam("lane_id")),
    references.c.source_id,
)
_MOVING: Final = (Action.CREATE, Action.LINK, Action.DISABLE, Action.DELETE)
_HOLDINGS: Final = Among(
    select(holders.c.source_id, holders.c.held).where(holders.c.lane_id == MY_LANE, holders.c.held.is_not(None)),
    holders.c.source_id,
)
_ACCOUNTS: Final = Among(
    select(links.c.source_id, links.c.target_id, links.c.enabled).where(links.c.lane_id == bindparam("lane_id")),
    links.c.source_id,
)


class SqlReferences(OnDatabase):
    """ReferenceStore on tables."""

    async def save_references(self, lane: Lane, wanted: Mapping[SourceId, Collection[SourceId]]) -> None:
        await self._database.jot(_save_references, lane, wanted)

    async def due_holders(self, lane: Lane) -> Sequence[SourceId]:
        statement = select(holders.c.source_id).where(holders.c.lane_id == known_lane(lane), holders.c.due)
        return sorted(await self._database.rows(statement, _read_id))

    async def holders_of_planned(self, lane: Lane) -> Sequence[SourceId]:
        moving = select(changes.c.source_id).where(
            changes.c.lane_id.in_(lanes_beside(lane)), changes.c.action.in_(_MOVING)
        )
        statement = select(references.c.source_id).where(
            references.c.lane_id == known_lane(lane), references.c.referent.in_(moving)
        )
        return sorted(await self._database.rows(statement.distinct(), _read_id))

    async def holdings(self, lane: Lane, ids: Collection[SourceId]) -> Mapping[SourceId, Holding]:
        return dict(await self._database.run(_HOLDINGS.fetch, ids, _read_holding, **naming(lane)))

    async def count_references(self, lane: Lane) -> int:
        statement = select(func.coalesce(func.sum(holders.c.size), 0)).where(holders.c.lane_id == known_lane(lane))
        [count] = await self._database.rows(statement, _read_count)
        return count

    async def count_waiting_references(self, lane: Lane) -> int:
        statement = select(func.coalesce(func.sum(holders.c.waiting), 0)).where(
            holders.c.lane_id == known_lane(lane), holders.c.waiting > 0
        )
        [count] = await self._database.rows(statement, _read_count)
        return count


def _save_references(connection: Connection, lane: Lane, wanted: Mapping[SourceId, Collection[SourceId]]) -> None:
    """Only what differs is written: of 20,000 members one may be new."""
    lane_id = ensure_lane(connection, lane)
    former: dict[str, set[str]] = {}
    for source_id, referent in _ENDS.fetch(connection, wanted, _read_end, lane_id=lane_id):
        former.setdefault(source_id, set()).add(referent)
    known = _read_holders(connection, lane_id, wanted)
    due: list[SourceId] = []
    new: list[Values] = []
    for source_id, ends in wanted.items():
        held, now = former.get(source_id, set()), set(ends)
        if held != now:
            if gone := held - now:
                _forget_ends(connection, lane_id, source_id, gone)
            new += [(lane_id, source_id, end) for end in sorted(now - held)]
        if held != now or (now and source_id not in known):
            due.append(source_id)
    insert_rows(connection, references, new)
    rows: dict[str, _Holder] = {one: replace(known.get(one, _Holder()), due=True) for one in due}
    _write_holders(connection, lane_id, rows)


@dataclass(frozen=True, slots=True)
class _Holder:
    due: bool = False
    waiting: int = 0
    size: int = 0
    held: bytes | None = None


_HOLDERS: Final = Among(
    select(holders.c.source_id, holders.c.due, holders.c.waiting, holders.c.size, holders.c.held).where(
        holders.c.lane_id == bindparam("lane_id")
    ),
    holders.c.source_id,
)


def _read_holders(connection: Connection, lane_id: int, ids: Collection[str]) -> dict[str, _Holder]:
    return dict(_HOLDERS.fetch(connection, ids, _read_holder, lane_id=lane_id))


def _read_holder(row: AnyRow) -> tuple[str, _Holder]:
    return row.source_id, _Holder(bool(row.due), row.waiting, row.size, row.held)


def _write_holders(connection: Connection, lane_id: int, rows: Mapping[str, _Holder]) -> None:
    values = {one: (lane_id, one, holder.due, holder.waiting, holder.size, holder.held) for one, holder in rows.items()}
    replace_ids(connection, holders, lane_id, values)


def _forget_ends(connection: Connection, lane_id: int, source_id: str, ends: Collection[str]) -> None:
    mine = references.c.lane_id == lane_id, references.c.source_id == source_id
    for chunk in chunked(ends, AT_ONCE):
        connection.execute(references.delete().where(*mine, references.c.referent.in_(chunk)))


def find_moved(connection: Connection, lane_id: int, record: Record) -> Sequence[SourceId]:
    """Whose account becomes active, inactive or another one by this record, as far as anybody refers to anybody."""
    if not (record.links or record.unlinked) or connection.execute(select(holders.c.lane_id).limit(1)).first() is None:
        return ()
    later: dict[SourceId, tuple[TargetId, bool]] = {
        link.source_id: (link.target_id, link.enabled) for link in record.links
    }
    ids = {*later, *record.unlinked}
    former = {row[0]: (row[1], bool(row[2])) for row in _ACCOUNTS.fetch(connection, ids, tuple, lane_id=lane_id)}
    return [source_id for source_id in sorted(ids) if former.get(source_id) != later.get(source_id)]


def wake_holders(connection: Connection, lane: Lane, lane_id: int, moved: Collection[SourceId]) -> None:
    """Whoever refers to any of these is due, and so are these themselves where they refer to somebody."""
    for chunk in chunked(moved, AT_ONCE):
        referring = select(references.c.lane_id, references.c.source_id).where(
            references.c.referent.in_(chunk), references.c.lane_id.in_(lanes_beside(lane))
        )
        itself = and_(holders.c.lane_id == lane_id, holders.c.source_id.in_(chunk))
        refers = tuple_(holders.c.lane_id, holders.c.source_id).in_(referring)
        connection.execute(update(holders).where(~holders.c.due, or_(itself, refers)).values(due=True))


def wake_all_holders(connection: Connection, lane: Lane) -> None:
    """Whose references are known: any of them may hold an account that was nobody's of ours until now."""
    mine = holders.c.lane_id.in_(lanes_beside(lane))
    connection.execute(update(holders).where(~holders.c.due, mine, holders.c.held.is_not(None)).values(due=True))


def settle_holders(connection: Connection, lane_id: int, record: Record) -> None:
    """What is known of the references of holders, and for whom nothing is left to do."""
    known = _read_holders(connection, lane_id, {*record.referring, *record.holding, *record.waking})
    for source_id, holding in record.holding.items():
        size = sum(map(len, holding.held.values()))
        known[source_id] = replace(known.get(source_id, _Holder()), size=size, held=encode_holding(holding))
    for source_id, waiting in record.referring.items():
        known[source_id] = replace(known.get(source_id, _Holder()), due=False, waiting=waiting)
    for source_id in record.waking:
        known[source_id] = replace(known.get(source_id, _Holder()), due=True)
    _write_holders(connection, lane_id, known)


def _read_holding(row: AnyRow) -> tuple[SourceId, Holding]:
    return SourceId(row.source_id), decode_holding(row.held)


def _read_id(row: AnyRow) -> SourceId:
    return SourceId(row.source_id)


def _read_end(row: AnyRow) -> tuple[str, str]:
    return row.source_id, row.referent


def _read_count(row: AnyRow) -> int:
    count: int = row[0]
    return count
