"""A quarantined connector: what it tells, when it asks the app again, and what ends it."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

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
from usher.contracts.runtime import Runtime
from usher.core.model.resources import ConnectorKey
from usher.core.model.standing import Quarantine, Standing
from usher.core.sync.quarantine import BASE, EXCEPTION, PROPORTION
from usher.engine.job import Ports
from usher.kube.objects import Kind, ObjectKey
from usher.kube.quarantine import delay_after, tell
from usher.state.store import open_store
from usher.testing.clock import real_runtime
from usher.testing.faults import Fault, FaultKind, FaultSchedule, every
from usher.testing.faults import Operation as Op
from usher.testing.hostile_server import HostileServer, hostile_server

APP = ObjectKey(Kind.CONNECTOR, NAMESPACE, "app")
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HURRY = 100.0


def hurried() -> Runtime:
    """A hundred seconds pass in one."""
    real = real_runtime()

    async def sleep(seconds: float) -> None:
        await asyncio.sleep(seconds / HURRY)

    return replace(real, monotonic=lambda: time.monotonic() * HURRY, sleep=sleep)


def cluster_for(app: HostileServer, token: str = "let-me-in") -> FakeCluster:
    cluster = FakeCluster()
    cluster.data["Secret", "token"] = {"token": token.encode()}
    cluster.put_people(CSV)
    cluster.put(Kind.SOURCE, "corp", source_spec())
    cluster.put(Kind.MAPPING, "people", mapping_spec())
    cluster.put(Kind.CONNECTOR, "app", connector_spec(app.url))
    return cluster


def no_scim() -> FaultSchedule:
    """The app shows its login page to everybody."""
    return FaultSchedule([every(operation, 1, Fault(FaultKind.HTML_200)) for operation in Op])


def reasons(cluster: FakeCluster) -> list[str]:
    return [event["reason"] for event in cluster.events]


async def quarantined(one: Desk, cluster: FakeCluster) -> None:
    await one.until(lambda: cluster.condition(APP, "Quarantined") == ("True", EXCEPTION))
    await one.until(lambda: "nextAttempt" in cluster.status(APP).get("quarantine", {}))


async def test_an_app_without_scim_is_quarantined_at_once_and_tells_why_since_when_and_what_comes_next() -> None:
    async with hostile_server(faults=no_scim()) as app:
        cluster = cluster_for(app)
        async with desk(cluster) as one:
            await quarantined(one, cluster)
            await one.until(lambda: "Quarantined" in reasons(cluster))

    assert cluster.condition(APP, "Ready") == ("False", "ServiceIncompatible")
    assert cluster.status(APP)["quarantine"] | {"reason": EXCEPTION, "count": 1} == cluster.status(APP)["quarantine"]
    assert cluster.status(APP)["quarantine"]["nextAttempt"] == cluster.status(APP)["nextCycleTime"]
    told = next(event["message"] for event in cluster.events if event["reason"] == "Quarantined")
    assert "next cycle in" in told


async def test_a_new_version_of_the_source_does_not_disturb_a_quarantine_and_a_request_does() -> None:
    async with hostile_server(faults=no_scim()) as app:
        cluster = cluster_for(app)
        async with desk(cluster) as one:
            await quarantined(one, cluster)
            asked = app.requests.total()

            cluster.put_people(CSV + "2,bob@example.com\n")
            await one.until(lambda: cluster.status(ObjectKey(Kind.SOURCE, NAMESPACE, "corp"))["counts"]["users"] == 2)
            await one.until(lambda: one.controller.queue.idle)
            assert app.requests.total() == asked

            app.app.faults.heal()
            cluster.put(Kind.CONNECTOR, "app", connector_spec(app.url), requestedAt="now")
            await one.until(lambda: cluster.condition(APP, "InSync") == ("True", "Succeeded"))
            await one.until(lambda: "QuarantineLifted" in reasons(cluster))

    assert len(app.app.accounts) == 2
    assert "quarantine" not in cluster.status(APP)


async def test_a_restart_asks_a_quarantined_app_no_earlier() -> None:
    async with hostile_server(faults=no_scim()) as app, open_store(None) as store:
        cluster = cluster_for(app)
        ports = Ports(store, real_runtime())
        async with working(Desk(cluster, ports)) as one:
            await quarantined(one, cluster)
        asked, shown = app.requests.total(), cluster.status(APP)["quarantine"]

        async with working(Desk(cluster, ports)) as one:
            await one.until(lambda: one.controller.queue.idle)
            await asyncio.sleep(0.2)

    assert app.requests.total() == asked
    assert cluster.status(APP)["quarantine"] == shown


async def test_a_rejected_token_is_not_shown_to_the_app_again_before_it_was_changed() -> None:
    async with hostile_server() as app:
        cluster = cluster_for(app, "expired")
        async with desk(cluster, hurried()) as one:
            await quarantined(one, cluster)
            asked = app.requests.total()
            await asyncio.sleep(150 / HURRY)
            assert app.requests.total() == asked

            cluster.data["Secret", "token"] = {"token": b"let-me-in"}
            changed = time.monotonic()
            await one.until(lambda: cluster.condition(APP, "InSync") == ("True", "Succeeded"))

    assert (time.monotonic() - changed) * HURRY < 60 + 2 * HURRY  # two seconds of our own for the cycle
    assert "expired" not in str(cluster.events) + str(cluster.status(APP))


async def test_after_28_days_no_cycle_starts_by_itself_and_the_way_out_is_told() -> None:
    async with hostile_server(faults=no_scim()) as app, open_store(None) as store:
        cluster = cluster_for(app)
        ports = Ports(store, hurried())
        async with working(Desk(cluster, ports)) as one:
            await quarantined(one, cluster)
        standing = await store.standing(ConnectorKey(f"{NAMESPACE}/app"))
        assert standing.quarantine is not None
        old = replace(standing.quarantine, since=standing.quarantine.since - timedelta(days=28))
        await store.save_standing(ConnectorKey(f"{NAMESPACE}/app"), Standing(quarantine=old))
        asked = app.requests.total()

        async with working(Desk(cluster, ports)) as one:
            await one.until(
                lambda: (
                    cluster.condition(APP, "Stalled") == ("True", "ServiceIncompatible")
                    or cluster.condition(APP, "Stalled") == ("True", "Quarantined")
                )
            )
            await asyncio.sleep(600 / HURRY)
            assert app.requests.total() == asked
            assert "nextAttempt" not in cluster.status(APP)["quarantine"]
            await one.until(lambda: reasons(cluster).count("Quarantined") == 2)
            assert "no cycle until that is mended" in cluster.events[-1]["message"]

            app.app.faults.heal()
            cluster.put(Kind.CONNECTOR, "app", connector_spec(app.url), requestedAt="now")
            await one.until(lambda: cluster.condition(APP, "InSync") == ("True", "Succeeded"))


def test_the_condition_says_why_until_when_and_how_to_try_now() -> None:
    held = Quarantine(PROPORTION, NOW)
    early, late = tell(APP, held, NOW), tell(APP, held, NOW + timedelta(days=28))
    assert early.reason == late.reason == PROPORTION
    assert "more than 40 percent" in early.message
    assert "stop on 2026-03-29" in early.message
    assert "nobody leaves" in late.message
    for message in (early.message, late.message):
        assert message.endswith('annotate pconn/app --overwrite provisioning.usher.dev/requestedAt="$(date -Is)"')
        assert len(message) <= 400


def test_a_stopped_quarantine_has_no_next_cycle() -> None:
    random = Random(0)
    minutes = timedelta(minutes=5)
    assert delay_after(Quarantine(BASE, NOW, 3), minutes, NOW + timedelta(days=28), random) is None
    delay = delay_after(Quarantine(BASE, NOW, 3), minutes, NOW, random)
    assert delay is not None
    assert 0.9 * 20 <= delay / timedelta(minutes=1) <= 20
