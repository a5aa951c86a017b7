"""The control loop on an API server in memory."""

from __future__ import annotations

from dataclasses import replace

from prometheus_client import generate_latest

from unit.kube.fake_cluster import CSV, NAMESPACE, FakeCluster, connector_spec, desk, mapping_spec, source_spec
from usher.kube.objects import Kind, ObjectKey
from usher.testing.clock import FakeClock, fake_runtime
from usher.testing.hostile_server import hostile_server

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

        await one.until(lambda: cluster.condition(PEOPLE, "Ready") == ("False", "ExpressionInvalid"), 10)


async def test_a_deletion_that_nobody_heard_of_is_found_by_the_census() -> None:
    async with hostile_server() as app:
        cluster = cluster_with(url=app.url)
        async with desk(cluster) as one:
            await one.until(lambda: cluster.condition(APP, "InSync") == ("True", "Succeeded"))
            cluster.delete(APP, heard="no")

            await one.controller.take_census()
            await one.until(lambda: one.controller.queue.idle)

            assert await one.ports.store.active_connectors() == []


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
