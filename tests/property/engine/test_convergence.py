"""Whatever happens to the people and on the wire: one account each, the right one, and leavers out.

Random joins, moves, renames, disables, leaves and come-backs over several cycles, with a fault at any request, a lost
state, some who are provisioned by name before a cycle, a target with or without uniqueness. After the last fault two
cycles bring the app where the source is, and the third writes nothing.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from usher.contracts.store import Store
from usher.core.model.reports import CycleResult
from usher.core.model.resources import ResourceType, SourceId, Value
from usher.core.sync.assignments import Entry
from usher.core.sync.policies import Budget
from usher.state.store import open_store
from usher.testing.faults import Fault, FaultKind, FaultSchedule, Killed, request
from usher.testing.memory_settings import MemorySettings
from usher.testing.memory_target import MemoryTarget
from usher.testing.world import World, direct_mapping, new_world

PEOPLE = 8
DUE = 25
"""Hours after which whoever failed in each of these few cycles is tried again."""
MAPPING = direct_mapping(
    {"userName": ("login", 1), "externalId": ("number", 2), "title": ("jobTitle", None), "displayName": ("name", None)}
)
KINDS = [kind for kind in FaultKind if kind is not FaultKind.IGNORED_CHANGE]


@dataclass(frozen=True)
class Step:
    """What happens before one cycle, who is provisioned by name then, and what goes wrong in both."""

    changes: tuple[tuple[int, str, int], ...]
    fault: tuple[FaultKind, int] | None
    state: str
    named: tuple[int, ...]


changes = st.tuples(
    st.integers(0, PEOPLE - 1), st.sampled_from(["put", "put", "rename", "leave", "disable"]), st.integers(0, 3)
)
steps = st.builds(
    Step,
    changes=st.lists(changes, max_size=6).map(tuple),
    fault=st.one_of(st.none(), st.tuples(st.sampled_from(KINDS), st.integers(1, 20))),
    state=st.sampled_from(["kept", "kept", "kept", "lost"]),
    named=st.one_of(st.just(()), st.lists(st.integers(0, PEOPLE - 1), min_size=1, max_size=3).map(tuple)),
).filter(lambda step: step.state == "kept" or step.fault is None or step.fault[0] is not FaultKind.EMPTY_LIST)
"""Whom a query denies right after the state was lost is nobody to any client: that is left out."""


@dataclass
class Directory:
    """The truth: who is there, under which login, and whether active."""

    people: dict[int, dict[str, Value]]

    def apply(self, change: tuple[int, str, int]) -> None:
        number, what, variant = change
        if what == "leave":
            self.people.pop(number, None)
            return
        login = f"p{number}.{variant}" if what == "rename" else self.people.get(number, {}).get("login", f"p{number}.0")
        self.people[number] = {
            "number": str(number),
            "login": login,
            "jobTitle": f"title {variant}",
            "name": f"Person {number}",
            "accountEnabled": what != "disable",
        }


async def open_directory(store: Store, target: MemoryTarget, directory: Directory) -> World:
    """A new process, which has read the directory as it is."""
    world = new_world(store, target)
    world.mapping = MAPPING
    world.budget = Budget(max_count=1000, max_percent=100)
    world.source.people = {SourceId(f"id-{n}"): dict(person) for n, person in directory.people.items()}
    world.source.attributes = ("number", "accountEnabled")
    await world.read(min_retained=0)
    return world


async def cycle(store: Store, target: MemoryTarget, directory: Directory, hours: int = 0) -> World:
    world = await open_directory(store, target, directory)
    world.clock.advance(hours * 3600.0)
    report = await world.cycle()
    assert report.held is None
    world.seed = 1 if report.result is CycleResult.SUCCEEDED else 0
    return world


async def play(script: list[Step], temper: MemorySettings) -> None:
    target = MemoryTarget(temper)
    directory = Directory({99: {"number": "99", "login": "p99.0", "jobTitle": "anchor", "name": "Person 99"}})
    store_context = open_store(None)
    store = await store_context.__aenter__()
    try:
        for step in script:
            for change in step.changes:
                directory.apply(change)
            if step.state == "lost":
                await store_context.__aexit__(None, None, None)
                store_context = open_store(None)
                store = await store_context.__aenter__()
            if step.fault is not None:
                kind, ordinal = step.fault
                target.faults = FaultSchedule([request(ordinal, Fault(kind, retry_after=2))])
            with suppress(Killed):
                if step.named:
                    world = await open_directory(store, target, directory)
                    await world.on_demand(*[Entry(ResourceType.USER, "objectId", f"id-{n}") for n in step.named])
                await cycle(store, target, directory)
            target.faults = FaultSchedule()
        await check(store, target, directory, lost=any(step.state == "lost" for step in script))
    finally:
        await store_context.__aexit__(None, None, None)


async def check(store: Store, target: MemoryTarget, directory: Directory, *, lost: bool) -> None:
    await cycle(store, target, directory, DUE)
    assert (await cycle(store, target, directory, DUE)).seed == 1
    writes = len(target.history.writes)
    await cycle(store, target, directory, DUE)
    assert len(target.history.writes) == writes, "a cycle without a change wrote something"
    assert max(target.history.most_accounts_by("externalId").values(), default=1) == 1
    accounts = {str(document["externalId"]): document for document in target.history.accounts().values()}
    for number, person in directory.people.items():
        account = accounts.get(str(number))
        if person.get("accountEnabled") is False:
            assert account is None or lost or account["active"] is False
            continue
        assert account is not None
        assert (account["userName"], account["title"], account["active"]) == (person["login"], person["jobTitle"], True)
    for external_id, account in accounts.items():
        if int(external_id) not in directory.people and not lost:
            assert account["active"] is False


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    script=st.lists(steps, min_size=1, max_size=5),
    temper=st.sampled_from([MemorySettings(), MemorySettings(unique=None, versioned=False)]),
)
def test_every_history_ends_where_the_source_is(script: list[Step], temper: MemorySettings) -> None:
    asyncio.run(play(script, temper))
