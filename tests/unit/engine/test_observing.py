"""A connector that only observes: it plans, compares and reports, and writes nothing to the app."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from usher.core.model.reports import Assessment, CycleResult
from usher.core.model.resources import AttributePath
from usher.core.sync.policies import Enforcement
from usher.core.sync.untouchable import Spared, Untouchable
from usher.engine.cycle import preview_cycle
from usher.engine.job import Control
from usher.testing.faults import Fault, FaultKind, Operation, every
from usher.testing.world import World, group_mapping, open_world, person


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with open_world() as opened:
        opened.enforcement = Enforcement.OBSERVE
        opened.people(["ada", "bob", "cyd", "dan"])
        opened.target.plant({"userName": "ADA@example.com"})
        opened.target.plant({"userName": "robert", "emails": [{"type": "work", "value": "bob@example.com"}]})
        for name in ("one", "two"):
            opened.target.plant({"userName": name, "emails": [{"type": "work", "value": "cyd@example.com"}]})
        opened.target.plant({"userName": "stranger"})
        opened.target.plant({"userName": "root"})
        opened.untouchable = Untouchable((Spared(AttributePath("userName"), "root"),))
        yield opened


FOUND = Assessment(matched=2, unmatched=1, ambiguous=1, orphans=1)


async def test_it_plans_compares_reports_and_never_writes_however_often(world: World) -> None:
    for _ in range(3):
        report = await world.sync()
        assert report.result is CycleResult.PLANNED
        assert report.assessments == {"User": FOUND}
        assert (report.counts.created, report.counts.failed) == (1, 1)
    assert world.target.history.writes == ()
    assert await world.store.count_links(world.lane) == (0, 0)
    assert (await world.store.cycles(world.connector, 1))[0].assessments == {"User": FOUND}


async def test_from_observing_to_enforcing_all_is_done_that_was_shown(world: World) -> None:
    await world.sync()
    world.enforcement = Enforcement.ENFORCE
    report = await world.sync()
    assert (report.counts.created, report.counts.linked + report.counts.updated, report.assessments) == (1, 2, {})
    preview = await preview_cycle(world.job, world.ports, Control())
    assert preview.report.assessments == {"User": replace(FOUND, matched=3, unmatched=0)}


async def test_links_that_are_there_stay_and_are_matches_whatever_the_accounts_are_called_by_now(world: World) -> None:
    world.enforcement = Enforcement.ENFORCE
    await world.sync()
    world.enforcement = Enforcement.OBSERVE
    for target_id in list(world.target.accounts):
        if world.target.document(target_id)["userName"] == "ada@example.com":
            world.target.change(target_id, "userName", "renamed")
    world.source.put("id-bob", **person("bob", jobTitle="Boss"))
    before = len(world.target.history.writes)
    report = await world.sync()
    assert report.assessments == {"User": replace(FOUND, matched=3, unmatched=0)}
    assert report.counts.updated == 1
    assert len(world.target.history.writes) == before


async def test_the_better_matching_attribute_decides_and_what_answers_to_another_is_no_orphan(world: World) -> None:
    world.target.plant({"userName": "dan@example.com"})
    world.target.plant({"userName": "other", "emails": [{"type": "work", "value": "dan@example.com"}]})
    report = await world.sync()
    assert report.assessments == {"User": replace(FOUND, matched=3, unmatched=0)}


async def test_two_people_who_claim_one_account_are_ambiguous(world: World) -> None:
    world.source.put("id-dan", **person("dan", mail="x@example.com"))
    world.source.put("id-eve", **person("eve", mail="X@example.com"))
    world.target.plant({"userName": "x", "emails": [{"type": "work", "value": "x@example.com"}]})
    report = await world.sync()
    assert report.assessments == {"User": Assessment(matched=2, unmatched=0, ambiguous=3, orphans=1)}


async def test_a_plan_names_the_orphans_and_groups_are_assessed_apart(world: World) -> None:
    world.group_mapping = group_mapping()
    world.group("team", "ada")
    await world.read()
    preview = await preview_cycle(world.job, world.ports, Control())
    assert preview.report.assessments["Group"] == Assessment(0, 1, 0, 0)
    [orphan] = [one for ones in preview.orphans.values() for one in ones]
    assert world.target.document(orphan)["userName"] == "stranger"


async def test_an_app_that_can_not_be_listed_is_planned_for_all_the_same(world: World) -> None:
    world.target.faults.add(every(Operation.LIST, 1, Fault(FaultKind.LYING_TOTAL)))
    report = await world.sync()
    assert (report.result, report.assessments) == (CycleResult.PLANNED, {})
    assert report.counts.created == 1
