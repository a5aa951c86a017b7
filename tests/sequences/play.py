"""One sequence, from its first cycle to the one that has nothing to do."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

from sequences.apps import App, held_by
from sequences.origins import Origin
from sequences.truth import Directory, Step
from usher.contracts.store import Store
from usher.core.model.reports import CycleReport
from usher.core.model.resources import ResourceType, SourceKey
from usher.core.sync.policies import Budget
from usher.engine.cycle import run_cycle
from usher.engine.job import Control, Ports, SourceJob
from usher.engine.snapshot import read_source
from usher.state.store import open_store
from usher.testing.faults import Killed
from usher.testing.memory_target import MemoryTarget
from usher.testing.world import direct_mapping, group_mapping, new_world, with_manager

WHOLE = timedelta(0)
CHANGES = timedelta(days=1)
"""How old a whole read may be before the source is read whole again."""

_MAPPING = with_manager(direct_mapping({"userName": ("userPrincipalName", 1), "displayName": ("displayName", None)}))
_UNBOUNDED = Budget(max_count=1000, max_percent=100)


async def play(script: Sequence[Step], origin: Origin, app: App, last_reads: timedelta = WHOLE) -> None:
    """Raises AssertionError unless the app ends as the directory is.

    The last reads are whole, unless `last_reads` says otherwise: not every source tells all of its changes.
    """
    directory = Directory()
    strangers = _strangers(app)
    async with open_store(None) as store:
        for happenings, fault in script:
            for one in happenings:
                directory.apply(one)
            origin.follow(directory)
            app.suffer(fault)
            with suppress(Killed):
                await cycle(store, origin, app, CHANGES)
            app.suffer(None)
        for _ in range(2):
            await cycle(store, origin, app, last_reads)
        _check(app, directory)
        before = app.documents()
        report = await cycle(store, origin, app, last_reads)
        assert app.documents() == before, "a cycle without a change wrote something"
        counts = [report.counts, *([report.groups] if report.groups else [])]
        assert [(one.created, one.updated, one.disabled, one.deleted, one.references) for one in counts] == [
            (0, 0, 0, 0, 0)
        ] * len(counts)
    assert _strangers(app) == strangers, "a stranger was touched"


async def cycle(store: Store, origin: Origin, app: App, whole_every: timedelta) -> CycleReport:
    """A new process reads the source and runs one cycle."""
    world = new_world(store, MemoryTarget())
    world.mapping, world.group_mapping = _MAPPING, group_mapping()
    world.budget = world.group_budget = world.membership_budget = _UNBOUNDED
    ports = Ports(store, app.runtime())
    kinds = (ResourceType.USER, ResourceType.GROUP)
    await read_source(SourceJob(SourceKey("identity/corp"), kinds, origin.open, 0, whole_every), ports)
    lanes = tuple(replace(lane, address=app.address) for lane in world.job.lanes)
    report = await run_cycle(replace(world.job, lanes=lanes, open_target=app.open), ports, Control())
    assert report.held is None
    return report


def _check(app: App, directory: Directory) -> None:
    """The app holds what the directory says; of groups that are gone the name is left, and no member."""
    held, expected = held_by(app), directory.expected()
    assert held.people == expected.people
    gone = {name: members for name, members in held.groups.items() if name not in expected.groups}
    assert {name: held.groups.get(name) for name in expected.groups} == dict(expected.groups)
    assert not any(gone.values())


def _strangers(app: App) -> list[object]:
    return [document for document in app.documents() if document["id"] in app.strangers]
