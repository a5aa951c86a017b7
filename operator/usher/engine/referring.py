"""Who refers to whom.

Planned before the apply, by what the plan will make of the accounts; and once more after it, by what came of them.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from typing import Final, NamedTuple

from usher.contracts.store import Record
from usher.core.errors import OF_ONE_RESOURCE, ResourceError, UsherError
from usher.core.model.escrow import Unsettled
from usher.core.model.plans import Action, Phase, PlannedChange
from usher.core.model.resources import Fingerprint, Holding, ResourceType, SourceId, SourceResource, TargetId
from usher.core.sync.escrow import wish_of
from usher.core.sync.leaving import Writes
from usher.core.sync.policies import Subject, subject_of
from usher.core.sync.references import End, Holder, Needs, plan_references, referents, wanted_by
from usher.engine.bench import Bench
from usher.engine.concurrency import for_each, in_chunks
from usher.engine.job import Job
from usher.engine.reading import read_references
from usher.engine.sparing import Sparing

_AT_ONCE: Final = {ResourceType.USER: 256, ResourceType.GROUP: 16}
"""Holders that are looked at together: a group may have tens of thousands of members."""
_LEAVE: Final = frozenset({Action.DISABLE, Action.DELETE})
_BEFORE: Final = (Phase.FOLLOW, Phase.REMOVE, Phase.TRIM, Phase.REFER)
_AFTER: Final = (Phase.FOLLOW, Phase.REFER)


@dataclass(slots=True)
class Referrals:
    """What came of one look at some holders of a lane: the rows, and whose references are as they can be.

    `settled` has for each of them how many wait for an account; `failed` could not be read.
    """

    rows: list[PlannedChange] = field(default_factory=list)
    settled: dict[SourceId, int] = field(default_factory=dict)
    failed: dict[SourceId, UsherError] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Referring:
    """Looks at the holders of one connector.

    `frozen` are those whose leaving waits: they keep what they have. `doubted` are those for whom a request may have
    been made that nobody knows the end of. `waiting` are the references that were tried as they would be now, and whose
    time has not come: to give them, and never to take any away. `adopting` are the accounts that the running plan takes
    over.
    """

    bench: Bench
    frozen: Collection[Subject] = ()
    doubted: Collection[SourceId] = ()
    adopting: Mapping[Subject, TargetId] = field(default_factory=dict)
    waiting: Mapping[Subject, Fingerprint] = field(default_factory=dict)

    async def plan(self, lane: Job) -> AsyncGenerator[Referrals, None]:
        """Before the apply, as if the running plan had been applied. Raises CycleError."""
        moving = await self.bench.ports.store.holders_of_planned(lane.lane)
        chosen = self.bench.selection.among(lane.resource_type, [*moving, *self.doubted])
        return self._look(lane, sorted({*await self._due(lane), *chosen}), _Accounts(self, _View.PLANNED))

    async def settle(self, lane: Job) -> AsyncGenerator[Referrals, None]:
        """After the apply, by the accounts that there are. Raises CycleError."""
        return self._look(lane, await self._due(lane), _Accounts(self, _View.CONFIRMED))

    async def _due(self, lane: Job) -> Sequence[SourceId]:
        """Holders who are meant, and whose references have to be looked at. The others stay due."""
        holders = await self.bench.ports.store.due_holders(lane.lane)
        return self.bench.selection.among(lane.resource_type, holders)

    async def _look(self, lane: Job, ids: Sequence[SourceId], accounts: _Accounts) -> AsyncGenerator[Referrals, None]:
        """What comes of some holders at a time: all of a big connector are never in memory."""
        for chunk in in_chunks(ids, _AT_ONCE[lane.resource_type]):
            found = Referrals()
            holders = await self._read_unknown(lane, await self._open(lane, chunk, accounts, found), found)
            ends = await accounts.anywhere({one for holder in holders for one in referents(holder.wanted)})
            ours = await accounts.ours({one for holder in holders for ids in holder.held.values() for one in ids})
            needs = [(holder, plan_references(lane.mapping, holder, ends, ours)) for holder in holders]
            await self._conclude(lane, needs, found)
            for holder in holders:  # who was taken out may stay after all: what did not come to pass is looked at again
                if any(end.leaving for one in referents(holder.wanted) if (end := ends.get(one)) is not None):
                    found.settled.pop(holder.source_id, None)
            yield found

    async def _open(self, lane: Job, ids: Sequence[SourceId], accounts: _Accounts, found: Referrals) -> list[Holder]:
        """Those who have an account, or will have one, and whose references are not left as they are."""
        kind, mapping = lane.resource_type, lane.mapping
        people = await lane.people(self.bench.ports.store, ids)
        holdings = await self.bench.ports.store.holdings(lane.lane, ids)
        own = await accounts.of(lane, ids)
        holders = []
        for source_id in ids:
            account, resource = own.get(source_id), people.get(source_id)
            if (kind, source_id) in self.frozen:
                continue
            if account is None or account.doomed or (account.active and _is_kept(lane, resource)):
                found.settled[source_id] = 0  # nobody yet: its own account wakes it; or it goes, or is kept as it is
                continue
            wanted = wanted_by(mapping, resource) if account.active and resource is not None else {}
            holding, adopted = holdings.get(source_id), (kind, source_id) in self.adopting
            known = holding is not None and holding.target_id == account.target_id and source_id not in self.doubted
            held = holding.held if holding is not None and known else {}
            holders.append(Holder(kind, source_id, account.target_id, account.active, wanted, held, adopted))
        return holders

    async def _read_unknown(self, lane: Job, holders: Sequence[Holder], found: Referrals) -> list[Holder]:
        """The holders with what the target holds. It is read, and kept, where the state does not know it for sure."""
        known = {holder.source_id: holder for holder in holders}
        learnt: dict[SourceId, Holding] = {}

        async def read(holder: Holder, target_id: TargetId) -> None:
            held = dict(holder.held)
            try:
                for path in unknown[holder.source_id]:
                    held[path] = await read_references(self.bench.session, self.bench.retrier, lane, target_id, path)
            except OF_ONE_RESOURCE as error:
                found.failed[holder.source_id] = error
                del known[holder.source_id]
            else:
                known[holder.source_id] = replace(holder, held=held)
                learnt[holder.source_id] = Holding(target_id, held)

        paths = [reference.path for reference in lane.mapping.references]
        unknown = {holder.source_id: [path for path in paths if path not in holder.held] for holder in holders}
        due = [(holder, holder.target_id) for holder in holders if holder.target_id and unknown[holder.source_id]]
        await for_each(due, lambda one: read(*one), lane.concurrency)
        if learnt:
            await self.bench.ports.store.record(lane.lane, Record(holding=learnt))
        return list(known.values())

    async def _conclude(self, lane: Job, needs: Sequence[tuple[Holder, Needs]], found: Referrals) -> None:
        """Rows for those who need any; of an account that is never written none."""
        sparing = Sparing(lane, self.bench.session, self.bench.retrier)

        async def conclude(one: tuple[Holder, Needs]) -> None:
            holder, need = one
            rows = [holder.change(phase, edits) for phase, edits in need.edits.items()]
            due = [row for row in rows if not self._puts_off(row)]
            if rows and not due:
                return
            try:
                spared = bool(rows) and await sparing.is_spared(self.bench.ports, holder.source_id)
            except OF_ONE_RESOURCE as error:
                found.failed[holder.source_id] = error
                return
            if rows and not spared:
                found.rows += due
            else:
                found.settled[holder.source_id] = need.waiting

        await for_each(needs, conclude, lane.concurrency)

    def _puts_off(self, row: PlannedChange) -> bool:
        return row.action is Action.REFER and self.waiting.get(subject_of(row)) == wish_of(row)


def references_tried(lane: Job, undone: Mapping[SourceId, Unsettled]) -> dict[Subject, Fingerprint]:
    """Which references were tried in vain, of those in escrow."""
    kind = lane.resource_type
    return {(kind, one): entry.escrow.tried for one, entry in undone.items() if entry.escrow is not None}


def refers(lane: Job) -> bool:
    """Whether references are written at all: to change them is to update their holder."""
    return bool(lane.mapping.references) and Writes.UPDATE in lane.mapping.writes


def _is_kept(lane: Job, resource: SourceResource | None) -> bool:
    """Whether the holder has left, and stays as it is. Everybody is asked only where a policy keeps anybody."""
    if resource is None or not lane.deprovisioning.keeps:
        return resource is None
    try:
        return not lane.map(resource).active
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
        store, kind = self.referring.bench.ports.store, lane.resource_type
        digests = await store.digests(lane.lane, ids)
        found = {source_id: End(digest.target_id, digest.enabled) for source_id, digest in digests.items()}
        for source_id, action in (await store.planned(lane.lane, ids)).items():
            former = found.get(source_id)
            if self.view is _View.CONFIRMED:
                if former is not None and former.active and action in _LEAVE:
                    found[source_id] = replace(former, active=False, leaving=True)
                continue
            subject = (kind, source_id)
            stays = action not in _LEAVE or subject in self.referring.frozen
            known = self.referring.adopting.get(subject) if former is None else former.target_id
            found[source_id] = End(known, stays, doomed=action is Action.DELETE and not stays)
        return found

    async def anywhere(self, ids: Collection[SourceId]) -> dict[SourceId, End]:
        """Those of all lanes; where a user and a group have one id, the user is meant."""
        found: dict[SourceId, End] = {}
        for lane in self.referring.bench.job.lanes:
            left = [one for one in ids if one not in found]
            if left:
                found |= await self.of(lane, left)
        return found

    async def ours(self, targets: Collection[TargetId]) -> dict[TargetId, bool]:
        """Which of these accounts this connector links, each with whether it shall have access."""
        store, job = self.referring.bench.ports.store, self.referring.bench.job
        found: dict[TargetId, bool] = {}
        for lane in job.lanes:
            owners = await lane.owners(store, [one for one in targets if one not in found])
            mine = {target: owner.source_id for target, owner in owners.items() if owner.connector == job.connector}
            ends = await self.of(lane, list(mine.values())) if mine else {}
            found |= {target: ends[source_id].active for target, source_id in mine.items() if source_id in ends}
        return found


class Foreseen(NamedTuple):
    """What the plan of a lane says of references: the rows that take something away, and who could not be read."""

    destructive: Sequence[PlannedChange] = ()
    unread: Collection[SourceId] = ()


async def plan_references_of(referring: Referring, lane: Job) -> Foreseen:
    """Writes what the lane's holders need into the running plan. Who could not be read is looked at after the apply."""
    if not refers(lane):
        return Foreseen()
    store = referring.bench.ports.store
    destructive, unread = list[PlannedChange](), list[SourceId]()
    await store.clear_phases(lane.lane, _BEFORE)
    async with aclosing(await referring.plan(lane)) as looks:
        async for referrals in looks:
            await store.add_changes(lane.lane, referrals.rows)
            destructive += [row for row in referrals.rows if row.destructive]
            unread += referrals.failed
    if unread:
        await store.record(lane.lane, Record(waking=unread))
    return Foreseen(destructive, unread)


async def settle_references(referring: Referring, lane: Job) -> AsyncGenerator[Referrals, None]:
    """What is still to be done after the apply; whoever needs nothing more is settled in the state.

    What budgets count was judged before, and is left out.
    """
    async with aclosing(await referring.settle(lane)) as looks:
        async for referrals in looks:
            await referring.bench.ports.store.record(lane.lane, Record(referring=referrals.settled))
            referrals.rows = [row for row in referrals.rows if row.phase in _AFTER]
            yield referrals
