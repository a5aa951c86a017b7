"""Cycles go by what the target says of itself: how often it is asked, what it changes, what stays when it fails."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

import pytest

from usher.api.v1alpha1.mappings import AttributeMappingSpec
from usher.assembly.mappings import compile_mapping
from usher.core.model.reports import CycleKind, CycleResult
from usher.core.model.resources import Json, Value
from usher.core.scim.discovery import Documents, Types
from usher.testing.clock import fake_surroundings
from usher.testing.faults import FaultKind, Operation
from usher.testing.hostile_documents import contradictory_schemas, told
from usher.testing.world import DISABLE, World, direct_mapping, open_world, person

HR = "urn:example:hr:User"
HOUR = 3600.0
EXACT: dict[str, Json] = {"name": "userName", "caseExact": True}
FOLDED: dict[str, Json] = {"name": "userName", "caseExact": False}


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with open_world() as new:
        yield new


def asked(world: World) -> int:
    """How often a document was asked for."""
    return world.target.faults.count(Operation.DISCOVER)


# --- how often ------------------------------------------------------------------------------------------------------


async def test_a_target_is_asked_once_an_hour_and_a_cycle_without_a_change_costs_one_read(world: World) -> None:
    world.people(["ada"])
    await world.sync()
    assert asked(world) == 3
    calls = world.target.faults.calls

    world.clock.advance(HOUR - 1)
    await world.sync()
    assert world.target.faults.calls == calls + 1

    world.clock.advance(1)
    await world.sync()
    assert (asked(world), world.target.faults.calls) == (6, calls + 5)


async def test_a_target_that_offers_nothing_is_not_asked_more_often(world: World) -> None:
    world.target.told = Documents()
    world.people(["ada"])
    await world.sync()
    await world.sync()
    assert asked(world) == 3
    assert world.accounts()["ada@example.com"]["active"] is True


async def test_a_clock_that_was_put_back_does_not_keep_an_answer_for_ever(world: World) -> None:
    world.people(["ada"])
    world.clock.advance(48 * HOUR)
    await world.sync()
    world.clock.advance(-24 * HOUR)
    await world.sync()
    assert asked(world) == 6


async def test_connectors_to_one_target_share_what_it_says(world: World) -> None:
    world.people(["ada"])
    await world.sync()
    world.name = "identity/other"
    await world.sync()
    assert asked(world) == 3
    world.address = "https://other.example.com/scim"
    world.name = "identity/third"
    await world.sync()
    assert asked(world) == 6


async def test_a_dry_run_plans_with_the_same_types(world: World) -> None:
    world.target.told = told({"name": "title", "type": "integer"})
    world.source.put("id-ada", **person("ada", jobTitle="seven"))
    await world.read()
    assert (await world.plan()).counts.failed == 1
    assert (await world.cycle()).reasons == {"SchemaPropertyCanOnlyAcceptValue": 1}
    assert asked(world) == 3


# --- failures -------------------------------------------------------------------------------------------------------

TRANSIENT = (FaultKind.LOST_BEFORE, FaultKind.UNAVAILABLE, FaultKind.TRUNCATED_JSON, FaultKind.THROTTLED)


@pytest.mark.parametrize("kind", TRANSIENT)
async def test_what_may_pass_is_asked_for_again(world: World, kind: FaultKind) -> None:
    world.target.told = told(EXACT)
    world.target.faults.strike(Operation.DISCOVER, kind, after=1)
    world.people(["ada"])
    report = await world.sync()
    assert (report.result, report.stale) == (CycleResult.SUCCEEDED, "")
    stored = await world.store.discovery(world.address)
    assert stored is not None
    assert stored.discovery.types is Types.DISCOVERED


@pytest.mark.parametrize("kind", [*TRANSIENT, FaultKind.HTML_200, FaultKind.UNAUTHORIZED])
async def test_a_target_that_never_said_anything_and_can_not_now_gets_no_cycle(world: World, kind: FaultKind) -> None:
    world.target.faults.strike(Operation.DISCOVER, kind, count=100)
    world.people(["ada"])

    report = await world.sync()

    assert report.result is CycleResult.FAILED
    assert report.error_reason
    assert world.accounts() == {}
    assert await world.store.discovery(world.address) is None
    assert asked(world) <= 4
    world.target.faults.heal()
    assert (await world.sync()).result is CycleResult.SUCCEEDED


@pytest.mark.parametrize("kind", [*TRANSIENT, FaultKind.HTML_200])
async def test_what_a_target_said_stays_in_force_until_it_can_be_asked_again(world: World, kind: FaultKind) -> None:
    world.target.told = told(EXACT)
    world.people(["ada"])
    await world.sync()
    world.clock.advance(HOUR)
    world.target.told = Documents()
    world.target.faults.strike(Operation.DISCOVER, kind, count=100)
    world.source.put("id-ada", **person("ada", userPrincipalName="ADA@example.com"))

    report = await world.sync()

    assert report.result is CycleResult.SUCCEEDED
    assert report.kind is CycleKind.INCREMENTAL
    assert report.stale
    assert set(world.accounts()) == {"ADA@example.com"}
    world.target.faults.heal()
    healed = await world.sync()
    assert (healed.stale, healed.kind) == ("", CycleKind.INITIAL)


# --- what it changes ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("user_name", "writes"), [(FOLDED, 0), (EXACT, 1)])
async def test_a_user_name_is_rewritten_for_its_case_only_where_case_counts(
    world: World, user_name: dict[str, Json], writes: int
) -> None:
    world.target.told = told(user_name)
    world.people(["ada"])
    await world.sync()
    world.source.put("id-ada", **person("ada", userPrincipalName="ADA@example.com"))

    report = await world.sync()

    assert report.result is CycleResult.SUCCEEDED
    assert report.counts.updated == len(world.target.history.writes_of(Operation.UPDATE)) == writes
    assert set(world.accounts()) == {"ADA@example.com" if writes else "ada@example.com"}
    assert len(world.target.history.writes_of(Operation.UPDATE)) == writes


@pytest.mark.parametrize(("user_name", "created"), [(FOLDED, 0), (EXACT, 1)])
async def test_an_account_in_another_case_is_somebody_elses_only_where_case_counts(
    world: World, user_name: dict[str, Json], created: int
) -> None:
    world.target.settings = type(world.target.settings)(unique=None)
    world.target.told = told(user_name)
    world.target.plant({"userName": "ADA@example.com", "active": True})
    world.people(["ada"])
    assert (await world.sync()).counts.created == created


def mapped(world: World, **sources: str) -> None:
    """Maps attributes of the extension, beside the user name and the disable attribute."""
    paths = {f"{HR}:{name}": (source, None) for name, source in sources.items()}
    world.mapping = direct_mapping({"userName": ("userPrincipalName", 1), **paths}, {"active": DISABLE})


def extension(world: World) -> Mapping[str, Json]:
    held = world.accounts()["ada@example.com"][HR]
    assert isinstance(held, dict)
    return held


async def put(world: World, **attributes: Value) -> int:
    """A sync with these attributes of one person; returns how many requests changed the account."""
    before = len(world.target.history.writes)
    world.source.put("id-ada", userPrincipalName="ada@example.com", **attributes)
    assert (await world.sync()).result is CycleResult.SUCCEEDED
    return len(world.target.history.writes) - before


async def test_several_values_compare_as_a_set(world: World) -> None:
    world.target.told = told(hr=[{"name": "teams", "multiValued": True}])
    mapped(world, teams="teams")
    assert await put(world, teams=("red", "blue")) == 1
    assert extension(world) == {"teams": ["red", "blue"]}
    assert await put(world, teams=("blue", "red")) == 0
    assert await put(world, teams=("BLUE", "red", "red")) == 0
    assert await put(world, teams=("blue", "red", "green")) == 1
    assert extension(world) == {"teams": ["blue", "red", "green"]}
    assert await put(world, teams="green") == 1
    assert extension(world) == {"teams": ["green"]}


async def test_numbers_booleans_and_times_compare_by_what_they_mean(world: World) -> None:
    kinds = {"badge": "integer", "share": "decimal", "remote": "boolean", "hired": "dateTime"}
    world.target.told = told(hr=[{"name": name, "type": kind} for name, kind in kinds.items()])
    mapped(world, **{name: name for name in kinds})
    assert await put(world, badge="007", share="1.50", remote="True", hired="2026-01-01T00:00:00Z") == 1
    assert extension(world) == {"badge": 7, "share": 1.5, "remote": True, "hired": "2026-01-01T00:00:00Z"}
    assert await put(world, badge="7", share="1.5", remote="true", hired="2026-01-01T01:00:00+01:00") == 0
    assert await put(world, badge="8", share="1.5", remote="False", hired="2026-01-01T00:00:00Z") == 1
    assert extension(world) == {"badge": 8, "share": 1.5, "remote": False, "hired": "2026-01-01T00:00:00Z"}


async def test_a_value_that_does_not_fit_the_targets_type_fails_that_person_only(world: World) -> None:
    world.target.told = told(hr=[{"name": "badge", "type": "integer"}])
    mapped(world, badge="badge")
    world.source.put("id-bob", userPrincipalName="bob@example.com", badge="none yet")
    world.source.put("id-ada", userPrincipalName="ada@example.com", badge="7")

    report = await world.sync()

    assert report.reasons == {"SchemaPropertyCanOnlyAcceptValue": 1}
    assert set(world.accounts()) == {"ada@example.com"}


async def test_another_schema_of_the_mapped_paths_has_everybody_looked_at_once_and_unguarded(world: World) -> None:
    people = [f"user{number}" for number in range(30)]
    for name in people:
        world.target.plant({"userName": f"{name}@example.com".upper(), "active": True})
    world.target.told = told(FOLDED)
    world.people(people)
    await world.sync()
    assert "USER1@EXAMPLE.COM" in world.accounts()
    world.target.told = told(EXACT)
    world.clock.advance(HOUR)
    for name in people[:3]:
        world.source.drop(f"id-{name}")

    report = await world.sync()
    again = await world.sync()

    assert (report.kind, report.counts.updated, report.counts.disabled, report.held) == (CycleKind.INITIAL, 27, 3, None)
    assert "user5@example.com" in world.accounts()
    assert (again.kind, again.counts.updated) == (CycleKind.INCREMENTAL, 0)


async def test_another_schema_of_paths_that_nobody_maps_changes_nothing(world: World) -> None:
    world.people(["ada"])
    await world.sync()
    world.target.told = told({"name": "nickName", "type": "integer"}, hr=[{"name": "badge"}])
    world.clock.advance(HOUR)
    assert (await world.sync()).kind is CycleKind.INCREMENTAL


async def test_a_cycle_that_failed_under_another_schema_leaves_the_next_one_to_look_at_everybody(world: World) -> None:
    world.people(["ada", "bob"])
    await world.sync()
    world.target.told = told(EXACT)
    world.clock.advance(HOUR)
    world.source.put("id-ada", **person("ada", jobTitle="Director"))
    world.target.faults.strike(Operation.UPDATE, FaultKind.UNAUTHORIZED)

    assert (await world.sync()).result is CycleResult.FAILED
    assert (await world.sync()).kind is CycleKind.INITIAL


async def test_a_constant_that_does_not_fit_ends_the_cycle_before_anything_is_written(world: World) -> None:
    attributes = ({"target": "userName", "source": "mail", "match": 1}, {"target": f"{HR}:badge", "constant": "soon"})
    world.mapping = compile_mapping(
        "people", AttributeMappingSpec.model_validate({"attributes": attributes}), fake_surroundings()
    )
    world.people(["ada"])
    world.target.told = told(hr=[{"name": "badge", "type": "integer"}])

    report = await world.sync()

    assert (report.result, report.error_reason) == (CycleResult.FAILED, "MappingInvalid")
    assert report.error.startswith("AttributeMapping/people spec.attributes[1].constant: ")
    assert world.accounts() == {}


async def test_a_target_that_denies_rfc_7643_still_gets_everybody_and_loses_its_leavers(world: World) -> None:
    world.target.told = Documents(schemas=contradictory_schemas())
    world.people([f"user{number}" for number in range(20)])
    await world.sync()
    world.source.drop("id-user3")

    report = await world.sync()

    assert (report.result, report.counts.disabled) == (CycleResult.SUCCEEDED, 1)
    assert world.accounts()["user3@example.com"]["active"] is False
    assert world.accounts()["user4@example.com"]["emails"] == [{"type": "work", "value": "user4@example.com"}]


async def test_a_mapping_that_the_apps_schemas_do_not_bear_out_ends_the_cycle_and_every_line_is_named(
    world: World,
) -> None:
    attributes = (
        {"target": "userName", "source": "mail", "match": 1},
        {"target": f"{HR}:bagde", "source": "jobTitle"},
        {"target": "active", "expression": 'Switch([jobTitle], "perhaps", "Engineer", "True")'},
        {"target": "password", "source": "jobTitle", "match": 2},
    )
    world.mapping = compile_mapping(
        "people", AttributeMappingSpec.model_validate({"attributes": attributes}), fake_surroundings()
    )
    world.people(["ada"])
    world.target.told = told({"name": "badge"}, hr=[{"name": "badge"}])

    report = await world.sync()

    assert (report.result, report.error_reason) == (CycleResult.FAILED, "MappingInvalid")
    for place in ("attributes[1].target", "attributes[2].expression", "attributes[3].match"):
        assert f"AttributeMapping/people spec.{place}: " in report.error
    assert f"did you mean {HR}:badge?" in report.error
    assert world.accounts() == {}

    world.mapping = direct_mapping()
    world.target.told = Documents()
    world.clock.advance(HOUR)
    assert (await world.sync()).result is CycleResult.SUCCEEDED


async def test_what_is_perhaps_not_meant_ends_no_cycle(world: World) -> None:
    attributes = (
        {"target": "userName", "source": "mail", "match": 1},
        {"target": "title", "constant": "a", "default": "b"},
    )
    world.mapping = compile_mapping(
        "people", AttributeMappingSpec.model_validate({"attributes": attributes}), fake_surroundings()
    )
    world.people(["ada"])
    assert (await world.sync()).result is CycleResult.SUCCEEDED
