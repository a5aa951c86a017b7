"""A read of changes: what a source says to be new, different or gone, held against what is known of it.

It costs in proportion to the changes. What it does not mention is unchanged as far as anybody knows: only a tombstone,
or a list of all that is present, says that somebody is gone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from usher.contracts.snapshots import Snapshot, SnapshotStore, StagedResource
from usher.contracts.source import ChangesComplete, Evidence, SourceChange, SupportsChanges, Watermark
from usher.core.errors import IncompleteRead
from usher.core.model.resources import ResourceType, SourceId, SourceKey
from usher.core.sync.fingerprints import fingerprint


@dataclass(frozen=True, slots=True)
class ChangesFound:
    """What a read of changes came to; the new and the different are staged. `added` of the `changed` were not known."""

    removed: Mapping[SourceId, Evidence]
    changed: int
    added: int
    end: ChangesComplete


@dataclass(slots=True)
class _Tally:
    """Everybody whom the read mentions: whether a resource of that id is there, and which of them were known before.

    `gone` is the evidence of those who were shown as gone at least once.
    """

    there: dict[SourceId, bool] = field(default_factory=dict)
    gone: dict[SourceId, Evidence] = field(default_factory=dict)
    staged: set[SourceId] = field(default_factory=set)
    known: set[SourceId] = field(default_factory=set)


async def read_changes(
    source: SourceKey, resource_type: ResourceType, store: SnapshotStore, reader: SupportsChanges, former: Snapshot
) -> ChangesFound:
    """Stages what is new or differs. Raises WatermarkExpired, IncompleteRead or CycleError; nothing is published."""
    tally = _Tally()
    end: ChangesComplete | None = None
    async for item in reader.fetch_changes(resource_type, former.watermark or Watermark("")):
        if isinstance(item, ChangesComplete):
            end = item
            continue
        await store.stage(source, resource_type, await _differing(item, source, resource_type, store, tally))
    if end is None:
        message = "the source ended its changes without saying that they were all"
        raise IncompleteRead(message)
    told = {i: evidence for i, evidence in tally.gone.items() if not tally.there[i] and i in tally.known}
    absent: dict[SourceId, Evidence] = {}
    if end.present is not None:
        present = frozenset(end.present)
        known = await store.fingerprints(source, resource_type)
        absent = {i: Evidence.ABSENT for i in known if i not in present and not tally.there.get(i, False)}
        told = {i: evidence for i, evidence in told.items() if i in absent}
    return ChangesFound(absent | told, len(tally.staged), len(tally.staged - tally.known), end)


async def _differing(
    page: Sequence[SourceChange], source: SourceKey, resource_type: ResourceType, store: SnapshotStore, tally: _Tally
) -> list[StagedResource]:
    """The rows to stage. Somebody whom the read shows once as there and once as gone is there: the next read tells."""
    live = await store.resources(source, resource_type, [change.id for change in page])
    tally.known.update(live)
    rows = []
    for change in page:
        tally.there[change.id] = tally.there.get(change.id, False) or change.resource is not None
        if change.resource is None:
            tally.gone[change.id] = change.evidence
            continue
        print_ = fingerprint(change.resource.attributes)
        known = live.get(change.id)
        if known is None or fingerprint(known.attributes) != print_ or change.id in tally.staged:
            rows.append(StagedResource(change.resource, print_))
            tally.staged.add(change.id)
    return rows
