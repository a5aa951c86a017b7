"""Who refers to whom.

Planned before the apply, by what the plan will make of the accounts; and once more after it, by what came of them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final

from usher.contracts.store import Record
from usher.contracts.target import TargetSession
from usher.core.errors import ResourceError, UsherError
from usher.core.model.plans import Action, Phase, PlannedChange
from usher.core.model.resources import AttributePath, Holding, ResourceType, SourceId, SourceResource, TargetId
from usher.core.scim.references import referenced
from usher.core.sync.leaving import Writes
from usher.core.sync.policies import Subject
from usher.core.sync.references import End, Holder, plan_references, referents, wanted_by
from usher.engine.job import ConnectorJob, Job, Ports
from usher.engine.retry import Retrier
from usher.engine.sparing import Sparing

_AT_ONCE: Final = {ResourceType.USER: 256, ResourceType.GROUP: 16}
"""Holders that are looked at together: a group may have tens of thousands of members."""
_LEAVE: Final = frozenset({Action.DISABLE, Action.DELETE})
_BEFORE: Final = (Phase.FOLLOW, Phase.REMOVE, Phase.TRIM, Phase.REFER)
_AFTER: Final = (Phase.FOLLOW, Phase.REFER)


@dataclass(slots=True)
class Referrals:
    """What came of one look at the holders of a lane: the rows, and whose references are as they can be.

    `settled` has for each of them how many wait for an account; `failed` could not be read.
    """

    rows: list[PlannedChange] = field(default_factory=list)
    settled: dict[SourceId, int] = field(default_factory=dict)
    failed: dict[SourceId, UsherError] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Referring:
    """Looks at the holders of one connector.

    `frozen` are those whose leaving waits: they keep what they have. `doubted` are those for whom a request may have
    been made that nobody knows the end of. `adopting` are the accounts that the running plan takes over.
    """

    job: ConnectorJob
    ports: Ports
    session: TargetSession
    retrier: Retrier
    frozen: Collection[Subject] = ()
    doubted: Collection[SourceId] = ()
    adopting: Mapping[Subject, TargetId] = field(default_factory=dict)

    async def plan(self, lane: Job) -> Referrals:
        """Before the apply, as if the running plan had been applied."""
        ids = await self.ports.store.due_holders(lane.lane)
        moving = await self.ports.store.holders_of_planned(lane.lane)
        return await self._look(lane, sorted({*ids, *moving}), _Accounts(self, _View.PLANNED))

    async def settle(self, lane: Job) -> Referrals:
        """After the apply, by the accounts that there are: what budgets count was judged before, and is left out."""
        ids = await self.ports.store.due_holders(lane.lane)
        return await self._look(lane, ids, _Accounts(self, _View.CONFIRMED))

    async def _look(self, lane: Job, ids: Sequence[SourceId], accounts: _Accounts) -> Referrals:
        found = Referrals()
        for chunk in _in_chunks(ids, _AT_ONCE[lane.resource_type]):
            people = await lane.people(self.ports.store, chunk)
            holdings = await self.ports.store.holdings(lane.lane, chunk)
            own = await accounts.of(lane, chunk)
            for source_id in chunk:
                one = _One(lane, source_id, people.get(source_id), own.get(source_id), holdings.get(source_id))
                try:
                    await self._look_at(one, accounts, found)
                except UsherError as error:
                    found.failed[source_id] = error
        return found

    async def _look_at(self, one: _One, accounts: _Accounts, found: Referrals) -> None:
        """Raises what reading the holder's account raises."""
        own = one.own
        if (one.lane.resource_type, one.source_id) in self.frozen:
            return
        if own is None or own.doomed or (own.active and _is_kept(one)):
            found.settled[one.source_id] = 0  # nobody yet: its own account wakes it; or it goes, or is kept as it is
            return
        active = own.active
        wanted = wanted_by(one.lane.mapping, one.resource) if active and one.resource is not None else {}
        held = await self._held(one, wanted)
        ends = await accounts.anywhere(referents(wanted))
        known = {end.target_id for end in ends.values() if end.active}
        strange = [each for ids in held.values() for each in ids if each not in known]
        ours = await accounts.ours(strange)
        kind = one.lane.resource_type
        adopted = (kind, one.source_id) in self.adopting
        holder = Holder(kind, one.source_id, own.target_id, active, wanted, held, adopted)
        needs = plan_references(one.lane.mapping, holder, ends, ours)
        rows = [holder.change(phase, edits) for phase, edits in needs.edits.items()]
        sparing = Sparing(one.lane, self.session, self.retrier)
        if rows and await sparing.is_spared(self.ports, one.source_id):
            rows = []
        found.rows += rows
        if not rows:
            found.settled[one.source_id] = needs.waiting

    async def _held(
        self, one: _One, wanted: Mapping[AttributePath, Sequence[SourceId]]
    ) -> Mapping[AttributePath, Sequence[TargetId]]:
        """What the target holds. It is read, and kept, where the state does not know, or is not to be trusted.

        One account that takes the place of any other need not be known.
        """
        target_id = None if one.own is None else one.own.target_id
        if target_id is None:
            return {}
        trusted = one.holding is not None and one.holding.target_id == target_id and one.source_id not in self.doubted
        held = dict(one.holding.held) if one.holding is not None and trusted else {}
        unknown = [
            reference.path
            for reference in one.lane.mapping.references
            if reference.path not in held and (reference.several or not wanted.get(reference.path))
        ]
        for path in unknown:
            held[path] = await read_references(self.session, self.retrier, one.lane, target_id, path)
        if unknown:
            holding = {one.source_id: Holding(target_id, held)}
            await self.ports.store.record(one.lane.lane, Record(holding=holding))
        return held


async def read_references(
    session: TargetSession, retrier: Retrier, lane: Job, target_id: TargetId, path: AttributePath
) -> tuple[TargetId, ...]:
    """The accounts that a reference attribute of this account holds; none where the account is gone."""
    current = await retrier.read(lambda: session.get(lane.resource_type, target_id, frozenset((path,))))
    return () if current is None else tuple(map(TargetId, referenced(path, current.attributes)))


@dataclass(frozen=True, slots=True)
class _One:
    lane: Job
    source_id: SourceId
    resource: SourceResource | None
    own: End | None
    holding: Holding | None


def refers(lane: Job) -> bool:
    """Whether references are written at all: to change them is to update their holder."""
    return bool(lane.mapping.references) and Writes.UPDATE in lane.mapping.writes


def _is_kept(one: _One) -> bool:
    """Whether the holder has left, and stays as it is. Everybody is asked only where a policy keeps anybody."""
    if one.resource is None or not one.lane.deprovisioning.keeps:
        return one.resource is None
    try:
        return not one.lane.map(one.resource).active
    except ResourceError:
        return False


class _View(Enum):
    """Accounts as the running plan will leave them, or as they are."""

    PLANNED = auto()
    CONFIRMED = auto()


@dataclass(frozen=True, slots=True)
class _Accounts:
    """The accounts of a connector."""

    referring: Referring
    view: _View

    async def of(self, lane: Job, ids: Collection[SourceId]) -> dict[SourceId, End]:
        """Those of one lane that there are, or will be."""
        store, kind = self.referring.ports.store, lane.resource_type
        digests = await store.digests(lane.lane, ids)
        found = {source_id: End(digest.target_id, digest.enabled) for source_id, digest in digests.items()}
        if self.view is _View.CONFIRMED:
            return found
        for source_id, action in (await store.planned(lane.lane, ids)).items():
            former = found.get(source_id)
            subject = (kind, source_id)
            stays = action not in _LEAVE or subject in self.referring.frozen
            known = self.referring.adopting.get(subject) if former is None else former.target_id
            found[source_id] = End(known, stays, doomed=action is Action.DELETE and not stays)
        return found

    async def anywhere(self, ids: Sequence[SourceId]) -> dict[SourceId, End]:
        """Those of all lanes; where a user and a group have one id, the user is meant."""
        found: dict[SourceId, End] = {}
        for lane in self.referring.job.lanes:
            left = [one for one in ids if one not in found]
            if left:
                found |= await self.of(lane, left)
        return found

    async def ours(self, targets: Sequence[TargetId]) -> dict[TargetId, bool]:
        """Which of these accounts this connector links, each with whether it shall have access."""
        store, job = self.referring.ports.store, self.referring.job
        found: dict[TargetId, bool] = {}
        for lane in job.lanes:
            owners = await store.owners(job.address, lane.resource_type, [one for one in targets if one not in found])
            mine = {target: owner.source_id for target, owner in owners.items() if owner.connector == job.connector}
            ends = await self.of(lane, list(mine.values())) if mine else {}
            found |= {target: ends[source_id].active for target, source_id in mine.items() if source_id in ends}
        return found


async def plan_references_of(referring: Referring, lane: Job) -> list[PlannedChange]:
    """Writes what the lane's holders need into the running plan; returns what of it takes something away."""
    if not refers(lane):
        return []
    store = referring.ports.store
    referrals = await referring.plan(lane)
    await store.clear_phases(lane.lane, _BEFORE)
    await store.add_changes(lane.lane, referrals.rows)
    return [row for row in referrals.rows if row.destructive]


async def settle_references(referring: Referring, lane: Job) -> Referrals:
    """What is still to be done after the apply; whoever needs nothing more is settled in the state."""
    referrals = await referring.settle(lane)
    await referring.ports.store.record(lane.lane, Record(referring=referrals.settled))
    referrals.rows = [row for row in referrals.rows if row.phase in _AFTER]
    return referrals


def _in_chunks(ids: Sequence[SourceId], size: int) -> Iterator[Sequence[SourceId]]:
    for start in range(0, len(ids), size):
        yield ids[start : start + size]
