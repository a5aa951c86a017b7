"""What the read API says of people, links and plans: page by page, and no more than may be seen."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from unit.kube.read_api_stage import Stage, open_stage
from usher.api.conditions import Finding
from usher.core.sync.policies import Budget
from usher.kube.readapi import answering
from usher.kube.readapi.names import PAGE, Question
from usher.testing.store_examples import CRM
from usher.testing.world import World, group_mapping

SECRET = "grace.hopper@example.com"
MANY = [f"p{number:04}" for number in range(1201)]


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with open_stage(tmp_path) as stage:
        yield stage


@pytest.fixture
async def world(stage: Stage) -> World:
    """Five people have their accounts."""
    world = stage.world()
    world.people(["ada", "bob", "cyd", "una", "van"])
    await world.sync()
    stage.show(world)
    return world


async def pages(stage: Stage, question: str, **params: object) -> list[dict[str, Any]]:
    """All of them, one after the other."""
    found: list[dict[str, Any]] = []
    after: str | None = ""
    while after is not None:
        answer = await stage.ask(question, {**params, **({"after": after} if after else {})})
        assert answer.status_code == 200, answer.text
        found.append(answer.json())
        after = found[-1]["after"]
    return found


# --- explain


async def test_who_is_called_so_is_told_with_states_values_and_log(stage: Stage, world: World) -> None:
    del world
    told = (await stage.ask("explain", {"user": "ADA@example.com"})).json()
    assert (told["connector"], told["sourceId"], told["enabled"]) == (CRM.connector, "id-ada", True)
    assert {"scope", "account"} <= {one["state"] for one in told["states"]}
    assert [one["value"] for one in told["values"] if one["path"] == "displayName"] == ["Ada"]
    assert [line["action"] for line in told["log"]] == ["Create"]


async def test_nobody_of_that_name_is_no_error_and_similar_names_are_told(stage: Stage, world: World) -> None:
    del world
    told = (await stage.ask("explain", {"user": "id-ad"})).json()
    assert (told["candidates"], told["near"]) == ([], ["id-ada"])


async def test_a_held_change_is_told_with_the_command_of_a_cluster(stage: Stage, world: World) -> None:
    world.budget = Budget(max_count=0)
    world.source.drop("id-bob")
    held = (await world.sync()).held
    assert held is not None
    stage.show(world)
    told = (await stage.ask("explain", {"user": "id-bob"})).json()
    (state,) = [one for one in told["states"] if one["state"] == "held"]
    assert state["wayOut"].endswith(f"usher approve -n identity crm {held.hash}")


async def test_of_a_big_group_the_members_are_told_that_are_missing_first(
    stage: Stage, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answering, "MOST_REFERENCES", 2)
    world.group_mapping = group_mapping()
    world.group("staff", "ada", "bob", "cyd", "nobody")
    await world.sync()
    stage.show(world)
    told = (await stage.ask("explain", {"user": "id-staff"})).json()
    assert [one["given"] for one in told["references"]] == ["NoActiveAccount", "Given"]
    assert told["referencesLeftOut"] == 2


# --- links


async def test_links_come_page_by_page_users_first_and_each_once(stage: Stage) -> None:
    world = stage.world()
    world.group_mapping = group_mapping()
    world.people(MANY)
    world.group("staff", "p0000")
    world.group("board", "p0000")
    await world.sync()

    found = await pages(stage, "links")

    assert [len(page["links"]) for page in found] == [PAGE, PAGE, len(MANY) + 2 - 2 * PAGE]
    assert {page["total"] for page in found} == {len(MANY) + 2}
    listed = [(one["resourceType"], one["sourceId"]) for page in found for one in page["links"]]
    assert listed == [*(("User", f"id-{name}") for name in MANY), ("Group", "id-board"), ("Group", "id-staff")]
    small = await pages(stage, "links", limit=401)
    assert [(one["resourceType"], one["sourceId"]) for page in small for one in page["links"]] == listed


async def test_a_connector_without_links_has_none_and_one_that_is_not_there_is_not_found(stage: Stage) -> None:
    for params in ({}, {"orphans": "true"}):
        assert (await stage.ask("links", params)).status_code == 404
    stage.objects[stage.key] = {}
    assert (await stage.ask("links")).json() == {"connector": CRM.connector, "total": 0, "links": [], "after": None}
    assert (await stage.ask("links", {"orphans": "true"})).json() == {"connector": CRM.connector, "orphans": []}


# --- plan


async def test_what_is_held_comes_before_what_is_planned(stage: Stage, world: World) -> None:
    world.budget = Budget(max_count=0)
    world.source.drop("id-bob")
    await world.sync()
    world.people(["dan", "eve"])
    await world.read()
    await world.plan()
    stage.show(world)

    found = await pages(stage, "plan", limit=1)

    changes = [(one["action"], one["sourceId"], one["held"]) for page in found for one in page["changes"]]
    assert changes[0] == ("Disable", "id-bob", True)
    assert sorted(changes[1:]) == [("Create", "id-dan", False), ("Create", "id-eve", False)]
    assert {page["held"]["reason"] for page in found} == {"OverBudget"}
    assert found[0]["held"]["approve"] == f"usher approve -n identity crm {found[0]['held']['hash']}"


async def test_a_long_plan_comes_whole_and_each_change_once(stage: Stage) -> None:
    world = stage.world()
    world.people(MANY)
    await world.read()
    await world.plan()
    stage.show(world)
    found = await pages(stage, "plan")
    assert sorted(one["sourceId"] for page in found for one in page["changes"]) == [f"id-{name}" for name in MANY]
    assert [len(page["changes"]) for page in found] == [PAGE, PAGE, len(MANY) - 2 * PAGE]


# --- who asks wrongly


@pytest.mark.parametrize("question", ["links", "plan"])
@pytest.mark.parametrize("mark", [SECRET, "User", "held.User.99.0.id", "held.User.30.x.id", "x.User.30.0.id"])
async def test_a_mark_of_nobody_s_is_refused_without_repeating_it(
    stage: Stage, world: World, question: str, mark: str
) -> None:
    del world
    if question == "links" and mark == "User":
        mark = "Nobody/id-ada"
    answer = await stage.ask(question, {"after": mark})
    assert (answer.status_code, answer.json()["message"]) == (400, "after: it has to be what an answer gave")


@pytest.mark.parametrize("question", ["explain", "plan"])
async def test_a_connector_that_can_t_be_worked_on_says_why(stage: Stage, world: World, question: str) -> None:
    del world
    stage.prepared[stage.key] = Finding("MappingInvalid", "AttributeMapping/people: no such function")
    answer = await stage.ask(question, {"user": "id-ada"} if question == "explain" else {})
    assert (answer.status_code, answer.json()["reason"]) == (409, "MappingInvalid")
    assert "AttributeMapping/people" in answer.json()["message"]


@pytest.mark.parametrize("question", list(Question))
async def test_a_right_to_one_question_is_none_to_another(stage: Stage, world: World, question: Question) -> None:
    del world
    stage.reviews.rights["ada"] = {(question.value, stage.key.namespace, stage.key.name)}
    params = {Question.EXPLAIN: {"user": "id-ada"}}
    allowed = {one for one in Question if (await stage.ask(one, params.get(one, {}))).status_code == 200}
    assert allowed == {question}


async def test_nothing_that_is_asked_is_written(stage: Stage, world: World) -> None:
    before = json.dumps((await pages(stage, "links"))[0])
    requests = len(world.target.history)
    for question, params in ((Question.EXPLAIN, {"user": "id-ada"}), (Question.PLAN, {})):
        assert (await stage.ask(question, params)).status_code == 200
    assert json.dumps((await pages(stage, "links"))[0]) == before
    assert len(world.target.history) == requests
