"""Connectors that are deleted, on the real API server: at once, after everybody has left, or when the time is over."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from click.testing import CliRunner, Result

from integration.operator.conftest import Stage, config_map, mapping, people, secret, source
from usher.cli.main import usher

pytestmark = pytest.mark.apiserver
FINALIZER = "provisioning.usher.dev/deprovision"
EVERYBODY = [f"p{number:02}" for number in range(12)]


async def set_up(stage: Stage, *names: str, **spec: Any) -> None:
    wanted = {"deletionPolicy": "Deprovision", **spec}
    await stage.apply(
        config_map(people(*names)), secret(stage.app.token), source(), mapping(), stage.connector(**wanted)
    )
    await stage.until_condition("pconn/app", "InSync", "True")


async def finalizers(stage: Stage) -> list[str]:
    found: list[str] = (await stage.get("pconn/app"))["metadata"].get("finalizers", [])
    return found


async def delete(stage: Stage, what: str = "pconn/app") -> None:
    """Marks it as deleted, and does not wait until it is gone."""
    await stage.kubectl("delete", what, "--wait=false")


async def release(stage: Stage, name: str) -> Result:
    place = ["--kubeconfig", str(stage.namespace.kubeconfig), "-n", stage.namespace.name]
    return await asyncio.to_thread(CliRunner().invoke, usher, ["release", name, *place])


async def until_gone(stage: Stage, seconds: float = 20) -> None:
    await stage.until("pconn/app", lambda found: not found, seconds)


async def test_an_orphan_is_gone_at_once_though_no_operator_runs(stage: Stage) -> None:
    await set_up(stage, "alice", deletionPolicy="Orphan")
    assert await finalizers(stage) == []
    await stage.end()

    await stage.kubectl("delete", "pconn", "app", "--timeout=10s")

    assert stage.accounts == {"alice": True}


async def test_a_whole_folder_that_is_deleted_takes_everybody_out_first(stage: Stage) -> None:
    await set_up(stage, "alice", "bob")
    assert await finalizers(stage) == [FINALIZER]
    await stage.end()
    for what in ("idsrc/corp", "amap/people", "configmap/people", "pconn/app"):
        await delete(stage, what)
    assert stage.accounts == {"alice": True, "bob": True}

    stage.start()
    await until_gone(stage)

    assert stage.accounts == {"alice": False, "bob": False}
    events = await stage.until_events("Deprovisioned")
    assert "DeprovisionTimedOut" not in events


async def test_more_than_the_budget_waits_for_its_approval_on_the_object_that_is_being_deleted(stage: Stage) -> None:
    await set_up(stage, *EVERYBODY)
    await delete(stage)
    held = await stage.until_condition("pconn/app", "PlanHeld", "True", "OverBudget")
    assert set(stage.accounts.values()) == {True}
    assert held["message"].startswith("12 of 12 live accounts")
    assert (await stage.condition("pconn/app", "Ready"))["reason"] == "Deprovisioning"

    await stage.annotate("pconn/app", approve_plan=(await stage.status("pconn/app"))["plan"]["hash"])
    await until_gone(stage)

    assert set(stage.accounts.values()) == {False}
    await stage.until_events("Deprovisioning", "PlanHeld", "Deprovisioned")


async def test_when_the_time_is_over_the_accounts_stay_and_an_event_says_so(stage: Stage) -> None:
    await set_up(stage, *EVERYBODY, deprovisionTimeout="3s")
    started = time.monotonic()

    await stage.kubectl("delete", "pconn", "app", "--timeout=15s")

    assert 1 < time.monotonic() - started < 10
    assert set(stage.accounts.values()) == {True}
    assert "groups: 12)" in (await stage.until_events("DeprovisionTimedOut"))["DeprovisionTimedOut"]


async def test_an_app_that_is_away_is_waited_for_and_who_says_orphan_meanwhile_is_obeyed(stage: Stage) -> None:
    await set_up(stage, "alice")
    stage.app.token = "another"
    await delete(stage)
    await stage.until_condition("pconn/app", "Ready", "False", "CredentialsRejected")

    await stage.kubectl("patch", "pconn", "app", "--type=merge", "-p", '{"spec": {"deletionPolicy": "Orphan"}}')
    await until_gone(stage)

    assert stage.accounts == {"alice": True}
    await stage.until_events("Orphaned")


async def test_the_finalizer_follows_the_policy_and_stays_beside_those_of_others(stage: Stage) -> None:
    await set_up(stage, "alice")
    both = '{"metadata": {"finalizers": ["provisioning.usher.dev/deprovision", "example.com/other"]}}'
    await stage.kubectl("patch", "pconn", "app", "--type=merge", "-p", both)
    await stage.annotate("pconn/app", requestedAt="one")
    await stage.until("pconn/app", lambda found: found["status"].get("lastHandledReconcileAt") == "one")
    assert await finalizers(stage) == [FINALIZER, "example.com/other"]

    await stage.kubectl("patch", "pconn", "app", "--type=merge", "-p", '{"spec": {"deletionPolicy": "Orphan"}}')

    await stage.until("pconn/app", lambda found: found["metadata"]["finalizers"] == ["example.com/other"])
    await stage.kubectl("patch", "pconn", "app", "--type=merge", "-p", '{"metadata": {"finalizers": null}}')


async def test_usher_release_lets_a_deleted_connector_go_without_an_operator(stage: Stage) -> None:
    await set_up(stage, "alice")
    await stage.end()
    early = await release(stage, "app")
    assert (early.exit_code, "nobody has deleted it" in early.stderr) == (1, True)
    assert await finalizers(stage) == [FINALIZER]
    await delete(stage)

    done = await release(stage, "pconn/app")

    assert done.exit_code == 0, done.output
    await until_gone(stage, 5)
    assert stage.accounts == {"alice": True}
    late = await release(stage, "app")
    assert (late.exit_code, "there is no ProvisioningConnector/app" in late.stderr) == (1, True)
