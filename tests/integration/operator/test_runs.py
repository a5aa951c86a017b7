"""What is asked of a connector by a ProvisioningRun, with `usher` and kubectl, on a real API server."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from click.testing import CliRunner, Result

from integration.operator.conftest import Document, Stage, config_map, manifest, mapping, people, secret, source
from usher.cli.main import usher
from usher.kube import reconcile_run
from usher.testing.faults import Fault, FaultKind, Operation, every

pytestmark = pytest.mark.apiserver


async def command(stage: Stage, *arguments: str) -> Result:
    place = ["--kubeconfig", str(stage.namespace.kubeconfig), "-n", stage.namespace.name]
    return await asyncio.to_thread(CliRunner().invoke, usher, [*arguments, *place])


async def runs(stage: Stage) -> list[Document]:
    listed: list[Document] = json.loads(await stage.kubectl("get", "prun", "-o", "json"))["items"]
    return listed


async def test_a_cycle_is_asked_for_and_waited_for(stage: Stage) -> None:
    await stage.set_up("ada", "bob")
    await stage.until_condition("pconn/app", "InSync", "True")

    result = await command(stage, "run", "app", "--type", "Initial", "--wait", "-o", "json")

    assert result.exit_code == 0, result.output
    told: dict[str, Any] = json.loads(result.stdout)
    assert told["status"]["cycle"]["kind"] == "Initial"
    assert told["status"]["cycle"]["users"]["unchanged"] == 2
    await stage.kubectl("wait", "--for=condition=Complete", f"prun/{told['name']}", "--timeout=10s")
    lines = (await stage.kubectl("get", "prun")).splitlines()
    assert lines[0].split() == ["NAME", "COMPLETE", "TYPE", "CONNECTOR", "REASON", "AGE"]
    assert lines[1].split()[:5] == [told["name"], "True", "Initial", "app", "Succeeded"]
    assert (await stage.until_events("Complete"))["Complete"] == "the cycle ran to its end"


async def test_links_are_found_again_and_come_into_force_when_that_is_approved(stage: Stage) -> None:
    await stage.set_up("ada", "bob")
    await stage.until_condition("pconn/app", "InSync", "True")

    usual = await command(stage, "restart", "app", "--wait", "-o", "json")
    links = await command(stage, "restart", "app", "--scope", "Links", "--wait", "-o", "json")

    assert usual.exit_code == links.exit_code == 0, (usual.output, links.output)
    assert json.loads(usual.stdout)["status"]["cycle"]["users"]["unchanged"] == 2
    plan = json.loads(links.stdout)["status"]["plan"]
    assert "nobody leaves: 2 to take over" in plan["summary"]
    await stage.until_condition("pconn/app", "PlanHeld", "True")
    assert (await command(stage, "approve", "app", plan["hash"])).exit_code == 0
    await stage.until_condition("pconn/app", "InSync", "True")
    assert stage.accounts == {"ada": True, "bob": True}


async def test_a_connector_is_suspended_looked_at_and_resumed(stage: Stage) -> None:
    await stage.set_up("ada")
    await stage.until_condition("pconn/app", "InSync", "True")
    told = json.loads((await command(stage, "suspend", "app", "-o", "json")).stdout)
    name = f"ProvisioningConnector/app in namespace {stage.namespace.name}"
    assert told == {"object": name, "result": "suspended"}
    await stage.until_condition("pconn/app", "Suspended", "True")
    await stage.write_people("ada", "bob")

    waits = await command(stage, "run", "app")
    tried = await command(stage, "test-connection", "app")
    planned = await command(stage, "run", "app", "--type", "Plan", "--wait", "-o", "json")

    assert waits.exit_code == tried.exit_code == planned.exit_code == 0, (waits.output, tried.output, planned.output)
    assert "guarantee of the app: UniqueKey" in tried.stdout
    assert stage.accounts == {"ada": True}
    (waiting,) = [one for one in await runs(stage) if one["spec"]["type"] == "Incremental"]
    assert waiting["status"]["conditions"][0]["reason"] == "Suspended"

    assert (await command(stage, "resume", "app")).exit_code == 0
    name = waiting["metadata"]["name"]
    await stage.kubectl("wait", "--for=condition=Complete", f"prun/{name}", "--timeout=60s")
    assert stage.accounts == {"ada": True, "bob": True}
    assert "suspend" not in (await stage.get("pconn/app"))["spec"]


async def test_a_test_of_the_connection_blames_the_field(stage: Stage) -> None:
    await stage.set_up("ada")
    await stage.until_condition("pconn/app", "InSync", "True")
    await stage.kubectl("delete", "secret", "app-token")

    result = await command(stage, "test-connection", "app")

    assert result.exit_code == 1, result.output
    assert "spec.target.scim.auth.bearer.secretRef" in result.stdout


async def test_a_run_that_has_ended_is_deleted_after_its_time_and_one_without_a_connector_is_told(stage: Stage) -> None:
    await stage.set_up("ada")
    spec = {"connectorRef": {"name": "app"}, "type": "FullComparison", "ttlAfterFinished": "1s"}
    await stage.apply(manifest("ProvisioningRun", "compare", spec))

    await stage.kubectl("wait", "--for=delete", "prun/compare", "--timeout=60s")

    assert stage.accounts == {"ada": True}
    nobody = await command(stage, "run", "nobody")
    assert nobody.exit_code == 1
    assert "there is no ProvisioningConnector/nobody" in nobody.stderr
    assert await runs(stage) == []


async def test_a_run_is_taken_up_by_the_operator_that_comes_next(stage: Stage) -> None:
    await stage.set_up("ada")
    await stage.until_condition("pconn/app", "InSync", "True")
    await stage.end()
    spec = {"connectorRef": {"name": "app"}, "type": "Initial"}
    await stage.apply(manifest("ProvisioningRun", "later", spec))

    unseen = await command(stage, "run", "app", "--wait", "--timeout", "1s")
    stage.start()

    assert unseen.exit_code == 1
    assert "no operator has looked at it yet" in unseen.stderr
    await stage.kubectl("wait", "--for=condition=Complete", "prun", "--all", "--timeout=60s")
    assert [one["status"]["cycle"]["result"] for one in await runs(stage)] == ["Succeeded", "Succeeded"]


async def test_a_new_connector_is_tried_with_one_person_and_the_first_cycle_finds_the_account(stage: Stage) -> None:
    parts = config_map(people("ada", "bob")), secret(stage.app.token), source(), mapping()
    await stage.apply(*parts, stage.connector(suspend=True))
    words = ("--type", "OnDemand", "--subject", "userPrincipalName=BOB@example.com", "--subject", "objectId=id-zoe")

    tried = await command(stage, "run", "app", *words, "--wait")

    assert tried.exit_code == 1, tried.output  # nobody is called zoe
    lines = [line.split() for line in tried.stdout.splitlines()]
    assert ["userPrincipalName=BOB@example.com", "Found", "InScope", "Unmatched", "Created"] in [
        one[:5] for one in lines
    ]
    assert ["objectId=id-zoe", "SubjectNotFound", "NotReached", "NotReached", "NotReached"] in [
        one[:5] for one in lines
    ]
    assert stage.accounts == {"bob": True}
    (run,) = await runs(stage)
    assert "bob" not in json.dumps(run["status"]).lower()
    assert (await command(stage, "resume", "app")).exit_code == 0
    await stage.until_condition("pconn/app", "InSync", "True")
    assert stage.accounts == {"ada": True, "bob": True}
    assert (await stage.status("pconn/app"))["lastCycle"]["users"]["created"] == 1


async def test_a_cycle_is_undone_once_the_connector_is_suspended(stage: Stage) -> None:
    await stage.set_up("ada", "bob")
    await stage.until_condition("pconn/app", "InSync", "True")
    cycle = (await stage.status("pconn/app"))["lastCycle"]["name"]
    words = ("run", "app", "--type", "Undo", "--cycle", cycle, "--wait")

    early = await command(stage, *words)
    assert (await command(stage, "suspend", "app")).exit_code == 0
    await stage.until_condition("pconn/app", "Suspended", "True")
    unknown = await command(stage, "run", "app", "--type", "Undo", "--cycle", "20200101T000000Z-0000", "--wait")
    done = await command(stage, *words)

    assert (early.exit_code, unknown.exit_code, done.exit_code) == (1, 1, 0), (early.output, done.output)
    assert "usher suspend" in early.stdout
    assert "usher logs" in unknown.stdout
    assert "what the cycle did was taken back" in done.stdout
    assert stage.accounts == {"ada": False, "bob": False}
    refused = await command(stage, "run", "app", "--type", "Undo")
    assert refused.exit_code == 2
    assert (await command(stage, "resume", "app")).exit_code == 0
    await stage.until_true(lambda: stage.accounts == {"ada": True, "bob": True})


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--type", "OnDemand"), "needs one at least"),
        (("--subject", "mail=a"), "needs one at least"),
        (("--type", "OnDemand", "--subject", "alice"), "write ATTRIBUTE=VALUE"),
        (("--type", "OnDemand", *["--subject", "mail=a"] * 11), "10 at most"),
    ],
)
def test_a_run_on_demand_says_who_is_meant(words: tuple[str, ...], said: str) -> None:
    result = CliRunner().invoke(usher, ["run", "app", *words])
    assert result.exit_code == 2, result.output
    assert said in result.stderr


async def test_runs_of_one_connector_go_in_the_order_of_their_age(stage: Stage) -> None:
    kinds = ("Plan", "FullComparison", "Incremental")
    await stage.set_up("ada")
    await stage.until_condition("pconn/app", "InSync", "True")
    await stage.end()
    for number, kind in enumerate(kinds):  # those of one second go by their names
        spec = {"connectorRef": {"name": "app"}, "type": kind}
        await stage.apply(manifest("ProvisioningRun", f"run-{number}", spec))
    stage.start()

    await stage.kubectl("wait", "--for=condition=Complete", "prun", "--all", "--timeout=60s")

    found = {one["spec"]["type"]: one["status"] for one in await runs(stage)}
    assert [found[kind]["cycle"]["kind"] for kind in kinds] == ["Incremental", "FullComparison", "Incremental"]
    ends = [(found[kind]["startTime"], found[kind]["completionTime"]) for kind in kinds]
    assert all(before[1] <= after[0] for before, after in pairwise(ends)), ends


async def test_a_run_that_an_operator_left_in_the_middle_is_ended_by_the_next_one(stage: Stage) -> None:
    await stage.set_up("ada")
    await stage.until_condition("pconn/app", "InSync", "True")
    names = [f"person{number}" for number in range(200)]
    await stage.kubectl("patch", "pconn", "app", "--type=merge", "-p", '{"spec":{"suspend":true}}')
    await stage.until_condition("pconn/app", "Suspended", "True")
    stage.app.faults.add(every(Operation.CREATE, 20, Fault(FaultKind.THROTTLED, retry_after=1)))
    await stage.write_people("ada", *names)
    await stage.apply(manifest("ProvisioningRun", "many", {"connectorRef": {"name": "app"}, "type": "Incremental"}))
    await stage.until_condition("prun/many", "Complete", "False", "Suspended")
    await stage.until("idsrc/corp", lambda found: found["status"]["counts"]["users"] == 201)
    assert (await command(stage, "resume", "app")).exit_code == 0
    await stage.until_true(lambda: len(stage.accounts) > 1)

    await stage.end()
    assert len(stage.accounts) < 201
    stage.start()

    await stage.until_condition("prun/many", "Complete", "True", "Succeeded")
    assert len(stage.accounts) == 201
    assert set(stage.app.history.most_accounts_by("userName").values()) == {1}


async def test_a_run_that_names_nobody_waits_and_fails(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    assert timedelta(minutes=1) == reconcile_run.PATIENCE
    monkeypatch.setattr(reconcile_run, "PATIENCE", timedelta(seconds=8))
    spec = {"connectorRef": {"name": "nobody"}, "type": "Incremental"}
    await stage.apply(manifest("ProvisioningRun", "lost", spec))
    await stage.until_condition("prun/lost", "Complete", "False", "ConnectorNotFound")

    await stage.kubectl("wait", "--for=condition=Failed", "prun/lost", "--timeout=90s")

    told = await stage.condition("prun/lost", "Failed")
    assert told["message"].startswith("spec.connectorRef: ProvisioningConnector/nobody in namespace ")
    assert told["reason"] in await stage.until_events("ConnectorNotFound")
