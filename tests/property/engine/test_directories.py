"""Whole directories: people, their managers, groups, groups in groups, through everything that happens to them.

For every sequence of joins, moves, leaves, come-backs, renames and nesting, with a fault at any request, the app ends
as the source says: accounts, managers, members; the next cycle writes nothing; and no stranger was ever touched.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from usher.contracts.store import Store
from usher.core.model.resources import ResourceType, SourceId, TargetId, Value
from usher.core.sync.policies import Budget
from usher.state.store import open_store
from usher.testing.documents import read_at
from usher.testing.faults import Fault, FaultKind, FaultSchedule, Killed, request
from usher.testing.memory_settings import MemorySettings
from usher.testing.memory_target import MemoryTarget
from usher.testing.world import MANAGER, World, direct_mapping, group_mapping, new_world, with_manager

PEOPLE, GROUPS = 6, 3
MAPPING = with_manager(direct_mapping({"userName": ("login", 1), "displayName": ("name", None)}))
KINDS = [kind for kind in FaultKind if kind is not FaultKind.IGNORED_CHANGE]
UNBOUNDED = Budget(max_count=1000, max_percent=100)


@dataclass
class Directory:
    """The truth: people by number, and groups with the ids of their members."""

    people: dict[int, dict[str, Value]] = field(default_factory=dict)
    groups: dict[int, tuple[str, frozenset[str]]] = field(default_factory=dict)

    def apply(self, change: tuple[str, int, int, int]) -> None:
        """One thing that happens."""
        what, one, other, variant = change
        if what in ("found", "dissolve", "move", "nest"):
            self._change_groups(what, one % GROUPS, other, variant)
        else:
            self._change_people(what, one % PEOPLE, other, variant)

    def _change_people(self, what: str, person: int, other: int, variant: int) -> None:
        if what == "join":
            self.people[person] = {"login": f"p{person}", "name": f"Person {variant}", "accountEnabled": True}
        elif what == "leave":
            self.people.pop(person, None)
        elif person in self.people:
            news: dict[str, dict[str, Value]] = {
                "disable": {"accountEnabled": False},
                "rename": {"login": f"p{person}.{variant}"},
                "manage": {"manager": f"id-{other % PEOPLE}"},
                "unmanage": {"manager": ""},
            }
            self.people[person] = {**self.people[person], **news[what]}

    def _change_groups(self, what: str, group: int, other: int, variant: int) -> None:
        name, members = self.groups.get(group, ("", frozenset()))
        if what == "found":
            self.groups[group] = (f"group {group}.{variant}", members)
        elif what == "dissolve":
            self.groups.pop(group, None)
        elif group in self.groups:
            member = f"id-{other % PEOPLE}" if what == "move" else f"group-{other % GROUPS}"
            self.groups[group] = (name, members ^ {member})

    def active(self) -> set[str]:
        """The ids of all that have an account."""
        people = {f"id-{n}" for n, person in self.people.items() if person["accountEnabled"]}
        return people | {f"group-{n}" for n in self.groups}


WHAT = ["join", "join", "join", "leave", "disable", "rename", "manage", "unmanage", "found", "found", "dissolve"]
happenings = st.tuples(
    st.sampled_from([*WHAT, "move", "move", "move", "nest"]), st.integers(0, 5), st.integers(0, 5), st.integers(0, 2)
)
faults = st.one_of(st.none(), st.none(), st.tuples(st.sampled_from(KINDS), st.integers(1, 30)))
steps = st.tuples(st.lists(happenings, max_size=8), faults)


async def cycle(store: Store, target: MemoryTarget, directory: Directory) -> World:
    """A new process reads the directory and runs one cycle."""
    world = new_world(store, target)
    world.mapping, world.group_mapping = MAPPING, group_mapping()
    world.budget = world.group_budget = world.membership_budget = UNBOUNDED
    people = {n: {k: v for k, v in person.items() if v != ""} for n, person in directory.people.items()}
    world.source.people = {SourceId(f"id-{n}"): person for n, person in people.items()}
    world.source.people[SourceId("id-anchor")] = {"login": "anchor", "name": "Anchor", "accountEnabled": True}
    world.source.attributes = ("manager", "accountEnabled")
    world.source.put_group("group-anchor", displayName="anchors", members=("id-anchor",))
    for number, (name, members) in directory.groups.items():
        world.source.put_group(f"group-{number}", displayName=name, members=tuple(sorted(members)))
    await world.read(min_retained=0)
    report = await world.cycle()
    assert report.held is None
    return world


def writes(target: MemoryTarget) -> int:
    return len(target.history.writes) + len(target.collection(ResourceType.GROUP).history.writes)


async def check(world: World, directory: Directory) -> None:
    """The app holds what the directory says."""
    ids: dict[str, str] = {}
    for lane in world.job.lanes:
        async for page in world.store.link_digests(lane.lane):
            ids |= {str(link.source_id): str(link.target_id) for link in page}
    active, target = directory.active(), world.target
    for number, person in directory.people.items():
        source_id = f"id-{number}"
        if source_id not in active:
            assert source_id not in ids or target.document(ids[source_id])["active"] is False
            continue
        document = target.document(ids[source_id])
        assert (document["userName"], document["displayName"]) == (person["login"], person["name"])
        assert document["active"] is True
        manager = str(person.get("manager", ""))
        assert read_at(document, f"{MANAGER}.value") == (ids[manager] if manager in active else None)
    groups = target.collection(ResourceType.GROUP)
    for number, (name, members) in directory.groups.items():
        group = ids[f"group-{number}"]
        assert groups.document(group)["displayName"] == name
        assert target.members(group) == {ids[member] for member in members if member in active}
    gone = {i for s, i in ids.items() if s.startswith("group-") and s not in {*active, "group-anchor"}}
    assert not any(target.members(group) for group in gone)


async def play(script: list[tuple[list[tuple[str, int, int, int]], tuple[FaultKind, int] | None]]) -> None:
    target, directory = MemoryTarget(MemorySettings()), Directory()
    strangers = [target.plant({"userName": "robot", "displayName": "Robot"})]
    everybody = target.collection(ResourceType.GROUP).plant({"displayName": "admins", "members": [{"value": "u1"}]})
    async with open_store(None) as store:
        for happened, fault in script:
            for one in happened:
                directory.apply(one)
            if fault is not None:
                target.faults = FaultSchedule([request(fault[1], Fault(fault[0], retry_after=2))])
                target.collection(ResourceType.GROUP).faults = target.faults
            with suppress(Killed):
                await cycle(store, target, directory)
            target.faults = FaultSchedule()
        for _ in range(2):
            world = await cycle(store, target, directory)
        await check(world, directory)
        before = writes(target)
        await cycle(store, target, directory)
        assert writes(target) == before, "a cycle without a change wrote something"
    assert target.version_of(target.accounts[TargetId(strangers[0])]) == 'W/"1"'
    assert target.members(everybody) == {"u1"}


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(script=st.lists(steps, min_size=1, max_size=6))
def test_every_directory_ends_as_it_is(
    script: list[tuple[list[tuple[str, int, int, int]], tuple[FaultKind, int] | None]],
) -> None:
    asyncio.run(play(script))
