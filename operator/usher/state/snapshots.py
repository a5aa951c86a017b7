"""Snapshots of sources: what is in force, what is staged, and what changed since a version."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, ScalarSelect, bindparam, delete, insert, literal, select, update

from usher.contracts.snapshots import Snapshot, StagedResource
from usher.contracts.source import Evidence, SourceChange, Watermark
from usher.core.model.resources import Fingerprint, ResourceType, SourceId, SourceKey, SourceResource
from usher.state.codec import decode_attributes, decode_names, encode_attributes, encode_names
from usher.state.database import OnDatabase, Order
from usher.state.schema import feeds, resources, snapshots, staged
from usher.state.statements import Among, AnyRow, replace_ids

_BURY: Final = (
    update(resources)
    .where(
        resources.c.feed_id == bindparam("feed"),
        resources.c.resource_id == bindparam("gone"),
        resources.c.content.is_not(None),
    )
    .values(version=bindparam("now"), fingerprint=None, content=None, evidence=bindparam("why"))
)

_LIVE: Final = Among(
    select(resources.c.resource_id, resources.c.content).where(
        resources.c.feed_id
        == select(feeds.c.id)
        .where(feeds.c.source == bindparam("source"), feeds.c.resource_type == bindparam("resource_type"))
        .scalar_subquery(),
        resources.c.content.is_not(None),
    ),
    resources.c.resource_id,
)


_TOLD: Final = Among(
    select(resources.c.resource_id).where(
        resources.c.feed_id
        == select(feeds.c.id)
        .where(feeds.c.source == bindparam("source"), feeds.c.resource_type == bindparam("resource_type"))
        .scalar_subquery(),
        resources.c.content.is_(None),
        resources.c.evidence == bindparam("told"),
    ),
    resources.c.resource_id,
)


class SqlSnapshots(OnDatabase):
    """SnapshotStore on tables."""

    async def snapshot(self, source: SourceKey, resource_type: ResourceType) -> Snapshot | None:
        statement = select(snapshots).where(snapshots.c.feed_id == _known_feed(source, resource_type))
        found = await self._database.rows(statement, _read_snapshot)
        return found[0] if found else None

    async def fingerprints(self, source: SourceKey, resource_type: ResourceType) -> dict[SourceId, Fingerprint]:
        statement = select(resources.c.resource_id, resources.c.fingerprint).where(
            resources.c.feed_id == _known_feed(source, resource_type), resources.c.content.is_not(None)
        )
        return dict(await self._database.rows(statement, _read_fingerprint))

    async def stage(self, source: SourceKey, resource_type: ResourceType, rows: Sequence[StagedResource]) -> None:
        await self._database.jot(_stage, source, resource_type, rows)

    async def discard(self, source: SourceKey, resource_type: ResourceType) -> None:
        await self._database.jot(_discard, source, resource_type)

    async def publish(
        self, source: SourceKey, resource_type: ResourceType, removed: Mapping[SourceId, Evidence], snapshot: Snapshot
    ) -> None:
        await self._database.run(_publish, source, resource_type, removed, snapshot)

    async def changes(
        self, source: SourceKey, resource_type: ResourceType, since: int | None, until: int
    ) -> AsyncIterator[Sequence[SourceChange]]:
        """With None `until` bounds nothing: a resource that a later version changes meanwhile must not look absent."""
        feed = _known_feed(source, resource_type)
        statement = select(resources.c.version, resources.c.resource_id, resources.c.content).where(
            resources.c.feed_id == feed
        )
        if since is None:
            statement, order = statement.where(resources.c.content.is_not(None)), Order([resources.c.resource_id])
        else:
            statement = statement.where(resources.c.version <= until)
            order = Order([resources.c.version, resources.c.resource_id], start=resources.c.version > since)
        async for page in self._database.pages(statement, order, _read_change):
            yield page

    async def told_deleted(
        self, source: SourceKey, resource_type: ResourceType, ids: Collection[SourceId]
    ) -> Collection[SourceId]:
        return await self._database.run(
            _TOLD.fetch, ids, _read_id, source=source, resource_type=resource_type, told=Evidence.TOLD
        )

    async def resources(
        self, source: SourceKey, resource_type: ResourceType, ids: Collection[SourceId]
    ) -> Mapping[SourceId, SourceResource]:
        found = await self._database.run(_LIVE.fetch, ids, _read_resource, source=source, resource_type=resource_type)
        return {resource.id: resource for resource in found}


def _known_feed(source: SourceKey, resource_type: ResourceType) -> ScalarSelect[int]:
    return select(feeds.c.id).where(feeds.c.source == source, feeds.c.resource_type == resource_type).scalar_subquery()


def _feed(connection: Connection, source: SourceKey, resource_type: ResourceType) -> int:
    known: int | None = connection.execute(select(_known_feed(source, resource_type))).scalar()
    if known is not None:
        return known
    row = {"source": source, "resource_type": resource_type}
    made: int = connection.execute(insert(feeds).values(row).returning(feeds.c.id)).scalar_one()
    return made


def _stage(
    connection: Connection, source: SourceKey, resource_type: ResourceType, rows: Sequence[StagedResource]
) -> None:
    feed = _feed(connection, source, resource_type)
    fresh = {
        row.resource.id: (feed, row.resource.id, row.fingerprint, encode_attributes(row.resource.attributes))
        for row in rows
    }
    replace_ids(connection, staged, feed, fresh)


def _discard(connection: Connection, source: SourceKey, resource_type: ResourceType) -> None:
    connection.execute(delete(staged).where(staged.c.feed_id == _known_feed(source, resource_type)))


def _publish(
    connection: Connection,
    source: SourceKey,
    resource_type: ResourceType,
    removed: Mapping[SourceId, Evidence],
    snapshot: Snapshot,
) -> None:
    feed = _feed(connection, source, resource_type)
    if removed:
        connection.execute(
            _BURY, [{"feed": feed, "gone": one, "now": snapshot.version, "why": why} for one, why in removed.items()]
        )
    mine = staged.c.feed_id == feed
    connection.execute(
        delete(resources).where(
            resources.c.feed_id == feed, resources.c.resource_id.in_(select(staged.c.resource_id).where(mine))
        )
    )
    columns = ["feed_id", "resource_id", "version", "fingerprint", "content"]
    version = literal(snapshot.version)
    fresh = select(staged.c.feed_id, staged.c.resource_id, version, staged.c.fingerprint, staged.c.content).where(mine)
    connection.execute(insert(resources).from_select(columns, fresh))
    connection.execute(delete(staged).where(mine))
    connection.execute(delete(snapshots).where(snapshots.c.feed_id == feed))
    connection.execute(insert(snapshots), _snapshot_row(feed, snapshot))


def _snapshot_row(feed: int, snapshot: Snapshot) -> Mapping[str, Any]:
    return {
        "feed_id": feed,
        "version": snapshot.version,
        "size": snapshot.count,
        "attributes": encode_names(snapshot.attributes),
        "identity": snapshot.identity,
        "digest": snapshot.digest,
        "watermark": snapshot.watermark,
        "completed": snapshot.completed,
        "whole": snapshot.whole,
    }


def _read_snapshot(row: AnyRow) -> Snapshot:
    return Snapshot(
        version=row.version,
        count=row.size,
        attributes=decode_names(row.attributes),
        identity=row.identity,
        digest=row.digest,
        watermark=None if row.watermark is None else Watermark(row.watermark),
        completed=row.completed,
        whole=row.whole,
    )


def _read_id(row: AnyRow) -> SourceId:
    return SourceId(row.resource_id)


def _read_fingerprint(row: AnyRow) -> tuple[SourceId, Fingerprint]:
    return SourceId(row.resource_id), Fingerprint(row.fingerprint)


def _read_resource(row: AnyRow) -> SourceResource:
    return SourceResource(id=SourceId(row.resource_id), attributes=decode_attributes(row.content))


def _read_change(row: AnyRow) -> SourceChange:
    return SourceChange(id=SourceId(row.resource_id), resource=None if row.content is None else _read_resource(row))
