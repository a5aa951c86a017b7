"""What the engine asks of the store of snapshots: versioned, complete reads of a source, with a change feed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from usher.contracts.source import Evidence, SourceChange, Watermark
from usher.core.model.resources import Fingerprint, ResourceType, SourceId, SourceKey, SourceResource


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What is known of one resource type of a source: its last whole read, and the changes that came after that.

    `version` grows by one with each read that changed anything. `digest` is over all ids and fingerprints of the whole
    read, and empty once a read of changes has changed something. `completed` is the end of the last read that was taken
    over, `whole` that of the last whole one.
    """

    version: int
    count: int
    attributes: tuple[str, ...]
    identity: str
    digest: str
    watermark: Watermark | None
    completed: datetime
    whole: datetime


@dataclass(frozen=True, slots=True)
class StagedResource:
    """A resource of the read in progress that is new or differs from the snapshot."""

    resource: SourceResource
    fingerprint: Fingerprint


class SnapshotStore(Protocol):
    """Versioned snapshots, one per source and resource type."""

    async def snapshot(self, source: SourceKey, resource_type: ResourceType) -> Snapshot | None: ...

    async def fingerprints(self, source: SourceKey, resource_type: ResourceType) -> dict[SourceId, Fingerprint]:
        """Of every live resource: the one thing that is loaded whole (about 120 bytes each)."""

    async def stage(self, source: SourceKey, resource_type: ResourceType, rows: Sequence[StagedResource]) -> None:
        """Puts changed resources aside; the snapshot in force stays as it is."""

    async def discard(self, source: SourceKey, resource_type: ResourceType) -> None:
        """Drops what was staged: the read was void, or a former process died in it."""

    async def publish(
        self, source: SourceKey, resource_type: ResourceType, removed: Mapping[SourceId, Evidence], snapshot: Snapshot
    ) -> None:
        """What was staged and the tombstones become part of `snapshot.version`.

        The staging area is empty afterwards.
        """

    async def told_deleted(
        self, source: SourceKey, resource_type: ResourceType, ids: Collection[SourceId]
    ) -> Collection[SourceId]:
        """Those of these whose deletion the source itself has told."""

    def changes(
        self, source: SourceKey, resource_type: ResourceType, since: int | None, until: int
    ) -> AsyncIterator[Sequence[SourceChange]]:
        """Chunks of what changed in versions `since` < v <= `until`.

        With None every live resource (and no tombstone).
        """

    async def resources(
        self, source: SourceKey, resource_type: ResourceType, ids: Collection[SourceId]
    ) -> Mapping[SourceId, SourceResource]:
        """The live ones among these ids."""
