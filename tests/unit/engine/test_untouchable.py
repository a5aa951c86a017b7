"""Accounts that are never written, whoever matches them and whatever becomes of those people."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from usher.contracts.log import LogQuery
from usher.core.model.reports import CycleResult
from usher.core.model.resources import AttributePath, Json, SourceId, TargetId
from usher.core.sync.policies import Budget
from usher.core.sync.untouchable import NONE_SPARED, Spared, Untouchable
from usher.testing.faults import Fault, FaultKind, Operation, every, nth
from usher.testing.world import World, direct_mapping, group_mapping, open_world, person, with_manager


def never(path: str, pattern: str) -> Untouchable:
    return Untouchable((Spared(AttributePath(path), pattern, place="spec.scope.neverTouch[0]"),))


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with open_world() as opened:
        opened.budget = Budget(min_count=100)
        yield opened


def account(world: World, target_id: TargetId) -> Json:
    return dict(world.target.document(target_id))


async def quiet_cycle(world: World) -> None:
    """Nothing is written, and nothing is left undone."""
    before = len(world.target.history.writes)
    report = await world.sync()
    assert (report.result, report.pending) == (CycleResult.SUCCEEDED, 0)
    assert len(world.target.history.writes) == before


async def last_reason(world: World, name: str) -> str:
    return (await world.store.log(world.connector, LogQuery(source_id=SourceId(f"id-{name}")), 1))[0].reason


async def test_an_account_that_matches_is_not_taken_over(world: World) -> None:
    root = world.target.plant({"userName": "root", "emails": [{"type": "work", "value": "ada@example.com"}]})
    world.untouchable = never("userName", "ro*")
    world.people(["ada"])
    before = account(world, root)

    await quiet_cycle(world)

    assert account(world, root) == before
    assert await last_reason(world, "ada") == "NeverTouch"
    assert await world.store.count_links(world.lane) == (0, 0)


async def test_no_such_account_is_made(world: World) -> None:
    world.untouchable = never("username", "SVC-*@example.com")
    world.people(["svc-backup"])
    await quiet_cycle(world)
    assert world.accounts() == {}


def ids(world: World) -> dict[str, TargetId]:
    found = {i: str(world.target.document(i)["userName"]) for i in world.target.accounts}
    return {name.partition("@")[0]: target_id for target_id, name in found.items()}


async def broken_glass(world: World) -> TargetId:
    """Ada and Bob have accounts; by what nobody ever read of it, Ada's is one that is never written."""
    world.people(["ada", "bob"])
    await world.sync()
    world.target.change(ids(world)["ada"], "nickName", "Break Glass")
    world.untouchable = never("nickName", "break*")
    await quiet_cycle(world)
    return ids(world)["ada"]


async def test_what_was_never_read_of_an_account_is_read_before_it_is_written_and_once(world: World) -> None:
    ada = await broken_glass(world)
    before = account(world, ada)
    for number, title in enumerate(("Boss", "Chief")):
        reads = world.target.faults.count(Operation.GET)
        world.source.put("id-ada", **person("ada", jobTitle=title))
        world.source.put("id-bob", **person("bob", jobTitle=title))
        await world.sync()
        assert account(world, ada) == before
        assert world.target.document(ids(world)["bob"])["title"] == title
        assert world.target.faults.count(Operation.GET) - reads == 2 - number, "what was written is known"


async def test_a_leaver_keeps_such_an_account(world: World) -> None:
    ada = await broken_glass(world)
    before = account(world, ada)
    world.source.drop("id-ada")
    await world.read(min_retained=0)

    report = await world.cycle()

    assert (account(world, ada), report.result) == (before, CycleResult.SUCCEEDED)
    assert await last_reason(world, "ada") == "NeverTouch"


async def test_one_that_can_not_be_read_is_not_written(world: World) -> None:
    ada = await broken_glass(world)
    before = account(world, ada)
    world.target.faults.add(every(Operation.GET, 1, Fault(FaultKind.TRUNCATED_JSON)))
    world.source.put("id-ada", **person("ada", jobTitle="Boss"))

    report = await world.sync()

    assert (account(world, ada), report.pending) == (before, 1)


async def test_taken_out_of_the_list_it_is_written_again(world: World) -> None:
    root = world.target.plant({"userName": "ada@example.com"})
    world.untouchable = never("userName", "ada@*")
    world.people(["ada"])
    await quiet_cycle(world)
    world.untouchable = NONE_SPARED
    await world.sync()
    assert world.target.document(root)["title"] == "Engineer"


async def test_its_references_are_not_written_either(world: World) -> None:
    world.mapping, world.group_mapping = with_manager(direct_mapping()), group_mapping()
    world.people(["ada", "eve"])
    world.group("Admins", "ada")
    await world.sync()
    world.untouchable = Untouchable(
        (Spared(AttributePath("displayName"), "ADMINS"), Spared(AttributePath("userName"), "ada@example.com"))
    )
    before = len(world.target.history.writes)
    world.source.put("id-ada", **person("ada"), manager="id-eve")
    world.group("Admins", "ada", "eve")

    await world.sync()

    assert len(world.target.history.writes) == before
    assert world.members() == {"Admins": {"ada"}}


async def test_a_create_that_runs_into_one_does_not_write_it(world: World) -> None:
    root = world.target.plant({"userName": "ada@example.com", "nickName": "glass"})
    world.untouchable = never("nickName", "glass")
    world.people(["ada"])
    for index in (1, 2):  # by both matching attributes
        world.target.faults.add(nth(Operation.FIND, index, Fault(FaultKind.EMPTY_LIST)))

    report = await world.sync()

    assert (report.counts.failed, report.reasons) == (1, {"NeverTouch": 1})
    assert account(world, root) == {"userName": "ada@example.com", "nickName": "glass"}
    await world.cycle()
    await quiet_cycle(world)


async def test_an_attribute_that_the_app_does_not_know_stops_the_cycle(world: World) -> None:
    world.untouchable = never("nickNam", "glass")
    world.people(["ada"])
    report = await world.sync()
    assert report.error.startswith(
        "spec.scope.neverTouch[0].attribute: nickNam is not in the app's schema; did you mean"
    )
    assert world.accounts() == {}
