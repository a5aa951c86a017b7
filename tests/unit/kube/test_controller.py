"""The control loop on an API server in memory."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from prometheus_client import generate_latest

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
from usher.contracts.log import WHOLE_LOG
from usher.core.model.resources import ConnectorKey
from usher.engine.job import Ports
from usher.kube.objects import Kind, ObjectKey
from usher.state.store import open_store
from usher.testing.clock import FakeClock, fake_runtime, real_runtime
from usher.testing.hostile_documents import LOGIN_PAGE, canned, schemas_document
from usher.testing.hostile_server import HostileSettings, hostile_server

CORP = ObjectKey(Kind.SOURCE, NAMESPACE, "corp")
APP = ObjectKey(Kind.CONNECTOR, NAMESPACE, "app")
PEOPLE = ObjectKey(Kind.MAPPING, NAMESPACE, "people")


def cluster_with(*, url: str = "http://127.0.0.1:9/scim", **more: object) -> FakeCluster:
    cluster = FakeCluster()
    cluster.data["Secret", "token"] = {"token": b"let-me-in"}
    cluster.put_people(CSV)
    cluster.put(Kind.SOURCE, "corp", source_spec())
    cluster.put(Kind.MAPPING, "people", mapping_spec())
    cluster.put(Kind.CONNECTOR, "app", connector_spec(url, **more))
    return cluster


async def test_what_is_there_at_the_start_is_brought_in_sync_with_few_writes() -> None:
    async with hostile_server() as app:
        cluster = cluster_with(url=app.url)
        async with desk(cluster) as one:
            await one.until(lambda: cluster.condition(APP, "InSync") == ("True", "Succeeded"))
            await one.until(lambda: one.controller.queue.idle)

    assert len(app.app.accounts) == 1
    assert cluster.writes.count(APP) <= 3
    assert cluster.writes.count(PEOPLE) == 1
    assert [event["reason"] for event in cluster.events] == ["Synced"]
    assert "alice" not in str(cluster.events).lower()


def message_of(cluster: FakeCluster, key: ObjectKey, kind: str) -> str:
    return "".join(each["message"] for each in cluster.status(key)["conditions"] if each["type"] == kind)


async def test_what_the_app_says_of_itself_is_in_the_status_and_stays_there_over_a_restart() -> None:
    async with hostile_server() as app:
        cluster = cluster_with(url=app.url)
        async with open_store(None) as store:
            ports = Ports(store, real_runtime())
            async with working(Desk(cluster, ports)) as one:
                await one.until(lambda: cluster.condition(APP, "InSync") == ("True", "Succeeded"))
            shown = cluster.status(APP)["target"]
            before = cluster.writes.count(APP)

            async with working(Desk(cluster, ports)) as one:
                await one.until(lambda: one.controller.queue.idle)
            assert cluster.writes.count(APP) == before

    assert cluster.status(APP)["target"] == shown
    assert datetime.fromisoformat(shown.pop("discovered")).microsecond == 0
    assert shown == {
        "features": ["ETag", "Filter", "Patch"],
        "guarantee": "UniqueKey",
        "maxResults": 100,
        "schemas": [
            "urn:ietf:params:scim:schemas:core:2.0:User",
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
        ],
        "types": "Discovered",
    }


async def test_a_mapping_that_the_app_can_not_take_is_told_by_its_line_and_what_the_app_says_is_shown() -> None:
    schemas = schemas_document({"name": "displayName", "mutability": "readOnly"})
    async with hostile_server(HostileSettings(documents={"Schemas": canned(schemas)})) as app:
        cluster = cluster_with(url=app.url)
        async with desk(cluster) as one:
            await one.until(lambda: cluster.condition(APP, "Ready") == ("False", "MappingInvalid"))

    told = "AttributeMapping/people spec.attributes[1].target: displayName is read-only at the target"
    assert message_of(cluster, APP, "Ready").startswith(told)
    assert cluster.condition(APP, "TargetReachable")[0] == "True"
    assert cluster.status(APP)["target"]["types"] == "Discovered"
    assert len(app.app.accounts) == 0


async def test_an_app_that_can_not_say_what_it_is_gets_no_cycle_and_is_named() -> None:
    async with hostile_server(HostileSettings(documents={"Schemas": LOGIN_PAGE})) as app:
        cluster = cluster_with(url=app.url)
        async with desk(cluster) as one:
            await one.until(lambda: cluster.condition(APP, "TargetReachable") == ("False", "ServiceIncompatible"))

    assert "/Schemas answered with something that is no JSON" in message_of(cluster, APP, "TargetReachable")
    assert "target" not in cluster.status(APP)


async def test_a_void_source_is_said_on_its_connector_until_it_is_whole_again() -> None:
    async with hostile_server() as app:
        cluster = cluster_with(url=app.url)
        async with desk(cluster) as one:
            await one.until(lambda: cluster.condition(APP, "InSync") == ("True", "Succeeded"))

            cluster.put_people(CSV.partition("1,")[0])

            await one.until(lambda: cluster.condition(APP, "InSync") == ("False", "ReadShrunk"))
            await one.until(lambda: "pending" in cluster.status(CORP))
            assert cluster.condition(APP, "Ready") == ("True", "Running")
            assert cluster.condition(APP, "SourceReachable") == ("False", "SourceUnreachable")
            assert "stays in force. IdentitySource/corp spec.minRetained: " in message_of(cluster, APP, "InSync")
            assert cluster.status(CORP)["pending"]["hash"] in message_of(cluster, APP, "InSync")[-32:]
            cluster.put_people(CSV)
            await one.until(lambda: cluster.condition(APP, "InSync") == ("True", "Succeeded"))


async def test_a_source_that_was_void_over_a_restart_is_in_sync_soon_after_it_is_whole() -> None:
    async with hostile_server() as app:
        cluster = cluster_with(url=app.url)
        async with open_store(None) as store:
            ports = Ports(store, real_runtime())
            async with working(Desk(cluster, ports)) as one:
                await one.until(lambda: cluster.condition(APP, "InSync") == ("True", "Succeeded"))
                cluster.put_people(CSV.partition("1,")[0])
                await one.until(lambda: cluster.condition(APP, "InSync") == ("False", "ReadShrunk"))
            cluster.put_people(CSV)
            cluster.put(Kind.SOURCE, "corp", source_spec(), requestedAt="now")

            async with working(Desk(cluster, ports)) as one:
                await one.until(lambda: cluster.condition(APP, "InSync") == ("True", "Succeeded"))


async def test_what_an_earlier_process_left_in_sync_is_so_again_after_a_void_read_without_a_cycle() -> None:
    async with hostile_server() as app:
        cluster = cluster_with(url=app.url)
        async with open_store(None) as store:
            ports = Ports(store, real_runtime())
            async with working(Desk(cluster, ports)) as one:
                await one.until(lambda: cluster.condition(APP, "InSync") == ("True", "Succeeded"))
            ended = cluster.status(APP)["lastCycle"]

            async with working(Desk(cluster, ports)) as one:
                cluster.put_people(CSV.partition("1,")[0])
                await one.until(lambda: cluster.condition(APP, "InSync") == ("False", "ReadShrunk"))
                cluster.put_people(CSV)
                await one.until(lambda: cluster.condition(APP, "InSync") == ("True", "Succeeded"))

    assert cluster.status(APP)["lastCycle"] == ended


async def test_a_ragged_document_is_told_with_its_object_and_key() -> None:
    cluster = cluster_with()
    cluster.put_people(CSV + "2\n")
    async with desk(cluster) as one:
        await one.until(lambda: cluster.condition(CORP, "Ready") == ("False", "InvalidData"))
        await one.until(lambda: cluster.condition(APP, "Ready") == ("False", "SourceUnreachable"))
        await one.until(lambda: "ReadFailed" in [event["reason"] for event in cluster.events])

    told = "IdentitySource/corp spec.csv.configMapRef (ConfigMap people, key people.csv): line 3: "
    assert message_of(cluster, CORP, "Ready").startswith(told)
    assert told in message_of(cluster, APP, "SourceReachable")
    assert [told in event["message"] for event in cluster.events if event["reason"] == "ReadFailed"] == [True]


async def test_a_refused_token_is_told_with_the_secret_in_condition_and_event() -> None:
    async with hostile_server() as app:
        cluster = cluster_with(url=app.url)
        cluster.data["Secret", "token"] = {"token": b"let-me-out"}
        async with desk(cluster) as one:
            await one.until(lambda: cluster.condition(APP, "Ready") == ("False", "CredentialsRejected"))
            await one.until(lambda: len(cluster.events) > 1)

    told = (
        "ProvisioningConnector/app spec.target.scim.auth.bearer.secretRef (Secret token, key token): the target refuses"
    )
    assert message_of(cluster, APP, "Ready").startswith(told)
    assert sorted(event["reason"] for event in cluster.events) == ["CredentialsRejected", "Quarantined"]
    assert any(event["message"].startswith(told) for event in cluster.events)


async def test_the_first_failure_is_told_with_its_cause() -> None:
    cluster = cluster_with()
    async with desk(cluster) as one:
        await one.until(lambda: bool(cluster.events))

    [event] = cluster.events
    assert event["reason"] == "CycleFailed"
    assert "TargetUnreachable: ProvisioningConnector/app spec.target.scim.url: " in event["message"]
    assert "it is tried again by itself" in event["message"]


async def test_a_status_that_says_it_already_is_not_written_again() -> None:
    async with hostile_server() as app:
        cluster = cluster_with(url=app.url)
        async with desk(cluster) as one:
            await one.until(lambda: cluster.condition(APP, "InSync") == ("True", "Succeeded"))
            before = len(cluster.writes)
            for _ in range(5):
                one.controller.queue.put(APP)
                one.controller.queue.put(CORP)
                one.controller.queue.put(PEOPLE)
                await one.until(lambda: one.controller.queue.idle)

            assert len(cluster.writes) == before


async def test_an_api_server_that_is_away_at_the_start_is_waited_for() -> None:
    cluster = cluster_with()
    cluster.down = True
    starts: list[float] = []
    clock = FakeClock()
    runtime = fake_runtime(clock=clock)

    async def sleep(seconds: float) -> None:
        starts.append(seconds)
        cluster.down = len(starts) < 3
        await clock.sleep(seconds)

    async with desk(cluster, replace(runtime, sleep=sleep)) as one:
        await one.until(lambda: cluster.condition(PEOPLE, "Ready")[0] == "True")

    assert starts[:3] == [2.0, 2.0, 2.0]


async def test_a_status_that_could_not_be_written_is_written_by_a_later_reconcile() -> None:
    cluster = cluster_with()
    async with desk(cluster) as one:
        await one.until(lambda: cluster.condition(PEOPLE, "Ready")[0] == "True")
        cluster.down = True
        cluster.put(Kind.MAPPING, "people", mapping_spec("Join("))
        await one.until(lambda: one.controller.queue.idle)
        assert cluster.condition(PEOPLE, "Ready")[0] == "True"

        cluster.down = False

        await one.until(lambda: cluster.condition(PEOPLE, "Ready") == ("False", "ExpressionInvalid"))


async def test_a_deletion_that_nobody_heard_of_is_found_by_the_census() -> None:
    async with hostile_server() as app:
        cluster = cluster_with(url=app.url)
        async with desk(cluster) as one:
            await one.until(lambda: cluster.condition(APP, "InSync") == ("True", "Succeeded"))
            cluster.delete(APP, heard="no")

            await one.controller.take_census()
            await one.until(lambda: one.controller.queue.idle)

            assert await one.ports.store.active_connectors() == []


async def test_what_is_known_of_a_deleted_source_and_the_log_of_a_connector_go_each_in_their_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    at_once = timedelta(seconds=-1)
    async with hostile_server() as app:
        cluster = cluster_with(url=app.url)
        async with desk(cluster) as one:
            await one.until(lambda: cluster.condition(APP, "InSync") == ("True", "Succeeded"))
            store, app_key = one.ports.store, ConnectorKey(APP.path)
            for key in (APP, CORP):
                cluster.delete(key, heard="no")
            for _ in range(2):  # the first tells the connector's own reconcile, which retires it
                await one.controller.take_census()
                await one.until(lambda: one.controller.queue.idle)
            assert list(await store.sources()) == [CORP.path]

            monkeypatch.setattr("usher.kube.controller.RETENTION", at_once)
            await one.controller.take_census()
            assert list(await store.sources()) == []
            assert len(await store.log(app_key, WHOLE_LOG, 9)) == 1

            monkeypatch.setattr("usher.kube.log_trimming.RETENTION_OF_GONE", at_once)
            await one.controller.take_census()
            assert list(await store.log(app_key, WHOLE_LOG, 9)) == []


async def test_a_connector_that_was_deleted_and_made_anew_unheard_looks_at_everybody_and_makes_nobody_twice() -> None:
    async with hostile_server() as app:
        cluster = cluster_with(url=app.url)
        async with desk(cluster) as one:
            await one.until(lambda: cluster.condition(APP, "InSync") == ("True", "Succeeded"))
            accounts = set(app.app.accounts)
            cluster.objects[APP]["metadata"]["uid"] = "another"
            later = connector_spec(app.url)
            later["schedule"] = {"interval": "2h"}
            cluster.put(Kind.CONNECTOR, "app", later, sync="now")
            cluster.objects[APP]["metadata"]["uid"] = "another"
            await one.until(lambda: cluster.status(APP)["lastCycle"]["kind"] == "Initial")
            assert set(app.app.accounts) == accounts


async def test_an_object_that_only_the_list_missed_is_not_taken_for_deleted() -> None:
    async with hostile_server() as app:
        cluster = cluster_with(url=app.url)
        async with desk(cluster) as one:
            await one.until(lambda: cluster.condition(APP, "InSync") == ("True", "Succeeded"))
            hidden = cluster.objects.pop(APP)
            exists, cluster.exists = cluster.exists, _always  # type: ignore[method-assign]  # the race, made by hand

            await one.controller.take_census()
            await one.until(lambda: one.controller.queue.idle)

            cluster.objects[APP], cluster.exists = hidden, exists  # type: ignore[method-assign]  # the double is put back as it was
            assert list(await one.ports.store.active_connectors()) == [APP.path]


async def _always(key: ObjectKey) -> bool:
    return key == APP


async def test_series_of_a_deleted_connector_are_gone() -> None:
    async with hostile_server() as app:
        cluster = cluster_with(url=app.url)
        async with desk(cluster) as one:
            await one.until(lambda: cluster.condition(APP, "InSync") == ("True", "Succeeded"))
            assert b'connector="app"' in generate_latest(one.metrics.registry)

            cluster.delete(APP)
            await one.until(lambda: one.controller.queue.idle)

            text = generate_latest(one.metrics.registry)
            assert b'connector="app"' not in text
            assert b'name="app"' not in text


async def test_a_spec_that_this_version_can_not_read_is_told_with_its_field() -> None:
    cluster = cluster_with(hurry=True)
    async with desk(cluster) as one:
        await one.until(lambda: cluster.condition(APP, "Ready") == ("False", "InvalidSpec"))

    messages = [each["message"] for each in cluster.status(APP)["conditions"] if each["type"] == "Ready"]
    assert "spec.hurry" in messages[0]


async def test_a_secret_that_may_not_be_read_is_told_as_missing_permission() -> None:
    cluster = cluster_with()
    cluster.forbidden = True
    async with desk(cluster) as one:
        await one.until(lambda: cluster.condition(CORP, "Ready") == ("False", "AccessDenied"))

    [message] = [each["message"] for each in cluster.status(CORP)["conditions"] if each["type"] == "Ready"]
    assert "RBAC" in message


async def test_an_unexpected_error_is_told_without_its_text_and_ends_nothing() -> None:
    cluster = cluster_with()
    cluster.data["ConfigMap", "people"] = {"people.csv": None}  # type: ignore[dict-item]  # what no API server sends
    async with desk(cluster) as one:
        await one.until(lambda: cluster.condition(CORP, "Ready") == ("False", "InternalError"))
        cluster.put_people(CSV)
        await one.until(lambda: cluster.condition(CORP, "Ready")[0] == "True")
