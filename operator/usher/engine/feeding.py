"""Where the people of a cycle come from: all of the snapshot, or what changed, and who is looked at besides."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Collection, Container, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from usher.contracts.snapshots import Snapshot
from usher.contracts.source import SourceChange
from usher.contracts.store import Intent, LinkDigest, Store
from usher.core.model.escrow import Unsettled
from usher.core.model.plans import Action, Desired
from usher.core.model.reports import CycleKind
from usher.core.model.resources import Link, ResourceType, SourceId, SourceKey, SourceResource
from usher.engine.concurrency import in_chunks
from usher.engine.job import Job, Ports
from usher.engine.stowing import CHUNK

LinkState: TypeAlias = Link | LinkDigest
Links: TypeAlias = Mapping[SourceId, Link] | Mapping[SourceId, LinkDigest]


@dataclass(frozen=True, slots=True)
class Extra:
    """People who are looked at in this cycle, whether or not the source reports a change of them.

    `reassigned` are those who came into the scope, left it, or have other roles in it. `ripe` are
    those whose account was disabled long enough to be deleted now. `named` were asked for. Who is `waiting` in escrow
    is not looked at, unless the source reports a change, or nobody is wanted there any more. `doubted` are claims under
    which accounts may have been made for people whose ids are not known any more.
    """

    intents: Mapping[SourceId, Intent]
    unsettled: Collection[SourceId]
    held: Collection[SourceId]
    reassigned: Collection[SourceId] = ()
    ripe: Collection[SourceId] = ()
    waiting: Mapping[SourceId, Unsettled] = field(default_factory=dict)
    named: Collection[SourceId] = ()
    doubted: Collection[str] = frozenset()

    @property
    def ids(self) -> frozenset[SourceId]:
        """All of them."""
        doubted = (one for one in self.intents if one not in self.waiting)
        return frozenset((*doubted, *self.unsettled, *self.held, *self.reassigned, *self.ripe, *self.named))

    def doubt(self, desired: Desired) -> Intent | None:
        """The request for somebody of which nobody knows whether it was made."""
        intent = self.intents.get(desired.source_id)
        if intent is None and any(key.claim in self.doubted for key in desired.keys):
            return Intent(desired.source_id, Action.CREATE, desired.keys)
        return intent

    def puts_off(self, desired: Desired) -> bool:
        """Whether exactly this was tried, and its time has not come. To take access away is never put off."""
        entry = self.waiting.get(desired.source_id)
        escrow = None if entry is None else entry.escrow
        return escrow is not None and desired.active and escrow.tried == desired.fingerprint

    def mends(self, source_id: SourceId) -> bool:
        """Whether something was undone that an account which is as it should be makes up for."""
        entry = self.waiting.get(source_id)
        escrow = None if entry is None else entry.escrow
        return source_id in self.unsettled or (escrow is not None and not escrow.duty.of_references)


@dataclass(frozen=True, slots=True)
class Feed:
    """The people of one cycle: all of the snapshot (Initial), or what changed after version `since` (Incremental).

    Where the connector ends, nobody: whoever is linked is absent then. Of all these something is done for those who are
    `meant`.
    """

    kind: CycleKind
    snapshot: Snapshot
    since: int | None
    extra: Extra
    meant: Container[SourceId]

    async def chunks(self, job: Job, ports: Ports) -> AsyncGenerator[tuple[Sequence[SourceChange], Links], None]:
        """Chunks of people with the links of (at least) those people.

        Whoever is linked and absent comes as a tombstone.
        """
        source = self._everybody(job, ports) if self.kind is CycleKind.INITIAL else self._changed(job, ports)
        async for item in source:
            yield item

    async def _everybody(self, job: Job, ports: Ports) -> AsyncIterator[tuple[Sequence[SourceChange], Links]]:
        links: dict[SourceId, LinkDigest] = {}
        async for digests in ports.store.link_digests(job.lane):
            links.update({digest.source_id: digest for digest in digests})
        absent = links.keys() | self.extra.ids | self.extra.waiting.keys() | self.extra.intents.keys()
        async for chunk in _present(job, ports, self.snapshot):
            absent.difference_update(change.id for change in chunk)
            yield chunk, links
        for ids in in_chunks(sorted(absent), CHUNK):
            yield [SourceChange(source_id, None) for source_id in ids], links

    async def _changed(self, job: Job, ports: Ports) -> AsyncIterator[tuple[Sequence[SourceChange], Links]]:
        extra = set(self.extra.ids)
        async for chunk in ports.store.changes(job.source, job.resource_type, self.since, self.snapshot.version):
            extra.difference_update(change.id for change in chunk)
            yield chunk, await ports.store.links(job.lane, [change.id for change in chunk])
        for ids in in_chunks(sorted(extra), CHUNK):
            live = await ports.store.resources(job.source, job.resource_type, ids)
            changes = [SourceChange(source_id, live.get(source_id)) for source_id in ids]
            yield changes, await ports.store.links(job.lane, ids)


async def everybody(store: Store, source: SourceKey, kind: ResourceType) -> AsyncIterator[SourceResource]:
    """All that the source has of one type, to look for somebody."""
    async for chunk in store.changes(source, kind, None, 0):
        for change in chunk:
            if change.resource is not None:
                yield change.resource


async def _present(job: Job, ports: Ports, snapshot: Snapshot) -> AsyncIterator[Sequence[SourceChange]]:
    if job.ending:
        return
    async for chunk in ports.store.changes(job.source, job.resource_type, None, snapshot.version):
        yield chunk
