"""Who is assigned in a cycle, and for whom that is new.

Everything is worked out from the snapshots, and anew only when the scope or a snapshot that it depends upon changed.
What came of it is kept when the cycle is concluded and never before: a process that dies in between compares again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from usher.contracts.assignments import Resolution
from usher.core.errors import CycleError
from usher.core.model.resources import Lane, ResourceType, SourceId, SourceKey
from usher.core.sync.assignments import (
    Assigned,
    Assignment,
    Entry,
    Nested,
    Search,
    Unresolved,
    assign_groups,
    assign_users,
    entries_for,
    keep_remembered,
)
from usher.engine.feeding import everybody
from usher.engine.job import ConnectorJob, Job, Ports

_GONE = "the group that it meant is gone: remove the entry if its members shall leave"

_Members: TypeAlias = dict[SourceId, Sequence[SourceId]]


@dataclass(frozen=True, slots=True)
class Assigning:
    """The scope of one cycle. `former` is what the last concluded one made of it, None where that was everybody.

    `fresh` holds where that has to be looked into again; `members` are the groups that matter, with their members.
    """

    assignment: Assignment
    ports: Ports
    former: Resolution | None
    resolution: Resolution
    fresh: bool
    members: _Members = field(default_factory=dict)

    async def assigned(self, job: Job) -> Assigned:
        """Who is in, of the type of this lane."""
        remembered = await self.ports.store.assigned(job.lane)
        if not self.fresh:
            return remembered
        assign = assign_users if job.resource_type is ResourceType.USER else assign_groups
        found = assign(self.assignment, self.resolution.pins, self.members)
        if not self.resolution.unresolved:
            return found
        if self.former is None:  # everybody was in, by the links
            remembered = dict.fromkeys(await self._linked(job.lane), ())
        return keep_remembered(found, remembered, self.assignment, self.resolution.unresolved)

    async def reassigned(self, job: Job) -> Collection[SourceId]:
        """For whom what this job has as `assigned` differs from when the last cycle was concluded."""
        assigned = job.assigned
        if not self.fresh or assigned is None:
            return ()
        former = await self.ports.store.assigned(job.lane)
        return {one for one in former.keys() | assigned.keys() if former.get(one) != assigned.get(one)}

    async def entries_for(self, job: Job, source_id: SourceId) -> list[Entry]:
        """The entries by which one resource is in, for an explanation."""
        pins, members = self.resolution.pins, self.members
        if not self.fresh:
            members, _ = await _read_groups(job.source, self.ports, self.assignment, pins)
        return list(entries_for(self.assignment, pins, members, (job.resource_type, source_id)))

    async def _linked(self, lane: Lane) -> Collection[SourceId]:
        """Whoever has an active account, or may have one."""
        found = set(await self.ports.store.intents(lane))
        async for page in self.ports.store.link_digests(lane):
            found.update(digest.source_id for digest in page if digest.enabled)
        return found


async def begin_assigning(job: ConnectorJob, ports: Ports) -> Assigning | None:
    """What the scope's entries mean now, None where everybody is in. Raises CycleError `InvalidSpec`."""
    assignment = job.lanes[0].assignment
    if assignment is None:
        return None
    anew = job.anew
    former = None if anew is not None and not anew.same_ids else await ports.store.resolution(job.connector)
    source = job.lanes[0].source
    users, groups = await _versions(source, ports, assignment)
    same = former if anew is None and former is not None and former.scope == assignment.digest else None
    if same is not None and await _holds(job, ports, same, (users, groups)):
        return Assigning(assignment, ports, same, same, fresh=False)
    pins, unresolved = await _resolve(source, ports, assignment, {} if former is None else former.pins)
    members, gone = await _read_groups(source, ports, assignment, pins)
    places = [entry.place for entry in assignment.of(ResourceType.GROUP) if pins.get(entry.name) in gone]
    unresolved += [Unresolved(place, _GONE) for place in places]
    order = {entry.place: index for index, entry in enumerate(assignment.entries)}
    listed = tuple(sorted(unresolved, key=lambda each: order[each.place]))
    resolution = Resolution(assignment.digest, users, groups, pins, listed)
    return Assigning(assignment, ports, former, resolution, fresh=True, members=members)


async def conclude_assigning(
    job: ConnectorJob, ports: Ports, assigning: Assigning | None, lanes: Sequence[Job]
) -> None:
    """Keeps who was in; the cycle has been carried out.

    While links are found again, what the entries meant stays as it was for those in force.
    """
    if job.anew is not None:
        return
    if assigning is None:
        await ports.store.save_resolution(job.connector, None)
    elif assigning.fresh:
        for lane in lanes:
            await ports.store.save_assigned(lane.lane, lane.assigned or {})
        await ports.store.save_resolution(job.connector, assigning.resolution)


# --- what has to be looked at ---------------------------------------------------------------------------------------


async def _versions(source: SourceKey, ports: Ports, assignment: Assignment) -> tuple[int, int | None]:
    """Those of the snapshots; a lane without one is refused later. None where no entry names a group."""
    users = await ports.store.snapshot(source, ResourceType.USER)
    if not assignment.of(ResourceType.GROUP):
        return (0 if users is None else users.version), None
    groups = await ports.store.snapshot(source, ResourceType.GROUP)
    if groups is None:
        message = (
            f"spec.scope.groups: IdentitySource/{source.partition('/')[2]} reads no groups: set spec.ldap.groups or "
            "spec.csv.groups"
        )
        raise CycleError(message, reason="InvalidSpec")
    return (0 if users is None else users.version), groups.version


async def _holds(job: ConnectorJob, ports: Ports, former: Resolution, versions: tuple[int, int | None]) -> bool:
    """Whether nothing has changed on which the scope depends. Users matter only while one is looked for."""
    users, groups = versions
    if former.groups != groups or (former.unresolved and former.users != users):
        return False
    consumptions = [await ports.store.consumption(lane.lane) for lane in job.lanes]
    return all(each is not None and each.version is not None for each in consumptions)


async def _resolve(
    source: SourceKey, ports: Ports, assignment: Assignment, former: Mapping[str, SourceId]
) -> tuple[dict[str, SourceId], list[Unresolved]]:
    """The pins of all entries, those kept that there were, and which entries mean nobody, or several."""
    names = {entry.name for entry in assignment.entries}
    pins = {name: pin for name, pin in former.items() if name in names}
    unresolved: list[Unresolved] = []
    for kind in ResourceType:
        new = [entry for entry in assignment.of(kind) if entry.name not in pins]
        if not new:
            continue
        search = Search(new)
        async for resource in everybody(ports.store, source, kind):
            search.look_at(resource)
        pins |= search.pins()
        unresolved += search.unresolved()
    return pins, unresolved


async def _read_groups(
    source: SourceKey, ports: Ports, assignment: Assignment, pins: Mapping[str, SourceId]
) -> tuple[_Members, Collection[SourceId]]:
    """The groups that are pinned, with Flatten all that are inside them; and those of the pinned that are gone."""
    pinned = {pins[entry.name] for entry in assignment.of(ResourceType.GROUP) if entry.name in pins}
    members: _Members = {}
    waiting: set[SourceId] = pinned
    while waiting:
        found = await ports.store.resources(source, ResourceType.GROUP, sorted(waiting))
        for source_id, group in found.items():
            members[source_id] = tuple(_ids(group.attributes.get("members")))
        inner = {one for group in found for one in members[group]} if assignment.nested is Nested.FLATTEN else set()
        waiting = inner - members.keys() - waiting
    return members, pinned - members.keys()


def _ids(value: object) -> Iterator[SourceId]:
    for each in value if isinstance(value, tuple) else (value,):
        if isinstance(each, str):
            yield SourceId(each)
