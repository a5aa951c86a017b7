"""A connector that is deleted: at once, or after everybody has left, or when its time is over."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from unit.kube.fake_cluster import (
    CSV,
    NAMESPACE,
    Desk,
    FakeCluster,
    connector_spec,
    desk,
    mapping_spec,
    source_spec,
    working,
)
from usher.api.names import APPROVE_PLAN, DEPROVISION
from usher.engine.job import Ports
from usher.kube.ending import Ending, EndingView, Step, ending_of, farewell, next_step, wants_finalizer
from usher.kube.objects import Kind, ObjectKey
from usher.state.store import open_store
from usher.testing.clock import real_runtime
from usher.testing.hostile_server import HostileServer, hostile_server

APP = ObjectKey(Kind.CONNECTOR, NAMESPACE, "app")
CORP = ObjectKey(Kind.SOURCE, NAMESPACE, "corp")
PEOPLE = ObjectKey(Kind.MAPPING, NAMESPACE, "people")
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
MANY = "".join(["objectId,userPrincipalName\n", *(f"{n},p{n}@example.com\n" for n in range(12))])

# --- the decision ---------------------------------------------------------------------------------------------------

GOES_ON = EndingView(Ending(deprovisions=True, deadline=NOON + timedelta(hours=1)), NOON)
ORPHANED = Ending(deprovisions=False, deadline=NOON + timedelta(hours=1))
LATE = NOON + timedelta(hours=1)


@pytest.mark.parametrize(
    ("view", "step"),
    [
        (GOES_ON, Step.RUN),
        (replace(GOES_ON, due=False), Step.WAIT),
        (replace(GOES_ON, able=False), Step.WAIT),
        (replace(GOES_ON, able=False, settled=True), Step.WAIT),
        (replace(GOES_ON, settled=True, due=False), Step.FINISH),
        (replace(GOES_ON, linked=False, able=False), Step.FINISH),
        (replace(GOES_ON, now=LATE), Step.GIVE_UP),
        (replace(GOES_ON, now=LATE, able=False), Step.GIVE_UP),
        (replace(GOES_ON, ending=ORPHANED), Step.ORPHAN),
        (replace(GOES_ON, ending=ORPHANED, now=LATE), Step.ORPHAN),
        (replace(GOES_ON, running=True), Step.WAIT),
        (replace(GOES_ON, running=True, wanted=False), Step.STOP),
        (replace(GOES_ON, running=True, able=False), Step.STOP),
        (replace(GOES_ON, running=True, now=LATE), Step.STOP),
        (replace(GOES_ON, running=True, ending=ORPHANED), Step.STOP),
        (replace(GOES_ON, running=True, settled=True, linked=False), Step.WAIT),
    ],
)
def test_the_next_step_follows_from_what_is_known(view: EndingView, step: Step) -> None:
    assert next_step(view) is step


def deleted(**spec: Any) -> dict[str, Any]:
    return {"metadata": {"deletionTimestamp": "2026-01-01T12:00:00Z"}, "spec": spec}


@pytest.mark.parametrize(
    ("document", "ending"),
    [
        ({"metadata": {}, "spec": {"deletionPolicy": "Deprovision"}}, None),
        (deleted(), Ending(deprovisions=False, deadline=LATE)),
        (deleted(deletionPolicy="Deprovision"), Ending(deprovisions=True, deadline=LATE)),
        (
            deleted(deletionPolicy="Deprovision", deprovisionTimeout="90s", target=[]),
            Ending(deprovisions=True, deadline=NOON + timedelta(seconds=90)),
        ),
        (deleted(deletionPolicy="Deprovision", deprovisionTimeout=[]), Ending(deprovisions=True, deadline=LATE)),
        (deleted(deletionPolicy="Deprovision", deprovisionTimeout="soon"), Ending(deprovisions=True, deadline=LATE)),
    ],
)
def test_policy_and_time_are_read_though_the_rest_of_the_spec_is_broken(
    document: dict[str, Any], ending: Ending | None
) -> None:
    assert ending_of(document) == ending


def test_a_spec_that_is_none_wants_no_finalizer() -> None:
    assert not wants_finalizer({"metadata": {}, "spec": None})


def test_the_last_event_says_what_was_left() -> None:
    assert [farewell(Step.GIVE_UP, active).message.partition(": ")[2] for active in (7, None)] == [
        "what has not left stays as it is (accounts and groups: 7)",
        "what has not left stays as it is",
    ]
    assert farewell(Step.FINISH, 2).message.endswith("keep the others (accounts and groups: 2)")
    assert {farewell(step, 0).type for step in (Step.ORPHAN, Step.FINISH)} == {"Normal"}


# --- the whole ------------------------------------------------------------------------------------------------------


def cluster_with(app: HostileServer, people: str = CSV, **spec: Any) -> FakeCluster:
    cluster = FakeCluster()
    cluster.data["Secret", "token"] = {"token": app.token.encode()}
    cluster.put_people(people)
    cluster.put(Kind.SOURCE, "corp", source_spec())
    cluster.put(Kind.MAPPING, "people", mapping_spec())
    put(cluster, app, **spec)
    return cluster


def put(cluster: FakeCluster, app: HostileServer, **spec: Any) -> None:
    cluster.put(Kind.CONNECTOR, "app", connector_spec(app.url, **{"deletionPolicy": "Deprovision", **spec}))


async def in_sync(one: Desk) -> None:
    await one.until(lambda: one.cluster.condition(APP, "InSync") == ("True", "Succeeded"))


def finalizers(cluster: FakeCluster) -> list[str]:
    found: list[str] = cluster.objects[APP]["metadata"].get("finalizers", [])
    return found


def active(app: HostileServer) -> set[bool]:
    return {account.document.get("active", True) is True for account in app.app.accounts.values()}


def reasons(cluster: FakeCluster) -> list[str]:
    return [event["reason"] for event in cluster.events]


async def test_everybody_is_disabled_and_then_the_connector_goes_though_all_else_is_gone_before_it() -> None:
    async with hostile_server() as app:
        cluster = cluster_with(app)
        async with desk(cluster) as one:
            await in_sync(one)
            assert finalizers(cluster) == [DEPROVISION]
            cluster.delete(CORP)
            cluster.delete(PEOPLE)

            cluster.delete(APP)

            await one.until(lambda: APP not in cluster.objects)
            assert active(app) == {False}
            await one.until(lambda: "Deprovisioned" in reasons(cluster))
            await one.until(lambda: one.controller.queue.idle)
            assert await one.ports.store.active_connectors() == []
    assert "everybody whom it linked has left" in [event["message"] for event in cluster.events]


async def test_the_next_process_needs_nothing_but_the_state_to_go_on() -> None:
    async with hostile_server() as app, open_store(None) as store:
        cluster, ports = cluster_with(app), Ports(store, real_runtime())
        async with working(Desk(cluster, ports)) as one:
            await in_sync(one)
        for key in (CORP, PEOPLE, APP):
            cluster.delete(key)
        async with working(Desk(cluster, ports)) as one:
            await one.until(lambda: APP not in cluster.objects)
    assert active(app) == {False}


async def test_orphans_have_no_finalizer_and_who_changes_the_policy_takes_it_off() -> None:
    async with hostile_server() as app:
        cluster = cluster_with(app, deletionPolicy="Orphan")
        async with desk(cluster) as one:
            await in_sync(one)
            assert finalizers(cluster) == []
            put(cluster, app)
            await one.until(lambda: finalizers(cluster) == [DEPROVISION])
            put(cluster, app, deletionPolicy="Orphan")
            await one.until(lambda: finalizers(cluster) == [])
            cluster.delete(APP)
            await one.until(lambda: one.controller.queue.idle)
    assert active(app) == {True}


async def test_a_plan_over_the_budget_is_held_on_the_object_that_is_being_deleted_until_it_is_approved() -> None:
    async with hostile_server() as app:
        cluster = cluster_with(app, MANY)
        async with desk(cluster) as one:
            await in_sync(one)
            cluster.delete(APP)
            await one.until(lambda: cluster.condition(APP, "PlanHeld") == ("True", "OverBudget"))
            assert (active(app), cluster.condition(APP, "Ready")) == ({True}, ("False", "Deprovisioning"))
            held = cluster.status(APP)["plan"]["hash"]
            word = APPROVE_PLAN.partition("/")[2].replace("-", "_")
            cluster.put(Kind.CONNECTOR, "app", cluster.objects[APP]["spec"], **{word: held})
            await one.until(lambda: APP not in cluster.objects)
    assert active(app) == {False}
    assert {"Deprovisioning", "PlanHeld", "Deprovisioned"} <= set(reasons(cluster))


@pytest.mark.parametrize("spec", [{"suspend": True}, {"policy": "Observe"}])
async def test_what_may_not_be_written_to_waits_until_the_time_is_over(spec: dict[str, Any]) -> None:
    async with hostile_server() as app:
        cluster = cluster_with(app)
        async with desk(cluster) as one:
            await in_sync(one)
            put(cluster, app, deprovisionTimeout="2s", **spec)
            writes = app.writes
            cluster.delete(APP)
            await one.until(lambda: cluster.condition(APP, "Ready") == ("False", "Deprovisioning"))
            await one.until(lambda: APP not in cluster.objects)
            await one.until(lambda: "DeprovisionTimedOut" in reasons(cluster))
    assert (active(app), app.writes) == ({True}, writes)


async def test_the_time_is_over_and_the_accounts_stay_where_the_secret_is_gone_too() -> None:
    async with hostile_server() as app:
        cluster = cluster_with(app, deprovisionTimeout="3s")
        async with desk(cluster) as one:
            await in_sync(one)
            del cluster.data["Secret", "token"]
            cluster.delete(APP)
            await one.until(lambda: cluster.condition(APP, "Ready") == ("False", "SecretNotFound"))
            await one.until(lambda: APP not in cluster.objects)
            await one.until(lambda: "DeprovisionTimedOut" in reasons(cluster))
    assert active(app) == {True}
    [event] = [event for event in cluster.events if event["reason"] == "DeprovisionTimedOut"]
    assert (event["type"], "groups: 1)" in event["message"]) == ("Warning", True)


async def test_who_changes_to_orphan_while_it_waits_is_obeyed() -> None:
    async with hostile_server() as app:
        cluster = cluster_with(app, suspend=False)
        async with desk(cluster) as one:
            await in_sync(one)
            put(cluster, app, suspend=True)
            cluster.delete(APP)
            await one.until(lambda: cluster.condition(APP, "Ready") == ("False", "Deprovisioning"))
            put(cluster, app, deletionPolicy="Orphan")
            await one.until(lambda: APP not in cluster.objects)
            await one.until(lambda: "Orphaned" in reasons(cluster))
    assert active(app) == {True}


async def test_a_connector_without_accounts_goes_at_once_though_its_app_never_answered() -> None:
    async with hostile_server() as app:
        cluster = cluster_with(app)
        del cluster.data["Secret", "token"]
        async with desk(cluster) as one:
            await one.until(lambda: cluster.condition(APP, "Ready")[1] == "SecretNotFound")
            cluster.delete(APP)
            await one.until(lambda: APP not in cluster.objects)
    assert "Deprovisioned" in reasons(cluster)


async def test_an_operator_that_may_not_set_its_finalizer_runs_no_cycle_and_says_why() -> None:
    async with hostile_server() as app:
        cluster = cluster_with(app)
        cluster.unpatchable = True
        async with desk(cluster) as one:
            await one.until(lambda: cluster.condition(APP, "Ready") == ("False", "AccessDenied"))
            cluster.unpatchable = False
            cluster.put(Kind.CONNECTOR, "app", cluster.objects[APP]["spec"], requestedAt="now")
            await in_sync(one)
    assert finalizers(cluster) == [DEPROVISION]


async def test_an_object_that_waits_for_somebody_else_gives_nobody_the_access_back() -> None:
    async with hostile_server() as app:
        cluster = cluster_with(app)
        async with desk(cluster) as one:
            await in_sync(one)
            document = cluster.objects[APP]
            both = [DEPROVISION, "example.com/other"]
            await cluster.set_finalizers(APP, document["metadata"]["resourceVersion"], both)
            cluster.delete(APP)
            await one.until(lambda: finalizers(cluster) == ["example.com/other"])
            requests = app.requests.total()
            cluster.put(Kind.CONNECTOR, "app", document["spec"], requestedAt="now")
            await one.until(lambda: one.controller.queue.idle)
            assert await one.ports.store.active_connectors() == []
    assert (active(app), app.requests.total()) == ({False}, requests)


@pytest.mark.parametrize(
    ("after", "accounts"), [("0s", 0), ("1s", 0), ("720h", 1)], ids=["at once", "before the time is over", "after it"]
)
async def test_accounts_whose_time_comes_before_the_end_are_deleted_and_the_others_stay_disabled(
    after: str, accounts: int
) -> None:
    async with hostile_server() as app:
        leaving = {"onUnassigned": "Delete", "deleteAfter": after}
        cluster = cluster_with(app, deprovisioning=leaving, deprovisionTimeout="60s")
        async with desk(cluster) as one:
            await in_sync(one)
            cluster.delete(APP)
            await one.until(lambda: APP not in cluster.objects)
    assert len(app.app.accounts) == accounts
    assert active(app) <= {False}
    assert "Deprovisioned" in reasons(cluster)


async def test_a_mapping_that_was_broken_meanwhile_is_replaced_by_the_one_that_was_used_last() -> None:
    async with hostile_server() as app:
        cluster = cluster_with(app)
        async with desk(cluster) as one:
            await in_sync(one)
            cluster.put(Kind.MAPPING, "people", mapping_spec("Frobnicate([x])"))
            await one.until(lambda: cluster.condition(APP, "Ready")[1] == "MappingInvalid")
            cluster.delete(APP)
            await one.until(lambda: APP not in cluster.objects)
    assert active(app) == {False}
