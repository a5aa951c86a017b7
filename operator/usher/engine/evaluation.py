"""The first pass: who is in, who changed, who left, and under which matching values they go.

It streams. Of 100,000 people only ids, fingerprints and the matching values of those without a link are kept, stowed.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Collection, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import partial
from typing import Final, TypeAlias

from usher.contracts.snapshots import Snapshot
from usher.contracts.source import SourceChange
from usher.contracts.store import Intent, LinkDigest
from usher.core.errors import ResourceError
from usher.core.model.escrow import Duty, Unsettled
from usher.core.model.plans import Action, Criterion, Desired, MatchKey, Skip
from usher.core.model.reports import CycleKind
from usher.core.model.resources import Fingerprint, Link, SourceId, SourceResource
from usher.core.sync.leaving import UNASSIGNED, Policy
from usher.core.sync.references import referents, wanted_by
from usher.engine.concurrency import in_chunks, one_ahead, writing_behind
from usher.engine.job import Job, Ports
from usher.engine.stowing import CHUNK, Plain, Stowed

KEYLESS: Final = ""
"""The claim of somebody who is in scope and has no matching value: nobody is ever looked for by it."""

LinkState: TypeAlias = Link | LinkDigest
Links: TypeAlias = Mapping[SourceId, Link] | Mapping[SourceId, LinkDigest]


def _stow_fingerprints() -> Stowed[tuple[SourceId, Fingerprint]]:
    return Stowed(lambda item: (item[0], item[1].hex()), lambda raw: (raw[0], Fingerprint(bytes.fromhex(raw[1]))))


def _stow_keys() -> Stowed[tuple[SourceId, Sequence[MatchKey]]]:
    return Stowed(lambda item: (item[0], [_plain_key(key) for key in item[1]]), _read_keys)


def _plain_key(key: MatchKey) -> Plain:
    return key.precedence, [(criterion.path, criterion.value) for criterion in key.conjunction], key.claim


def _read_keys(raw: Plain) -> tuple[SourceId, Sequence[MatchKey]]:
    source_id, keys = raw
    return source_id, tuple(
        MatchKey(precedence, tuple(Criterion(path, value) for path, value in criteria), claim)
        for precedence, criteria, claim in keys
    )


@dataclass(slots=True)
class Batch:
    """What the first pass found, each person at most once in each of its lists.

    `due` has to be planned, with the fingerprint of what was desired; `departed` are linked people that the source no
    longer has, and `leaving` all who are to lose their access. `unlinked` holds the matching values of active people
    without a link. `again` are people with an open intent: what the state says of them is not to be trusted. `movers`
    are active people whose account is about to be updated. `gone` are ids that the source no longer has and that have
    no link: nothing is left to do for them. `settled` are people who were unsettled, and for whom everything is as it
    should be.
    """

    due: Stowed[tuple[SourceId, Fingerprint]] = field(default_factory=_stow_fingerprints)
    departed: list[SourceId] = field(default_factory=list)
    leaving: set[SourceId] = field(default_factory=set)
    unlinked: Stowed[tuple[SourceId, Sequence[MatchKey]]] = field(default_factory=_stow_keys)
    again: dict[SourceId, Intent] = field(default_factory=dict)
    movers: set[SourceId] = field(default_factory=set)
    gone: list[SourceId] = field(default_factory=list)
    settled: list[SourceId] = field(default_factory=list)
    ripe: Collection[SourceId] = ()
    skips: list[Skip] = field(default_factory=list)
    unchanged: int = 0

    def plan(self, desired: Desired, intent: Intent | None, link: LinkState | None) -> None:
        """They have to be planned; None where no request for them is open."""
        self.due.append((desired.source_id, desired.fingerprint))
        if intent is not None:
            self.again[desired.source_id] = intent
        if not desired.active:
            self.leaving.add(desired.source_id)
        elif link is not None:
            self.movers.add(desired.source_id)

    def duty_to(self, source_id: SourceId) -> Duty:
        """What is owed to them where their account can't be looked at."""
        return Duty.LEAVE if source_id in self.leaving else Duty.ACCOUNT

    def depart(self, source_id: SourceId, intent: Intent | None) -> None:
        """The source has them no more; None where no request for them is open."""
        self.departed.append(source_id)
        self.leaving.add(source_id)
        if intent is not None:
            self.again[source_id] = intent


@dataclass(frozen=True, slots=True)
class Extra:
    """People who are looked at in this cycle, whether or not the source reports a change of them.

    `reassigned` are those who came into the scope, left it, or have other roles in it. `ripe` are
    those whose account was disabled long enough to be deleted now. Who is `waiting` in escrow is not looked at, unless
    the source reports a change, or nobody is wanted there any more. `doubted` are claims under which accounts may have
    been made for people whose ids are not known any more.
    """

    intents: Mapping[SourceId, Intent]
    unsettled: Collection[SourceId]
    held: Collection[SourceId]
    reassigned: Collection[SourceId] = ()
    ripe: Collection[SourceId] = ()
    waiting: Mapping[SourceId, Unsettled] = field(default_factory=dict)
    doubted: Collection[str] = frozenset()

    @property
    def ids(self) -> frozenset[SourceId]:
        """All of them."""
        doubted = (one for one in self.intents if one not in self.waiting)
        return frozenset((*doubted, *self.unsettled, *self.held, *self.reassigned, *self.ripe))

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


async def evaluate(job: Job, ports: Ports, feed: Feed) -> Batch:
    """Looks at everybody that the feed brings, and sorts them by what has to be done.

    Where that is all there are, the claims begin anew: whoever came and went since, in cycles that failed, makes none.
    """
    batch = Batch(ripe=frozenset(feed.extra.ripe))
    if feed.kind is CycleKind.INITIAL:
        await ports.store.clear_claims(job.lane)
    async with writing_behind() as behind, aclosing(one_ahead(feed.chunks(job, ports))) as chunks:
        async for chunk, links in chunks:
            claims: dict[SourceId, Sequence[str]] = {}
            wanted: dict[SourceId, Sequence[SourceId]] = {}
            for change in chunk:
                if change.resource is None:
                    claims[change.id] = wanted[change.id] = ()
                    _sort_absent(job, batch, change.id, links.get(change.id), feed.extra)
                elif (desired := _map(job, change.resource, batch)) is not None:
                    claims[change.id] = [key.claim for key in desired.keys] or ([KEYLESS] if desired.active else [])
                    if job.mapping.references:
                        active = desired.active
                        wanted[change.id] = referents(wanted_by(job.mapping, change.resource)) if active else ()
                    _sort_present(job, batch, desired, links.get(change.id), feed.extra)
            if job.mapping.references:
                await behind.start(partial(ports.store.save_references, job.lane, wanted))
            await behind.start(partial(ports.store.save_claims, job.lane, claims))
    return batch


def _map(job: Job, resource: SourceResource, batch: Batch) -> Desired | None:
    try:
        return job.map(resource)
    except ResourceError as error:
        detail = error.detail or error.message
        batch.skips.append(Skip(resource.id, error.reason, detail, settled=False, failed=Duty.ACCOUNT))
        return None


def _sort_absent(job: Job, batch: Batch, source_id: SourceId, link: LinkState | None, extra: Extra) -> None:
    intent = extra.intents.get(source_id)
    if link is not None and (link.enabled or source_id in extra.ids or _may_be_deleted(job, job.absence)):
        batch.depart(source_id, intent)
    elif link is None and intent is not None:
        batch.depart(source_id, intent)
        batch.unlinked.append((source_id, intent.keys))
    elif link is None:
        batch.gone.append(source_id)


def _sort_present(job: Job, batch: Batch, desired: Desired, link: LinkState | None, extra: Extra) -> None:
    source_id = desired.source_id
    open_question = source_id in extra.intents or source_id in extra.held or source_id in extra.ripe
    if link is not None and not open_question and _is_done(job, desired, link):
        batch.unchanged += 1
        if extra.mends(source_id):
            batch.settled.append(source_id)
        return
    if extra.puts_off(desired):
        return
    if link is None and desired.cause == UNASSIGNED and not open_question:  # as good as absent: most people may be
        batch.settled.extend([source_id] if extra.mends(source_id) else ())
        return
    intent = extra.doubt(desired)
    batch.plan(desired, intent, link)
    if link is None:
        keys = {key.claim: key for key in (*(intent.keys if intent is not None else ()), *desired.keys)}
        if keys:
            batch.unlinked.append((source_id, tuple(keys.values())))


def _is_done(job: Job, desired: Desired, link: LinkState) -> bool:
    if link.enabled != desired.active:
        return False
    return link.fingerprint == desired.fingerprint if desired.active else not _may_be_deleted(job, desired.cause)


def _may_be_deleted(job: Job, cause: str) -> bool:
    """Of an account that is disabled already, for whatever cause: whether this one deletes it, now or later."""
    return job.deprovisioning.of(cause) is Policy.DELETE


# --- where the people come from -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Feed:
    """The people of one cycle: all of the snapshot (Initial), or what changed after version `since` (Incremental).

    Where the connector ends, nobody: whoever is linked is absent then.
    """

    kind: CycleKind
    snapshot: Snapshot
    since: int | None
    extra: Extra

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


async def _present(job: Job, ports: Ports, snapshot: Snapshot) -> AsyncIterator[Sequence[SourceChange]]:
    if job.ending:
        return
    async for chunk in ports.store.changes(job.source, job.resource_type, None, snapshot.version):
        yield chunk
