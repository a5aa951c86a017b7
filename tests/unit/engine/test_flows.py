"""When values flow, what null does, and by which accounts are found: mappings as they are applied, on a whole world."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import pytest

from usher.api.v1alpha1.mappings import AttributeMappingSpec
from usher.assembly.mappings import compile_mapping
from usher.contracts.log import WHOLE_LOG
from usher.core.model.reports import CycleResult
from usher.core.model.resources import Json, SourceId, Value
from usher.core.sync.matching import Adopt
from usher.core.sync.rules import CompiledMapping
from usher.testing.clock import fake_surroundings
from usher.testing.faults import Fault, FaultKind, FaultSchedule, nth
from usher.testing.faults import Operation as Op
from usher.testing.world import World, open_world, person

MATCH = {"target": "userName", "source": "userPrincipalName", "match": 1}


def mapping(*attributes: Mapping[str, Any], groups: Sequence[Mapping[str, Any]] = ()) -> CompiledMapping:
    found_by = () if groups else (MATCH,)
    spec = {"attributes": (*found_by, *attributes), "matchGroups": tuple(groups)}
    return compile_mapping("people", AttributeMappingSpec.model_validate(spec), fake_surroundings())


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with open_world() as opened:
        yield opened


async def account(world: World, name: str = "ada@example.com") -> Mapping[str, Json]:
    """The account after a cycle that left nothing undone, and another that wrote nothing."""
    assert (await world.sync()).result is CycleResult.SUCCEEDED
    writes = len(world.target.history.writes)
    assert (await world.cycle()).result is CycleResult.SUCCEEDED
    assert len(world.target.history.writes) == writes
    return world.accounts()[name]


# --- when a value is written ----------------------------------------------------------------------------------------


async def test_a_value_of_the_creation_is_not_written_again(world: World) -> None:
    world.mapping = mapping({"target": "locale", "source": "locale", "apply": "OnCreate"})
    world.source.put("id-ada", **person("ada", locale="de-CH"))
    assert (await account(world))["locale"] == "de-CH"

    world.source.put("id-ada", **person("ada", locale="fr-CH"))

    assert (await account(world))["locale"] == "de-CH"


async def test_an_account_that_was_there_keeps_its_value_of_the_creation(world: World) -> None:
    world.mapping = mapping({"target": "locale", "constant": "en-US", "apply": "OnCreate"})
    world.target.plant({"userName": "ada@example.com", "locale": "de-CH"})
    world.people(["ada"])

    assert (await account(world))["locale"] == "de-CH"


ROLES = {"target": "roles", "source": "rights"}


async def test_several_values_are_written_as_values_of_a_complex_attribute(world: World) -> None:
    world.mapping = mapping(ROLES)
    world.source.put("id-ada", **person("ada"), rights=("admin", "editor"))

    assert (await account(world))["roles"] == [{"value": "admin"}, {"value": "editor"}]


async def test_what_the_app_adds_to_a_value_is_no_difference(world: World) -> None:
    world.mapping = mapping(ROLES)
    there: Json = [{"value": "Editor", "display": "Editor", "primary": False}, {"value": "admin"}]
    world.target.plant({"userName": "ada@example.com", "roles": there})
    world.source.put("id-ada", **person("ada"), rights=("admin", "editor"))

    assert (await account(world))["roles"] == there
    assert not world.target.history.writes


async def test_values_that_are_only_added_stay_when_the_source_has_them_no_more(world: World) -> None:
    world.mapping = mapping({**ROLES, "apply": "AddValuesOnly"})
    world.source.put("id-ada", **person("ada"), rights=("admin", "editor"))
    await world.sync()

    world.source.put("id-ada", **person("ada"), rights=("editor", "viewer"))

    held = str((await account(world))["roles"])
    assert all(value in held for value in ("admin", "editor", "viewer"))


async def test_what_grants_something_goes_with_what_gave_it(world: World) -> None:
    world.mapping = mapping(ROLES, {"target": "title", "source": "jobTitle"})
    world.source.put("id-ada", **person("ada"), rights=("admin",))
    await world.sync()

    world.source.put("id-ada", userPrincipalName="ada@example.com")

    after = await account(world)
    assert "roles" not in after
    assert after["title"] == "Engineer"


# --- null -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("on_null", "left"), [("Keep", "Research"), ("Clear", None), (None, "Research")])
async def test_null_clears_where_the_mapping_says_so(world: World, on_null: str | None, left: str | None) -> None:
    rule = {"target": "title", "source": "department", **({"onNull": on_null} if on_null else {})}
    world.mapping = mapping(rule)
    world.source.put("id-ada", **person("ada", department="Research"))
    await world.sync()

    world.source.put("id-ada", **person("ada"))

    assert (await account(world)).get("title") == left


async def test_clearing_takes_the_default_of_a_creation_away(world: World) -> None:
    world.mapping = mapping({"target": "title", "source": "department", "onNull": "Clear", "default": "Employee"})
    world.people(["ada"])
    await world.sync()
    assert world.accounts()["ada@example.com"]["title"] == "Employee"

    world.source.put("id-ada", **person("ada", department="Research"))
    await world.sync()
    world.source.put("id-ada", **person("ada"))

    assert "title" not in await account(world)


async def test_what_is_ignored_when_empty_is_neither_cleared_nor_given_a_default(world: World) -> None:
    expression = "IgnoreFlowIfNullOrEmpty([rights])"
    world.mapping = mapping({"target": "roles", "expression": expression, "default": "guest"})
    world.source.put("id-ada", **person("ada", rights="admin"))
    world.people(["bob"])
    await world.sync()

    world.source.put("id-ada", **person("ada"))

    assert (await account(world))["roles"] == [{"value": "admin"}]
    assert "roles" not in world.accounts()["bob@example.com"]


async def test_only_the_element_that_a_filter_selects_is_cleared(world: World) -> None:
    world.mapping = mapping({"target": 'emails[type eq "work"].value', "source": "mail", "onNull": "Clear"})
    home: Json = {"type": "home", "value": "a@home"}
    world.target.plant({"userName": "ada@example.com", "emails": [home, {"type": "work", "value": "a@work"}]})
    world.source.put("id-ada", userPrincipalName="ada@example.com")

    emails = str((await account(world))["emails"])
    assert "a@home" in emails
    assert "a@work" not in emails


async def test_without_a_required_value_nobody_is_created_and_everybody_else_is(world: World) -> None:
    match = {"target": "externalId", "source": "employeeId", "match": 1}
    spec = AttributeMappingSpec.model_validate(
        {"attributes": (match, {"target": "userName", "source": "userPrincipalName"})}
    )
    world.mapping = compile_mapping("people", spec, fake_surroundings())
    world.source.put("id-ada", employeeId="1")
    world.source.put("id-bob", employeeId="2", **person("bob"))

    report = await world.sync()

    assert report.reasons == {"MandatoryFieldsMissing": 1}
    assert set(world.accounts()) == {"bob@example.com"}


# --- groups of matching attributes ----------------------------------------------------------------------------------

TOGETHER = [{"targets": ("userType", "name.familyName"), "precedence": 1}]
PARTS = (
    {"target": "userType", "source": "number"},
    {"target": "name.familyName", "source": "surname"},
    {"target": "userName", "source": "userPrincipalName"},
)


@pytest.mark.parametrize("others", [0, 20])
async def test_an_account_is_found_when_all_of_a_group_are_equal(world: World, others: int) -> None:
    world.mapping = mapping(*PARTS, groups=TOGETHER)
    right = world.target.plant({"userName": "x", "userType": "7", "name": {"familyName": "lovelace"}})
    world.target.plant({"userName": "y", "userType": "7", "name": {"familyName": "Byron"}})
    world.source.put("id-ada", **person("ada", number="7", surname="Lovelace"))
    for number in range(others):  # many are looked for in a list
        world.source.put(f"id-{number}", **person(f"p{number}", number=str(number + 100), surname="Lovelace"))

    await account(world)

    assert world.target.document(right)["userName"] == "ada@example.com"
    assert len(world.target.accounts) == 2 + others


async def test_two_people_with_equal_groups_are_left_alone(world: World) -> None:
    world.mapping = mapping(*PARTS, groups=TOGETHER)
    world.source.put("id-ada", **person("ada", number="7", surname="Lovelace"))
    world.source.put("id-bob", **person("bob", number="7", surname="lovelace"))
    world.source.put("id-cyd", **person("cyd", number="7"))

    report = await world.sync()

    assert report.reasons == {"DuplicateSourceEntries": 2, "ImportSkipped": 1}
    assert not world.target.accounts


async def test_an_account_is_found_by_one_of_its_several_values(world: World) -> None:
    found_by = [{"targets": ("emails.value", "userType"), "precedence": 1}]
    world.mapping = mapping({"target": "emails.value", "source": "mail"}, *PARTS, groups=found_by)
    mails: Json = [{"type": "home", "value": "x@example.com"}, {"type": "work", "value": "ADA@example.com"}]
    right = world.target.plant({"userName": "old", "userType": "7", "emails": mails})
    world.source.put("id-ada", **person("ada", number="7"))
    for number in range(20):  # so many are looked for in a list
        world.source.put(f"id-{number}", **person(f"p{number}", number=str(number)))

    await world.read()
    await world.plan()
    rows = [row async for found in _rows(world) for row in found]

    assert [str(right) in str(row) for row in rows].count(True) == 1
    assert len(rows) == 1 + 20


async def test_an_account_with_too_many_values_is_asked_for_and_not_multiplied(world: World) -> None:
    found_by = [{"targets": ("emails.value", "roles.value"), "precedence": 1}]
    both = ({"target": "emails.value", "source": "mail"}, {"target": "roles.value", "source": "jobTitle"})
    world.mapping = mapping(*both, PARTS[2], groups=found_by)
    many: Json = [{"value": str(number)} for number in range(5_000)]
    world.target.plant({"userName": "hoarder", "emails": many, "roles": many})
    world.people([f"p{number}" for number in range(20)])

    await world.read()

    assert (await world.plan()).counts.created == 20


async def test_values_of_a_group_never_run_into_each_other(world: World) -> None:
    world.mapping = mapping(*PARTS, groups=TOGETHER)
    world.source.put("id-ada", **person("ada", number="1'&name.familyName='2", surname="3"))
    world.source.put("id-bob", **person("bob", number="1", surname="2'&name.familyName='3"))

    assert (await world.sync()).counts.created == 2


# --- accounts that are left alone -----------------------------------------------------------------------------------


async def test_an_account_that_somebody_else_made_is_not_taken_over(world: World) -> None:
    world.adopt = Adopt.NEVER
    world.mapping = mapping({"target": "title", "source": "jobTitle"})
    world.target.plant({"userName": "ada@example.com", "title": "Countess"})
    world.people(["ada", "bob"])

    report = await world.sync()

    assert report.reasons == {"AdoptionRefused": 1}
    assert world.accounts()["ada@example.com"]["title"] == "Countess"
    assert "bob@example.com" in world.accounts()


async def test_our_own_account_is_known_by_its_anchor(world: World) -> None:
    world.adopt = Adopt.NEVER
    spec = AttributeMappingSpec.model_validate(
        {"attributes": ({**MATCH, "match": 2}, {"target": "externalId", "source": "objectId", "match": 1})}
    )
    world.mapping = compile_mapping("people", spec, fake_surroundings())
    world.target.plant({"userName": "old@example.com", "externalId": "id-ada"})
    world.source.put("id-ada", objectId="id-ada", **person("ada"))

    await account(world)

    assert set(world.accounts()) == {"ada@example.com"}


async def test_an_account_of_an_unfinished_create_is_our_own(world: World) -> None:
    world.adopt = Adopt.NEVER
    world.mapping = mapping({"target": "title", "source": "jobTitle"})
    world.people(["ada"])
    unseen = [nth(Op.CREATE, 1, Fault(FaultKind.LOST_AFTER)), nth(Op.FIND, 2, Fault(FaultKind.UNAVAILABLE))]
    world.target.faults = FaultSchedule(unseen)

    await world.sync()

    assert (await account(world))["title"] == "Engineer"


# --- values that nobody has -----------------------------------------------------------------------------------------

CHOSEN = {
    "target": "nickName",
    "expression": 'SelectUniqueValue([surname], Join("", [surname], "2"), Join("", [surname], "3"))',
}


async def test_the_first_value_that_nobody_has_is_chosen_once(world: World) -> None:
    world.mapping = mapping(CHOSEN, {"target": "title", "source": "jobTitle"})
    world.target.plant({"userName": "x", "nickName": "LEE"})
    world.source.put("id-ada", **person("ada", surname="Lee"))
    world.source.put("id-bob", **person("bob", surname="Lee"))
    assert (await world.sync()).counts.created == 2
    chosen = {world.accounts()[f"{name}@example.com"]["nickName"] for name in ("ada", "bob")}
    assert chosen == {"Lee2", "Lee3"}
    ada = world.accounts()["ada@example.com"]["nickName"]

    world.source.put("id-ada", **person("ada", surname="King", jobTitle="Countess"))

    assert (await account(world))["nickName"] == ada
    assert world.accounts()["ada@example.com"]["title"] == "Countess"


async def test_somebody_for_whom_every_value_is_taken_waits(world: World) -> None:
    world.mapping = mapping(CHOSEN)
    for value in ("Lee", "Lee2", "Lee3"):
        world.target.plant({"userName": value, "nickName": value})
    world.source.put("id-ada", **person("ada", surname="Lee"))

    assert (await world.sync()).reasons == {"NoUniqueValue": 1}
    assert "ada@example.com" not in world.accounts()

    world.target.change(next(iter(world.target.accounts)), "nickName", "Kim")
    assert (await account(world))["nickName"] == "Lee"


# --- what the app never returns -------------------------------------------------------------------------------------

SECRET = "correct horse battery staple"
PASSWORD = {"target": "password", "source": "initialPassword"}


async def everything_stored(world: World, source_id: str = "id-ada") -> str:
    """What the state holds of a person, but for the snapshot of the source."""
    links = await world.store.links(world.lane, [SourceId(source_id)])
    rows = [row async for rows in _rows(world) for row in rows]
    return f"{links}{rows}{await world.store.log(world.connector, WHOLE_LOG, 100)}"


async def _rows(world: World) -> AsyncIterator[Sequence[object]]:
    for phase, rank in await world.store.ranks(world.lane):
        async for rows in world.store.changes_of(world.lane, phase, rank):
            yield rows


async def test_a_password_is_sent_on_creation_and_stands_nowhere(world: World) -> None:
    world.mapping = mapping(PASSWORD)
    world.source.put("id-ada", **person("ada", initialPassword=SECRET))
    await world.read()
    await world.plan()
    assert SECRET not in await everything_stored(world)
    assert (await account(world))["password"] == SECRET

    world.source.put("id-ada", **person("ada", initialPassword="another one"))

    assert (await account(world))["password"] == SECRET
    assert SECRET not in await everything_stored(world)


async def test_a_password_that_is_kept_up_is_sent_when_it_changes(world: World) -> None:
    world.mapping = mapping({**PASSWORD, "apply": "Always"})
    world.source.put("id-ada", **person("ada", initialPassword=SECRET))
    assert (await account(world))["password"] == SECRET

    world.source.put("id-ada", **person("ada", initialPassword="another one"))

    assert (await account(world))["password"] == "another one"
    stored = await everything_stored(world)
    assert SECRET not in stored
    assert "another one" not in stored


async def test_a_password_of_chance_is_made_when_it_is_sent(world: World) -> None:
    world.mapping = mapping({"target": "password", "expression": "RandomString(20, 3, 2, 3, 3, )"})
    world.people(["ada"])

    assert len(str((await account(world))["password"])) == 20


async def test_two_states_seal_the_same_value_differently(world: World) -> None:
    one = await world.store.seal_key(b"1" * 32)
    rules = mapping({**PASSWORD, "apply": "Always"})
    assert CompiledMapping(rules.rules, None, "", (), one).seal(SECRET) != rules.seal(SECRET)


# --- one primary value ----------------------------------------------------------------------------------------------


async def test_of_several_values_one_is_the_primary_one(world: World) -> None:
    home = {"target": 'emails[type eq "home"].primary', "source": "prefersHome"}
    work = {"target": 'emails[type eq "work"].primary', "source": "prefersWork"}
    world.mapping = mapping(home, work)
    flags: Mapping[str, Value] = {"prefersHome": True, "prefersWork": True}
    world.source.put("id-ada", **person("ada"), **flags)
    world.source.put("id-bob", **person("bob"), prefersHome=True, prefersWork=False)

    report = await world.sync()

    assert report.reasons == {"SchemaPropertyCanOnlyAcceptValue": 1}
    assert set(world.accounts()) == {"bob@example.com"}
