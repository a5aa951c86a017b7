"""What the models take and refuse without an API server, and in which words."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from usher.api.manifests import ManifestError, Origin, is_ours, parse_manifest
from usher.api.v1alpha1.kinds import AttributeMapping, IdentitySource, ProvisioningConnector
from usher.api.v1alpha1.references import ConfigMapKeyRef, SecretKeyRef

CORPUS = yaml.safe_load((Path(__file__).parents[2] / "golden" / "api" / "manifests.yaml").read_text(encoding="utf-8"))


def document(kind: str, spec: object) -> dict[str, Any]:
    return {
        "apiVersion": "provisioning.usher.dev/v1alpha1",
        "kind": kind,
        "metadata": {"name": "grafana", "namespace": "identity"},
        "spec": spec,
    }


def connector_at(url: str) -> dict[str, Any]:
    scim = {**CORPUS["connector"]["target"]["scim"], "url": url}
    return document("ProvisioningConnector", {**CORPUS["connector"], "target": {"scim": scim}})


def problems(manifest: dict[str, Any], origin: Origin = Origin.CLUSTER) -> list[tuple[str, str]]:
    with pytest.raises(ManifestError) as caught:
        parse_manifest(manifest, origin)
    return [(problem.path, problem.message) for problem in caught.value.problems]


@pytest.mark.parametrize("case", CORPUS["accepted"], ids=lambda case: case["title"])
def test_a_manifest_within_the_rules_is_taken(case: dict[str, Any]) -> None:
    assert parse_manifest(document(case["kind"], case["spec"])).key == "identity/grafana"


@pytest.mark.parametrize("case", CORPUS["refused"], ids=lambda case: case["title"])
def test_a_manifest_against_a_rule_is_refused_with_its_path_and_the_rule(case: dict[str, Any]) -> None:
    (message,) = [
        message for path, message in problems(document(case["kind"], case.get("spec"))) if path == case["path"]
    ]

    assert case["says"] in message


@pytest.mark.parametrize("url", CORPUS["addresses"]["accepted"])
def test_an_address_of_http_is_taken(url: str) -> None:
    connector = parse_manifest(connector_at(url))

    assert isinstance(connector, ProvisioningConnector)
    assert connector.spec.target.scim.url == url


@pytest.mark.parametrize("url", CORPUS["addresses"]["refused"])
def test_an_address_that_is_more_or_less_than_one_is_refused(url: str) -> None:
    ((path, message),) = problems(connector_at(url))

    assert path == "spec.target.scim.url"
    assert "must" in message
    assert "canary" not in message


def test_what_a_connector_leaves_out_has_its_documented_value() -> None:
    connector = parse_manifest(document("ProvisioningConnector", CORPUS["connector"]))

    assert isinstance(connector, ProvisioningConnector)
    spec = connector.spec
    assert (spec.suspend, spec.schedule.interval) == (False, timedelta(minutes=5))
    assert spec.safety.hold_for == timedelta(hours=72)
    for budget in (spec.safety.accounts, spec.safety.groups, spec.safety.memberships):
        assert (budget.max_count, budget.max_percent, budget.min_count) == (500, 10, 10)


def test_what_a_source_leaves_out_has_its_documented_value() -> None:
    source = parse_manifest(document("IdentitySource", CORPUS["source"]))

    assert isinstance(source, IdentitySource)
    spec = source.spec
    assert (spec.schedule.interval, spec.min_retained) == (timedelta(minutes=1), 80)
    assert spec.csv is not None
    assert (spec.csv.id_column, spec.csv.delimiter) == ("objectId", ",")
    assert spec.csv.document == ConfigMapKeyRef(name="people", key="people.csv")


def test_a_mapping_without_a_type_is_for_users_and_on() -> None:
    mapping = parse_manifest(document("AttributeMapping", CORPUS["mapping"]))

    assert isinstance(mapping, AttributeMapping)
    assert (mapping.spec.resource_type, mapping.spec.enabled) == ("User", True)


def test_the_command_line_reads_a_document_from_a_file_too() -> None:
    spec = {"csv": {"file": "people.csv"}}

    source = parse_manifest(document("IdentitySource", spec), Origin.FILES)

    assert isinstance(source, IdentitySource)
    assert source.spec.csv is not None
    assert source.spec.csv.document == "people.csv"


def test_on_the_command_line_a_document_is_in_one_place_as_well() -> None:
    spec = {"csv": {"file": "people.csv", "secretRef": {"name": "a", "key": "b"}}}

    ((path, message),) = problems(document("IdentitySource", spec), Origin.FILES)

    assert path == "spec.csv"
    assert message == "exactly one of configMapRef, secretRef and file has to be set"


def test_on_the_command_line_the_other_places_still_count() -> None:
    spec = {"csv": {"secretRef": {"name": "a", "key": "b"}}}

    source = parse_manifest(document("IdentitySource", spec), Origin.FILES)

    assert isinstance(source, IdentitySource)
    assert source.spec.csv is not None
    assert source.spec.csv.document == SecretKeyRef(name="a", key="b")


def test_all_problems_of_a_manifest_are_told_at_once() -> None:
    manifest = document("ProvisioningConnector", {**CORPUS["connector"], "scope": {}, "schedule": {"interval": "5x"}})
    manifest["metadata"]["nmae"] = "x"

    assert [path for path, _ in problems(manifest)] == ["metadata.nmae", "spec.schedule.interval", "spec.scope"]


def test_an_unknown_kind_is_told_which_ones_there_are() -> None:
    told = problems(document("Connector", {}))

    kinds = "AttributeMapping, IdentitySource, ProvisioningConnector, ProvisioningRun"
    assert told == [("kind", f"must be one of {kinds}")]


def test_another_version_is_told_which_one_there_is() -> None:
    manifest = {**document("IdentitySource", CORPUS["source"]), "apiVersion": "provisioning.usher.dev/v1"}

    assert problems(manifest) == [("apiVersion", "must be provisioning.usher.dev/v1alpha1")]


def test_the_error_names_the_object() -> None:
    with pytest.raises(
        ManifestError, match=r"^IdentitySource/grafana spec: exactly one of csv and ldap has to be set$"
    ):
        parse_manifest(document("IdentitySource", {}))


def test_metadata_that_the_api_server_adds_is_no_problem() -> None:
    manifest = document("IdentitySource", CORPUS["source"])
    manifest["metadata"] |= {"uid": "u", "generation": 3, "resourceVersion": "7", "managedFields": [{}], "labels": {}}
    manifest["metadata"]["annotations"] = {"a": "b"}

    metadata = parse_manifest(manifest).metadata

    assert (metadata.uid, metadata.generation, metadata.resource_version) == ("u", 3, "7")
    assert metadata.annotations == {"a": "b"}


def test_a_manifest_without_a_namespace_is_in_default() -> None:
    manifest = document("IdentitySource", CORPUS["source"])
    del manifest["metadata"]["namespace"]

    assert parse_manifest(manifest).key == "default/grafana"


@pytest.mark.parametrize("status", [None, "?", {"counts": 5}, {"observedGeneration": "x"}, {"later": {"field": 1}}])
def test_a_status_that_can_not_be_read_is_an_empty_one(status: object) -> None:
    source = parse_manifest({**document("IdentitySource", CORPUS["source"]), "status": status})

    assert isinstance(source, IdentitySource)
    assert source.status.counts is None


def test_a_status_is_read() -> None:
    status = {"counts": {"users": 5}, "attributes": ["mail"], "lastReadTime": "2026-01-01T00:00:00Z"}

    source = parse_manifest({**document("IdentitySource", CORPUS["source"]), "status": status})

    assert isinstance(source, IdentitySource)
    assert source.status.counts is not None
    assert source.status.counts.users == 5
    assert source.status.attributes == ("mail",)


def test_aliases_that_multiply_a_small_file_end_in_a_problem() -> None:
    bomb: list[object] = ["x"] * 100
    for _ in range(6):
        bomb = [bomb] * 100

    ((_, message),) = problems(document("IdentitySource", {"csv": bomb}))

    assert "too large" in message


def test_a_manifest_that_contains_itself_ends_in_a_problem() -> None:
    manifest = document("IdentitySource", {})
    manifest["spec"]["csv"] = manifest

    ((_, message),) = problems(manifest)

    assert "too large" in message


@pytest.mark.parametrize("metadata", [None, "x", [], {}, {"name": ""}, {"name": "UPPER"}, {"name": 5}])
def test_metadata_without_a_usable_name_is_a_problem(metadata: object) -> None:
    told = problems({**document("IdentitySource", CORPUS["source"]), "metadata": metadata})

    assert [path for path, _ in told] in (["metadata"], ["metadata.name"])


def test_no_value_of_a_manifest_is_repeated_in_a_problem() -> None:
    spec = {
        "csv": {"configMapRef": {"name": "CANARY!", "key": "CANARY?"}, "delimiter": "CANARY"},
        "minRetained": "CANARY",
    }

    with pytest.raises(ManifestError) as caught:
        parse_manifest(document("IdentitySource", spec))

    assert len(caught.value.problems) == 4
    assert "CANARY" not in str(caught.value)


def test_a_document_is_ours_by_its_group_alone() -> None:
    assert is_ours({"apiVersion": "provisioning.usher.dev/v9", "kind": "Unheard"})
    assert not is_ours({"apiVersion": "v1", "kind": "ConfigMap"})
    assert not is_ours({})
