"""Some are provisioned by name: nobody else is touched, and the cycles end where they would have ended anyway."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from usher.core.model.resources import Json, ResourceType, SourceId, TargetId
from usher.core.sync.assignments import Entry
from usher.core.sync.policies import Budget
from usher.testing.world import World, direct_mapping, group_mapping, open_world, person, with_manager

NAMES = ("ada", "bob", "cyd", "dan", "eve", "fay")
GROUPS = ("staff", "guests")
Change: TypeAlias = tuple[str, str, str]
Step: TypeAlias = tuple[list[Change], dict[str, frozenset[str]], list[str]]
changes = st.lists(
    st.tuples(
        st.sampled_from(NAMES),
        st.sampled_from(["join", "join", "title", "mail", "manager", "disable", "leave"]),
        st.sampled_from(NAMES),
    ),
    max_size=8,
)
memberships = st.dictionaries(st.sampled_from(GROUPS), st.frozensets(st.sampled_from(NAMES)))
subjects = st.lists(st.sampled_from([*NAMES, *GROUPS]), min_size=1, max_size=4)


def apply(world: World, changes: Sequence[Change], groups: Mapping[str, frozenset[str]]) -> None:
    """To the source."""
    for name, what, other in changes:
        source_id = SourceId(f"id-{name}")
        held = dict(world.source.people.get(source_id, person(name)))
        match what:
            case "leave":
                world.source.people.pop(source_id, None)
                continue
            case "title":
                held["jobTitle"] = other
            case "mail":
                held["mail"] = f"{other}@example.com"
            case "manager":
                held["manager"] = f"id-{other}"
            case "disable":
                held["accountEnabled"] = False
            case _:
                held = dict(person(name))
        world.source.people[source_id] = held
    for group, members in groups.items():
        world.group(group, *sorted(members))


def named(subjects: Sequence[str]) -> list[Entry]:
    return [
        Entry(ResourceType.GROUP if one in GROUPS else ResourceType.USER, "objectId", f"id-{one}") for one in subjects
    ]


def held(world: World) -> dict[TargetId, Mapping[str, Json]]:
    """What the app holds, of both types."""
    groups = world.target.collection(ResourceType.GROUP)
    return {i: each.document(i) for each in (world.target, groups) for i in each.accounts}


async def owners(world: World) -> dict[TargetId, str]:
    """Whose each account is."""
    found: dict[TargetId, str] = {}
    for lane in world.job.lanes:
        async for digests in world.store.link_digests(lane.lane):
            found |= {one.target_id: one.source_id.removeprefix("id-") for one in digests}
    return found


def seen(world: World) -> dict[str, Json]:
    """What the app holds, ids told as names: they depend on who came first."""
    documents = held(world)
    names = {i: str(each.get("userName") or each.get("displayName")) for i, each in documents.items()}
    text = {names[i]: json.dumps(each, sort_keys=True) for i, each in documents.items()}
    for target_id, name in names.items():
        text = {one: each.replace(f'"{target_id}"', f'"{name}"') for one, each in text.items()}
    return {one: normal(json.loads(each)) for one, each in text.items()}


def normal(value: Json) -> Json:
    """Lists are sets."""
    if isinstance(value, list):
        return sorted((normal(one) for one in value), key=repr)
    return {name: normal(one) for name, one in value.items()} if isinstance(value, dict) else value


async def play(script: Sequence[Step], *, by_name: bool) -> dict[str, Json]:
    """The end of a script; without names, of its cycles alone."""
    async with open_world() as world:
        world.mapping, world.group_mapping = with_manager(direct_mapping()), group_mapping()
        world.budget = world.group_budget = world.membership_budget = Budget(max_count=1000, max_percent=100)
        world.source.attributes = ("accountEnabled", "manager")
        world.people(["zoe"])
        world.group("all", "zoe")
        for changes, groups, subjects in script:
            apply(world, changes, groups)
            await world.read(min_retained=0)
            if by_name:
                await check(world, subjects)
            await world.cycle()
        world.clock.advance(25 * 3600.0)
        await world.sync()
        assert (await world.sync()).held is None
        return seen(world)


async def check(world: World, subjects: Sequence[str]) -> None:
    """A run by name writes to nobody else."""
    before, former = held(world), await owners(world)
    await world.on_demand(*named(subjects))
    after, owned = held(world), {**former, **await owners(world)}
    for target_id in before.keys() | after.keys():
        if owned.get(target_id) not in subjects:
            assert after.get(target_id) == before.get(target_id)


steps = st.lists(st.tuples(changes, memberships, subjects), min_size=1, max_size=3)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(script=steps)
def test_a_run_by_name_before_each_cycle_changes_nothing_of_how_it_ends(script: list[Step]) -> None:
    assert asyncio.run(play(script, by_name=True)) == asyncio.run(play(script, by_name=False))
