"""What a cycle did is taken back, as far as nobody has changed it since."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from usher.contracts.log import LogEntry, LogQuery
from usher.core.model.journal import JournalEntry
from usher.core.model.reports import CycleKind, CycleResult
from usher.core.model.resources import AttributePath, Lane, ResourceType, SourceId, TargetId
from usher.core.sync.leaving import Deprovisioning, Policy
from usher.core.sync.policies import Approval, Budget, Enforcement
from usher.core.sync.untouchable import Spared, Untouchable
from usher.testing.faults import FaultKind, Killed, Operation
from usher.testing.store_examples import collect
from usher.testing.world import World, group_mapping, open_world, person, with_manager

WORK = 'emails[type eq "work"].value'


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with open_world() as opened:
        opened.group_mapping = group_mapping()
        opened.mapping = with_manager(opened.mapping)
        opened.source.attributes = ("accountEnabled", "manager", "IsSoftDeleted")
        opened.people(["ada", "bob", "cyd", "dan", *(f"other{number}" for number in range(8))])
        opened.source.put("id-bob", **person("bob", manager="id-ada"))
        opened.group("staff", "ada", "bob")
        await opened.sync()
        opened.clock.advance(60)
        yield opened


def cycle_now(world: World) -> str:
    """The name of a cycle that began at this moment."""
    return f"{world.clock.now():%Y%m%dT%H%M%SZ}-{world.ports.runtime.random.getrandbits(16):04x}"


async def sync(world: World) -> str:
    """A cycle, and its name; time goes on after it."""
    cycle = cycle_now(world)
    await world.read(min_retained=0)
    await world.cycle()
    world.clock.advance(60)
    return cycle


async def delete(world: World, name: str) -> str:
    """Lets somebody leave for good; the name of the cycle that deleted the account."""
    world.deprovisioning = Deprovisioning(on_source_deleted=Policy.DELETE, delete_after=timedelta(hours=1))
    world.source.drop(f"id-{name}")
    for _ in range(2):
        world.clock.advance(7200)
        cycle = await sync(world)
    assert f"{name}@example.com" not in world.accounts()
    return cycle


def account(world: World, name: str) -> TargetId:
    return next(i for i in world.target.accounts if world.target.document(i)["userName"] == f"{name}@example.com")


def active(world: World) -> set[str]:
    return {name.partition("@")[0] for name, each in world.accounts().items() if each.get("active", True)}


def title(world: World, name: str) -> object:
    return world.accounts()[f"{name}@example.com"].get("title")


async def lines(world: World, reason: str) -> list[LogEntry]:
    return list(await world.store.log(world.connector, LogQuery(reason=reason), 100))


async def journal(world: World, cycle: str) -> list[JournalEntry]:
    return await collect(world.store.journal_entries(world.lane, cycle))


async def test_a_value_is_put_back_and_what_somebody_changed_since_stays(world: World) -> None:
    for name in ("ada", "bob"):
        world.source.put(f"id-{name}", **person(name, jobTitle="Director", displayName="X", manager="id-ada"))
    cycle = await sync(world)
    world.target.change(account(world, "bob"), "title", "Gardener")

    undone = cycle_now(world)
    report = await world.undo(cycle)

    assert (report.kind, report.result, report.counts.updated) == (CycleKind.UNDO, CycleResult.PARTIAL, 2)
    assert (title(world, "ada"), title(world, "bob")) == ("Engineer", "Gardener")
    assert {world.accounts()[f"{name}@example.com"]["displayName"] for name in ("ada", "bob")} == {"Ada", "Bob"}
    [left] = await lines(world, "ChangedSince")
    assert (left.source_id, left.cycle, left.detail) == ("id-bob", undone, "somebody has changed title since")
    assert dict(report.reasons) == {"ChangedSince": 1}
    done = await lines(world, "Undone")
    assert {line.cycle for line in done} == {undone}
    assert {(line.source_id, line.action, line.result) for line in done} >= {("id-ada", "Update", "Success")}
    assert len(await journal(world, undone)) >= 2


async def test_an_undo_can_be_undone(world: World) -> None:
    world.source.put("id-ada", **person("ada", jobTitle="Director"))
    cycle = await sync(world)
    undone = cycle_now(world)
    await world.undo(cycle)
    world.clock.advance(60)

    await world.undo(undone)

    assert title(world, "ada") == "Director"


async def test_a_second_undo_finds_nothing_to_do(world: World) -> None:
    world.source.put("id-ada", **person("ada", jobTitle="Director"))
    cycle = await sync(world)
    await world.undo(cycle)
    world.clock.advance(60)
    before = len(world.target.history.writes)

    report = await world.undo(cycle)

    assert report.result is CycleResult.SUCCEEDED
    assert len(world.target.history.writes) == before


async def test_what_was_undone_is_done_again_by_the_next_cycle_where_nothing_was_mended(world: World) -> None:
    world.source.put("id-ada", **person("ada", jobTitle="Director"))
    cycle = await sync(world)
    await world.undo(cycle)
    assert title(world, "ada") == "Engineer"
    world.clock.advance(60)

    report = await world.sync()

    assert (title(world, "ada"), report.result) == ("Director", CycleResult.SUCCEEDED)


async def test_what_was_mended_at_the_source_needs_no_further_write(world: World) -> None:
    world.source.put("id-ada", **person("ada", jobTitle="Director"))
    cycle = await sync(world)
    await world.undo(cycle)
    world.clock.advance(60)
    world.source.put("id-ada", **person("ada"))
    before = len(world.target.history.writes)

    report = await world.sync()

    assert (report.result, len(world.target.history.writes)) == (CycleResult.SUCCEEDED, before)


async def test_an_element_that_the_cycle_made_goes_as_a_whole(world: World) -> None:
    without = {name: value for name, value in person("eve").items() if name != "mail"}
    world.source.put("id-eve", **without)
    await sync(world)
    assert not world.accounts()["eve@example.com"].get("emails")
    world.source.put("id-eve", **person("eve"))
    cycle = await sync(world)
    assert world.accounts()["eve@example.com"]["emails"]

    await world.undo(cycle)

    assert not world.accounts()["eve@example.com"].get("emails")


async def test_who_was_disabled_is_enabled_with_memberships_and_a_manager(world: World) -> None:
    ada = account(world, "ada")
    world.source.put("id-ada", **person("ada", IsSoftDeleted=True))
    cycle = await sync(world)
    assert "ada" not in active(world)
    assert world.members() == {"staff": {"bob"}}

    report = await world.undo(cycle)

    assert report.result is CycleResult.SUCCEEDED, report
    assert "ada" in active(world)
    assert world.members() == {"staff": {"ada", "bob"}}
    assert account(world, "ada") == ada
    link = (await world.store.links(world.lane, [SourceId("id-ada")]))[SourceId("id-ada")]
    assert link.enabled


async def test_who_was_deleted_is_created_again_with_its_values_its_link_and_its_manager(world: World) -> None:
    old = account(world, "bob")
    cycle = await delete(world, "bob")

    report = await world.undo(cycle)

    new = account(world, "bob")
    assert (report.counts.created, report.result, new != old) == (1, CycleResult.SUCCEEDED, True)
    assert (title(world, "bob"), world.accounts()["bob@example.com"]["active"]) == ("Engineer", False)
    link = (await world.store.links(world.lane, [SourceId("id-bob")]))[SourceId("id-bob")]
    assert (link.target_id, link.enabled) == (new, False)
    assert await _manager(world, "bob") == account(world, "ada")


async def _manager(world: World, name: str) -> object:
    urn = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
    extension = world.accounts()[f"{name}@example.com"].get(urn)
    held = extension.get("manager") if isinstance(extension, dict) else None
    return held.get("value") if isinstance(held, dict) else None


async def test_an_account_that_somebody_made_again_is_linked_and_left_as_it_is(world: World) -> None:
    cycle = await delete(world, "dan")
    made = world.target.plant({"userName": "dan@example.com", "title": "Gardener", "active": True})

    report = await world.undo(cycle)

    assert (report.counts.created, report.counts.linked, title(world, "dan")) == (0, 1, "Gardener")
    link = (await world.store.links(world.lane, [SourceId("id-dan")]))[SourceId("id-dan")]
    assert link.target_id == made


async def test_who_was_created_is_disabled_and_never_deleted(world: World) -> None:
    world.people(["eve"])
    world.group("staff", "ada", "bob", "eve")
    cycle = await sync(world)

    report = await world.undo(cycle)

    assert (report.counts.disabled, report.counts.deleted, report.result) == (1, 0, CycleResult.SUCCEEDED)
    assert "eve@example.com" in world.accounts()
    assert "eve" not in active(world)
    assert world.members() == {"staff": {"ada", "bob"}}


async def test_members_and_managers_are_given_back_and_taken(world: World) -> None:
    world.group("staff", "ada", "cyd")
    world.source.put("id-bob", **person("bob", manager="id-cyd"))
    world.source.put("id-dan", **person("dan", manager="id-cyd"))
    cycle = await sync(world)
    assert world.members() == {"staff": {"ada", "cyd"}}

    report = await world.undo(cycle)

    assert report.result is CycleResult.SUCCEEDED, report
    assert world.members() == {"staff": {"ada", "bob"}}
    assert await _manager(world, "bob") == account(world, "ada")
    assert await _manager(world, "dan") is None


async def test_a_group_that_was_emptied_gets_its_members_and_one_that_was_made_loses_them(world: World) -> None:
    world.source.drop_group("id-staff")
    world.group("board", "cyd")
    cycle = await sync(world)
    assert world.members() == {"staff": set(), "board": {"cyd"}}

    await world.undo(cycle)

    assert world.members() == {"staff": {"ada", "bob"}, "board": set()}
    groups = Lane(world.connector, ResourceType.GROUP)
    links = await world.store.links(groups, [SourceId("id-staff"), SourceId("id-board")])
    assert {name: link.enabled for name, link in links.items()} == {"id-staff": True, "id-board": False}


async def test_more_than_a_budget_is_not_begun(world: World) -> None:
    names = [f"new{number}" for number in range(12)]
    world.people(names)
    world.budget = Budget()
    cycle = await sync(world)
    before = len(world.target.history.writes)

    report = await world.undo(cycle)

    assert (report.result, report.error_reason) == (CycleResult.FAILED, "OverBudget")
    assert "12 of 24 accounts" in report.error
    assert len(world.target.history.writes) == before
    world.budget = Budget(max_percent=100)
    assert (await world.undo(cycle)).counts.disabled == 12


async def test_where_all_needs_an_approval_nothing_is_undone(world: World) -> None:
    world.source.put("id-ada", **person("ada", jobTitle="Director"))
    cycle = await sync(world)
    world.approval = Approval.ALWAYS
    report = await world.undo(cycle)
    assert (report.error_reason, title(world, "ada")) == ("ApprovalRequired", "Director")


async def test_a_connector_that_only_observes_undoes_nothing(world: World) -> None:
    world.source.put("id-ada", **person("ada", jobTitle="Director"))
    cycle = await sync(world)
    world.enforcement = Enforcement.OBSERVE
    report = await world.undo(cycle)
    assert (report.result, title(world, "ada")) == (CycleResult.PLANNED, "Director")


async def test_a_cycle_that_never_was_and_one_that_changed_nothing_are_told_apart(world: World) -> None:
    unknown = await world.undo("20200101T000000Z-0000")
    cycle = await sync(world)
    nothing = await world.undo(cycle)

    assert (unknown.error_reason, nothing.error_reason) == ("CycleNotFound", "NothingToUndo")
    assert "usher logs" in unknown.error


async def test_an_account_that_belongs_to_another_connector_by_now_is_left(world: World) -> None:
    world.people(["eve"])
    cycle = await sync(world)
    eve = account(world, "eve")
    world.source.drop("id-eve")
    await sync(world)
    world.target.change(eve, "active", value=True)
    other = replace(world, name="identity/other", group_mapping=None)
    other.source.put("id-eve", **person("eve"))
    await other.sync()
    await world.store.clear_plan(world.lane)

    report = await world.undo(cycle)

    assert report.counts.disabled + report.counts.skipped == 1


async def test_a_process_that_dies_in_an_undo_makes_no_second_account(world: World) -> None:
    cycle = await delete(world, "dan")
    world.target.faults.strike(Operation.CREATE, FaultKind.KILL_AFTER)
    with pytest.raises(Killed):
        await world.undo(cycle)
    world.clock.advance(60)

    report = await world.undo(cycle)

    assert (report.counts.created, report.counts.linked) == (0, 1)
    assert "dan@example.com" in world.accounts()


async def test_what_a_target_refuses_is_told_and_the_rest_is_undone(world: World) -> None:
    for name in ("ada", "cyd"):
        world.source.put(f"id-{name}", **person(name, jobTitle="Director"))
    cycle = await sync(world)
    world.target.faults.strike(Operation.UPDATE, FaultKind.REFUSED)

    report = await world.undo(cycle)

    assert (report.result, report.counts.updated, report.counts.failed) == (CycleResult.PARTIAL, 1, 1)
    assert {title(world, "ada"), title(world, "cyd")} == {"Engineer", "Director"}


async def test_who_may_not_be_written_by_now_keeps_values_and_references(world: World) -> None:
    world.source.put("id-bob", **person("bob", manager="id-cyd", jobTitle="Director"))
    cycle = await sync(world)
    world.untouchable = Untouchable((Spared(AttributePath("userName"), "bob*"),))
    before = len(world.target.history.writes)

    report = await world.undo(cycle)

    assert dict(report.reasons) == {"NeverTouch": 2}
    assert len(world.target.history.writes) == before
