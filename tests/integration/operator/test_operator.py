"""The operator on the real API server: what people apply with kubectl happens at the app, and the status tells it."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from integration.operator.conftest import Stage, config_map, mapping, people, secret, source

pytestmark = pytest.mark.apiserver


async def test_a_connector_that_is_applied_provisions_everybody_and_becomes_in_sync(stage: Stage) -> None:
    await stage.set_up("alice", "bob", "carol")

    await stage.until_condition("pconn/app", "InSync", "True", "Succeeded")

    assert stage.accounts == {"alice": True, "bob": True, "carol": True}
    status = await stage.status("pconn/app")
    assert status["counts"] == {"inScope": 3, "linked": 3, "pending": 0}
    assert status["lastCycle"]["users"]["created"] == 3
    assert status["observedGeneration"] == 1
    assert (await stage.condition("pconn/app", "Ready"))["status"] == "True"
    assert (await stage.condition("pconn/app", "Reconciling")) == {}
    await stage.until("amap/people", lambda found: found["status"]["usedBy"] == {"count": 1, "names": ["app"]})
    assert "next cycle in" in (await stage.until_events("Synced"))["Synced"]


async def test_a_second_cycle_writes_nothing_and_its_request_is_echoed(stage: Stage) -> None:
    await stage.set_up("alice", "bob")
    await stage.until_condition("pconn/app", "InSync", "True")
    writes = stage.app.writes

    await stage.annotate("pconn/app", requestedAt="one")

    await stage.until("pconn/app", lambda found: found["status"].get("lastHandledReconcileAt") == "one")
    status = await stage.status("pconn/app")
    assert stage.app.writes == writes
    assert status["lastCycle"]["kind"] == "Incremental"
    assert len(status["history"]) == 1


async def test_the_app_follows_a_config_map_within_five_seconds(stage: Stage) -> None:
    names = [f"p{number}" for number in range(20)]
    await stage.set_up(*names, "leaver")
    await stage.until_condition("pconn/app", "InSync", "True")
    text = people(*names, "joiner").replace("P3", "Mover")

    started = time.monotonic()
    await stage.apply(config_map(text))
    await stage.until_true(lambda: stage.accounts.get("joiner", False) and stage.accounts["leaver"] is False)
    took = time.monotonic() - started

    assert took < 5
    await stage.until("pconn/app", lambda found: found["status"]["lastCycle"]["users"]["updated"] == 1)
    assert (await stage.status("idsrc/corp"))["version"] == 2


async def test_a_restart_writes_no_status_when_nothing_changed(stage: Stage) -> None:
    await stage.set_up("alice", "bob")
    await stage.until_condition("pconn/app", "InSync", "True")
    await stage.until("amap/people", lambda found: bool(found["status"].get("usedBy", {}).get("count")))
    assert await stage.end() < 5
    wanted = [
        (await stage.get(what))["metadata"]["resourceVersion"] for what in ("pconn/app", "idsrc/corp", "amap/people")
    ]
    reads = dict(stage.app.requests)

    stage.start()
    await asyncio.sleep(13)  # longer than the time within which sources are read again

    versions = [
        (await stage.get(what))["metadata"]["resourceVersion"] for what in ("pconn/app", "idsrc/corp", "amap/people")
    ]
    assert versions == wanted
    assert dict(stage.app.requests) == reads
    await stage.write_people("alice", "bob", "carol")
    await stage.until_true(lambda: stage.accounts.get("carol", False), 5)


async def test_a_token_that_was_rotated_in_its_secret_is_picked_up(stage: Stage) -> None:
    await stage.set_up("alice", interval="5s")
    await stage.until_condition("pconn/app", "InSync", "True")
    stage.app.token = "another"
    refused = await stage.until_condition("pconn/app", "Ready", "False", "CredentialsRejected")
    assert (await stage.condition("pconn/app", "Stalled"))["reason"] == "CredentialsRejected"

    await stage.apply(secret("another"))

    await stage.until_condition("pconn/app", "Ready", "True")
    assert "another" not in str(refused)
    await stage.until_events("Recovered")


async def test_a_suspended_connector_starts_no_cycle_until_it_is_resumed(stage: Stage) -> None:
    await stage.set_up("alice")
    await stage.until_condition("pconn/app", "InSync", "True")
    await stage.apply(stage.connector(suspend=True))
    await stage.until_condition("pconn/app", "Suspended", "True")

    await stage.write_people("alice", "bob")
    await stage.until("idsrc/corp", lambda found: found["status"]["version"] == 2)
    await asyncio.sleep(1)

    assert stage.accounts == {"alice": True}
    assert "nextCycleTime" not in await stage.status("pconn/app")
    await stage.kubectl("patch", "pconn", "app", "--type=json", "-p", '[{"op": "remove", "path": "/spec/suspend"}]')
    await stage.until_true(lambda: "bob" in stage.accounts)
    await stage.until_condition("pconn/app", "InSync", "True")
    await stage.until_events("Suspended", "Resumed")


async def test_accounts_of_a_deleted_connector_are_free_for_another_one(stage: Stage) -> None:
    await stage.set_up("alice")
    await stage.until_condition("pconn/app", "InSync", "True")
    await stage.apply(stage.connector(name="second"))
    await stage.until_condition("pconn/second", "InSync", "False", "ObjectsFailed")
    assert "OwnedByOtherConnector" in (await stage.condition("pconn/second", "InSync"))["message"]

    await stage.kubectl("delete", "pconn", "app", "--timeout=10s")
    await stage.annotate("pconn/second", requestedAt="now")

    await stage.until_condition("pconn/second", "InSync", "True")
    assert stage.accounts == {"alice": True}


async def test_a_connector_deleted_while_nobody_watched_is_retired_at_the_start(stage: Stage) -> None:
    await stage.set_up("alice")
    await stage.until_condition("pconn/app", "InSync", "True")
    await stage.end()
    await stage.kubectl("delete", "pconn", "app", "--timeout=10s")
    await stage.apply(stage.connector(name="second", interval="5s"))

    stage.start()

    await stage.until_condition("pconn/second", "InSync", "True")


async def test_a_plan_over_the_budget_is_held_and_applied_once_when_it_is_approved(stage: Stage) -> None:
    everybody = [f"p{number:02}" for number in range(40)]
    await stage.set_up(*everybody)
    await stage.apply(source(minRetained=10))
    await stage.until_condition("pconn/app", "InSync", "True")

    await stage.write_people(*everybody[:20], "joiner")
    held = await stage.until_condition("pconn/app", "PlanHeld", "True", "OverBudget")

    plan = (await stage.status("pconn/app"))["plan"]
    assert plan["hash"] in held["message"]
    assert "annotate pconn/app" in held["message"]
    assert stage.accounts["joiner"]
    assert sum(stage.accounts.values()) == 41
    await stage.annotate("pconn/app", approve_plan=plan["hash"])
    await stage.until_condition("pconn/app", "InSync", "True")
    assert sum(stage.accounts.values()) == 21
    assert (await stage.condition("pconn/app", "PlanHeld")) == {}
    await stage.until_events("PlanHeld", "PlanApproved")


async def test_a_read_of_half_the_people_is_void_until_it_is_approved(stage: Stage) -> None:
    everybody = [f"p{number:02}" for number in range(10)]
    await stage.set_up(*everybody)
    await stage.until_condition("pconn/app", "InSync", "True")

    await stage.write_people(*everybody[:5])
    await stage.until_condition("idsrc/corp", "Ready", "False", "ReadShrunk")

    status = await stage.status("idsrc/corp")
    assert status["pending"]["users"] == 5
    assert status["counts"]["users"] == 10
    assert all(stage.accounts.values())
    await stage.annotate("idsrc/corp", approve_read=status["pending"]["hash"])
    await stage.until_condition("idsrc/corp", "Ready", "True")
    await stage.until_true(lambda: sum(stage.accounts.values()) == 5)
    assert "pending" not in await stage.status("idsrc/corp")


async def test_a_mapping_that_changes_acts_at_once(stage: Stage) -> None:
    await stage.set_up("alice")
    await stage.until_condition("pconn/app", "InSync", "True")
    attributes: list[dict[str, Any]] = [
        {"target": "userName", "source": "userPrincipalName", "match": 1},
        {"target": "displayName", "expression": 'Join(" ", "Dr.", [displayName])'},
    ]

    await stage.apply(mapping(*attributes))

    documents = stage.app.app.accounts.values()
    await stage.until_true(lambda: any(each.document.get("displayName") == "Dr. Alice" for each in documents), 5)
