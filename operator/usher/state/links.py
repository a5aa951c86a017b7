"""Links, intents, claims and what is unsettled."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from datetime import datetime
from hashlib import blake2b
from typing import Final

from sqlalchemy import Connection, bindparam, delete, func, literal_column, select, update

from usher.contracts.journal import JournalPart
from usher.contracts.store import Consumption, Intent, LinkDigest, Owner, Record
from usher.core.model.escrow import Duty, Escrow, Unsettled
from usher.core.model.plans import Action
from usher.core.model.resources import ConnectorKey, Fingerprint, Lane, Link, ResourceType, SourceId, TargetId
from usher.state import connectors as lifecycle
from usher.state.codec import decode_image, decode_keys
from usher.state.connectors import MY_LANE, ensure_lane, known_lane, naming, owned_at
from usher.state.database import OnDatabase, Order
from usher.state.journal import announce_entries
from usher.state.recording import intent_row, record_outcomes
from usher.state.schema import claims, connectors, consumptions, deletions, intents, lanes, links, unsettled
from usher.state.statements import Among, AnyRow, delete_ids, insert_rows, replace_ids
from usher.state.vault import keyed

_DIGESTS: Final = 2000
"""Link digests in one page; they are small."""

_LINKS: Final = Among(select(links).where(links.c.lane_id == MY_LANE), links.c.source_id)
_DIGESTS_OF: Final = Among(
    select(links.c.source_id, links.c.target_id, links.c.fingerprint, links.c.enabled).where(
        links.c.lane_id == MY_LANE
    ),
    links.c.source_id,
)
_OWNERS: Final = Among(
    select(links.c.target_id, links.c.source_id, connectors.c.key)
    .join(lanes, lanes.c.id == links.c.lane_id)
    .join(connectors, connectors.c.id == lanes.c.connector_id)
    .where(links.c.owner_address == bindparam("address")),
    links.c.target_id,
)
_RIVALS: Final = Among(
    select(claims.c.claim)
    .where(claims.c.lane_id == MY_LANE)
    .group_by(claims.c.claim)
    .having(func.count() > literal_column("1")),
    claims.c.claim,
)
_CLAIMANTS: Final = Among(
    select(claims.c.claim, claims.c.source_id).where(claims.c.lane_id == MY_LANE),
    claims.c.claim,
)


class SqlLinks(OnDatabase):
    """LinkStore on tables."""

    async def consumption(self, lane: Lane) -> Consumption | None:
        statement = (
            select(consumptions, connectors.c.retired)
            .join(lanes, lanes.c.id == consumptions.c.lane_id)
            .join(connectors, connectors.c.id == lanes.c.connector_id)
            .where(lanes.c.id == known_lane(lane))
        )
        found = await self._database.rows(statement, lifecycle.read_consumption)
        return found[0] if found else None

    async def save_consumption(self, lane: Lane, consumption: Consumption) -> None:
        await self._database.run(lifecycle.save_consumption, lane, consumption)

    async def count_links(self, lane: Lane) -> tuple[int, int]:
        mine = links.c.lane_id == known_lane(lane)
        everybody = select(func.count()).where(mine).scalar_subquery()
        disabled = select(func.count()).where(mine, ~links.c.enabled).scalar_subquery()
        statement = select(everybody, everybody - disabled)  # each by an index alone, without a look at the links
        [counts] = await self._database.rows(statement, _read_counts)
        return counts

    def link_digests(self, lane: Lane, after: SourceId | None = None) -> AsyncIterator[Sequence[LinkDigest]]:
        columns = (links.c.source_id, links.c.target_id, links.c.fingerprint, links.c.enabled)
        statement = select(*columns).where(links.c.lane_id == known_lane(lane))
        order = Order([links.c.source_id]) if after is None else Order([links.c.source_id], links.c.source_id > after)
        return self._database.pages(statement, order, _read_digest, _DIGESTS)

    async def links(self, lane: Lane, ids: Collection[SourceId]) -> Mapping[SourceId, Link]:
        found = await self._database.run(_LINKS.fetch, ids, _read_link, **naming(lane))
        return {link.source_id: link for link in found}

    async def digests(self, lane: Lane, ids: Collection[SourceId]) -> Mapping[SourceId, LinkDigest]:
        found = await self._database.run(_DIGESTS_OF.fetch, ids, _read_digest, **naming(lane))
        return {digest.source_id: digest for digest in found}

    async def owners(
        self, address: str, resource_type: ResourceType, targets: Collection[TargetId]
    ) -> Mapping[TargetId, Owner]:
        owned = owned_at(address, resource_type)
        return dict(await self._database.run(_OWNERS.fetch, targets, _read_owner, address=owned))

    async def save_claims(self, lane: Lane, claims: Mapping[SourceId, Sequence[str]]) -> None:
        await self._database.jot(_save_claims, lane, claims)

    async def clear_claims(self, lane: Lane) -> None:
        await self._database.jot(_clear_claims, lane)

    async def count_claimants(self, lane: Lane) -> int:
        people = func.count(claims.c.source_id.distinct())
        statement = select(people).where(claims.c.lane_id == known_lane(lane))
        [count] = await self._database.rows(statement, _read_count)
        return count

    async def claimants(self, lane: Lane, claims: Collection[str]) -> Mapping[str, Sequence[SourceId]]:
        return await self._database.run(_find_people, lane, claims)

    async def rivals(self, lane: Lane, claims: Collection[str]) -> Mapping[str, Sequence[SourceId]]:
        return await self._database.run(_find_rivals, lane, claims)

    async def ripe(self, lane: Lane, since: datetime) -> Sequence[SourceId]:
        statement = select(deletions.c.source_id).where(
            deletions.c.lane_id == known_lane(lane), deletions.c.since <= since
        )
        return sorted(await self._database.rows(statement, _read_id))

    async def write_intents(self, lane: Lane, intents: Sequence[Intent], journal: JournalPart | None = None) -> None:
        await self._database.run(_write_intents, lane, intents, journal)

    async def intents(self, lane: Lane) -> Mapping[SourceId, Intent]:
        statement = select(intents).where(intents.c.lane_id == known_lane(lane))
        return dict(await self._database.rows(statement, _read_intent))

    async def unsettled(self, lane: Lane) -> Mapping[SourceId, Unsettled]:
        statement = select(unsettled).where(unsettled.c.lane_id == known_lane(lane))
        return dict(await self._database.rows(statement, _read_unsettled))

    async def renew_escrows(self, lane: Lane, at: datetime) -> None:
        await self._database.run(_renew_escrows, lane, at)

    async def record(self, lane: Lane, record: Record) -> Sequence[SourceId]:
        return await self._database.run(record_outcomes, lane, record)


def _digest(connection: Connection, claim: str) -> bytes:
    return keyed(connection.dialect, blake2b(claim.encode("utf-8", "surrogatepass"), digest_size=16).digest())


def _clear_claims(connection: Connection, lane: Lane) -> None:
    connection.execute(delete(claims).where(claims.c.lane_id == known_lane(lane)))


def _save_claims(connection: Connection, lane: Lane, made: Mapping[SourceId, Sequence[str]]) -> None:
    lane_id = ensure_lane(connection, lane)
    delete_ids(connection, claims, lane_id, made)
    rows = [
        (lane_id, source_id, digest)
        for source_id, values in made.items()
        for digest in {_digest(connection, value) for value in values}
    ]
    insert_rows(connection, claims, rows)


def _find_rivals(connection: Connection, lane: Lane, asked: Collection[str]) -> Mapping[str, Sequence[SourceId]]:
    texts = _by_digest(connection, asked)
    several = _RIVALS.fetch(connection, texts, _read_digest_of_claim, **naming(lane))
    return _find_claimants(connection, lane, {digest: texts[digest] for digest in several})


def _find_people(connection: Connection, lane: Lane, asked: Collection[str]) -> Mapping[str, Sequence[SourceId]]:
    return _find_claimants(connection, lane, _by_digest(connection, asked))


def _by_digest(connection: Connection, asked: Collection[str]) -> Mapping[bytes, str]:
    return {_digest(connection, claim): claim for claim in asked}


def _find_claimants(connection: Connection, lane: Lane, texts: Mapping[bytes, str]) -> Mapping[str, Sequence[SourceId]]:
    people: dict[str, list[SourceId]] = {}
    for digest, source_id in _CLAIMANTS.fetch(connection, texts, _read_claim, **naming(lane)):
        people.setdefault(texts[digest], []).append(source_id)
    return {text: sorted(ids) for text, ids in people.items()}


def _write_intents(connection: Connection, lane: Lane, written: Sequence[Intent], journal: JournalPart | None) -> None:
    lane_id = ensure_lane(connection, lane)
    rows = {intent.source_id: intent_row(lane_id, intent) for intent in written}
    replace_ids(connection, intents, lane_id, rows)
    if journal is not None:
        announce_entries(connection, lane_id, journal)


def _renew_escrows(connection: Connection, lane: Lane, at: datetime) -> None:
    failed = unsettled.c.lane_id == known_lane(lane), unsettled.c.duty.is_not(None)
    fresh = {"duty": None, "due": None, "tried": None, "attempts": 0, "since": at}
    connection.execute(update(unsettled).where(*failed).values(fresh))


def _read_id(row: AnyRow) -> SourceId:
    return SourceId(row.source_id)


def _read_count(row: AnyRow) -> int:
    count: int = row[0]
    return count


def _read_counts(row: AnyRow) -> tuple[int, int]:
    return row[0], row[1]


def _read_digest(row: AnyRow) -> LinkDigest:
    return LinkDigest(
        source_id=SourceId(row.source_id),
        target_id=TargetId(row.target_id),
        fingerprint=Fingerprint(row.fingerprint),
        enabled=row.enabled,
    )


def _read_link(row: AnyRow) -> Link:
    return Link(
        source_id=SourceId(row.source_id),
        target_id=TargetId(row.target_id),
        version=row.version,
        image=decode_image(row.image),
        fingerprint=Fingerprint(row.fingerprint),
        enabled=bool(row.enabled),
    )


def _read_owner(row: AnyRow) -> tuple[TargetId, Owner]:
    return TargetId(row.target_id), Owner(connector=ConnectorKey(row.key), source_id=SourceId(row.source_id))


def _read_digest_of_claim(row: AnyRow) -> bytes:
    return bytes(row.claim)


def _read_claim(row: AnyRow) -> tuple[bytes, SourceId]:
    return row.claim, SourceId(row.source_id)


def _read_intent(row: AnyRow) -> tuple[SourceId, Intent]:
    source_id = SourceId(row.source_id)
    return source_id, Intent(source_id, Action(row.action), decode_keys(row.match_keys))


def _read_unsettled(row: AnyRow) -> tuple[SourceId, Unsettled]:
    source_id = SourceId(row.source_id)
    escrow = None if row.duty is None else Escrow(Duty(row.duty), row.due, Fingerprint(row.tried))
    return source_id, Unsettled(source_id, row.reason, row.attempts, row.since, escrow)
