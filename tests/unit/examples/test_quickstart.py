"""The manifests of the quickstart are what the models take, and fit together."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest
import yaml

from usher.api.manifests import is_ours, parse_manifest
from usher.api.v1alpha1.kinds import AttributeMapping
from usher.assembly.mappings import compile_mapping
from usher.testing.clock import fake_surroundings

QUICKSTART = Path(__file__).parents[3] / "examples" / "quickstart"


def documents(folder: Path) -> list[dict[str, Any]]:
    return [found for path in sorted(folder.rglob("*.yaml")) for found in yaml.safe_load_all(path.read_text("utf-8"))]


def only(kind: str) -> dict[str, Any]:
    (found,) = [document for document in documents(QUICKSTART) if document["kind"] == kind]
    return found


def people() -> list[dict[str, str]]:
    return list(csv.DictReader(only("ConfigMap")["data"]["people.csv"].splitlines(), strict=True))


@pytest.mark.parametrize("document", documents(QUICKSTART), ids=lambda found: str(found["kind"]))
def test_every_manifest_of_ours_is_taken_by_its_model(document: dict[str, Any]) -> None:
    if is_ours(document):
        assert parse_manifest(document).names.kind == document["kind"]


def test_kubectl_makes_the_namespace_before_what_is_in_it() -> None:
    first = documents(QUICKSTART)[0]
    assert first["kind"] == "Namespace"
    assert {each["metadata"].get("namespace", first["metadata"]["name"]) for each in documents(QUICKSTART)} == {
        first["metadata"]["name"]
    }


def test_the_connector_names_what_is_there() -> None:
    spec = only("ProvisioningConnector")["spec"]
    secret = spec["target"]["scim"]["auth"]["bearer"]["secretRef"]
    assert spec["sourceRef"]["name"] == only("IdentitySource")["metadata"]["name"]
    assert [each["name"] for each in spec["mappings"]] == [only("AttributeMapping")["metadata"]["name"]]
    assert secret["name"] == only("Secret")["metadata"]["name"]
    assert secret["key"] in only("Secret")["stringData"]
    assert only("IdentitySource")["spec"]["csv"]["configMapRef"] == {
        "name": only("ConfigMap")["metadata"]["name"],
        "key": "people.csv",
    }


def test_the_mapping_reads_only_columns_that_the_people_have() -> None:
    rules = only("AttributeMapping")["spec"]["attributes"]
    assert {rule["source"] for rule in rules if "source" in rule} <= set(people()[0])


def test_500_people_each_with_an_id_and_a_name_of_their_own_and_none_of_them_reachable() -> None:
    found = people()
    assert len({person["objectId"] for person in found}) == len(found) == 500
    assert len({person["userPrincipalName"].casefold() for person in found}) == 500
    assert all(person["mail"].endswith("@example.com") and all(person.values()) for person in found)


def test_the_mapping_compiles() -> None:
    mapping = parse_manifest(only("AttributeMapping"))
    assert isinstance(mapping, AttributeMapping)
    assert compile_mapping("app-users", mapping.spec, fake_surroundings()).disabling is not None
