"""What the state says of one person or group, for an explanation. Neither source nor target is asked.

Every decision in it is made by the functions that make it in a cycle: here they are only asked about one resource.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import chain
from typing import Final, NamedTuple

from usher.contracts.log import LogEntry, LogQuery
from usher.contracts.store import Intent, Store, StoredHold
from usher.core.errors import CycleError, ResourceError
from usher.core.expressions.values import text_of
from usher.core.model.escrow import Unsettled
from usher.core.model.plans import Desired, PlannedChange
from usher.core.model.resources import AttributePath, Link, ResourceType, SourceId, SourceResource, TargetId, Value
from usher.core.model.standing import Quarantine
from usher.core.sync.assignments import Entry, Search, Unresolved, with_roles
from usher.core.sync.leaving import SOURCE_DELETED
from usher.core.sync.linting import fit
from usher.core.sync.mapping import LineValue, attributes_for_lines, explain_lines
from usher.core.sync.policies import Enforcement
from usher.core.sync.references import referents, wanted_by
from usher.core.sync.rules import CompiledMapping
from usher.core.sync.scoping import Judgement
from usher.engine.assigning import Assigning, begin_assigning
from usher.engine.feeding import everybody
from usher.engine.job import ConnectorJob, Job, Ports

ALWAYS_SEARCHED: Final = frozenset({"userPrincipalName", "mail", "userName"})
"""People are known by these, whatever the mapping finds accounts by."""


class Subject(NamedTuple):
    """One person or group of the source."""

    resource_type: ResourceType
    source_id: SourceId


@dataclass(frozen=True, slots=True)
class Found:
    """Who is meant by a word, and where nobody is, the names that there are: a whole source, for a guess."""

    subjects: Sequence[Subject]
    names: Sequence[str] = ()


class Given(StrEnum):
    """How a reference to somebody stands."""

    YES = "Given"
    PENDING = "Pending"
    NO_ACCOUNT = "NoActiveAccount"


class ReferenceFact(NamedTuple):
    """One resource to which another one refers."""

    path: AttributePath
    to: SourceId
    given: Given


@dataclass(frozen=True, slots=True)
class Facts:
    """All that is known. `job` is the lane with what the target said of itself, and with who is assigned.

    `resource` is None where the source has it no more. `desired` is what a cycle would want, None where there is no
    resource or it can't be said: `failed` is why then. `attributes` are those
    that the lines of the mapping see. `held` is the set that waits for an approval, with what of it is
    about this one. The newest lines of the log come first.
    """

    job: Job
    subject: Subject
    resource: SourceResource | None
    link: Link | None
    unsettled: Unsettled | None
    intent: Intent | None
    held: tuple[StoredHold, Sequence[PlannedChange]] | None
    log: Sequence[LogEntry]
    enforcement: Enforcement = Enforcement.ENFORCE
    quarantine: Quarantine | None = None
    desired: Desired | None = None
    failed: ResourceError | None = None
    attributes: Mapping[str, Value] = field(default_factory=dict)
    judgements: Sequence[Judgement] = ()
    entries: Sequence[Entry] = ()
    unresolved: Sequence[Unresolved] = ()
    lines: Sequence[LineValue] = ()
    references: Sequence[ReferenceFact] = field(default=())

    @property
    def cause(self) -> str:
        """Why nobody is wanted there, or why that can't be said; empty for whoever shall have an account."""
        if self.resource is None:
            return SOURCE_DELETED
        if self.failed is not None:
            return self.failed.reason
        return "" if self.desired is None else self.desired.cause

    @property
    def untouchable(self) -> bool:
        """Whether the linked account is one that is never written."""
        spared = self.job.mapping.untouchable
        return bool(spared) and self.link is not None and spared.covers(self.link.image)


# --- who is meant ---------------------------------------------------------------------------------------------------


async def find_subjects(job: ConnectorJob, store: Store, word: str) -> Found:
    """A source id that the state knows means that one; else whoever has the word as an id, key or name.

    As SCIM compares a userName (RFC 7643 4.1.1): as a whole, without regard to case. Raises CycleError where the source
    was never read.
    """
    await _demand_snapshot(job, store)
    known = [Subject(lane.resource_type, SourceId(word)) for lane in job.lanes if await knows(lane, store, word)]
    if known:
        return Found(known)
    found: dict[Subject, None] = {}
    names: list[str] = []
    for lane in job.lanes:
        searched = ALWAYS_SEARCHED | _keys_of(lane.mapping)
        search = Search([Entry(lane.resource_type, name, word) for name in sorted(searched)])
        async for resource in everybody(store, lane.source, lane.resource_type):
            search.look_at(resource)
            names.extend(_names_of(resource, searched))
            if resource.id.casefold() == word.casefold():
                found[Subject(lane.resource_type, resource.id)] = None
        found.update(dict.fromkeys(Subject(lane.resource_type, one) for one in chain(*search.hits.values())))
    return Found(list(found), names)


async def _demand_snapshot(job: ConnectorJob, store: Store) -> None:
    source = job.lanes[0].source
    if all([await store.snapshot(source, lane.resource_type) is None for lane in job.lanes]):
        message = (
            f"the state has no read of IdentitySource/{source} yet: its condition Ready says why. Without a cluster run"
            " usher sync, or name the state with --state"
        )
        raise CycleError(message, reason="SourceUnreachable")


async def knows(lane: Job, store: Store, word: str) -> bool:
    """Whether the source has this id, or had it: an account, a request or a line of the log is left of it."""
    source_id = SourceId(word)
    if await store.resources(lane.source, lane.resource_type, [source_id]):
        return True
    if await store.digests(lane.lane, [source_id]) or source_id in await store.intents(lane.lane):
        return True
    return bool(await _log_of(lane, store, Subject(lane.resource_type, source_id), 1))


def _keys_of(mapping: CompiledMapping) -> frozenset[str]:
    """The source attributes of what accounts are found by."""
    parts = {part.target for rule in mapping.matching for part in rule.parts}
    return frozenset(name for rule in mapping.rules if rule.target in parts for name in rule.reads)


def _names_of(resource: SourceResource, searched: frozenset[str]) -> Iterator[str]:
    yield resource.id
    for name in searched:
        value = resource.attributes.get(name)
        if value is not None:
            yield from map(text_of, value if isinstance(value, tuple) else (value,))


# --- what is known --------------------------------------------------------------------------------------------------


async def gather(job: ConnectorJob, ports: Ports, subject: Subject, lines: int) -> Facts:
    """What the state says of one, with so many lines of the log.

    Raises CycleError, as a cycle would, for a mapping that can't be so at the target, or a scope that can't be worked
    out.
    """
    store, (kind, source_id) = ports.store, subject
    assigning = await begin_assigning(job, ports)
    lane = await _as_in_a_cycle(next(one for one in job.lanes if one.resource_type is kind), ports, assigning)
    held = await store.held(job.connector)
    rows = [row for row in held[1] if (row.resource_type, row.source_id) == subject] if held else []
    facts = Facts(
        job=lane,
        subject=subject,
        resource=(await lane.people(store, [source_id])).get(source_id),
        link=(await store.links(lane.lane, [source_id])).get(source_id),
        unsettled=(await store.unsettled(lane.lane)).get(source_id),
        intent=(await store.intents(lane.lane)).get(source_id),
        held=(held[0], rows) if held and rows else None,
        log=await _log_of(lane, store, subject, lines),
        enforcement=job.enforcement,
        quarantine=(await store.standing(job.connector)).quarantine,
    )
    if assigning is not None:
        entries = await assigning.entries_for(lane, source_id)
        facts = replace(facts, entries=entries, unresolved=assigning.resolution.unresolved)
    return facts if facts.resource is None else await _judged(job, store, facts, facts.resource)


async def fitted(lane: Job, store: Store) -> Job:
    """With the mapping as a cycle has it: fitted to what the target said of itself. Raises CycleError as `gather`."""
    stored = await store.discovery(lane.address)
    return lane if stored is None else replace(lane, mapping=fit(lane.mapping, stored.discovery))


async def _as_in_a_cycle(lane: Job, ports: Ports, assigning: Assigning | None) -> Job:
    lane = await fitted(lane, ports.store)
    if assigning is None:
        return lane
    return replace(lane, assigned=await assigning.assigned(lane), whole=not assigning.resolution.unresolved)


async def _log_of(lane: Job, store: Store, subject: Subject, lines: int) -> Sequence[LogEntry]:
    """A user and a group may have one id."""
    found = await store.log(lane.connector, LogQuery(source_id=subject.source_id), lines)
    return [entry for entry in found if entry.resource_type is subject.resource_type]


async def _judged(job: ConnectorJob, store: Store, facts: Facts, resource: SourceResource) -> Facts:
    lane = facts.job
    roles = () if lane.assigned is None else lane.assigned.get(resource.id, ())
    seen = resource if lane.assigned is None else with_roles(resource, roles)
    facts = replace(
        facts,
        attributes=attributes_for_lines(seen),
        judgements=list(lane.mapping.scope.explain(seen.attributes)),
        lines=list(explain_lines(lane.mapping, seen)),
    )
    try:
        desired = lane.map(resource)
    except ResourceError as error:
        return replace(facts, failed=error)
    if not desired.active:
        return replace(facts, desired=desired)
    wanted = wanted_by(lane.mapping, resource)
    return replace(facts, desired=desired, references=await _references(job, store, facts, wanted))


async def _references(
    job: ConnectorJob, store: Store, facts: Facts, wanted: Mapping[AttributePath, Sequence[SourceId]]
) -> list[ReferenceFact]:
    others = referents(wanted)
    accounts: dict[SourceId, TargetId] = {}
    for lane in job.lanes:
        found = await store.digests(lane.lane, others)
        accounts |= {one: digest.target_id for one, digest in found.items() if digest.enabled}
    holding = (await store.holdings(facts.job.lane, [facts.subject.source_id])).get(facts.subject.source_id)
    held = {} if holding is None else holding.held

    def given(path: AttributePath, one: SourceId) -> Given:
        if one not in accounts:
            return Given.NO_ACCOUNT
        return Given.YES if accounts[one] in held.get(path, ()) else Given.PENDING

    return [ReferenceFact(path, one, given(path, one)) for path, ones in wanted.items() for one in ones]
