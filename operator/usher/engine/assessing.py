"""What is at the target, held against who is in scope: read only, for a first look at an app that has accounts already.

The target is listed whole. Whom an account belongs to is asked of the links first, then of the claims that the first
pass has just brought up to date.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from usher.contracts.target import Page
from usher.core.errors import IncompleteRead, NotSent, OutcomeUnknown, ResourceError
from usher.core.model.reports import Assessment
from usher.core.model.resources import SourceId, TargetId, TargetResource
from usher.core.sync.matching import MOST_CLAIMS, claims_met_by
from usher.core.sync.planning import take_image
from usher.engine.bench import Bench
from usher.engine.job import Job

MOST_ORPHANS: Final = 1000
"""So many orphans are named; the others are counted."""
_ATTEMPTS: Final = 3


@dataclass(slots=True)
class Assessed:
    """One lane. `orphans` are the first of those that are counted."""

    assessment: Assessment
    orphans: Sequence[TargetId]


@dataclass(slots=True)
class _Tally:
    """`found` says of people without a link by which precedence accounts were found, and how many by the best one."""

    linked: set[SourceId] = field(default_factory=set)
    found: dict[SourceId, tuple[int, int]] = field(default_factory=dict)
    shared: set[SourceId] = field(default_factory=set)
    orphans: int = 0
    named: list[TargetId] = field(default_factory=list)


async def assess(bench: Bench, job: Job) -> Assessed | None:
    """Everybody in scope of one lane, and every account; None where the target can't be listed. Raises CycleError.

    Accounts that are never written are nobody's.
    """
    for _ in range(_ATTEMPTS):
        try:
            tally = await bench.retrier.read(lambda: _list(bench, job))
        except IncompleteRead:
            continue
        except (ResourceError, NotSent, OutcomeUnknown):
            return None
        return await _conclude(bench, job, tally)
    return None


async def _list(bench: Bench, job: Job) -> _Tally:
    tally = _Tally()
    async for item in bench.session.list(job.resource_type, job.mapping.paths):
        if isinstance(item, Page):
            await _look_at(bench, job, item.resources, tally)
    return tally


async def _look_at(bench: Bench, job: Job, accounts: Sequence[TargetResource], tally: _Tally) -> None:
    """One page of accounts."""
    store, mapping = bench.ports.store, job.mapping
    owners = await job.owners(store, [one.id for one in accounts])
    claims = {
        one.id: dict(islice(claims_met_by(mapping.matching, one.attributes), MOST_CLAIMS))
        for one in accounts
        if one.id not in owners
    }
    people = await store.claimants(job.lane, {claim for met in claims.values() for claim in met})
    tally.linked |= {each.source_id for each in owners.values() if each.connector == job.connector}
    for account in accounts:
        if account.id in owners or mapping.untouchable.covers(take_image(mapping, account)):
            continue
        met = claims[account.id]
        by_person = _best_of(met, people)
        if not by_person:
            tally.orphans += 1
            tally.named += [account.id] if len(tally.named) < MOST_ORPHANS else []
        if len(by_person) > 1:
            tally.shared |= by_person.keys()
        for source_id, precedence in by_person.items():
            best, count = tally.found.get(source_id, (precedence, 0))
            if precedence <= best:
                tally.found[source_id] = precedence, count + 1 if precedence == best else 1


def _best_of(met: Mapping[str, int], people: Mapping[str, Sequence[SourceId]]) -> dict[SourceId, int]:
    """Who claims the account, each with the lowest precedence of the claims by which."""
    found: dict[SourceId, int] = {}
    for claim, precedence in met.items():
        for source_id in people.get(claim, ()):
            found[source_id] = min(precedence, found.get(source_id, precedence))
    return found


async def _conclude(bench: Bench, job: Job, tally: _Tally) -> Assessed:
    """Whoever has a link is matched, whatever else answers to the same values."""
    store = bench.ports.store
    linked = sum(1 for each in (await store.digests(job.lane, tally.linked)).values() if each.enabled)
    others = {one: count for one, (_, count) in tally.found.items() if one not in tally.linked}
    ambiguous = sum(1 for one, count in others.items() if count > 1 or one in tally.shared)
    matched = linked + len(others) - ambiguous
    unmatched = max(0, await store.count_claimants(job.lane) - matched - ambiguous)
    return Assessed(Assessment(matched, unmatched, ambiguous, tally.orphans), tally.named)
