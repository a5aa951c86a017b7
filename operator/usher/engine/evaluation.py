"""The first pass: who is in, who changed, who left, and under which matching values they go.

It streams. Of 100,000 people only ids, fingerprints and the matching values of those without a link are kept, stowed.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from usher.contracts.source import SourceChange
from usher.contracts.store import Intent
from usher.core.errors import ResourceError
from usher.core.model.escrow import Duty
from usher.core.model.plans import Criterion, Desired, MatchKey, Skip
from usher.core.model.reports import CycleKind
from usher.core.model.resources import Fingerprint, SourceId, SourceResource
from usher.core.sync.leaving import UNASSIGNED, Policy
from usher.core.sync.references import referents, wanted_by
from usher.engine.concurrency import one_ahead, writing_behind
from usher.engine.feeding import Extra, Feed, Links, LinkState
from usher.engine.job import Job, Ports
from usher.engine.stowing import Plain, Stowed

KEYLESS: Final = ""
"""The claim of somebody who is in scope and has no matching value: nobody is ever looked for by it."""


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
    should be. `beside` counts those who are not meant, and would lose their access in an ordinary cycle.
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
    beside: int = 0

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


async def evaluate(job: Job, ports: Ports, feed: Feed) -> Batch:
    """Looks at everybody that the feed brings, and sorts those who are meant by what has to be done.

    The others make their claims too: nobody can be matched without. Where the feed brings all there are, the claims
    begin anew: whoever came and went since, in cycles that failed, makes none.
    """
    batch = Batch(ripe=frozenset(feed.extra.ripe))
    if feed.kind is CycleKind.INITIAL:
        await ports.store.clear_claims(job.lane)
    async with writing_behind() as behind, aclosing(one_ahead(feed.chunks(job, ports))) as chunks:
        async for chunk, links in chunks:
            evaluated = _Evaluated()
            for change in chunk:
                _look_at(job, batch, feed, (change, links), evaluated)
            if job.mapping.references:
                await behind.start(partial(ports.store.save_references, job.lane, evaluated.wanted))
            await behind.start(partial(ports.store.save_claims, job.lane, evaluated.claims))
    return batch


@dataclass(slots=True)
class _Evaluated:
    """What the state learns of one chunk: the claims of all, and to whom those refer who are meant."""

    claims: dict[SourceId, Sequence[str]] = field(default_factory=dict)
    wanted: dict[SourceId, Sequence[SourceId]] = field(default_factory=dict)


def _look_at(job: Job, batch: Batch, feed: Feed, item: tuple[SourceChange, Links], evaluated: _Evaluated) -> None:
    change, links = item
    source_id, resource, link = change.id, change.resource, links.get(change.id)
    if resource is None:
        evaluated.claims[source_id] = ()
        if source_id in feed.meant:
            evaluated.wanted[source_id] = ()
            _sort_absent(job, batch, source_id, link, feed.extra)
        else:
            batch.beside += _leaves(job, source_id, job.absence, link, feed.extra)
    elif (desired := _map(job, resource, batch, feed)) is not None:
        evaluated.claims[source_id] = [key.claim for key in desired.keys] or ([KEYLESS] if desired.active else [])
        if source_id not in feed.meant:
            batch.beside += not desired.active and _leaves(job, source_id, desired.cause, link, feed.extra)
            return
        if job.mapping.references:
            evaluated.wanted[source_id] = referents(wanted_by(job.mapping, resource)) if desired.active else ()
        _sort_present(job, batch, desired, link, feed.extra)


def _map(job: Job, resource: SourceResource, batch: Batch, feed: Feed) -> Desired | None:
    try:
        return job.map(resource)
    except ResourceError as error:
        if resource.id in feed.meant:
            detail = error.detail or error.message
            batch.skips.append(Skip(resource.id, error.reason, detail, settled=False, failed=Duty.ACCOUNT))
        return None


def _leaves(job: Job, source_id: SourceId, cause: str, link: LinkState | None, extra: Extra) -> bool:
    """Whether an ordinary cycle would take access from somebody who is wanted no more, and is not held already."""
    if link is None or not link.enabled or source_id in extra.held:
        return False
    return job.deprovisioning.of(cause) is not Policy.KEEP and (job.whole or cause != UNASSIGNED)


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
