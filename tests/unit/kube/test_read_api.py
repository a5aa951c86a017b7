"""The read API: who is answered, what, and how much of it."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from unit.kube.read_api_stage import ADA, NAME, NAMESPACE, PLACE, Stage, open_stage
from usher.core.model.outcomes import ValueChange
from usher.core.model.resources import AttributePath
from usher.kube.objects import Kind, ObjectKey
from usher.kube.readapi import server
from usher.kube.readapi.names import AUDIENCE, LARGEST, PAGE
from usher.kube.readapi.reviews import KEPT, MOST
from usher.testing.store_examples import CRM, NOON, WIKI, make_entry

SECRET = "grace.hopper@example.com"


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with open_stage(tmp_path) as stage:
        yield stage


# --- who


async def test_who_may_is_answered_with_the_lines_of_that_connector(stage: Stage) -> None:
    await stage.store.append_log(CRM.connector, [make_entry("p1", "first"), make_entry("p2", "second")])
    await stage.store.append_log(WIKI.connector, [make_entry("p3", "of another")])

    answer = await stage.ask()

    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    page = answer.json()
    assert [line["detail"] for line in page["entries"]] == ["second", "first"]
    assert (page["connector"], page["before"]) == (CRM.connector, None)


async def test_the_api_server_is_told_the_user_as_it_named_him_and_the_very_subresource(stage: Stage) -> None:
    await stage.ask()
    assert stage.reviews.specs[-1] == {
        "user": "ada",
        "uid": "7",
        "groups": ["staff"],
        "extra": {"scopes": ["x"]},
        "resourceAttributes": {
            "group": "provisioning.usher.dev",
            "version": "v1alpha1",
            "resource": "provisioningconnectors",
            "subresource": "logs",
            "verb": "get",
            "namespace": NAMESPACE,
            "name": NAME,
        },
    }


@pytest.mark.parametrize("token", ["", "another one", ADA[:-1]])
async def test_whose_token_nobody_knows_is_told_nothing_about_any_path(stage: Stage, token: str) -> None:
    await stage.store.append_log(CRM.connector, [make_entry("p1", SECRET)])
    answers = [
        await stage.ask(token=token),
        await stage.ask(place="x/y", token=token),
        await stage.ask_at("/", token=token),
    ]
    assert [one.status_code for one in answers] == [401, 401, 401]
    assert len({one.content for one in answers}) == 1
    assert answers[0].headers["WWW-Authenticate"] == "Bearer"


async def test_a_token_for_this_api_alone_will_do_and_one_for_another_program_will_not(stage: Stage) -> None:
    stage.reviews.tokens |= {"for us": ("ada", AUDIENCE), "for a vault": ("ada", "vault")}
    stage.objects[ObjectKey(Kind.CONNECTOR, NAMESPACE, NAME)] = {}
    assert (await stage.ask(token="for us")).status_code == 200
    assert (await stage.ask(token="for a vault")).status_code == 401


async def test_an_api_server_that_knows_no_audiences_vouches_for_none(stage: Stage) -> None:
    stage.objects[ObjectKey(Kind.CONNECTOR, NAMESPACE, NAME)] = {}

    async def ignorant(method: str, path: str, *, body: object) -> dict[str, object]:
        assert isinstance(body, dict)
        told = "audiences" in body["spec"]
        return {"status": {"authenticated": told, "user": {"username": "ada"}}}

    stage.reviews.call = ignorant  # type: ignore[method-assign]  # one test's own API server
    assert (await stage.ask()).status_code == 401


@pytest.mark.parametrize("place", [WIKI.connector, f"other/{NAME}", f"{NAMESPACE}/nobody-made-it"])
async def test_who_may_not_is_not_told_whether_it_is_there(stage: Stage, place: str) -> None:
    await stage.store.append_log(WIKI.connector, [make_entry("p1", SECRET)])
    answer = await stage.ask(place=place)
    assert answer.status_code == 403
    assert "you may not get provisioningconnectors/logs" in answer.json()["message"]


async def test_a_right_that_is_remembered_is_for_one_namespace_and_one_name(stage: Stage) -> None:
    await stage.store.append_log(CRM.connector, [make_entry("p1")])
    assert (await stage.ask()).status_code == 200
    assert (await stage.ask(place=f"other/{NAME}")).status_code == 403
    assert (await stage.ask(place=f"{NAMESPACE}/other")).status_code == 403


async def test_who_may_know_is_told_that_there_is_no_such_connector(stage: Stage) -> None:
    answer = await stage.ask()
    assert (answer.status_code, answer.json()["reason"]) == (404, "NotFound")


async def test_a_connector_without_a_line_has_an_empty_log(stage: Stage) -> None:
    stage.objects[ObjectKey(Kind.CONNECTOR, NAMESPACE, NAME)] = {}
    assert (await stage.ask()).json()["entries"] == []


async def test_without_the_api_server_nobody_is_answered(stage: Stage) -> None:
    await stage.store.append_log(CRM.connector, [make_entry("p1", SECRET)])
    stage.reviews.down = True
    answer = await stage.ask()
    assert answer.status_code == 503
    assert SECRET not in answer.text


async def test_a_right_that_was_taken_away_holds_for_ten_seconds_at_the_most(stage: Stage) -> None:
    await stage.store.append_log(CRM.connector, [make_entry("p1")])
    assert (await stage.ask()).status_code == 200
    stage.reviews.rights.clear()
    asked = stage.reviews.asked.total()
    assert (await stage.ask()).status_code == 200
    assert stage.reviews.asked.total() == asked
    stage.clock[0] = KEPT
    assert (await stage.ask()).status_code == 403
    stage.reviews.tokens.clear()
    stage.clock[0] = 2 * KEPT
    assert (await stage.ask()).status_code == 401
    assert KEPT <= 10


async def test_what_is_remembered_is_bounded(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("usher.kube.readapi.reviews.MOST", 3)
    assert MOST <= 1000
    for number in range(5):
        await stage.ask(token=f"wrong {number}")
    asked = stage.reviews.asked["TokenReview"]
    await stage.ask(token="wrong 4")
    assert stage.reviews.asked["TokenReview"] == asked
    await stage.ask(token="wrong 0")
    assert stage.reviews.asked["TokenReview"] == asked + 2


# --- what


async def test_pages_follow_each_other_to_the_end_of_a_long_log(stage: Stage) -> None:
    await stage.store.append_log(CRM.connector, [make_entry("p1", str(number)) for number in range(1201)])
    seen: list[str] = []
    sizes, before = [], 0
    while True:
        page = (await stage.ask("logs", {"limit": PAGE, "before": before})).json()
        seen += [line["detail"] for line in page["entries"]]
        sizes.append(len(page["entries"]))
        if page["before"] is None:
            break
        before = page["before"]
    assert sizes == [500, 500, 201]
    assert seen == [str(number) for number in reversed(range(1201))]


async def test_every_filter_reaches_the_store(stage: Stage) -> None:
    wanted = replace(make_entry("p1", "it", NOON), cycle="c", step="match", action="Skip", result="Skipped", reason="R")
    await stage.store.append_log(CRM.connector, [wanted, make_entry("p2", "other", NOON.replace(year=2030))])
    filters = {"user": "p1", "cycle": "c", "step": "match", "action": "Skip", "result": "Skipped", "reason": "R"}
    times = {"since": NOON.isoformat(), "until": NOON.replace(year=2029).isoformat()}
    for name, value in (filters | times).items():
        found = (await stage.ask("logs", {name: value})).json()["entries"]
        assert "it" in [line["detail"] for line in found], name
        assert len(found) == (2 if name == "since" else 1), name


@pytest.mark.parametrize(
    ("name", "value"),
    [("limit", PAGE + 1), ("limit", 0), ("limit", SECRET), ("before", -1), ("since", SECRET), ("sort", SECRET)],
)
async def test_a_question_that_can_t_be_put_is_refused_by_the_name_of_what_is_wrong(
    stage: Stage, name: str, value: object
) -> None:
    answer = await stage.ask("logs", {name: value})
    assert (answer.status_code, answer.json()["reason"]) == (400, "BadRequest")
    assert answer.json()["message"].startswith(f"{name}: ")
    assert SECRET not in answer.text


async def test_a_page_ends_early_rather_than_be_large(stage: Stage) -> None:
    value = ValueChange(None, "x" * 20_000)
    entry = replace(make_entry("p1"), values={AttributePath("title"): value})
    await stage.store.append_log(CRM.connector, [entry] * 300)
    answer = await stage.ask("logs", {"limit": PAGE})
    assert len(answer.content) <= LARGEST
    found = answer.json()
    assert 0 < len(found["entries"]) < 300
    rest = await stage.ask("logs", {"limit": PAGE, "before": found["before"]})
    assert len(found["entries"]) + len(rest.json()["entries"]) > len(found["entries"])


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "HEAD"])
async def test_nothing_can_be_written(stage: Stage, method: str) -> None:
    assert (await stage.ask(method=method)).status_code == 405


@pytest.mark.parametrize("path", ["/", "/logs", "/apis/provisioning.usher.dev/v1alpha1/namespaces/x/secrets/y/logs"])
async def test_there_is_nothing_else(stage: Stage, path: str) -> None:
    assert (await stage.ask_at(path)).status_code == 404


async def test_requests_are_counted_and_nobody_is_named_in_a_metric(stage: Stage) -> None:
    await stage.store.append_log(CRM.connector, [make_entry("p1")])
    await stage.ask("logs", {"user": SECRET})
    await stage.ask(token=SECRET)
    counted = stage.metrics.registry.get_sample_value
    found = counted("provisioning_read_api_requests_total", {"question": "", "status": "401"})
    assert found == 1


# --- how much of it


async def test_a_thousand_questions_leave_the_writer_its_turns(stage: Stage) -> None:
    """Readers have a connection of their own: while they read all the time, nothing that a cycle writes waits."""
    await stage.store.append_log(CRM.connector, [make_entry("p1", str(number)) for number in range(20)])
    left = list(range(1000))
    statuses: Counter[int] = Counter()

    async def ask_on() -> None:
        while left:
            left.pop()
            statuses[(await stage.ask()).status_code] += 1

    written, asking = 0, asyncio.gather(*(ask_on() for _ in range(12)))
    while not asking.done():
        await stage.store.append_log(WIKI.connector, [make_entry("p1")])
        written += 1
    await asking

    assert statuses.total() == 1000
    assert set(statuses) <= {200, 503}
    assert stage.reviews.asked.total() <= 2 * 3, "what the API server said is remembered"
    assert written >= statuses.total() / 10


async def test_who_asks_while_too_many_are_answered_is_sent_away_at_once(stage: Stage) -> None:
    released, full, inside = asyncio.Event(), asyncio.Event(), 0

    async def slow(method: str, path: str, *, body: object) -> dict[str, object]:
        nonlocal inside
        inside += 1
        if inside == server.AT_ONCE:
            full.set()
        await released.wait()
        return {"status": {}}

    stage.reviews.call = slow  # type: ignore[method-assign]  # an API server that takes its time
    waiting = [asyncio.create_task(stage.ask(token=f"{n}")) for n in range(server.AT_ONCE)]
    await full.wait()
    late = await stage.ask(token="late")
    assert (late.status_code, late.json()["reason"]) == (503, "Busy")
    released.set()
    assert [one.status_code for one in await asyncio.gather(*waiting)] == [401] * server.AT_ONCE


async def test_a_client_that_is_slow_is_shown_out_and_holds_nobody_up(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "LIFETIME", 1.0)
    monkeypatch.setattr(server, "HANDSHAKE", 0.5)
    mute = socket.create_connection(("127.0.0.1", stage.port))
    reader, writer = await asyncio.open_connection("127.0.0.1", stage.port, ssl=stage.trust, server_hostname=PLACE.host)
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nA")
    assert (await stage.ask()).status_code == 404
    assert await asyncio.wait_for(reader.read(), 10) == b""
    mute.settimeout(10)
    assert await asyncio.to_thread(mute.recv, 1) == b""
    writer.close()
    mute.close()


async def test_who_trusts_another_authority_sends_no_token(stage: Stage) -> None:
    stage.trust = ssl.create_default_context()
    with pytest.raises(Exception, match="CERTIFICATE_VERIFY_FAILED"):
        await stage.ask()
    assert stage.reviews.asked.total() == 0


async def test_a_header_without_end_is_not_read(stage: Stage) -> None:
    answer = await stage.ask(token="x" * (server.LONGEST_TOKEN + 100))
    assert answer.status_code == 400
    assert stage.reviews.asked.total() == 0
