"""From a source to the store: a read becomes the next version of the snapshot only when it is complete and credible."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from usher.contracts.snapshots import Snapshot, StagedResource
from usher.contracts.source import ReadComplete, SourceReader
from usher.core.errors import CycleError, IncompleteRead, ReadShrunk
from usher.core.model.reports import SnapshotReport
from usher.core.model.resources import Fingerprint, SourceId, SourceResource
from usher.core.sync.fingerprints import digest_of_snapshot, fingerprint
from usher.core.sync.mapping import TELLS_WHO_IS_ACTIVE
from usher.engine.job import Ports, SourceJob


@dataclass(frozen=True, slots=True)
class _Read:
    """A read that came to its end: everybody's fingerprint, who is gone, and how many are new or differ."""

    seen: Mapping[SourceId, Fingerprint]
    kept: int
    removed: Sequence[SourceId]
    changed: int
    identity: str
    digest: str
    end: ReadComplete


async def take_snapshot(job: SourceJob, ports: Ports, approved: str = "") -> SnapshotReport:
    """Reads the source once, completely, and publishes what changed.

    `approved` is the digest of a shrunken read that somebody looked at and confirmed. Raises IncompleteRead (nothing
    was taken over; ReadShrunk when it needs an approval) or CycleError (the source can't be reached or changed its
    identity).
    """
    store = ports.store
    await store.discard(job.source, job.resource_type)
    former = await store.snapshot(job.source, job.resource_type)
    try:
        read = await _read_whole(job, ports, former)
        if former is None or read.digest != former.digest:  # what is in force already was believed once
            _refuse_shrunken(job, read, approved)
            _refuse_blind(former, read, approved)
    except BaseException:
        await store.discard(job.source, job.resource_type)
        raise
    snapshot = Snapshot(
        version=1 if former is None else former.version + bool(read.changed or read.removed),
        count=len(read.seen),
        attributes=read.end.attributes,
        identity=read.identity,
        digest=read.digest,
        watermark=read.end.watermark,
        completed=ports.runtime.now(),
    )
    await store.publish(job.source, job.resource_type, read.removed, snapshot)
    return SnapshotReport(
        version=snapshot.version,
        count=snapshot.count,
        changed=read.changed,
        removed=len(read.removed),
        attributes=snapshot.attributes,
        completed=snapshot.completed,
    )


async def _read_whole(job: SourceJob, ports: Ports, former: Snapshot | None) -> _Read:
    known = await ports.store.fingerprints(job.source, job.resource_type)
    seen: dict[SourceId, Fingerprint] = {}
    changed = 0
    end: ReadComplete | None = None
    async with job.open_source() as reader:
        _refuse_other_identity(reader, former)
        async for item in reader.fetch(job.resource_type, None):
            if isinstance(item, ReadComplete):
                end = item
                continue
            rows = _differing(item, known, seen)
            changed += len(rows)
            await ports.store.stage(job.source, job.resource_type, rows)
        identity = reader.identity
    if end is None:
        message = "the source ended its answer without saying that it was complete"
        raise IncompleteRead(message)
    removed = [source_id for source_id in known if source_id not in seen]
    return _Read(seen, len(known) - len(removed), removed, changed, identity, digest_of_snapshot(seen.items()), end)


def _differing(
    page: Sequence[SourceResource],
    known: Mapping[SourceId, Fingerprint],
    seen: dict[SourceId, Fingerprint],
) -> list[StagedResource]:
    rows = []
    for resource in page:
        if resource.id in seen:
            message = "the source returned one id twice: ids have to be unique"
            raise IncompleteRead(message, reason="InvalidData", detail=f"id {resource.id}")
        print_ = fingerprint(resource.attributes)
        seen[resource.id] = print_
        if known.get(resource.id) != print_:
            rows.append(StagedResource(resource, print_))
    return rows


def _refuse_other_identity(reader: SourceReader, former: Snapshot | None) -> None:
    if former is None or former.identity == reader.identity:
        return
    message = (
        f"the identity scheme changed from {former.identity} to {reader.identity}: ids of the two can't be compared. "
        "Change it back, or create another IdentitySource and connectors for it"
    )
    raise CycleError(message, reason="InvalidSpec")


def _refuse_blind(former: Snapshot | None, read: _Read, approved: str) -> None:
    """A read that no longer tells who is disabled would bring everybody back who is."""
    lost = sorted(
        TELLS_WHO_IS_ACTIVE.intersection(() if former is None else former.attributes) - {*read.end.attributes}
    )
    if not lost or read.digest == approved:
        return
    message = (
        f"the read is void: {lost[0]} was in the last complete read and is not in this one, so that everybody "
        f"would count as enabled. Nobody was touched. If it is right, approve it with the hash {read.digest}"
    )
    count, kept = len(read.seen), read.kept
    raise ReadShrunk(message, digest=read.digest, count=count, kept=kept, former=kept + len(read.removed))


def _refuse_shrunken(job: SourceJob, read: _Read, approved: str) -> None:
    """A read counts by whom it kept, not by how many it holds: as many strangers are no evidence either."""
    count, kept = len(read.seen), read.kept
    former = kept + len(read.removed)
    if read.digest == approved or (count and kept * 100 >= job.min_retained * former):
        return
    what = f"it holds {kept} of the {former} people of the last complete read" if former else "it is empty"
    message = (
        f"the read is void: {what}, and minRetained is {job.min_retained} percent. Nobody was touched. "
        f"If it is right, approve it with the hash {read.digest}"
    )
    raise ReadShrunk(message, digest=read.digest, count=count, kept=kept, former=former)
