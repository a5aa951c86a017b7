"""A cycle as its users know it: who is created, updated, disabled, left alone, and what is said about it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from usher.core.model.reports import CycleKind, CycleResult
from usher.testing.faults import Operation
from usher.testing.world import World, open_world, person


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with open_world() as new:
        yield new


async def test_everybody_of_the_source_gets_an_account(world: World) -> None:
    world.people(["ada", "bob", "cleo"])

    report = await world.sync()

    assert report.result is CycleResult.SUCCEEDED
    assert report.kind is CycleKind.INITIAL
    assert report.counts.created == 3
    accounts = world.accounts()
    assert set(accounts) == {"ada@example.com", "bob@example.com", "cleo@example.com"}
    assert accounts["ada@example.com"]["active"] is True
    assert accounts["ada@example.com"]["emails"] == [{"type": "work", "value": "ada@example.com"}]


async def test_the_second_cycle_writes_nothing(world: World) -> None:
    world.people([f"user{n}" for n in range(120)])
    await world.sync()
    before = len(world.target.history.writes)

    report = await world.sync()

    assert report.kind is CycleKind.INCREMENTAL
    assert report.result is CycleResult.SUCCEEDED
    assert len(world.target.history.writes) == before == 120


async def test_only_the_changed_attribute_of_a_mover_is_sent(world: World) -> None:
    world.people(["ada", "bob"])
    await world.sync()
    world.source.put("id-ada", **person("ada", jobTitle="Director"))

    report = await world.sync()

    assert (report.counts.updated, report.counts.created) == (1, 0)
    assert world.accounts()["ada@example.com"]["title"] == "Director"
    assert len(world.target.history.writes_of(Operation.UPDATE)) == 1


async def test_a_leaver_is_disabled_and_not_deleted(world: World) -> None:
    world.people([f"user{n}" for n in range(20)])
    await world.sync()
    world.source.drop("id-user3")

    report = await world.sync()

    assert report.counts.disabled == 1
    assert world.accounts()["user3@example.com"]["active"] is False
    assert world.accounts()["user4@example.com"]["active"] is True


async def test_somebody_disabled_at_the_source_is_disabled_and_nothing_else_of_them_changes(world: World) -> None:
    world.people(["ada"])
    await world.sync()
    world.source.put("id-ada", **person("ada", accountEnabled=False, jobTitle="Former"))

    await world.sync()

    account = world.accounts()["ada@example.com"]
    assert account["active"] is False
    assert account["title"] == "Engineer"


async def test_a_come_back_re_enables_the_same_account(world: World) -> None:
    world.people([f"user{n}" for n in range(20)])
    await world.sync()
    first = set(world.target.accounts)
    world.source.drop("id-user3")
    await world.sync()
    world.people(["user3"])

    report = await world.sync()

    assert report.counts.updated == 1
    assert world.accounts()["user3@example.com"]["active"] is True
    assert set(world.target.accounts) == first


async def test_somebody_disabled_at_the_source_is_never_created(world: World) -> None:
    world.source.put("id-ada", **person("ada", accountEnabled=False))

    report = await world.sync()

    assert report.counts.skipped == 1
    assert report.result is CycleResult.SUCCEEDED
    assert world.accounts() == {}


async def test_an_account_that_matches_is_taken_over_and_not_made_twice(world: World) -> None:
    world.target.plant({"userName": "ADA@example.com", "displayName": "Someone", "active": True})
    world.people(["ada"])

    report = await world.sync()

    assert (report.counts.created, report.counts.updated) == (0, 1)
    assert len(world.target.accounts) == 1
    assert world.accounts()["ADA@example.com"]["displayName"] == "Ada"


async def test_many_accounts_that_match_are_taken_over_by_one_list(world: World) -> None:
    names = [f"user{n}" for n in range(60)]
    for name in names:
        world.target.plant({"userName": f"{name}@example.com", "active": True})
    world.people(names)

    report = await world.sync()

    assert report.counts.created == 0
    assert len(world.target.accounts) == 60
    assert world.target.faults.count(Operation.FIND) == 0


async def test_a_stranger_is_never_touched(world: World) -> None:
    stranger = world.target.plant({"userName": "svc-backup", "active": True})
    world.people([f"user{n}" for n in range(30)])
    await world.sync()
    world.people(["more"])

    await world.sync()

    assert all(entry.id != stranger for entry in world.target.history.writes)


async def test_two_people_with_one_matching_value_settle_neither(world: World) -> None:
    world.people(["ada"])
    world.source.put("id-other", **person("ada", userPrincipalName="ADA@example.com", mail="other@example.com"))

    report = await world.sync()

    assert report.result is CycleResult.PARTIAL
    assert report.reasons == {"DuplicateSourceEntries": 2}
    assert world.accounts() == {}


async def test_a_duplicate_that_goes_away_settles_the_other(world: World) -> None:
    world.people(["ada"])
    world.source.put("id-other", **person("ada"))
    await world.sync()
    world.source.put("id-other", **person("eve"))

    report = await world.sync()

    assert report.result is CycleResult.SUCCEEDED
    assert set(world.accounts()) == {"ada@example.com", "eve@example.com"}


async def test_a_person_without_a_matching_value_waits_and_the_rest_goes_on(world: World) -> None:
    world.source.put("id-x", displayName="Nobody")
    world.people(["ada"])

    report = await world.sync()

    assert report.reasons == {"ImportSkipped": 1}
    assert set(world.accounts()) == {"ada@example.com"}


async def test_two_accounts_for_one_person_settle_neither(world: World) -> None:
    world.target.plant({"userName": "one", "emails": [{"type": "work", "value": "ada@example.com"}]})
    world.target.plant({"userName": "two", "emails": [{"type": "work", "value": "ada@example.com"}]})
    world.people(["ada"])

    report = await world.sync()

    assert report.reasons == {"DuplicateTargetEntries": 1}
    assert world.target.history.writes == ()


async def test_an_account_gone_at_the_target_is_made_again_for_an_active_person(world: World) -> None:
    world.people(["ada"])
    await world.sync()
    for target_id in list(world.target.accounts):
        world.target.remove(target_id)
    world.source.put("id-ada", **person("ada", jobTitle="Director"))

    first = await world.sync()
    second = await world.sync()

    assert first.reasons == {"InvalidAnchor": 1}
    assert second.result is CycleResult.SUCCEEDED
    assert world.accounts()["ada@example.com"]["title"] == "Director"


async def test_a_user_name_passes_from_one_person_to_another_in_one_cycle(world: World) -> None:
    world.people(["ada", "bob", "cleo"])
    await world.sync()
    world.source.put("id-ada", **person("ada", userPrincipalName="bob@example.com", mail="a1@example.com"))
    world.source.put("id-bob", **person("bob", userPrincipalName="cleo@example.com", mail="b1@example.com"))
    world.source.put("id-cleo", **person("cleo", userPrincipalName="new@example.com", mail="c1@example.com"))
    world.source.put("id-dan", **person("ada", mail="d1@example.com"))

    report = await world.sync()

    assert report.result is CycleResult.SUCCEEDED
    assert {name: account["displayName"] for name, account in world.accounts().items()} == {
        "bob@example.com": "Ada",
        "cleo@example.com": "Bob",
        "new@example.com": "Cleo",
        "ada@example.com": "Ada",
    }


async def test_a_dry_run_writes_nothing_and_says_what_a_cycle_would_do(world: World) -> None:
    world.people(["ada", "bob"])
    await world.read()

    report = await world.plan()

    assert report.result is CycleResult.PLANNED
    assert report.counts.created == 2
    assert world.target.history.writes == ()
    assert (await world.cycle()).counts.created == 2
