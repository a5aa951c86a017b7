"""The CustomResourceDefinitions at a real API server: what it takes, what it refuses, and in which words."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias

import pytest
import yaml

from usher.api.conditions import ConditionType, Verdict, settle
from usher.api.connector_conditions import ConnectorObservation, connector_conditions
from usher.api.crds import render_crds
from usher.api.end_conditions import SourceObservation, mapping_conditions, source_conditions
from usher.api.v1alpha1.connector_status import (
    ConnectorCounts,
    ConnectorScheduleStatus,
    ConnectorStatus,
    CycleSummary,
    PlanStatus,
    QuarantineStatus,
    ResourceCounts,
    RunningCycle,
    TargetStatus,
)
from usher.api.v1alpha1.identity_sources import PendingRead, SourceCounts, SourceStatus
from usher.api.v1alpha1.mappings import MappingStatus, MappingUse
from usher.api.v1alpha1.objects import ScheduleStatus, write_status
from usher.api.v1alpha1.provisioning_runs import ProvisioningRunStatus, SubjectStatus, SubjectStep

pytestmark = pytest.mark.apiserver

CORPUS = yaml.safe_load((Path(__file__).parents[2] / "golden" / "api" / "manifests.yaml").read_text(encoding="utf-8"))
BOTH_WAYS = pytest.mark.parametrize("way", [(), ("--server-side",)], ids=["client-side", "server-side"])

KIND_OF = {
    "connector": "ProvisioningConnector",
    "mapping": "AttributeMapping",
    "run": "ProvisioningRun",
    "source": "IdentitySource",
}
MOMENT = datetime(2026, 1, 1, tzinfo=UTC)
CYCLE = CycleSummary(
    kind="Initial",
    start_time=MOMENT,
    completion_time=MOMENT,
    result="Partial",
    users=ResourceCounts(created=1, linked=2, updated=3, disabled=4, references=8, unchanged=5, skipped=6, failed=7),
    groups=ResourceCounts(created=8, linked=7, updated=6, disabled=0, references=5, unchanged=3, skipped=2, failed=1),
)

Kubectl: TypeAlias = Callable[..., subprocess.CompletedProcess[str]]


def document(kind: str, spec: object) -> dict[str, Any]:
    head = {"apiVersion": "provisioning.usher.dev/v1alpha1", "kind": kind, "metadata": {"name": "subject"}}
    return head if spec is None else {**head, "spec": spec}


def connector_at(url: str) -> dict[str, Any]:
    scim = {**CORPUS["connector"]["target"]["scim"], "url": url}
    return document("ProvisioningConnector", {**CORPUS["connector"], "target": {"scim": scim}})


def applied(kubectl: Kubectl, manifest: dict[str, Any], *options: str) -> dict[str, Any]:
    done = kubectl("apply", "-f", "-", "-o", "json", *options, given=manifest)
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def refused(kubectl: Kubectl, manifest: dict[str, Any], *options: str) -> str:
    done = kubectl("apply", "-f", "-", *options, given=manifest)
    assert done.returncode != 0, f"accepted: {done.stdout}"
    return done.stderr


@pytest.mark.parametrize("name", sorted(render_crds()))
def test_each_definition_is_established(kubectl: Kubectl, name: str) -> None:
    crd = yaml.safe_load(render_crds()[name])

    done = kubectl("get", "crd", crd["metadata"]["name"], "-o", "json")

    conditions = {each["type"]: each["status"] for each in json.loads(done.stdout)["status"]["conditions"]}
    assert conditions["Established"] == "True"
    assert "NonStructuralSchema" not in conditions


@pytest.mark.parametrize("case", CORPUS["accepted"], ids=lambda case: case["title"])
def test_what_the_models_take_the_server_takes(kubectl: Kubectl, case: dict[str, Any]) -> None:
    applied(kubectl, document(case["kind"], case["spec"]), "--dry-run=server")


@pytest.mark.parametrize("case", CORPUS["refused"], ids=lambda case: case["title"])
def test_what_the_models_refuse_the_server_refuses_with_the_path(kubectl: Kubectl, case: dict[str, Any]) -> None:
    message = refused(kubectl, document(case["kind"], case.get("spec")), "--dry-run=server")

    assert case["path"] in message
    assert case.get("server", case["says"]) in message


@pytest.mark.parametrize("url", CORPUS["addresses"]["accepted"])
def test_the_addresses_that_the_models_take_the_server_takes(kubectl: Kubectl, url: str) -> None:
    applied(kubectl, connector_at(url), "--dry-run=server")


@pytest.mark.parametrize("url", CORPUS["addresses"]["refused"])
def test_the_addresses_that_the_models_refuse_the_server_refuses(kubectl: Kubectl, url: str) -> None:
    assert "spec.target.scim.url" in refused(kubectl, connector_at(url), "--dry-run=server")


def test_a_full_mapping_stays_within_the_cost_of_its_rules(kubectl: Kubectl) -> None:
    attributes = [
        {"target": f"{number:04}{'x' * 1020}", "expression": "x" * 10_000 if number <= 90 else "y", "match": number}
        for number in range(1, 101)
    ]

    applied(kubectl, document("AttributeMapping", {"attributes": attributes}), "--dry-run=server", "--server-side")


@BOTH_WAYS
@pytest.mark.parametrize("kind", sorted(KIND_OF))
def test_applying_the_same_again_changes_nothing(kubectl: Kubectl, kind: str, way: tuple[str, ...]) -> None:
    manifest = document(KIND_OF[kind], CORPUS[kind])

    first = applied(kubectl, manifest, *way)
    second = applied(kubectl, manifest, *way)

    assert first["spec"] == manifest["spec"], "the server has put defaults into the spec"
    assert first["metadata"]["resourceVersion"] == second["metadata"]["resourceVersion"]


@pytest.mark.parametrize(
    ("before", "after", "allowed"),
    [
        ({"column": "teams"}, {"column": "groups"}, True),
        ({"configMapRef": {"name": "g", "key": "g"}}, {"secretRef": {"name": "g", "key": "g"}}, True),
        ({"configMapRef": {"name": "g", "key": "g"}}, {"column": "groups"}, False),
        (
            {"configMapRef": {"name": "g", "key": "g"}},
            {"configMapRef": {"name": "g", "key": "g"}, "idColumn": "gid"},
            False,
        ),
    ],
)
def test_what_identifies_a_group_of_a_document_can_not_be_changed(
    kubectl: Kubectl, before: dict[str, Any], after: dict[str, Any], allowed: bool
) -> None:
    place = {"configMapRef": {"name": "people", "key": "people.csv"}}
    applied(kubectl, document("IdentitySource", {"csv": {**place, "groups": before}}))
    manifest = document("IdentitySource", {"csv": {**place, "groups": after}})

    if allowed:
        applied(kubectl, manifest)
    else:
        assert "what identifies a group can't be changed" in refused(kubectl, manifest)


@BOTH_WAYS
def test_a_source_moves_from_a_config_map_to_a_secret(kubectl: Kubectl, way: tuple[str, ...]) -> None:
    place = {"name": "people", "key": "people.csv"}
    applied(kubectl, document("IdentitySource", {"csv": {"configMapRef": place}}), *way)

    moved = applied(kubectl, document("IdentitySource", {"csv": {"secretRef": place}}), *way)

    assert moved["spec"]["csv"] == {"secretRef": place}


@BOTH_WAYS
def test_an_attribute_moves_from_one_way_to_a_value_to_another(kubectl: Kubectl, way: tuple[str, ...]) -> None:
    rules: list[dict[str, Any]] = [{"source": "mail"}, {"expression": "[mail]"}, {"constant": "x"}, {"none": {}}]
    first = {"target": "userName", "source": "id", "match": 1}
    for rule in rules:
        manifest = document("AttributeMapping", {"attributes": [first, {"target": "title", **rule}]})

        assert applied(kubectl, manifest, *way)["spec"] == manifest["spec"]


def test_the_address_of_a_target_may_be_changed(kubectl: Kubectl) -> None:
    applied(kubectl, document("ProvisioningConnector", CORPUS["connector"]))

    moved = applied(kubectl, connector_at("https://other.example.com"))

    assert moved["spec"]["target"]["scim"]["url"] == "https://other.example.com"


def test_the_source_of_a_connector_can_not_be_changed(kubectl: Kubectl) -> None:
    applied(kubectl, document("ProvisioningConnector", CORPUS["connector"]))

    message = refused(kubectl, document("ProvisioningConnector", {**CORPUS["connector"], "sourceRef": {"name": "x"}}))

    assert "spec.sourceRef" in message
    assert "another source is another connector" in message


@pytest.mark.parametrize(
    ("before", "after"),
    [({}, {"idColumn": "mail"}), ({"idColumn": "mail"}, {}), ({"idColumn": "a"}, {"idColumn": "b"})],
    ids=["set", "unset", "changed"],
)
def test_the_id_column_may_be_changed(kubectl: Kubectl, before: dict[str, str], after: dict[str, str]) -> None:
    place = {"configMapRef": {"name": "people", "key": "people.csv"}}
    applied(kubectl, document("IdentitySource", {"csv": {**place, **before}}))

    changed = applied(kubectl, document("IdentitySource", {"csv": {**place, **after}}))

    assert changed["spec"]["csv"] == {**place, **after}


STATUSES = {
    "connector": ConnectorStatus(
        observed_generation=1,
        last_handled_reconcile_at="now",
        conditions=connector_conditions(ConnectorObservation(generation=1, suspended=True), (), MOMENT),
        next_cycle_time=MOMENT,
        consecutive_failures=1,
        schedule=ConnectorScheduleStatus(interval="5m"),
        last_cycle=CYCLE,
        cycle=RunningCycle(kind="Incremental", stage="Apply", done=1, total=2, start_time=MOMENT),
        counts=ConnectorCounts(in_scope=3, linked=2, pending=1, escrowed=1, waiting_references=4),
        quarantine=QuarantineStatus(reason="Because", since=MOMENT, next_attempt=MOMENT, count=2),
        history=(CYCLE, CYCLE),
        plan=PlanStatus(hash="abc", summary="600 disables", expires=MOMENT),
    ),
    "mapping": MappingStatus(
        observed_generation=1,
        conditions=mapping_conditions(1, None, (), MOMENT),
        used_by=MappingUse(count=1, names=("grafana",)),
    ),
    "source": SourceStatus(
        observed_generation=1,
        last_handled_reconcile_at="now",
        conditions=source_conditions(SourceObservation(generation=1), (), MOMENT),
        schedule=ScheduleStatus(interval="1m"),
        counts=SourceCounts(users=5),
        last_read_time=MOMENT,
        version=3,
        consecutive_failures=0,
        attributes=("mail",),
        pending=PendingRead(hash="abc", users=2, kept=1),
    ),
    "run": ProvisioningRunStatus(
        observed_generation=1,
        conditions=settle([Verdict(ConditionType.COMPLETE, "True", "Succeeded", "m", 1)], (), MOMENT),
        start_time=MOMENT,
        completion_time=MOMENT,
        cycle=CYCLE,
        plan=PlanStatus(hash="abc", summary="600 disables", expires=MOMENT),
        target=TargetStatus(discovered=MOMENT, types="Discovered", guarantee="UniqueKey"),
        subjects=(
            SubjectStatus(
                index=0,
                steps=(SubjectStep(step="import", result="Success", reason="Found", message="m"),),
                attributes=("userName",),
            ),
        ),
    ),
}


@pytest.mark.parametrize("name", sorted(KIND_OF))
def test_the_server_stores_a_status_as_the_models_write_it(kubectl: Kubectl, name: str) -> None:
    stored = applied(kubectl, document(KIND_OF[name], CORPUS[name]))
    status = write_status(STATUSES[name])
    manifest = {**document(KIND_OF[name], None), "status": status}

    applied(kubectl, manifest, "--server-side", "--subresource=status")

    (item,) = json.loads(kubectl("get", KIND_OF[name], "-o", "json").stdout)["items"]
    assert item["status"] == status
    assert item["spec"] == stored["spec"]
    assert item["metadata"]["generation"] == 1


def test_kubectl_get_tells_whether_it_is_well(kubectl: Kubectl) -> None:
    applied(kubectl, document("ProvisioningConnector", CORPUS["connector"]))
    moment = "2026-01-01T00:00:00Z"
    ready = {"type": "Ready", "status": "True", "reason": "Running", "message": "m", "lastTransitionTime": moment}
    status = {
        "conditions": [ready, {**ready, "type": "InSync", "status": "False"}],
        "counts": {"linked": 498, "pending": 2},
        "lastCycle": {"completionTime": moment},
    }
    kubectl("patch", "pconn", "subject", "--subresource=status", "--type=merge", "-p", json.dumps({"status": status}))

    head, line = kubectl("get", "pconn").stdout.splitlines()

    assert head.split() == ["NAME", "READY", "INSYNC", "SOURCE", "USERS", "PENDING", "LAST", "CYCLE", "REASON", "AGE"]
    assert line.split()[:6] == ["subject", "True", "False", "corp", "498", "2"]
    assert line.split()[7] == "Running"


def test_what_a_run_asks_for_can_not_be_changed(kubectl: Kubectl) -> None:
    applied(kubectl, document("ProvisioningRun", CORPUS["run"]))

    message = refused(kubectl, document("ProvisioningRun", {**CORPUS["run"], "type": "Plan"}))

    assert "spec can't be changed: create another ProvisioningRun" in message


def test_kubectl_get_shows_all_kinds_by_their_category(kubectl: Kubectl) -> None:
    for name, kind in KIND_OF.items():
        applied(kubectl, document(kind, CORPUS[name]))

    shown = kubectl("get", "provisioning", "-o", "name").stdout.splitlines()

    assert [name.partition(".")[0] for name in shown] == [
        "attributemapping",
        "identitysource",
        "provisioningconnector",
        "provisioningrun",
    ]


@pytest.mark.parametrize(
    ("kind", "name", "field"),
    [
        ("ProvisioningConnector", "connector", "spec.sourceRef.name=corp"),
        ("ProvisioningConnector", "connector", "spec.target.scim.auth.bearer.secretRef.name=app-scim"),
        ("IdentitySource", "source", "spec.csv.configMapRef.name=people"),
        ("ProvisioningRun", "run", "spec.connectorRef.name=app"),
    ],
)
def test_objects_are_found_by_what_they_refer_to(kubectl: Kubectl, kind: str, name: str, field: str) -> None:
    applied(kubectl, document(kind, CORPUS[name]))

    found = kubectl("get", kind, f"--field-selector={field}", "-o", "name").stdout
    others = kubectl("get", kind, f"--field-selector={field}x", "-o", "name").stdout

    assert found.strip().endswith("/subject")
    assert others == ""
