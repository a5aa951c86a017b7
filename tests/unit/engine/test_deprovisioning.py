"""How people leave: every event, under every policy, at every kind of target, and how they come back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from usher.contracts.source import Evidence
from usher.core.model.resources import ResourceType, SourceId
from usher.core.sync.assignments import Assignment, Entry
from usher.core.sync.leaving import (
    CAUSES,
    OUT_OF_SCOPE,
    SOURCE_DELETED,
    SOURCE_DISABLED,
    UNASSIGNED,
    Departure,
    Deprovisioning,
    Policy,
    Writes,
    decide,
)
from usher.core.sync.scoping import Filter, Operator, Scope, compile_clause
from usher.testing.faults import Fault, FaultKind, FaultSchedule, Operation, nth
from usher.testing.memory_settings import MemorySettings
from usher.testing.memory_source import MemoryFeed
from usher.testing.memory_target import MemoryTarget
from usher.testing.world import World, direct_mapping, group_mapping, open_world, person

MONTH = timedelta(days=30)
OTHERS = [f"other{n}" for n in range(12)]
DISABLE, DELETE, KEEP = Policy.DISABLE, Policy.DELETE, Policy.KEEP


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with open_world() as opened:
        opened.source = MemoryFeed()
        opened.source.attributes = ("accountEnabled", "department")
        opened.people(["ada", "bob", "eve", *OTHERS])
        yield opened


def names(world: World) -> set[str]:
    """Who has an account, but for those who are only there so that a read is not void."""
    return {name.partition("@")[0] for name in world.accounts()} - set(OTHERS)


def with_policy(cause: str, policy: Policy, after: timedelta | None = MONTH) -> Deprovisioning:
    match cause:
        case _ if cause == UNASSIGNED:
            return Deprovisioning(on_unassigned=policy, delete_after=after)
        case _ if cause == OUT_OF_SCOPE:
            return Deprovisioning(on_out_of_scope=policy, delete_after=after)
        case _ if cause == SOURCE_DISABLED:
            return Deprovisioning(on_source_disabled=policy, delete_after=after)
        case _:
            return Deprovisioning(on_source_deleted=policy, delete_after=after)


# --- the decision alone ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cause", sorted(CAUSES))
@pytest.mark.parametrize(
    ("policy", "departure", "expected"),
    [
        (DISABLE, Departure(), DISABLE),
        (DISABLE, Departure(told=True, ripe=True), DISABLE),
        (DISABLE, Departure(disables=False), DISABLE),
        (KEEP, Departure(), KEEP),
        (KEEP, Departure(told=True, ripe=True, disables=False), KEEP),
        (DELETE, Departure(), DISABLE),
        (DELETE, Departure(ripe=True), DELETE),
        (DELETE, Departure(ripe=True, deletes=False), DISABLE),
        (DELETE, Departure(disables=False), DELETE),
        (DELETE, Departure(disables=False, deletes=False), DISABLE),
    ],
)
def test_what_is_done_follows_the_policy_of_the_cause(
    cause: str, policy: Policy, departure: Departure, expected: Policy
) -> None:
    assert decide(with_policy(cause, policy), cause, departure) is expected
    others = CAUSES - {cause}
    assert all(decide(with_policy(cause, policy), other, departure) is DISABLE for other in others)


@pytest.mark.parametrize("cause", sorted(CAUSES))
def test_only_the_deletion_that_the_source_told_is_done_at_once(cause: str) -> None:
    expected = DELETE if cause == SOURCE_DELETED else DISABLE
    assert decide(with_policy(cause, DELETE), cause, Departure(told=True)) is expected


# --- in whole cycles ------------------------------------------------------------------------------------------------

IN_BERLIN = Scope((Filter("berlin", (compile_clause("department", Operator.NOT_EQUALS, "Paris", "here"),)),))


def assigned(*names: str) -> Assignment:
    """These people are, each by name."""
    entries = [Entry(ResourceType.USER, "userPrincipalName", f"{name}@example.com", "", name) for name in names]
    return Assignment(tuple(entries))


async def leave(world: World, event: str) -> None:
    """Bob leaves in this way, and a cycle runs."""
    assert isinstance(world.source, MemoryFeed)
    match event:
        case "disabled":
            world.source.put("id-bob", **person("bob", accountEnabled=False, department="Berlin"))
        case "unassigned":
            world.assignment = assigned("ada", "eve", *OTHERS)
        case "out of scope":
            world.source.put("id-bob", **person("bob", department="Paris"))
        case "told deleted":
            world.source.bury("id-bob")
        case "left what is read":
            world.source.evidence = Evidence.ABSENT
            world.source.bury("id-bob")
        case _:
            world.source.drop("id-bob")
            world.clock.advance(timedelta(days=8).total_seconds())
    await world.sync()


EVENTS = {
    "disabled": SOURCE_DISABLED,
    "unassigned": UNASSIGNED,
    "out of scope": OUT_OF_SCOPE,
    "told deleted": SOURCE_DELETED,
    "left what is read": SOURCE_DELETED,
    "absent": SOURCE_DELETED,
}


async def begin(world: World) -> None:
    for name in ("ada", "bob", "eve", *OTHERS):
        world.source.put(f"id-{name}", **person(name, department="Berlin"))
    world.mapping = replace(world.mapping, scope=IN_BERLIN)
    world.assignment = assigned("ada", "bob", "eve", *OTHERS)
    await world.sync()


def state_of_bob(world: World) -> str:
    account = world.accounts().get("bob@example.com")
    return "gone" if account is None else "active" if account.get("active", True) else "disabled"


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize(("policy", "expected"), [(DISABLE, "disabled"), (KEEP, "active"), (DELETE, "disabled")])
async def test_a_leaver_is_treated_as_the_policy_says(world: World, event: str, policy: Policy, expected: str) -> None:
    world.deprovisioning = with_policy(EVENTS[event], policy)
    await begin(world)

    await leave(world, event)

    at_once = policy is DELETE and event == "told deleted"
    assert state_of_bob(world) == ("gone" if at_once else expected)
    writes = len(world.target.history.writes)
    await world.sync()
    assert len(world.target.history.writes) == writes, "once, and no more"
    assert names(world) >= {"ada", "eve"}


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize(("policy", "expected"), [(DISABLE, "active"), (KEEP, "active"), (DELETE, "gone")])
async def test_at_a_target_that_cant_disable_only_a_written_delete_does_anything(
    world: World, event: str, policy: Policy, expected: str
) -> None:
    world.mapping = replace(direct_mapping(expressions={}), disable_path=None)
    world.deprovisioning = with_policy(EVENTS[event], policy)
    await begin(world)

    await leave(world, event)

    assert state_of_bob(world) == expected
    assert (await world.sync()).pending == 0
    assert world.target.history.writes_of(Operation.UPDATE) == ()
    assert names(world) >= {"ada", "eve"}


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("policy", Policy)
async def test_who_comes_back_has_one_account_and_it_is_the_former_one_where_that_is_there(
    world: World, event: str, policy: Policy
) -> None:
    world.deprovisioning = with_policy(EVENTS[event], policy)
    await begin(world)
    [before] = [i for i in world.target.accounts if world.target.document(i)["userName"] == "bob@example.com"]
    await leave(world, event)
    there = state_of_bob(world) != "gone"

    world.source.put("id-bob", **person("bob", department="Berlin", jobTitle="Boss"))
    world.assignment = assigned("ada", "bob", "eve", *OTHERS)
    await world.sync()

    [after] = [i for i in world.target.accounts if world.target.document(i)["userName"] == "bob@example.com"]
    assert (state_of_bob(world), world.accounts()["bob@example.com"]["title"]) == ("active", "Boss")
    assert (after == before) is there
    assert await world.store.ripe(world.lane, world.clock.now()) == []


@pytest.mark.parametrize("event", [event for event in EVENTS if event != "told deleted"])
async def test_what_is_to_be_deleted_waits_for_its_time_and_one_more_complete_read(world: World, event: str) -> None:
    world.deprovisioning = with_policy(EVENTS[event], DELETE)
    world.full_every = timedelta(days=7)
    await begin(world)
    await leave(world, event)
    world.clock.advance(timedelta(days=29).total_seconds())
    await world.sync()
    assert state_of_bob(world) == "disabled", "not yet"

    world.clock.advance(timedelta(days=2).total_seconds())
    await world.cycle()
    assert state_of_bob(world) == "disabled", "no complete read came after that time"
    world.clock.advance(timedelta(days=7).total_seconds())
    report = await world.sync()

    assert state_of_bob(world) == "gone"
    assert report.counts.deleted == 1
    assert await world.store.links(world.lane, [SourceId("id-bob")]) == {}
    writes = len(world.target.history.writes)
    await world.sync()
    assert len(world.target.history.writes) == writes


async def test_without_a_time_nobody_is_ever_deleted_for_being_disabled(world: World) -> None:
    world.deprovisioning = with_policy(SOURCE_DISABLED, DELETE, after=None)
    await begin(world)
    await leave(world, "disabled")
    world.clock.advance(timedelta(days=1000).total_seconds())
    await world.sync()
    assert state_of_bob(world) == "disabled"


async def test_who_comes_back_before_the_deletion_gets_the_same_account_and_keeps_it(world: World) -> None:
    world.deprovisioning = with_policy(SOURCE_DISABLED, DELETE)
    await begin(world)
    [before] = [i for i in world.target.accounts if world.target.document(i)["userName"] == "bob@example.com"]
    await leave(world, "disabled")
    world.source.put("id-bob", **person("bob", department="Berlin"))
    await world.sync()
    assert (state_of_bob(world), world.target.document(before)["active"]) == ("active", True)

    world.clock.advance(timedelta(days=60).total_seconds())
    await world.sync()
    assert state_of_bob(world) == "active", "the deletion was for another leave"


async def test_a_policy_that_was_changed_meanwhile_counts(world: World) -> None:
    world.deprovisioning = with_policy(SOURCE_DISABLED, DELETE)
    await begin(world)
    await leave(world, "disabled")
    world.deprovisioning = Deprovisioning(delete_after=MONTH)
    world.clock.advance(timedelta(days=60).total_seconds())
    await world.sync()
    assert state_of_bob(world) == "disabled"


async def test_a_target_that_cant_disable_keeps_the_account_unless_delete_is_written(world: World) -> None:
    world.mapping = replace(direct_mapping(expressions={}), disable_path=None)
    await world.sync()
    world.source.put("id-bob", **person("bob", accountEnabled=False))
    report = await world.sync()
    assert (report.counts.disabled, report.counts.skipped, len(names(world))) == (0, 1, 3)

    world.deprovisioning = with_policy(SOURCE_DISABLED, DELETE)
    world.source.put("id-eve", **person("eve", accountEnabled=False))
    report = await world.sync()
    assert report.held is not None, "two of fifteen: a changed policy is guarded, like a changed scope"
    await world.sync(approval=report.held.hash)
    assert names(world) == {"ada"}


async def test_deletes_count_against_the_budget_of_accounts(world: World) -> None:
    many = [f"p{n:02}" for n in range(90)]
    world.people(many)
    world.deprovisioning = with_policy(SOURCE_DELETED, DELETE)
    await world.sync()
    assert isinstance(world.source, MemoryFeed)
    for name in many[:15]:
        world.source.bury(f"id-{name}")

    report = await world.sync()
    assert report.held is not None
    assert len(names(world)) == 93
    await world.sync(approval=report.held.hash)
    assert len(names(world)) == 78


async def test_a_delete_whose_end_is_unknown_is_looked_into(world: World) -> None:
    world.deprovisioning = with_policy(SOURCE_DELETED, DELETE)
    await world.sync()
    assert isinstance(world.source, MemoryFeed)
    world.source.bury("id-bob")
    lost = nth(Operation.DELETE, 1, Fault(FaultKind.LOST_AFTER))
    world.target.faults = FaultSchedule([lost])
    report = await world.sync()
    assert report.pending == 1
    report = await world.sync()
    assert (report.pending, names(world)) == (0, {"ada", "eve"})


async def test_who_can_not_be_deleted_is_disabled_at_least(world: World) -> None:
    world.target = MemoryTarget(MemorySettings(deletes=False))
    world.deprovisioning = with_policy(SOURCE_DELETED, DELETE)
    await begin(world)

    await leave(world, "told deleted")

    assert state_of_bob(world) == "disabled"
    report = await world.sync()
    assert (report.reasons, report.counts.disabled) == ({"MethodNotAllowed": 1}, 0), "said until somebody mends it"
    assert [entry.operation for entry in world.target.history.writes].count(Operation.UPDATE) == 1
    world.deprovisioning = Deprovisioning()
    assert (await world.sync()).pending == 0


async def test_strangers_and_the_never_created_are_left_alone(world: World) -> None:
    world.deprovisioning = Deprovisioning(on_source_disabled=DELETE, on_source_deleted=DELETE, delete_after=timedelta())
    stranger = world.target.plant({"userName": "zoe@example.com", "active": True})
    world.source.put("id-zoe", **person("zoe", accountEnabled=False))
    world.source.put("id-new", **person("new", accountEnabled=False))
    await world.sync()
    world.clock.advance(1000)
    await world.sync()
    assert world.target.document(stranger)["active"] is True
    assert "new@example.com" not in world.accounts()


# --- one leave after another ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("first", ["disabled", "out of scope"])
async def test_who_was_disabled_before_is_deleted_once_the_source_tells_the_deletion(world: World, first: str) -> None:
    world.deprovisioning = with_policy(SOURCE_DELETED, DELETE)
    await begin(world)
    await leave(world, first)
    assert state_of_bob(world) == "disabled"

    await leave(world, "told deleted")

    assert state_of_bob(world) == "gone"


@pytest.mark.parametrize(("first", "then"), [("disabled", "absent"), ("out of scope", "disabled")])
async def test_the_time_of_an_account_that_is_disabled_already_begins_with_the_cause_that_deletes(
    world: World, first: str, then: str
) -> None:
    world.deprovisioning = with_policy(EVENTS[then], DELETE)
    await begin(world)
    await leave(world, first)
    world.clock.advance(timedelta(days=40).total_seconds())
    await leave(world, then)
    world.clock.advance(timedelta(days=29).total_seconds())
    await world.sync()
    assert state_of_bob(world) == "disabled", "the leave that deletes was not so long ago"

    world.clock.advance(timedelta(days=2).total_seconds())
    await world.sync()

    assert state_of_bob(world) == "gone"


async def test_a_leave_that_turns_into_one_that_does_not_delete_ends_the_waiting(world: World) -> None:
    world.deprovisioning = with_policy(SOURCE_DISABLED, DELETE)
    await begin(world)
    await leave(world, "disabled")
    await leave(world, "out of scope")
    world.clock.advance(timedelta(days=40).total_seconds())
    await world.sync()
    assert state_of_bob(world) == "disabled"
    assert await world.store.ripe(world.lane, world.clock.now()) == [], "nobody is looked at in every cycle for nothing"


async def test_the_waiting_begins_anew_with_each_leave_even_if_the_account_could_not_be_enabled_between(
    world: World,
) -> None:
    world.deprovisioning = with_policy(SOURCE_DISABLED, DELETE)
    await begin(world)
    await leave(world, "disabled")
    world.mapping = replace(world.mapping, writes=frozenset({Writes.CREATE, Writes.DELETE}), digest="no update")
    world.source.put("id-bob", **person("bob", department="Berlin"))
    await world.sync()
    world.clock.advance(timedelta(days=40).total_seconds())
    await leave(world, "disabled")
    assert state_of_bob(world) == "disabled"
    await world.sync()
    assert state_of_bob(world) == "disabled"


async def test_a_disable_that_was_seen_only_later_counts_like_any_other(world: World) -> None:
    world.deprovisioning = with_policy(SOURCE_DISABLED, DELETE)
    await begin(world)
    lost = nth(Operation.UPDATE, 1, Fault(FaultKind.LOST_AFTER))
    unreadable = [nth(Operation.GET, number, Fault(FaultKind.LOST_BEFORE)) for number in range(1, 9)]
    world.target.faults = FaultSchedule([lost, *unreadable])
    await leave(world, "disabled")
    world.target.faults = FaultSchedule([])
    report = await world.sync()
    assert (report.pending, state_of_bob(world)) == (0, "disabled")

    world.clock.advance(timedelta(days=40).total_seconds())
    await world.sync()

    assert state_of_bob(world) == "gone"


async def test_who_was_kept_is_treated_by_a_policy_that_is_written_later(world: World) -> None:
    world.deprovisioning = with_policy(SOURCE_DELETED, KEEP)
    await begin(world)
    await leave(world, "absent")
    assert state_of_bob(world) == "active"
    world.deprovisioning = Deprovisioning()

    await world.cycle()

    assert state_of_bob(world) == "disabled"


async def test_who_was_kept_and_comes_back_is_simply_updated(world: World) -> None:
    world.deprovisioning = with_policy(SOURCE_DISABLED, KEEP)
    await begin(world)
    await leave(world, "disabled")
    world.source.put("id-bob", **person("bob", department="Berlin", jobTitle="Boss"))
    report = await world.sync()
    assert (report.counts.updated, world.accounts()["bob@example.com"]["title"]) == (1, "Boss")


async def test_an_account_that_is_gone_already_is_no_failure_of_a_delete(world: World) -> None:
    world.deprovisioning = with_policy(SOURCE_DELETED, DELETE)
    await begin(world)
    [bob] = [i for i in world.target.accounts if world.target.document(i)["userName"] == "bob@example.com"]
    world.target.remove(bob)
    await leave(world, "told deleted")
    assert await world.store.links(world.lane, [SourceId("id-bob")]) == {}
    assert (await world.sync()).pending == 0


# --- groups ---------------------------------------------------------------------------------------------------------


async def provision_groups(world: World, deprovisioning: Deprovisioning) -> dict[str, set[str]]:
    """Ten groups, of which staff is gone then; those that stay come back."""
    world.group_mapping = group_mapping()
    world.deprovisioning = deprovisioning
    world.group("staff", "ada", "bob")
    for number in range(9):
        world.group(f"group{number}", "eve")
    await world.sync()
    world.source.drop_group("id-staff")
    return {f"group{number}": {"eve"} for number in range(9)}


@pytest.mark.parametrize(
    ("policy", "after", "left"),
    [
        (DISABLE, None, {"staff": set()}),
        (KEEP, MONTH, {"staff": {"ada", "bob"}}),
        (DELETE, None, {}),
        (DELETE, MONTH, {"staff": set()}),
    ],
)
async def test_a_group_that_is_gone_is_emptied_or_kept_or_deleted(
    world: World, policy: Policy, after: timedelta | None, left: dict[str, set[str]]
) -> None:
    others = await provision_groups(world, with_policy(SOURCE_DELETED, policy, after))

    report = await world.sync()

    assert world.members() == {**others, **left}
    assert report.pending == 0
    assert world.target.history.writes_of(Operation.DELETE) == () or after is None
    world.group("staff", "ada", "bob")
    await world.sync()
    assert world.members() == {**others, "staff": {"ada", "bob"}}


async def test_nothing_is_sent_to_a_group_that_is_kept_until_it_is_back(world: World) -> None:
    named = Scope((Filter("not ours", (compile_clause("displayName", Operator.NOT_EQUALS, "theirs", "here"),)),))
    world.group_mapping = replace(group_mapping(), scope=named)
    world.deprovisioning = with_policy(OUT_OF_SCOPE, KEEP)
    world.group("staff", "ada", "bob")
    await world.sync()
    world.source.put_group("id-staff", displayName="theirs", members=("id-ada", "id-eve"))
    await world.sync()
    assert world.members() == {"staff": {"ada", "bob"}}

    world.group("staff", "ada", "eve")
    await world.sync()

    assert world.members() == {"staff": {"ada", "eve"}}


async def test_an_emptied_group_is_deleted_after_its_time_and_one_more_complete_read(world: World) -> None:
    others = await provision_groups(world, with_policy(SOURCE_DELETED, DELETE))
    await world.sync()
    world.clock.advance(timedelta(days=31).total_seconds())
    report = await world.cycle()
    assert "staff" in world.members(), "no complete read came after that time"

    report = await world.sync()

    assert world.members() == others
    assert report.groups is not None
    assert (report.groups.deleted, report.counts.deleted) == (1, 0)


# --- the actions of a mapping ---------------------------------------------------------------------------------------


async def test_without_create_nobody_new_gets_an_account(world: World) -> None:
    await world.sync()
    world.mapping = replace(world.mapping, writes=frozenset({Writes.UPDATE, Writes.DELETE}), digest="no create")
    world.people(["zoe"])
    world.source.put("id-bob", **person("bob", jobTitle="Boss"))
    report = await world.sync()
    assert (report.counts.created, report.counts.skipped, report.pending) == (0, 1, 0)
    assert world.accounts()["bob@example.com"]["title"] == "Boss"


async def test_without_update_no_account_is_changed_until_it_is_allowed_again(world: World) -> None:
    await world.sync()
    allowed = world.mapping
    world.mapping = replace(world.mapping, writes=frozenset({Writes.CREATE}), digest="no update")
    world.people(["zoe"])
    world.source.put("id-bob", **person("bob", jobTitle="Boss"))
    world.source.put("id-eve", **person("eve", accountEnabled=False))
    report = await world.sync()
    assert (report.counts.created, report.counts.updated, report.counts.disabled) == (1, 0, 0)
    assert world.accounts()["eve@example.com"]["active"] is True

    world.mapping = allowed
    await world.sync()
    assert world.accounts()["bob@example.com"]["title"] == "Boss"
    assert world.accounts()["eve@example.com"]["active"] is False


async def test_without_update_no_member_is_written_until_it_is_allowed_again(world: World) -> None:
    allowed = world.group_mapping = group_mapping()
    world.group("staff", "ada")
    await world.sync()
    world.group_mapping = replace(allowed, writes=frozenset({Writes.CREATE, Writes.DELETE}), digest="no update")
    world.group("staff", "bob")
    world.group("new", "bob")
    await world.sync()
    assert world.members() == {"staff": {"ada"}, "new": set()}

    world.group_mapping = allowed
    held = (await world.sync()).held
    assert held is not None, "the one member that there was, after a mapping was changed"
    await world.sync(approval=held.hash)

    assert world.members() == {"staff": {"bob"}, "new": {"bob"}}


async def test_without_delete_a_leaver_is_disabled_and_stays(world: World) -> None:
    world.deprovisioning = with_policy(SOURCE_DELETED, DELETE, after=timedelta())
    world.mapping = replace(world.mapping, writes=frozenset({Writes.CREATE, Writes.UPDATE}))
    await world.sync()
    assert isinstance(world.source, MemoryFeed)
    world.source.bury("id-bob")
    await world.sync()
    world.clock.advance(100_000)
    await world.sync()
    assert state_of_bob(world) == "disabled"
    assert world.target.collection(ResourceType.USER) is world.target
