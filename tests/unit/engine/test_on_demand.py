"""A few are provisioned by name: these and nobody else, by the rules of a cycle, and the next one finds them done."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from usher.contracts.log import LogQuery
from usher.core.errors import ReadShrunk
from usher.core.model.reports import CycleKind, CycleReport, CycleResult
from usher.core.model.resources import AttributePath, ResourceType, SourceId
from usher.core.sync.assignments import Assignment, Entry
from usher.core.sync.leaving import Deprovisioning, Policy
from usher.core.sync.matching import Adopt
from usher.core.sync.policies import Approval, Budget, Enforcement
from usher.core.sync.scoping import Filter, Operator, Scope, compile_clause
from usher.core.sync.untouchable import Spared, Untouchable
from usher.engine.job import Control
from usher.engine.on_demand import run_on_demand
from usher.testing.faults import Fault, FaultKind, Killed, every
from usher.testing.faults import Operation as Op
from usher.testing.memory_settings import MemorySettings
from usher.testing.memory_target import MemoryTarget
from usher.testing.world import EXPRESSIONS, World, direct_mapping, group_mapping, open_world, person, with_manager

ADA = SourceId("id-ada")


def user(name: str) -> Entry:
    return Entry(ResourceType.USER, "userPrincipalName", f"{name}@example.com")


def by_id(name: str) -> Entry:
    return Entry(ResourceType.USER, "objectId", f"id-{name}")


def group(name: str) -> Entry:
    return Entry(ResourceType.GROUP, "displayName", name)


def told(report: CycleReport, index: int = 0) -> list[str]:
    """`result:reason` of the four steps."""
    line = report.subjects[index]
    assert line.index == index
    assert [step.name for step in line.steps] == ["import", "scope", "match", "action"]
    return [f"{step.result}:{step.reason}" for step in line.steps]


def names(world: World) -> set[str]:
    return {name.partition("@")[0] for name in world.accounts()}


def active(world: World) -> set[str]:
    return {name.partition("@")[0] for name, each in world.accounts().items() if each.get("active", True)}


def writes(world: World) -> int:
    return len(world.target.history.writes)


async def leave(world: World, *leavers: str) -> None:
    for name in leavers:
        world.source.put(f"id-{name}", **person(name, accountEnabled=False))
    await world.read()


@pytest.fixture
async def fresh() -> AsyncIterator[World]:
    """A new connector on a source that was read: no cycle has run yet."""
    async with open_world() as new:
        new.people(["ada", "bob", "eve"])
        new.source.attributes = ("accountEnabled",)
        await new.read()
        yield new


@pytest.fixture
async def world(fresh: World) -> World:
    """Everybody has an account."""
    await fresh.cycle()
    return fresh


# --- a new connector ------------------------------------------------------------------------------------------------


async def test_before_the_first_cycle_one_is_provisioned_and_the_cycle_finds_the_account(fresh: World) -> None:
    run = await fresh.on_demand(user("ada"))

    assert told(run) == ["Success:Found", "Success:InScope", "Success:Unmatched", "Success:Created"]
    assert run.subjects[0].attributes == ("active", "displayName", 'emails[type eq "work"].value', "title", "userName")
    assert (run.kind, run.result, run.counts.created) == ("OnDemand", "Succeeded", 1)
    assert run.subjects[0].steps[0].message == "as the source was read at 2026-01-01T00:00:00Z"
    assert names(fresh) == {"ada"}

    cycle = await fresh.cycle()

    assert cycle.kind is CycleKind.INITIAL
    assert (cycle.counts.created, cycle.counts.unchanged, cycle.result) == (2, 1, CycleResult.SUCCEEDED)
    assert names(fresh) == {"ada", "bob", "eve"}


async def test_who_claims_the_same_account_is_known_though_no_cycle_has_looked_at_anybody(fresh: World) -> None:
    fresh.source.put("id-twin", **person("twin", mail="ada@example.com"))
    await fresh.read()

    run = await fresh.on_demand(user("ada"))

    assert told(run)[2:] == ["Failure:DuplicateSourceEntries", "Skipped:NotReached"]
    assert run.result is CycleResult.PARTIAL
    assert names(fresh) == set()


async def test_a_source_that_was_never_read_says_so() -> None:
    async with open_world() as new:
        run = await new.on_demand(user("ada"))

    assert (run.result, run.error_reason, run.subjects) == (CycleResult.FAILED, "SourceUnreachable", ())


# --- import ---------------------------------------------------------------------------------------------------------


async def test_nobody_of_that_name_is_told_and_nothing_is_asked_of_the_app(fresh: World) -> None:
    run = await fresh.on_demand(user("zoe"), Entry(ResourceType.USER, "shoeSize", "42"))

    rest = ["Skipped:NotReached"] * 3
    assert told(run) == ["Failure:SubjectNotFound", *rest]
    assert run.subjects[0].steps[0].message == "no user of the source has this userPrincipalName"
    assert told(run, 1) == ["Failure:SubjectNotFound", *rest]
    assert run.subjects[1].steps[0].message == "no user of the source has an attribute shoeSize"
    assert run.result is CycleResult.PARTIAL
    assert fresh.target.faults.calls == 0


async def test_of_two_of_one_name_neither_is_touched_and_the_others_are(fresh: World) -> None:
    run = await fresh.on_demand(Entry(ResourceType.USER, "jobTitle", "engineer"), user("BOB"))

    assert told(run)[0] == "Failure:DuplicateSourceEntries"
    assert run.subjects[0].steps[0].message == "3 users of the source have this jobTitle"
    assert told(run, 1)[3] == "Success:Created"
    assert names(fresh) == {"bob"}


async def test_a_group_is_nobody_to_a_connector_without_groups(fresh: World) -> None:
    assert told(await fresh.on_demand(group("staff")))[0] == "Failure:TypeNotMapped"


@pytest.mark.parametrize("count", [0, 11])
async def test_ten_at_once_are_the_most_and_one_the_least(fresh: World, count: int) -> None:
    run = await fresh.on_demand(*[user("ada")] * count)

    assert (run.result, run.error_reason) == (CycleResult.FAILED, "InvalidSpec")
    assert fresh.target.faults.calls == 0


async def test_a_connector_that_is_being_deleted_provisions_nobody(world: World) -> None:
    world.ending = True
    run = await world.on_demand(user("ada"))
    assert (run.result, run.error_reason) == (CycleResult.FAILED, "Ending")


# --- scope ----------------------------------------------------------------------------------------------------------


async def test_who_is_disabled_at_the_source_gets_no_account(fresh: World) -> None:
    await leave(fresh, "ada")
    expected = ["Success:Found", "Skipped:SourceDisabled", "Skipped:NotReached", "Skipped:SourceDisabled"]
    assert told(await fresh.on_demand(user("ada"))) == expected
    assert names(fresh) == set()


async def test_who_is_assigned_is_told_by_which_entry_and_who_is_not_gets_nothing(fresh: World) -> None:
    fresh.assignment = Assignment((replace(user("ada"), place="spec.scope.users[0]"),))

    run = await fresh.on_demand(user("ada"), user("bob"))

    assert run.subjects[0].steps[1].message == "spec.scope.users[0]"
    assert told(run, 1)[1:] == ["Skipped:Unassigned", "Skipped:NotReached", "Skipped:Unassigned"]
    assert names(fresh) == {"ada"}
    await fresh.cycle()
    assert names(fresh) == {"ada"}


async def test_who_is_outside_of_a_filter_is_told_by_which_clause_without_its_value(fresh: World) -> None:
    place = "AttributeMapping/people spec.scopeFilters[0].clauses[0]"
    clause = compile_clause("jobTitle", Operator.EQUALS, "Lead", place)
    fresh.mapping = replace(direct_mapping(), scope=Scope((Filter("leads", (clause,)),)))

    run = await fresh.on_demand(user("ada"))

    assert told(run)[1:] == ["Skipped:OutOfScope", "Skipped:NotReached", "Skipped:OutOfScope"]
    assert run.subjects[0].steps[1].message == f"{place}: not jobTitle Equals"


async def test_what_the_mapping_cannot_make_of_somebody_is_a_failure_of_the_scope_step(fresh: World) -> None:
    fresh.mapping = direct_mapping(expressions={**EXPRESSIONS, "title": 'Join("-", [jobTitle], CDate([displayName]))'})

    run = await fresh.on_demand(user("ada"))

    assert told(run)[1:] == ["Failure:ExpressionFailed", "Skipped:NotReached", "Skipped:NotReached"]
    assert "Ada" not in repr(run)


# --- match ----------------------------------------------------------------------------------------------------------


async def test_an_account_that_is_there_is_found_and_by_which_attribute_is_told(fresh: World) -> None:
    fresh.target.plant({"userName": "ADA", "emails": [{"type": "work", "value": "ada@example.com"}]})

    run = await fresh.on_demand(user("ada"))

    assert told(run)[2:] == ["Success:Matched", "Success:Updated"]
    assert run.subjects[0].steps[2].message == 'by emails[type eq "work"].value'
    assert names(fresh) == {"ada"}


async def test_of_two_accounts_that_match_none_is_taken(fresh: World) -> None:
    for name in ("one", "two"):
        fresh.target.plant({"userName": name, "emails": [{"type": "work", "value": "ada@example.com"}]})
    expected = ["Failure:DuplicateTargetEntries", "Skipped:NotReached"]
    assert told(await fresh.on_demand(user("ada")))[2:] == expected
    assert writes(fresh) == 0


async def test_where_nothing_is_taken_over_an_account_that_matches_is_left_alone(fresh: World) -> None:
    fresh.adopt = Adopt.NEVER
    fresh.target.plant({"userName": "ada@example.com"})
    assert told(await fresh.on_demand(user("ada")))[2:] == ["Failure:AdoptionRefused", "Skipped:NotReached"]
    assert writes(fresh) == 0


async def test_a_look_that_fails_is_a_failure_and_nothing_is_written(fresh: World) -> None:
    fresh.target.faults.add(every(Op.FIND, 1, Fault(FaultKind.REFUSED)))
    run = await fresh.on_demand(user("ada"))
    assert [one.partition(":")[0] for one in told(run)[2:]] == ["Failure", "Skipped"]
    assert writes(fresh) == 0


# --- action ---------------------------------------------------------------------------------------------------------


async def test_only_what_changed_of_the_one_who_is_named_is_written(world: World) -> None:
    for name in ("ada", "bob"):
        world.source.put(f"id-{name}", **person(name, jobTitle="Lead"))
    await world.read()
    before = writes(world)

    run = await world.on_demand(user("ada"), user("eve"))

    assert told(run)[2:] == ["Success:Linked", "Success:Updated"]
    assert run.subjects[0].attributes == ("title",)
    assert told(run, 1)[2:] == ["Success:Linked", "Success:Unchanged"]
    assert writes(world) == before + 1
    assert [world.accounts()[f"{name}@example.com"]["title"] for name in ("ada", "bob")] == ["Lead", "Engineer"]

    cycle = await world.cycle()

    assert (cycle.counts.updated, cycle.result) == (1, CycleResult.SUCCEEDED)
    assert world.accounts()["bob@example.com"]["title"] == "Lead"


async def test_who_has_left_loses_the_access_and_who_left_beside_waits_for_the_cycle(world: World) -> None:
    await leave(world, "ada", "bob")

    run = await world.on_demand(user("ada"))

    assert told(run)[1:] == ["Skipped:SourceDisabled", "Success:Linked", "Success:Disabled"]
    assert active(world) == {"bob", "eve"}
    assert (await world.cycle()).counts.disabled == 1
    assert active(world) == {"eve"}


async def test_whom_the_source_has_no_more_is_named_by_the_id(fresh: World) -> None:
    fresh.deprovisioning = Deprovisioning(on_source_deleted=Policy.DELETE, delete_after=timedelta(days=1))
    await fresh.cycle()
    fresh.source.drop("id-ada")
    await fresh.read(min_retained=0)

    run = await fresh.on_demand(user("ada"), by_id("ada"))

    assert told(run)[0] == "Failure:SubjectNotFound"
    assert told(run, 1) == ["Success:Found", "Skipped:SourceDeleted", "Success:Linked", "Success:Disabled"]
    assert active(fresh) == {"bob", "eve"}

    fresh.clock.advance(timedelta(days=2).total_seconds())
    await fresh.read()
    assert told(await fresh.on_demand(by_id("ada")))[3] == "Success:Deleted"
    assert names(fresh) == {"bob", "eve"}


async def test_nobody_who_is_absent_from_the_run_is_taken_for_a_leaver(world: World) -> None:
    await world.on_demand(by_id("ada"))
    assert active(world) == {"ada", "bob", "eve"}
    assert await world.store.count_links(world.lane) == (3, 3)


async def test_what_the_app_refuses_goes_to_escrow_and_who_waits_there_is_tried_when_named(
    fresh: World,
) -> None:
    fresh.target.faults.add(every(Op.CREATE, 1, Fault(FaultKind.REFUSED)))
    for _ in range(4):
        await fresh.cycle()
    creates = fresh.target.faults.count(Op.CREATE)
    assert (await fresh.cycle()).escrowed == 3
    assert fresh.target.faults.count(Op.CREATE) == creates

    failed = await fresh.on_demand(user("ada"))
    assert told(failed)[3].startswith("Failure:")
    assert fresh.target.faults.count(Op.CREATE) == creates + 1
    assert (await fresh.store.unsettled(fresh.lane))[ADA].attempts == 4

    fresh.target.faults.heal()
    assert told(await fresh.on_demand(user("ada")))[3] == "Success:Created"
    assert ADA not in await fresh.store.unsettled(fresh.lane)
    assert names(fresh) == {"ada"}


async def test_what_somebody_has_changed_at_the_app_is_seen_and_put_back(world: World) -> None:
    account = next(i for i in world.target.accounts if world.target.document(i)["userName"] == "ada@example.com")
    world.target.change(account, "title", "Queen")
    assert told(await world.on_demand(user("ada")))[3] == "Success:Updated"
    assert world.accounts()["ada@example.com"]["title"] == "Engineer"

    world.target.remove(account)
    assert told(await world.on_demand(user("ada")))[2:] == ["Success:Unmatched", "Success:Created"]
    assert names(world) == {"ada", "bob", "eve"}


async def test_an_account_that_is_never_written_is_spared(world: World) -> None:
    world.untouchable = Untouchable((Spared(AttributePath("userName"), "ada*"),))
    await leave(world, "ada")
    before = writes(world)
    assert told(await world.on_demand(user("ada")))[3].startswith("Skipped:")
    assert writes(world) == before


async def test_who_only_observes_writes_nothing_and_tells_what_it_would_do(fresh: World) -> None:
    fresh.enforcement = Enforcement.OBSERVE
    run = await fresh.on_demand(user("ada"))
    assert told(run)[2:] == ["Success:Unmatched", "Skipped:Observing"]
    assert run.subjects[0].steps[3].message == "Create: spec.policy is Observe, nothing is written"
    assert (run.result, run.counts.created, writes(fresh)) == (CycleResult.PLANNED, 1, 0)


# --- faults ---------------------------------------------------------------------------------------------------------


async def test_a_create_whose_end_nobody_saw_is_looked_for_by_the_next_cycle() -> None:
    anything_goes = MemorySettings(unique=None, versioned=False)
    async with open_world(None, MemoryTarget(anything_goes)) as new:
        new.people(["ada", "bob"])
        await new.read()
        new.target.faults.strike(Op.CREATE, FaultKind.KILL_AFTER)
        with pytest.raises(Killed):
            await new.on_demand(user("ada"))

        cycle = await new.cycle()

        assert (cycle.counts.created, cycle.result) == (1, CycleResult.SUCCEEDED)
        assert names(new) == {"ada", "bob"}


async def test_what_a_killed_cycle_had_planned_is_not_applied(fresh: World) -> None:
    fresh.target.faults.strike(Op.CREATE, FaultKind.KILL_BEFORE)
    with pytest.raises(Killed):
        await fresh.cycle()
    left = names(fresh)

    await fresh.on_demand(user("eve"))

    assert names(fresh) == left | {"eve"}


async def test_an_app_that_is_away_ends_the_run_with_who_was_found(world: World) -> None:
    world.target.faults.add(every(Op.CHECK, 1, Fault(FaultKind.UNAUTHORIZED)))
    run = await world.on_demand(user("ada"))
    assert (run.kind, run.result) == (CycleKind.ON_DEMAND, CycleResult.FAILED)
    assert run.error_reason == "CredentialsRejected"
    assert told(run) == ["Success:Found", *["Skipped:NotReached"] * 3]


async def test_credentials_that_are_rejected_in_the_middle_fail_whoever_is_left(fresh: World) -> None:
    fresh.target.faults.strike(Op.CREATE, FaultKind.UNAUTHORIZED)
    run = await fresh.on_demand(user("ada"))
    assert run.result is CycleResult.FAILED
    assert told(run)[3].startswith("Failure:")


async def test_a_run_neither_starts_a_quarantine_nor_lifts_one(world: World) -> None:
    world.target.faults.add(every(Op.CHECK, 1, Fault(FaultKind.UNAUTHORIZED)))
    await world.on_demand(user("ada"))
    assert (await world.store.standing(world.connector)).quarantine is None

    await world.sync()
    before = await world.store.standing(world.connector)
    assert before.quarantine is not None
    world.target.faults.heal()
    world.source.put("id-ada", **person("ada", jobTitle="Lead"))
    await world.read()

    assert told(await world.on_demand(user("ada")))[3] == "Success:Updated"
    assert await world.store.standing(world.connector) == before
    assert (await world.cycle()).quarantine is None


async def test_an_app_that_wants_to_be_left_alone_is(world: World) -> None:
    world.target.faults.add(every(Op.CHECK, 1, Fault(FaultKind.THROTTLED, 7200.0)))
    assert (await world.on_demand(user("ada"))).not_before is not None
    world.target.faults.heal()
    calls = world.target.faults.calls

    run = await world.on_demand(user("ada"))

    assert (run.error_reason, world.target.faults.calls) == ("TooManyRequests", calls)


async def test_a_run_that_is_stopped_writes_nothing_more(fresh: World) -> None:
    control = Control()
    control.stop.set()
    run = await run_on_demand(fresh.job, fresh.ports, control, [user("ada")])
    assert run.result is CycleResult.INTERRUPTED
    assert told(run)[3] == "Skipped:Interrupted"
    assert (writes(fresh), (await fresh.cycle()).counts.created) == (0, 3)


# --- what is held ---------------------------------------------------------------------------------------------------

MANY: Sequence[str] = [f"user{n:02}" for n in range(40)]


@pytest.fixture
async def leaving(fresh: World) -> World:
    """Forty have an account, of whom twelve are about to leave: a cycle would hold them."""
    fresh.people(MANY)
    await fresh.sync()
    await leave(fresh, *MANY[:12])
    return fresh


async def test_who_is_held_stays_held(leaving: World) -> None:
    held = (await leaving.cycle()).held
    assert held is not None

    run = await leaving.on_demand(user("user00"))

    assert told(run)[3] == "Skipped:PlanHeld"
    assert run.result is CycleResult.PARTIAL
    assert active(leaving) >= set(MANY)
    stored = await leaving.store.held(leaving.connector)
    assert stored is not None
    assert (stored[0].hash, len(stored[1])) == (held.hash, 12)
    again = (await leaving.cycle()).held
    assert again is not None
    assert (again.hash, again.count) == (held.hash, 12)

    assert (await leaving.cycle(approval=held.hash)).counts.disabled == 12
    assert await leaving.store.unsettled(leaving.lane) == {}


async def test_one_who_is_held_and_came_back_is_updated_and_the_others_stay_held(leaving: World) -> None:
    await leaving.cycle()
    leaving.source.put("id-user00", **person("user00", jobTitle="Lead"))
    await leaving.read()

    assert told(await leaving.on_demand(user("user00")))[3] == "Success:Updated"

    held = (await leaving.cycle()).held
    assert held is not None
    assert held.count == 11


async def test_nobody_goes_by_name_out_of_a_set_that_a_cycle_would_hold(leaving: World) -> None:
    run = await leaving.on_demand(*map(user, MANY[:10]))

    assert {told(run, index)[3] for index in range(10)} == {"Skipped:PlanHeld"}
    assert active(leaving) >= set(MANY)
    assert await leaving.store.held(leaving.connector) is None
    held = (await leaving.cycle()).held
    assert held is not None
    assert held.count == 12


async def test_who_leaves_beside_a_held_plan_may_go_by_name_within_the_budget(leaving: World) -> None:
    await leaving.cycle()
    await leave(leaving, "user20")
    assert told(await leaving.on_demand(user("user20")))[3] == "Success:Disabled"
    assert "user20" not in active(leaving)


async def test_under_a_mapping_that_is_new_nobody_leaves_by_name(world: World) -> None:
    world.mapping = direct_mapping({"userName": ("userPrincipalName", 1), "title": ("displayName", None)})
    await leave(world, "ada")

    run = await world.on_demand(user("ada"), user("bob"))

    assert told(run)[3] == "Skipped:PlanHeld"
    assert told(run, 1)[3] == "Success:Updated"
    assert active(world) == {"ada", "bob", "eve"}
    cycle = await world.cycle()
    assert cycle.kind is CycleKind.INITIAL
    assert cycle.held is not None  # guarded: one of three is over ten percent
    assert active(world) == {"ada", "bob", "eve"}


async def test_after_the_state_was_lost_nobody_leaves_by_name(fresh: World) -> None:
    await fresh.on_demand(user("ada"))
    fresh.lost = True
    async with open_world(None, fresh.target) as anew:
        anew.lost = True
        anew.people(["ada", "bob"])
        anew.source.attributes = ("accountEnabled",)
        await anew.read()
        assert told(await anew.on_demand(user("ada")))[2:] == ["Success:Matched", "Success:Linked"]
        await leave(anew, "ada")
        assert told(await anew.on_demand(user("ada")))[3] == "Skipped:PlanHeld"
        assert active(anew) == {"ada"}


async def test_where_everything_needs_an_approval_nothing_is_done_by_name(fresh: World) -> None:
    fresh.approval = Approval.ALWAYS

    run = await fresh.on_demand(user("ada"))

    assert told(run)[2:] == ["Success:Unmatched", "Skipped:PlanHeld"]
    assert "spec.safety.approval is Always" in run.subjects[0].steps[3].message
    assert (run.result, run.counts.created, writes(fresh)) == (CycleResult.PARTIAL, 0, 0)
    assert await fresh.store.held(fresh.connector) is None
    held = (await fresh.cycle()).held
    assert held is not None
    assert told(await fresh.on_demand(user("ada")))[3] == "Skipped:PlanHeld"
    assert (await fresh.cycle(approval=held.hash)).counts.created == 3


async def test_nobody_is_provisioned_by_name_while_links_are_found_again(world: World) -> None:
    world.address = "https://new.example.com/scim/v2"
    before = writes(world)

    run = await world.on_demand(user("ada"))

    assert (run.result, run.error_reason) == (CycleResult.FAILED, "PlanHeld")
    assert writes(world) == before
    held = (await world.cycle()).held
    assert held is not None
    assert (await world.on_demand(user("ada"))).error_reason == "PlanHeld"
    await world.cycle(approval=held.hash)
    await world.cycle()
    assert told(await world.on_demand(user("ada")))[3] == "Success:Unchanged"


async def test_an_empty_source_takes_nothing_away_by_name(world: World) -> None:
    for name in ("ada", "bob", "eve"):
        world.source.drop(f"id-{name}")
    with_approval = await world.read(min_retained=0, approved=await shrunk(world))
    assert with_approval.count == 0

    assert told(await world.on_demand(by_id("ada")))[3] == "Skipped:PlanHeld"
    assert active(world) == {"ada", "bob", "eve"}


async def shrunk(world: World) -> str:
    with pytest.raises(ReadShrunk) as caught:
        await world.read()
    return caught.value.digest


# --- groups and references ------------------------------------------------------------------------------------------


@pytest.fixture
async def grouped(fresh: World) -> World:
    """Groups are mapped too, and no cycle has run."""
    fresh.group_mapping = group_mapping()
    fresh.group("staff", "ada", "bob")
    fresh.group("guests", "ada")
    await fresh.read()
    return fresh


async def test_a_group_is_made_with_those_of_its_members_who_have_an_account(grouped: World) -> None:
    await grouped.on_demand(user("ada"))
    assert (names(grouped), grouped.members()) == ({"ada"}, {})

    run = await grouped.on_demand(group("staff"))

    assert told(run) == ["Success:Found", "Success:InScope", "Success:Unmatched", "Success:Created"]
    assert "members" in run.subjects[0].attributes
    assert grouped.members() == {"staff": {"ada"}}
    await grouped.cycle()
    assert grouped.members() == {"staff": {"ada", "bob"}, "guests": {"ada"}}


async def test_a_person_gets_into_groups_that_are_named_too_and_into_the_others_by_the_next_cycle(
    grouped: World,
) -> None:
    grouped.source.drop("id-bob")
    await grouped.read(min_retained=0)
    await grouped.cycle()
    grouped.people(["bob"])
    grouped.group("guests", "ada", "bob")
    await grouped.read()

    run = await grouped.on_demand(user("bob"), group("staff"))

    assert told(run, 1)[2:] == ["Success:Linked", "Success:Updated"]
    assert grouped.members() == {"staff": {"ada", "bob"}, "guests": {"ada"}}
    assert (await grouped.cycle()).result is CycleResult.SUCCEEDED
    assert grouped.members() == {"staff": {"ada", "bob"}, "guests": {"ada", "bob"}}


async def test_members_over_the_budget_stay_and_those_who_join_are_added(grouped: World) -> None:
    grouped.membership_budget = Budget(max_count=0)
    await grouped.cycle()
    grouped.group("staff", "eve")
    await grouped.read()

    run = await grouped.on_demand(group("staff"))

    assert told(run)[3] == "Skipped:PlanHeld"
    assert grouped.members()["staff"] == {"ada", "bob", "eve"}
    held = (await grouped.cycle()).held
    assert held is not None
    assert grouped.members()["staff"] == {"ada", "bob", "eve"}
    await grouped.cycle(approval=held.hash)
    assert grouped.members()["staff"] == {"eve"}


async def test_members_within_the_budget_go(grouped: World) -> None:
    await grouped.cycle()
    grouped.group("staff", "eve")
    grouped.group("guests", "eve")
    await grouped.read()
    assert told(await grouped.on_demand(group("staff")))[3] == "Success:Updated"
    assert grouped.members() == {"staff": {"eve"}, "guests": {"ada"}}


async def test_who_leaves_by_name_is_taken_out_of_groups_by_the_next_cycle(grouped: World) -> None:
    await grouped.cycle()
    await leave(grouped, "ada")
    await grouped.on_demand(user("ada"))
    assert (active(grouped), grouped.members()["guests"]) == ({"bob", "eve"}, {"ada"})
    await grouped.cycle()
    assert grouped.members() == {"staff": {"bob"}, "guests": set()}


async def test_a_manager_is_given_once_both_have_an_account(fresh: World) -> None:
    fresh.mapping = with_manager(direct_mapping())
    fresh.source.put("id-ada", **person("ada", manager="id-eve"))
    await fresh.read()
    await fresh.on_demand(user("ada"))
    assert (await fresh.on_demand(user("eve"))).counts.created == 1

    run = await fresh.on_demand(user("ada"))

    assert told(run)[3] == "Success:Updated"
    assert (await fresh.cycle()).result is CycleResult.SUCCEEDED


# --- what is left behind --------------------------------------------------------------------------------------------


async def test_the_log_has_it_under_the_name_of_the_run_and_the_report_names_nobody(fresh: World) -> None:
    run = await fresh.on_demand(user("ada"), user("zoe"))

    [line] = await fresh.store.log(fresh.connector, LogQuery(source_id=ADA), 10)
    assert line.cycle.startswith("20260101T000000Z-")
    assert (line.source_id, line.step, line.action, line.result) == (ADA, "action", "Create", "Success")
    assert await fresh.store.cycles(fresh.connector, 1) == [run]
    for secret in ("ada", "zoe", "example.com", "Ada"):
        assert secret not in repr(run)


async def test_who_is_named_twice_is_provisioned_once(fresh: World) -> None:
    run = await fresh.on_demand(user("ada"), by_id("ada"))
    assert told(run) == told(run, 1)
    assert fresh.target.faults.count(Op.CREATE) == 1
