"""Full comparisons and a lost state, on the real API server: what others changed, and who left unseen."""

from __future__ import annotations

import json
from typing import Any

import pytest

from integration.operator.conftest import ATTRIBUTES, Stage, config_map, mapping, people, secret, source
from usher.core.model.resources import TargetId

pytestmark = pytest.mark.apiserver
ANCHOR = {"target": "externalId", "source": "objectId"}


async def set_up(stage: Stage, *names: str, drift: str = "Revert", **spec: Any) -> None:
    lines = [{**one, "onDrift": drift} if one["target"] == "displayName" else one for one in ATTRIBUTES]
    await stage.apply(
        config_map(people(*names)),
        secret(stage.app.token),
        source(),
        mapping(*lines, ANCHOR),
        stage.connector("5s", schedule={"interval": "5s", "fullInterval": "1s"}, **spec),
    )
    await stage.until_condition("pconn/app", "InSync", "True")


def account(stage: Stage, name: str) -> TargetId:
    app = stage.app.app
    return next(i for i in app.accounts if app.document(i)["userName"] == f"{name}@example.com")


async def test_what_somebody_changed_at_the_app_is_put_back_and_orphans_are_counted(stage: Stage) -> None:
    await set_up(stage, "alice", "bob")
    stage.app.app.change(account(stage, "bob"), "displayName", "Emperor")
    stage.app.app.plant({"userName": "stranger"})

    await stage.until_true(lambda: stage.app.app.document(account(stage, "bob"))["displayName"] == "Bob")

    found = await stage.until("pconn/app", lambda one: one["status"].get("counts", {}).get("orphans") == 1)
    assert found["status"]["schedule"] == {"interval": "5s", "fullInterval": "1s"}
    kinds = {one["kind"] for one in found["status"]["history"]}
    assert "FullComparison" in kinds
    assert await stage.condition("pconn/app", "Drifted") == {}


async def test_what_is_only_reported_is_a_condition_and_an_event_until_it_is_changed_back(stage: Stage) -> None:
    await set_up(stage, "alice", "bob", drift="Report")
    stage.app.app.change(account(stage, "bob"), "displayName", "Emperor")

    drifted = await stage.until_condition("pconn/app", "Drifted", "True", "Reported")

    assert drifted["message"].startswith("1 user of the app have values")
    assert "bob" not in drifted["message"].lower()
    assert stage.app.app.document(account(stage, "bob"))["displayName"] == "Emperor"
    await stage.until_events("Drifted")
    assert (await stage.condition("pconn/app", "InSync"))["status"] == "True"
    stage.app.app.change(account(stage, "bob"), "displayName", "Bob")
    await stage.until("pconn/app", lambda one: "Drifted" not in str(one["status"]["conditions"]))


async def test_who_left_while_the_state_was_lost_is_found_and_leaves_when_somebody_says_so(stage: Stage) -> None:
    await set_up(stage, "alice", "bob", "cyd")
    await stage.end()
    for one in stage.state.parent.glob(f"{stage.state.name}*"):
        one.unlink()
    await stage.write_people("alice", "bob")
    stage.start()

    lost = await stage.until_condition("pconn/app", "InSync", "False", "StateLost")
    await stage.until("pconn/app", lambda one: "; 1 active accounts" in str(one["status"]["conditions"]))
    assert "spec.safety.onStateLoss" in lost["message"]
    assert stage.accounts == {"alice": True, "bob": True, "cyd": True}

    change = {"spec": {"safety": {"onStateLoss": "Disable", "accounts": {"maxPercent": 100}}}}
    await stage.kubectl("patch", "pconn", "app", "--type=merge", "-p", json.dumps(change))

    await stage.until_true(lambda: stage.accounts == {"alice": True, "bob": True, "cyd": False})
    await stage.until_condition("pconn/app", "InSync", "True")
    assert len(stage.app.app.accounts) == 3
