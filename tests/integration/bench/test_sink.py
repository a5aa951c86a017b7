"""The sink, by what our own client, and its counts, need of it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from bench.sink import Sink

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
ADA: dict[str, Any] = {
    "schemas": [USER, ENTERPRISE],
    "userName": "Ada@example.com",
    "externalId": "1",
    "name": {"givenName": "Ada"},
    "emails": [{"type": "work", "value": "ada@example.com"}, {"type": "home", "value": "ada@home"}],
    ENTERPRISE: {"department": "R&D"},
}


@pytest.fixture(scope="module")
def sink() -> Iterator[Sink]:
    with Sink() as running:
        yield running


@pytest.fixture
def app(sink: Sink) -> Iterator[httpx.Client]:
    sink.reset()
    with httpx.Client(base_url=sink.url, trust_env=False) as client:
        yield client


def _patch(app: httpx.Client, place: str, *operations: dict[str, Any]) -> httpx.Response:
    return app.patch(place, json={"Operations": list(operations)})


def test_a_created_user_comes_back_whole_with_its_place_and_version(app: httpx.Client) -> None:
    answer = app.post("/Users", json=ADA)

    made = answer.json()
    assert answer.status_code == 201
    assert answer.headers["location"] == made["meta"]["location"] == str(app.base_url.join(f"/Users/{made['id']}"))
    assert answer.headers["etag"] == made["meta"]["version"]
    assert {name: made[name] for name in ADA} == ADA
    assert app.get(f"/Users/{made['id']}").json() == made


def test_a_user_name_is_found_whatever_its_case_and_is_taken_whatever_its_case(app: httpx.Client) -> None:
    app.post("/Users", json=ADA)

    found = app.get("/Users", params={"filter": 'username Eq "aDA@example.com"'}).json()
    again = app.post("/Users", json={**ADA, "userName": "ADA@EXAMPLE.COM"})

    assert [user["userName"] for user in found["Resources"]] == ["Ada@example.com"]
    assert (again.status_code, again.json()["scimType"]) == (409, "uniqueness")


def test_an_external_id_is_found_and_anything_else_is_no_filter(app: httpx.Client) -> None:
    app.post("/Users", json=ADA)

    assert app.get("/Users", params={"filter": 'externalId eq "1"'}).json()["totalResults"] == 1
    assert app.get("/Users", params={"filter": 'externalId eq "2"'}).json()["totalResults"] == 0
    assert app.get("/Users", params={"filter": 'title sw "x"'}).json()["scimType"] == "invalidFilter"


def test_pages_are_cut_where_they_are_asked_to_and_end(app: httpx.Client) -> None:
    for number in range(5):
        app.post("/Users", json={"userName": f"user{number}"})

    pages = [app.get("/Users", params={"startIndex": start, "count": 2}).json() for start in (1, 3, 5, 6)]

    names = [[user["userName"] for user in page["Resources"]] for page in pages]
    assert names == [["user0", "user1"], ["user2", "user3"], ["user4"], []]
    assert {page["totalResults"] for page in pages} == {5}


def test_a_patch_changes_what_its_paths_name_and_nothing_else(app: httpx.Client) -> None:
    made = app.post("/Users", json=ADA).json()

    answer = _patch(
        app,
        f"/Users/{made['id']}",
        {"op": "replace", "path": 'emails[type eq "work"].value', "value": "new@example.com"},
        {"op": "replace", "path": f"{ENTERPRISE}:department", "value": "Sales"},
        {"op": "add", "path": "phoneNumbers", "value": [{"type": "work", "value": "1"}]},
        {"op": "add", "path": "name.familyName", "value": "Lovelace"},
        {"op": "remove", "path": "externalId"},
        {"op": "Replace", "path": "active", "value": False},
    )

    expected = {name: value for name, value in ADA.items() if name != "externalId"} | {
        "emails": [{"type": "work", "value": "new@example.com"}, ADA["emails"][1]],
        ENTERPRISE: {"department": "Sales"},
        "phoneNumbers": [{"type": "work", "value": "1"}],
        "name": {"givenName": "Ada", "familyName": "Lovelace"},
        "active": False,
    }
    assert {name: value for name, value in answer.json().items() if name not in ("id", "meta")} == expected
    assert answer.json()["meta"]["version"] == 'W/"2"'
    assert app.get("/Users", params={"filter": 'externalId eq "1"'}).json()["totalResults"] == 0


def test_a_filter_of_a_patch_that_selects_nothing_changes_nothing(app: httpx.Client) -> None:
    place = "/Users/" + app.post("/Users", json=ADA).json()["id"]

    answer = _patch(
        app,
        place,
        {"op": "replace", "path": "title", "value": "Boss"},
        {"op": "replace", "path": 'emails[type eq "other"].value', "value": "x"},
    )

    assert (answer.status_code, answer.json()["scimType"]) == (400, "noTarget")
    assert "title" not in app.get(place).json()


def test_a_version_that_is_not_the_present_one_changes_nothing(app: httpx.Client) -> None:
    place = "/Users/" + app.post("/Users", json=ADA).json()["id"]
    operations = {"Operations": [{"op": "replace", "path": "title", "value": "Boss"}]}

    assert app.patch(place, json=operations, headers={"if-match": 'W/"7"'}).status_code == 412
    assert app.patch(place, json=operations, headers={"if-match": 'W/"1"'}).status_code == 200


def test_a_put_replaces_and_a_delete_frees_the_name(app: httpx.Client) -> None:
    place = "/Users/" + app.post("/Users", json=ADA).json()["id"]

    put = app.put(place, json={"userName": "ada2"}).json()
    app.delete(place)

    assert {name for name in put if name not in ("id", "meta")} == {"userName"}
    assert app.get(place).status_code == 404
    assert app.post("/Users", json={"userName": "ADA2"}).status_code == 201


def test_it_describes_itself(app: httpx.Client) -> None:
    assert app.get("/ServiceProviderConfig").json()["patch"] == {"supported": True}
    assert [kind["endpoint"] for kind in app.get("/ResourceTypes").json()["Resources"]] == ["/Users"]
    assert app.get(f"/Schemas/{USER}").json()["name"] == "User"
    assert app.get("/Schemas/urn:nothing").status_code == 404


def test_it_counts_what_was_asked_by_kind_and_forgets_on_reset(app: httpx.Client, sink: Sink) -> None:
    place = "/Users/" + app.post("/Users", json=ADA).json()["id"]
    _patch(app, place, {"op": "replace", "path": "title", "value": "x"})
    app.get("/Users")
    app.get("/Users", params={"filter": 'userName eq "x"'})
    app.get("/Schemas")
    app.post("/Users", json=ADA)
    app.delete(place)

    counts = sink.counts()
    sink.reset()

    assert counts.kinds == {"create": 2, "patch": 1, "list": 1, "find": 1, "discovery": 1, "delete": 1}
    assert (counts.total, counts.writes, counts.refused, counts.users) == (7, 4, 1, 0)
    assert sink.counts().total == 0


def test_it_tells_when_each_patch_was_answered_by_the_clock_of_this_machine(app: httpx.Client, sink: Sink) -> None:
    place = app.post("/Users", json=ADA).headers["location"]
    assert sink.patches() == []

    before = time.time()
    for title in ("Engineer", "Editor"):
        _patch(app, place, {"op": "replace", "path": "title", "value": title})

    first, second = sink.patches()
    assert before <= first <= second <= time.time()
    sink.reset()
    assert sink.patches() == []


def test_a_delay_is_waited_by_each_request_for_itself() -> None:
    with Sink("200ms") as slow, ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: httpx.get(f"{slow.url}/Users", trust_env=False), range(8)))
        at_once = slow.counts().at_once

    assert {answer.status_code for answer in answers} == {200}
    assert min(answer.elapsed.total_seconds() for answer in answers) >= 0.2
    assert at_once > 1


def test_the_documents_are_all_users_as_they_were_written(app: httpx.Client, sink: Sink) -> None:
    app.post("/Users", json=ADA)

    assert sink.documents() == [ADA]
