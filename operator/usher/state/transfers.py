"""Links that change their connector, in one transaction with what belongs to them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, select, update

from usher.contracts.store import Intent, LogEntry
from usher.contracts.transfers import Handover, Obstacle, Transfer
from usher.core.model.escrow import Unsettled
from usher.core.model.plans import Action
from usher.core.model.resources import ConnectorKey, Lane, ResourceType, SourceId, TargetId
from usher.state.connectors import ensure_connector, ensure_lane, known_lane
from usher.state.database import OnDatabase
from usher.state.ledger import holders
from usher.state.plans import drop_held
from usher.state.recording import append_entries, intent_row, unsettled_row
from usher.state.references import wake_holders
from usher.state.schema import changes, claims, deletions, intents, links, unsettled
from usher.state.statements import AT_ONCE, AnySelect, chunked, delete_ids, fetch, replace_ids

TRANSFER: Final = "Transfer"
"""The action of the provisioning log."""
TRANSFERRED: Final = "Transferred"
"""Its reason; and what is said of whom the former connector means as well, until it has looked at the account again."""


class SqlTransfers(OnDatabase):
    """TransferStore on tables."""

    async def transferable(self, transfer: Transfer) -> Sequence[Handover]:
        return await self._database.run(_find, transfer)

    async def transfer(self, transfer: Transfer, at: datetime) -> Sequence[Handover]:
        return await self._database.run(_transfer, transfer, at)


def _find(connection: Connection, transfer: Transfer) -> list[Handover]:
    found: list[Handover] = []
    for resource_type in ResourceType:
        found += _find_in(connection, transfer, resource_type)
    known = {one.source_id for one in found}
    for source_id in sorted(set(transfer.ids or ()) - known):
        found.append(Handover(ResourceType.USER, source_id, None, still_meant=False, obstacle=Obstacle.NO_LINK))
    return found


def _find_in(connection: Connection, transfer: Transfer, resource_type: ResourceType) -> list[Handover]:
    former, heir = Lane(transfer.former, resource_type), Lane(transfer.heir, resource_type)
    statement = select(links.c.source_id, links.c.target_id).where(links.c.lane_id == known_lane(former))
    rows = sorted(fetch(connection, statement, lambda row: (SourceId(row[0]), TargetId(row[1]))))
    mine = [row for row in rows if transfer.ids is None or row[0] in transfer.ids]
    if not mine:
        return []
    known = _Known.of(connection, former, heir)
    return [
        Handover(resource_type, one, account, one in known.meant_by_former, known.obstacle(one))
        for one, account in mine
    ]


@dataclass(frozen=True, slots=True)
class _Known:
    """Who is what in the two lanes. An intent to look at a link that was itself handed over stands in nobody's way."""

    unsure: frozenset[str]
    linked_by_heir: frozenset[str]
    meant_by_heir: frozenset[str]
    meant_by_former: frozenset[str]

    @classmethod
    def of(cls, connection: Connection, former: Lane, heir: Lane) -> _Known:
        """Reads both lanes whole."""
        sent = select(intents.c.source_id).where(intents.c.action != Action.LINK)
        return cls(
            unsure=_ids(connection, sent.where(intents.c.lane_id.in_([known_lane(former), known_lane(heir)]))),
            linked_by_heir=_ids(connection, select(links.c.source_id).where(links.c.lane_id == known_lane(heir))),
            meant_by_heir=_meant(connection, heir),
            meant_by_former=_meant(connection, former),
        )

    def obstacle(self, source_id: SourceId) -> Obstacle | None:
        """The first that there is."""
        if source_id in self.unsure:
            return Obstacle.OPEN_INTENT
        if source_id in self.linked_by_heir:
            return Obstacle.LINKED_BY_HEIR
        return None if source_id in self.meant_by_heir else Obstacle.NOT_IN_SCOPE


def _meant(connection: Connection, lane: Lane) -> frozenset[str]:
    """Whoever is in scope makes a claim."""
    return _ids(connection, select(claims.c.source_id).where(claims.c.lane_id == known_lane(lane)).distinct())


def _ids(connection: Connection, statement: AnySelect) -> frozenset[str]:
    return frozenset(fetch(connection, statement, lambda row: str(row[0])))


def _transfer(connection: Connection, transfer: Transfer, at: datetime) -> list[Handover]:
    found = _find(connection, transfer)
    for resource_type in ResourceType:
        moving = [one for one in found if one.resource_type is resource_type and one.obstacle is None]
        if moving:
            _move(connection, transfer, resource_type, moving, at)
    return found


def _move(
    connection: Connection, transfer: Transfer, resource_type: ResourceType, moving: Sequence[Handover], at: datetime
) -> None:
    former, heir = Lane(transfer.former, resource_type), Lane(transfer.heir, resource_type)
    former_id, heir_id = ensure_lane(connection, former), ensure_lane(connection, heir)
    ids = [one.source_id for one in moving]
    _move_links(connection, former_id, heir_id, ids)
    looks = {one: intent_row(heir_id, Intent(one, Action.LINK)) for one in ids}
    replace_ids(connection, intents, heir_id, looks)
    for table in (intents, deletions, unsettled, changes):
        delete_ids(connection, table, former_id, ids)
    drop_held(connection, former, ids)
    refused = [Unsettled(one.source_id, TRANSFERRED, 1, at) for one in moving if one.still_meant]
    replace_ids(connection, unsettled, former_id, {one.source_id: unsettled_row(former_id, one) for one in refused})
    _forget_holdings(connection, former_id, ids)
    for lane, lane_id in ((former, former_id), (heir, heir_id)):
        wake_holders(connection, lane, lane_id, ids)
    _log(connection, transfer.former, _entries(moving, at, f"to {transfer.heir}"))
    _log(connection, transfer.heir, _entries(moving, at, f"from {transfer.former}"))


def _move_links(connection: Connection, former_id: int, heir_id: int, ids: Collection[SourceId]) -> None:
    """They own their accounts as before. What the former connector wanted of an account says nothing any more."""
    for chunk in chunked(ids, AT_ONCE):
        mine = links.c.lane_id == former_id, links.c.source_id.in_(chunk)
        connection.execute(update(links).where(*mine).values(lane_id=heir_id, fingerprint=b""))


def _forget_holdings(connection: Connection, lane_id: int, ids: Collection[SourceId]) -> None:
    for chunk in chunked(ids, AT_ONCE):
        mine = holders.c.lane_id == lane_id, holders.c.source_id.in_(chunk)
        connection.execute(update(holders).where(*mine).values(held=None, size=0, waiting=0))


def _log(connection: Connection, connector: ConnectorKey, entries: Sequence[LogEntry]) -> None:
    append_entries(connection, ensure_connector(connection, connector), entries)


def _entries(moving: Iterable[Handover], at: datetime, detail: str) -> list[LogEntry]:
    """No cycle made them."""
    return [
        LogEntry(
            time=at,
            cycle="",
            source_id=one.source_id,
            target_id=one.target_id,
            step="match",
            action=TRANSFER,
            result="Success",
            reason=TRANSFERRED,
            detail=detail,
            resource_type=one.resource_type,
        )
        for one in moving
    ]
