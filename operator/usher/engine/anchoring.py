"""Links that mean nothing any more are found again: by matching, beside those in force, and held until it is approved.

The ids of the source may have become others, the target may be at another address, or somebody asks for it. Whatever is
known stays as it is meanwhile: where the old ids, or the old address, come back before the approval, nothing was lost.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from usher.contracts.store import Consumption, Intent, LinkDigest
from usher.contracts.target import TargetSession
from usher.core.errors import OF_ONE_RESOURCE, CycleError, UsherError
from usher.core.model.plans import Action, Ambiguous, Matched, PlannedChange, Unlinked
from usher.core.model.resources import Link, ResourceType, SourceId, TargetId
from usher.core.sync.matching import DUPLICATE_SOURCE
from usher.engine.concurrency import for_each
from usher.engine.job import Anchoring, ConnectorJob, Job, Ports
from usher.engine.reading import read_account
from usher.engine.retry import Retrier

_RESTARTED: Final = "a restart of the links was asked for"


async def begin_anchoring(job: ConnectorJob, ports: Ports) -> ConnectorJob:
    """The job, in lanes of their own where its links have to be found again.

    Raises CycleError `InvalidSpec` where the target can't be asked who is there: nobody would be found.
    """
    if job.ending:
        return job
    found = {lane.resource_type: await _look(lane, ports) for lane in job.lanes}
    why = next((one for one in found.values() if one is not None and one.words), None)
    if why is not None and why.same_ends and await _is_over(job, ports):
        await _give_up(job, ports)
        why = None
    if why is not None and not why.same_ends and await _has_nobody(job, ports):
        await _begin_anew(job, ports)
        why = None
    if why is None:
        await _drop(job, ports)
        return job
    if any(lane.settle is None for lane in job.lanes):
        message = f"{why.words}, and an app that can't be asked who is there can't be matched anew. Put it back"
        raise CycleError(message, reason="InvalidSpec")
    lanes = tuple([replace(lane, anew=_of(lane, found[lane.resource_type], why)) for lane in job.lanes])
    anew = replace(job, lanes=lanes)
    if any([await _is_stale(lane, ports) for lane in lanes]):
        await ports.store.drop_anew(job.connector)
    return anew


def _of(lane: Job, mine: Anchoring | None, why: Anchoring) -> Anchoring:
    """All lanes go together; of one without links nothing is known."""
    known = replace(why, address=lane.address) if mine is None else mine
    return replace(known, words=why.words)


async def _look(lane: Job, ports: Ports) -> Anchoring | None:
    """What becomes of the links of one lane: without words they stay in force. None where there never were any."""
    former = await ports.store.consumption(lane.lane_in_force)
    snapshot = await ports.store.snapshot(lane.source, lane.resource_type)
    if former is None or snapshot is None or former.retired or former.source != lane.source:
        return None
    source, words = f"IdentitySource/{lane.source.partition('/')[2]}", list[str]()
    if former.identity != snapshot.identity:
        words.append(f"the ids of {source} changed from {former.identity} to {snapshot.identity}")
    if former.address != lane.address:
        words.append(f"the app's address changed from {former.address} to {lane.address}")
    same_ends = not words
    if same_ends and former.restarted:
        words.append(_RESTARTED)
    return Anchoring(", and ".join(words), former.address, former.identity == snapshot.identity, same_ends)


async def _is_stale(lane: Job, ports: Ports) -> bool:
    """Whether what is found already is about other ends than those of now."""
    begun = await ports.store.consumption(lane.lane)
    snapshot = await ports.store.snapshot(lane.source, lane.resource_type)
    if begun is None or snapshot is None:
        return False
    return (begun.identity, begun.address) != (snapshot.identity, lane.address)


async def _has_nobody(job: ConnectorJob, ports: Ports) -> bool:
    """Whether nobody is linked, and nobody may be."""
    for lane in job.lanes:
        count, _ = await ports.store.count_links(lane.lane_in_force)
        if count or await ports.store.intents(lane.lane_in_force):
            return False
    return True


async def _begin_anew(job: ConnectorJob, ports: Ports) -> None:
    """Nothing is to be found again: the connector is as a new one."""
    for lane in job.lanes:
        former = await ports.store.consumption(lane.lane_in_force)
        snapshot = await ports.store.snapshot(lane.source, lane.resource_type)
        if former is not None and snapshot is not None:
            fresh = replace(former, identity=snapshot.identity, address=lane.address, version=None)
            await ports.store.save_consumption(lane.lane_in_force, fresh)
    await ports.store.save_resolution(job.connector, None)
    await ports.store.release(job.connector)


async def _drop(job: ConnectorJob, ports: Ports) -> None:
    for lane in job.lanes:
        if await ports.store.consumption(lane.lane_in_force._replace(anew=True)) is not None:
            await ports.store.drop_anew(job.connector)
            return


async def _is_over(job: ConnectorJob, ports: Ports) -> bool:
    """Whether nobody has approved in time what a restart has found."""
    hold = await ports.store.hold_of(job.connector)
    return hold is not None and hold.anew and not hold.approved and ports.runtime.now() >= hold.expires


async def _give_up(job: ConnectorJob, ports: Ports) -> None:
    for lane in job.lanes:
        former = await ports.store.consumption(lane.lane_in_force)
        if former is not None:
            await ports.store.save_consumption(lane.lane_in_force, replace(former, restarted=False))


# --- while they are found again ---------------------------------------------------------------------------------------


async def ours_before(job: Job, ports: Ports, found: Collection[TargetId]) -> Collection[TargetId]:
    """Of these accounts those that this connector had linked under the same id; nobody's in any other cycle."""
    if job.anew is None:
        return ()
    owners = await ports.store.owners(job.anew.address, job.resource_type, found)
    return {target for target, owner in owners.items() if owner.connector == job.connector}


async def doubted_claims(job: Job, ports: Ports) -> Collection[str]:
    """Under which matching values accounts may have been made whose create has an unknown end."""
    if job.anew is None or job.anew.address != job.address:
        return ()
    intents = await ports.store.intents(job.lane_in_force)
    return {key.claim for one in intents.values() if one.action is Action.CREATE for key in one.keys}


@dataclass(frozen=True, slots=True)
class Hints:
    """Links that are in force, where nothing matches: an account that is there is not made a second time."""

    job: Job
    ports: Ports
    session: TargetSession
    retrier: Retrier

    async def follow(
        self, ids: Sequence[SourceId], situations: Mapping[SourceId, Unlinked], failures: dict[SourceId, UsherError]
    ) -> dict[SourceId, Unlinked]:
        """The situations of people whom no matching value finds; of whom it can't be told goes to `failures`."""
        taken = {one.found.id: source_id for source_id, one in situations.items() if isinstance(one, Matched)}
        found: dict[SourceId, Unlinked] = {}

        async def look(link: Link) -> None:
            try:
                account = await read_account(self.session, self.retrier, self.job, link.target_id)
            except OF_ONE_RESOURCE as error:
                failures[link.source_id] = error
                return
            rival = taken.get(link.target_id)
            if account is None:
                return
            if rival is None:
                found[link.source_id] = Matched(account)
            else:
                found[link.source_id] = Ambiguous(DUPLICATE_SOURCE, (rival, link.target_id))
                found[rival] = Ambiguous(DUPLICATE_SOURCE, (link.source_id, link.target_id))

        links = await self.ports.store.links(self.job.lane_in_force, ids)
        await for_each(links.values(), look, self.job.concurrency)
        return found


# --- when it is approved ----------------------------------------------------------------------------------------------


async def conclude_anchoring(
    job: ConnectorJob, ports: Ports, rows: Sequence[PlannedChange], found: Mapping[ResourceType, Consumption]
) -> ConnectorJob:
    """What was found takes the place of the links in force; the job in its own lanes.

    Of those in force some stay where both ids still mean the same: of people for whom nothing is planned, at accounts
    that nobody gets by the plan. The next cycle looks at these. Elsewhere they are gone, and whoever left meanwhile is
    an orphan, as after a loss of the state. `found` is what each lane has worked off of the source.
    """
    lost, kept = False, dict[ResourceType, Collection[SourceId]]()
    for lane in job.lanes:
        if lane.anew is not None and lane.anew.same_ends:
            kept[lane.resource_type] = await _keep(ports, lane, rows)
        else:
            lost = True
        fresh = replace(found[lane.resource_type], guarded=True, lost=lost)
        await ports.store.save_consumption(lane.lane, fresh)
    await ports.store.anchor(job.connector, kept)
    return replace(job, lanes=tuple([replace(lane, anew=None, lost=lost or lane.lost) for lane in job.lanes]))


async def _keep(ports: Ports, lane: Job, rows: Sequence[PlannedChange]) -> Collection[SourceId]:
    """Whose links stay. An open intent to look at the account goes with each that is enabled."""
    mine = [row for row in rows if row.resource_type is lane.resource_type]
    people, accounts = {row.source_id for row in mine}, {row.target_id for row in mine}
    kept: list[LinkDigest] = []
    async for digests in ports.store.link_digests(lane.lane_in_force):
        kept += [one for one in digests if one.source_id not in people and one.target_id not in accounts]
    known = await ports.store.intents(lane.lane_in_force)
    looks = [one.source_id for one in kept if one.enabled and one.source_id not in known]
    await ports.store.write_intents(lane.lane, [Intent(one, Action.LINK) for one in looks])
    return [one.source_id for one in kept]
