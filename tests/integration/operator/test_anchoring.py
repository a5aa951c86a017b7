"""Other ids of a source, and another address of the app, on a real API server: held, told, approved, or put back."""

from __future__ import annotations

import json

import pytest

from integration.operator.conftest import Stage, source

pytestmark = pytest.mark.apiserver


async def test_another_id_column_waits_for_an_approval_and_touches_nobody(stage: Stage) -> None:
    await stage.set_up("ada", "bob")
    await stage.until_condition("pconn/app", "InSync", "True")
    writes = stage.app.writes

    await stage.apply(source(csv={"configMapRef": {"name": "people", "key": "people.csv"}, "idColumn": "mail"}))

    told = (await stage.until_condition("pconn/app", "PlanHeld", "True", "ApprovalRequired"))["message"]
    assert "changed from csv:objectId to csv:mail" in told
    assert "nobody leaves: 2 to take over" in told
    assert "annotate pconn/app" in told
    plan = (await stage.status("pconn/app"))["plan"]
    await stage.annotate("pconn/app", **{"approve-plan": plan["hash"]})
    await stage.until("pconn/app", lambda found: "plan" not in found["status"])
    assert stage.app.writes == writes
    assert stage.accounts == {"ada": True, "bob": True}


async def test_another_address_that_is_put_back_was_never_anything(stage: Stage) -> None:
    await stage.set_up("ada", "bob")
    await stage.until_condition("pconn/app", "InSync", "True")
    writes, moved = stage.app.writes, stage.app.url.replace("127.0.0.1", "localhost")
    assert moved != stage.app.url

    patch = {"spec": {"target": {"scim": {"url": moved}}}}
    await stage.kubectl("patch", "pconn/app", "--type=merge", f"--patch={json.dumps(patch)}")
    held = await stage.until_condition("pconn/app", "PlanHeld", "True", "ApprovalRequired")
    assert f"the app's address changed from {stage.app.url} to {moved}" in held["message"]

    patch = {"spec": {"target": {"scim": {"url": stage.app.url}}}}
    await stage.kubectl("patch", "pconn/app", "--type=merge", f"--patch={json.dumps(patch)}")
    await stage.until("pconn/app", lambda found: "plan" not in found["status"])
    await stage.until_condition("pconn/app", "InSync", "True")
    assert stage.app.writes == writes
