"""What a chunk of outcomes changes, in one transaction: links and who may hold them, intents, plan rows, the log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, bindparam, or_, select

from usher.contracts.store import Intent, Record
from usher.core.model.escrow import Unsettled
from usher.core.model.resources import Lane, Link, SourceId, TargetId
from usher.state.codec import encode_image, encode_keys
from usher.state.connectors import ensure_connector, ensure_lane, owned_at
from usher.state.journal import settle_entries
from usher.state.log import append_entries
from usher.state.references import find_moved, settle_holders, wake_all_holders, wake_holders
from usher.state.schema import connectors, consumptions, deletions, intents, lanes, links, unsettled
from usher.state.statements import Among, AnyRow, Values, delete_ids, insert_rows, replace_ids

_HOLDERS: Final = Among(
    select(links.c.lane_id, links.c.source_id, links.c.target_id).where(
        or_(links.c.lane_id == bindparam("lane_id"), links.c.owner_address == bindparam("address"))
    ),
    links.c.target_id,
)
_ADDRESS: Final = (
    select(consumptions.c.address, connectors.c.retired)
    .join(lanes, lanes.c.id == consumptions.c.lane_id)
    .join(connectors, connectors.c.id == lanes.c.connector_id)
    .where(consumptions.c.lane_id == bindparam("lane_id"))
)
_WAITING: Final = Among(
    select(deletions.c.source_id).where(deletions.c.lane_id == bindparam("lane_id")), deletions.c.source_id
)


def refuse_links(
    wanted: Mapping[SourceId, TargetId], mine: Mapping[TargetId, SourceId], foreign: frozenset[TargetId]
) -> frozenset[SourceId]:
    """The people whose wanted link can't be stored.

    `mine` are the connector's present links to the wanted targets, `foreign` the targets that other connectors own.
    Who is refused keeps a present link, and by that may stand in the way of the next; who moves to another target makes
    room. Of two who want the same, the present holder comes first, then the order of `wanted`.
    """
    refused: set[SourceId] = set()
    while blocked := _find_blocked(wanted, mine, foreign, refused):
        refused |= blocked
    return frozenset(refused)


def _find_blocked(
    wanted: Mapping[SourceId, TargetId],
    mine: Mapping[TargetId, SourceId],
    foreign: frozenset[TargetId],
    refused: set[SourceId],
) -> set[SourceId]:
    holders = {
        target: holder for target, holder in mine.items() if holder in refused or wanted.get(holder, target) == target
    }
    blocked: set[SourceId] = set()
    for person, target in wanted.items():
        if person not in refused and (target in foreign or holders.setdefault(target, person) != person):
            blocked.add(person)
    return blocked


def record_outcomes(connection: Connection, lane: Lane, record: Record) -> Sequence[SourceId]:
    """All of the record but the links that are refused; returns whose these are, in the order of the record."""
    lane_id = ensure_lane(connection, lane)
    moved = find_moved(connection, lane_id, record)
    delete_ids(connection, links, lane_id, record.unlinked)
    _ripen(connection, lane_id, record)
    refused = _store_links(connection, lane, lane_id, record.links) if record.links else []
    delete_ids(connection, intents, lane_id, record.finished)
    delete_ids(connection, unsettled, lane_id, record.settled)
    waiting = {one.source_id: unsettled_row(lane_id, one) for one in record.unsettled}
    replace_ids(connection, unsettled, lane_id, waiting)
    settle_holders(connection, lane_id, record)
    wake_holders(connection, lane, lane_id, moved)
    if record.found:
        wake_all_holders(connection, lane)
    append_entries(connection, ensure_connector(connection, lane.connector), record.log)
    if record.journal is not None:
        settle_entries(connection, lane_id, record.journal)
    return refused


def intent_row(lane_id: int, intent: Intent) -> Values:
    """A row of `intents`."""
    return lane_id, intent.source_id, intent.action, encode_keys(intent.keys)


def unsettled_row(lane_id: int, one: Unsettled) -> Values:
    """A row of `unsettled`."""
    escrow = one.escrow
    failure = (None, None, None) if escrow is None else (escrow.duty, escrow.due, escrow.tried)
    return lane_id, one.source_id, one.reason, one.attempts, one.since, *failure


def _ripen(connection: Connection, lane_id: int, record: Record) -> None:
    """Who waits to be deleted: of those who wait already the time does not begin again."""
    enabled = [link.source_id for link in record.links if link.enabled]
    delete_ids(connection, deletions, lane_id, [*record.unlinked, *record.spared, *enabled])
    waiting = set(_WAITING.fetch(connection, record.ripening, _read_id, lane_id=lane_id))
    rows = [(lane_id, one, since) for one, since in record.ripening.items() if one not in waiting]
    insert_rows(connection, deletions, rows)


@dataclass(frozen=True, slots=True)
class _Holder:
    lane_id: int
    source_id: SourceId
    target_id: TargetId


def _store_links(connection: Connection, lane: Lane, lane_id: int, wanted: Sequence[Link]) -> Sequence[SourceId]:
    last = {link.source_id: link for link in wanted}
    targets = {source_id: link.target_id for source_id, link in last.items()}
    address, active = _address(connection, lane_id)
    owned = None if address is None else owned_at(address, lane.resource_type)
    holders = _holders(connection, lane_id, owned, set(targets.values()))
    mine = {holder.target_id: holder.source_id for holder in holders if holder.lane_id == lane_id}
    foreign = frozenset(holder.target_id for holder in holders if holder.lane_id != lane_id)
    refused = refuse_links(targets, mine, foreign)
    owner_address = owned if active else None
    accepted = {one: _link_row(lane_id, owner_address, last[one]) for one in last if one not in refused}
    replace_ids(connection, links, lane_id, accepted)
    return [source_id for source_id in last if source_id in refused]


def _address(connection: Connection, lane_id: int) -> tuple[str | None, bool]:
    """The target address of a lane (None before its first consumption), and whether its connector is active there."""
    found = connection.execute(_ADDRESS, {"lane_id": lane_id}).one_or_none()
    return (None, False) if found is None else (found.address, found.retired is None)


def _holders(connection: Connection, lane_id: int, address: str | None, targets: set[TargetId]) -> Sequence[_Holder]:
    return _HOLDERS.fetch(connection, targets, _read_holder, lane_id=lane_id, address=address)


def _read_holder(row: AnyRow) -> _Holder:
    return _Holder(row.lane_id, SourceId(row.source_id), TargetId(row.target_id))


def _read_id(row: AnyRow) -> SourceId:
    return SourceId(row.source_id)


def _link_row(lane_id: int, owner_address: str | None, link: Link) -> Values:
    image = encode_image(link.image)
    return (
        lane_id,
        link.source_id,
        link.target_id,
        owner_address,
        link.enabled,
        link.fingerprint,
        link.version,
        image,
    )
