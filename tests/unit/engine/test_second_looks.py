"""An app that says once that an account is gone, though it is there: a proxy answers 404 while the app is replaced."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from usher.contracts.store import Intent
from usher.contracts.target import Projection
from usher.core.errors import ResourceGone
from usher.core.model.plans import Action, Amend, Delete, Stored, Update
from usher.core.model.reports import CycleReport, CycleResult
from usher.core.model.resources import ResourceType, SourceId, TargetId, TargetResource
from usher.core.sync.leaving import Deprovisioning, Policy
from usher.engine.cycle import run_cycle
from usher.engine.job import Control
from usher.testing.memory_target import MemorySession
from usher.testing.world import World, group_mapping, open_world, person


class ForgetfulSession(MemorySession):
    """Denies once, to a request of this name, that there is such a resource."""

    denies = ""

    async def get(self, resource_type: ResourceType, target_id: TargetId, wanted: Projection) -> TargetResource | None:
        return None if self._forgets("get") else await super().get(resource_type, target_id, wanted)

    async def update(self, change: Update) -> Stored:
        if self._forgets("update"):
            raise ResourceGone
        return await super().update(change)

    async def delete(self, change: Delete) -> None:
        if self._forgets("delete"):
            raise ResourceGone
        await super().delete(change)

    def _forgets(self, name: str) -> bool:
        forgets, self.denies = self.denies == name, "" if self.denies == name else self.denies
        return forgets


class SetIgnoringSession(MemorySession):
    """Confirms a change of members, and does not make it."""

    async def update(self, change: Update) -> Stored:
        sets = {path: edit for path, edit in change.delta.items() if isinstance(edit, Amend)}
        return await super().update(replace(change, delta={} if sets else change.delta))


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """Two people, of whom one is in a group."""
    async with open_world() as new:
        new.group_mapping = group_mapping()
        new.deprovisioning = Deprovisioning(on_source_deleted=Policy.DELETE, delete_after=timedelta(seconds=1))
        new.people(["ada", "bob"])
        new.group("crew", "ada", "bob")
        await new.sync()
        yield new


async def cycle(world: World, session: MemorySession) -> CycleReport:
    """One cycle through this session."""

    @asynccontextmanager
    async def open_target() -> AsyncIterator[MemorySession]:
        yield session

    await world.read(min_retained=0)
    return await run_cycle(replace(world.job, open_target=open_target), world.ports, Control())


def forgetful(world: World, denies: str) -> ForgetfulSession:
    session = ForgetfulSession(world.target)
    session.denies = denies
    return session


async def test_a_leaver_is_disabled_though_the_app_denies_the_account_once(world: World) -> None:
    world.source.put("id-ada", **person("ada", accountEnabled=False))

    report = await cycle(world, forgetful(world, "update"))

    assert report.result is CycleResult.SUCCEEDED
    assert world.accounts()["ada@example.com"]["active"] is False


async def test_an_account_is_not_counted_as_deleted_because_the_app_denies_it_once(world: World) -> None:
    world.source.drop("id-ada")
    await cycle(world, MemorySession(world.target))
    world.clock.advance(60)

    first = await cycle(world, forgetful(world, "delete"))
    second = await cycle(world, MemorySession(world.target))

    assert (first.counts.deleted, first.reasons) == (0, {"Conflict": 1})
    assert second.counts.deleted == 1
    assert set(world.accounts()) == {"bob@example.com"}


async def test_a_group_is_not_given_up_because_the_app_denies_it_once(world: World) -> None:
    world.group("crew", "ada")

    await cycle(world, forgetful(world, "update"))

    assert world.members() == {"crew": {"ada"}}


async def test_somebody_is_not_given_up_because_a_read_denies_the_account_once(world: World) -> None:
    await world.store.write_intents(world.lane, [Intent(SourceId("id-ada"), Action.UPDATE)])
    world.source.drop("id-ada")

    report = await cycle(world, forgetful(world, "get"))

    assert report.counts.disabled == 1
    assert world.accounts()["ada@example.com"]["active"] is False


async def test_members_that_an_app_confirms_and_does_not_change_are_not_believed(world: World) -> None:
    world.group("crew", "ada")

    first = await cycle(world, SetIgnoringSession(world.target))
    second = await cycle(world, MemorySession(world.target))

    assert (first.result, first.reasons) == (CycleResult.PARTIAL, {"ChangeIgnored": 1})
    assert second.result is CycleResult.SUCCEEDED
    assert world.members() == {"crew": {"ada"}}
