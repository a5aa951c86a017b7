"""From a source to the store: a read becomes the next version of the snapshot only when it is complete and credible."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from usher.contracts.snapshots import Snapshot, StagedResource
from usher.contracts.source import Evidence, ReadComplete, SourceReader, SupportsChanges
from usher.core.errors import IncompleteRead, ReadShrunk, WatermarkExpired
from usher.core.model.reports import SnapshotReport, SourceReport
from usher.core.model.resources import Fingerprint, ResourceType, SourceId, SourceKey, SourceResource
from usher.core.sync.fingerprints import SnapshotDigest, approval_of, fingerprint
from usher.core.sync.mapping import TELLS_WHO_IS_ACTIVE
from usher.engine.changes import read_changes
from usher.engine.concurrency import in_chunks, writing_behind
from usher.engine.job import Ports, SourceJob

_AT_ONCE: Final = 256
_WORDS: Final = {ResourceType.USER: "people", ResourceType.GROUP: "groups"}


@dataclass(frozen=True, slots=True)
class _Read:
    """A read that came to its end: how many it holds, who is gone, who differs, and how many are new or differ.

    `former` is how many the last read held, and `kept` how many of these are in this one: by their ids, or where the
    scheme of ids is another one, as many as can be.
    """

    source: SourceKey
    resource_type: ResourceType
    count: int
    former: int
    kept: int
    removed: Sequence[SourceId]
    altered: Sequence[SourceId]
    changed: int
    digest: str
    end: ReadComplete

    @property
    def word(self) -> str:
        """By which the read is approved."""
        return approval_of(self.source, self.resource_type, self.digest)


async def read_source(job: SourceJob, ports: Ports, approved: str = "") -> SourceReport:
    """Reads everything that the job wants of the source, in one conversation, and publishes what changed.

    `approved` is the digest of a shrunken read that somebody looked at and confirmed. Raises IncompleteRead (nothing of
    that resource type was taken over; ReadShrunk when it needs an approval) or CycleError (the source can't be
    reached).
    """
    reports: dict[ResourceType, SnapshotReport] = {}
    async with job.open_source() as reader:
        for resource_type in job.resource_types:
            reports[resource_type] = await _Taking(job, ports, reader, resource_type).take(approved)
    return SourceReport(reports[ResourceType.USER], reports.get(ResourceType.GROUP))


async def try_source(job: SourceJob) -> None:
    """Reads the first page, and takes over nothing. Raises IncompleteRead or CycleError, as `read_source` does."""
    async with job.open_source() as reader:
        pages = reader.fetch(job.resource_types[0], None)
        await anext(pages)
        if isinstance(pages, AsyncGenerator):
            await pages.aclose()


@dataclass(frozen=True, slots=True)
class _Taking:
    """Takes over one read of one resource type."""

    job: SourceJob
    ports: Ports
    reader: SourceReader
    resource_type: ResourceType

    async def take(self, approved: str) -> SnapshotReport:
        """By its changes where that is possible and due, otherwise whole."""
        store, source = self.ports.store, self.job.source
        former = await store.snapshot(source, self.resource_type)
        try:
            report = await self._take_changes(former)
            return await self._take_whole(former, approved) if report is None else report
        except BaseException:
            await store.discard(source, self.resource_type)
            raise

    # --- changes

    async def _take_changes(self, former: Snapshot | None) -> SnapshotReport | None:
        """None where the source has to be read whole: it can't tell what changed, or its word needs proof."""
        reader, now = self.reader, self.ports.runtime.now()
        if former is None or former.watermark is None or not isinstance(reader, SupportsChanges):
            return None
        if former.identity != reader.identity:
            return None
        if not former.whole <= now < former.whole + self.job.full_every:
            return None
        await self.ports.store.discard(self.job.source, self.resource_type)
        try:
            found = await read_changes(self.job.source, self.resource_type, self.ports.store, reader, former)
        except WatermarkExpired:
            return None
        kept = former.count - len(found.removed)
        if kept * 100 < self.job.min_retained * former.count or kept + found.added == 0:
            return None
        differs = bool(found.changed or found.removed)
        snapshot = Snapshot(
            version=former.version + differs,
            count=kept + found.added,
            attributes=tuple(dict.fromkeys((*former.attributes, *found.end.attributes))),
            identity=former.identity,
            digest="" if differs else former.digest,
            watermark=found.end.watermark,
            completed=self.ports.runtime.now(),
            whole=former.whole,
        )
        return await self._publish(snapshot, found.removed, found.changed)

    # --- everything

    async def _take_whole(self, former: Snapshot | None, approved: str) -> SnapshotReport:
        await self.ports.store.discard(self.job.source, self.resource_type)
        read = await self._read_whole(former)
        if former is None or read.digest != former.digest:  # what is in force already was believed once
            _refuse_shrunken(self.job, read, approved)
            await self._refuse_blind(former, read, approved)
        now = self.ports.runtime.now()
        snapshot = Snapshot(
            version=1 if former is None else former.version + bool(read.changed or read.removed),
            count=read.count,
            attributes=read.end.attributes,
            identity=self.reader.identity,
            digest=read.digest,
            watermark=read.end.watermark,
            completed=now,
            whole=now,
        )
        return await self._publish(snapshot, dict.fromkeys(read.removed, Evidence.ABSENT), read.changed)

    async def _read_whole(self, former: Snapshot | None) -> _Read:
        store, source, resource_type = self.ports.store, self.job.source, self.resource_type
        strangers = former is not None and former.identity != self.reader.identity
        watermark = None if former is None or strangers else former.watermark
        known = await store.fingerprints(source, resource_type)
        comparison = _Comparison(known)
        changed = 0
        end: ReadComplete | None = None
        async with writing_behind() as behind:
            async for item in self.reader.fetch(resource_type, watermark):
                if isinstance(item, ReadComplete):
                    end = item
                    continue
                rows = comparison.differing(item)
                changed += len(rows)
                await behind.start(partial(store.stage, source, resource_type, rows))
        if end is None:
            message = "the source ended its answer without saying that it was complete"
            raise IncompleteRead(message)
        seen, digest = comparison.seen, comparison.digest.hexdigest()
        removed = [source_id for source_id in known if source_id not in seen]
        kept = min(len(seen), len(known)) if strangers else len(known) - len(removed)
        altered = () if strangers else comparison.altered
        return _Read(source, resource_type, len(seen), len(known), kept, removed, altered, changed, digest, end)

    async def _refuse_blind(self, former: Snapshot | None, read: _Read, approved: str) -> None:
        """A read that no longer tells who is disabled would bring everybody back who is."""
        known = TELLS_WHO_IS_ACTIVE.intersection(() if former is None else former.attributes)
        lost = sorted(known - {*read.end.attributes}) or await self._silenced(sorted(known & read.end.blank), read)
        if not lost or read.word == approved:
            return
        message = (
            f"the read is void: {lost[0]} was in the last complete read and is not in this one, so that everybody "
            f"would count as enabled. Nobody was touched. If it is right, approve it with the hash {read.word}"
        )
        raise ReadShrunk(message, digest=read.word, count=read.count, kept=read.kept, former=read.former)

    async def _silenced(self, blank: Sequence[str], read: _Read) -> list[str]:
        """Which of these that nobody has now somebody had before."""
        for ids in in_chunks(read.altered if blank else (), _AT_ONCE):
            before = await self.ports.store.resources(self.job.source, self.resource_type, ids)
            had = {name for one in before.values() for name in blank if one.attributes.get(name) is not None}
            if had:
                return sorted(had)
        return []

    async def _publish(self, snapshot: Snapshot, removed: Mapping[SourceId, Evidence], changed: int) -> SnapshotReport:
        await self.ports.store.publish(self.job.source, self.resource_type, removed, snapshot)
        return SnapshotReport(
            version=snapshot.version,
            count=snapshot.count,
            changed=changed,
            removed=len(removed),
            attributes=snapshot.attributes,
            completed=snapshot.completed,
        )


class _Comparison:
    """Holds a read, page by page, against the fingerprints that are known. Of whom it has seen it keeps the ids."""

    def __init__(self, known: Mapping[SourceId, Fingerprint]) -> None:
        self._known = known
        self.seen: set[SourceId] = set()
        self.altered: list[SourceId] = []
        self.digest = SnapshotDigest()

    def differing(self, page: Sequence[SourceResource]) -> list[StagedResource]:
        """Who of the page is new or differs. Raises IncompleteRead where an id comes a second time."""
        rows = []
        for resource in page:
            if resource.id in self.seen:
                message = "the source returned one id twice: ids have to be unique"
                raise IncompleteRead(message, reason="InvalidData", detail=f"id {resource.id}")
            print_ = fingerprint(resource.attributes)
            self.seen.add(resource.id)
            self.digest.add(resource.id, print_)
            former = self._known.get(resource.id)
            if former != print_:
                rows.append(StagedResource(resource, print_))
                if former is not None:
                    self.altered.append(resource.id)
        return rows


def _refuse_shrunken(job: SourceJob, read: _Read, approved: str) -> None:
    """A read counts by whom it kept, not by how many it holds: as many strangers are no evidence either.

    A directory without groups is an ordinary thing, one without people is not.
    """
    count, kept, former, words = read.count, read.kept, read.former, _WORDS[read.resource_type]
    nothing_lost = former == 0 and read.resource_type is ResourceType.GROUP
    if read.word == approved or nothing_lost or (count and kept * 100 >= job.min_retained * former):
        return
    empty = "it is empty" if read.resource_type is ResourceType.USER else f"it holds no {words}"
    what = f"it holds {kept} of the {former} {words} of the last complete read" if former else empty
    message = (
        f"the read is void: {what}, and minRetained is {job.min_retained} percent. Nobody was touched. "
        f"If it is right, approve it with the hash {read.word}"
    )
    raise ReadShrunk(message, digest=read.word, count=count, kept=kept, former=former)
