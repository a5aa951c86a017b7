"""The pages say what the code says."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import get_args

import pytest
import yaml
from click.testing import CliRunner
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from usher.answers.ways_out import WAYS_OUT
from usher.api.conditions import Reason
from usher.api.manifests import parse_manifest
from usher.api.names import DEPROVISION
from usher.api.v1alpha1.connectors import Deprovisioning, ProvisioningConnectorSpec
from usher.api.v1alpha1.filters import ScopeClause, ScopeFilter
from usher.api.v1alpha1.identity_sources import LocalIdentitySourceSpec, SourceSchedule
from usher.api.v1alpha1.kinds import AttributeMapping, ProvisioningConnector
from usher.api.v1alpha1.mappings import AttributeMappingSpec, AttributeRule, MatchGroup
from usher.api.v1alpha1.sources.csv import LocalCsvSource
from usher.api.v1alpha1.sources.ldap import LdapGroups, LdapSource, LdapUsers
from usher.assembly.mappings import compile_mapping
from usher.cli.main import usher
from usher.core.model.resources import ResourceType
from usher.core.sync.leaving import CAUSES, Policy
from usher.core.sync.scoping import Operator
from usher.sources.ldap.names import (
    ACCOUNT_ENABLED,
    DN,
    GROUP_NAMES,
    LOCKS,
    MEMBERS,
    OBJECT_ID,
    PERSON_NAMES,
)
from usher.testing.clock import fake_surroundings

ROOT = Path(__file__).parents[3]
PACKAGE = ROOT / "operator" / "usher"
LITERAL = re.compile(r"reason(?:: str)? ?= ?\"([A-Z][A-Za-z]+)\"")
CONSTANT = re.compile(r"^[A-Z_]+: Final = \"([A-Z][a-z]+(?:[A-Z][a-z]+)+)\"$", re.MULTILINE)
NOT_FOR_USERS = {
    "IsSoftDeleted",  # no reason but an attribute
    "NotFound",  # of one request to the API server, answered by who asked
    "Forbidden",  # becomes AccessDenied
    "Unauthorized",  # becomes CredentialsRejected or ClusterUnreachable
    "WatermarkExpired",  # the source is read whole then
    "SpecInvalid",  # the event that comes with InvalidSpec
    *("BadRequest", "Busy", "Starting", "TooLong"),  # said by the read API to who asks it, with the way out beside it
    *(
        "AnswerUnknown",
        "CertificateUnknown",
        "NoToken",
        "NotServed",
        "OperatorUnreachable",
    ),  # said by its client, likewise
    "CertificateUnusable",  # of `usher operator --read-api-certificate`
    "NothingHeld",  # said by `usher approve`, with the way out beside it
    "OtherHeld",  # as above
    "NotDeleted",  # said by `usher release`, likewise
    "NotHeld",  # as above
    "OutputUnusable",  # of `usher crds --output` and `usher import-entra-schema --output-dir`
    "AddressUnusable",  # of `usher operator --listen`
    "SelectUniqueValue",  # the function
    "IgnoreFlowIfNullOrEmpty",  # likewise
    "WebExceptionProtocolError",  # an answer of one request that is no SCIM, in the log with its detail
}


def reasons_in_code() -> set[str]:
    layers = ("core", "engine", "sources", "targets", "transport", "state", "kube", "cli", "answers")
    modules = [path for layer in layers for path in (PACKAGE / layer).rglob("*.py")]
    texts = [path.read_text(encoding="utf-8") for path in modules]
    return {reason for text in texts for pattern in (LITERAL, CONSTANT) for reason in pattern.findall(text)}


def test_every_reason_has_its_cause_and_cure() -> None:
    page = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
    wanted = {reason.value for reason in Reason} | reasons_in_code()
    assert sorted(reason for reason in wanted - NOT_FOR_USERS if f"`{reason}`" not in page) == []


def test_every_reason_why_somebody_was_skipped_or_failed_has_a_way_out_in_an_explanation() -> None:
    page = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
    rows = page.split("## Why somebody was skipped or failed")[1].splitlines()
    reasons = {reason for row in rows for reason in re.findall(r"`([A-Za-z]+)`", row.split(" | ")[0])}
    assert reasons == set(WAYS_OUT)


def test_every_operator_of_a_scoping_filter_is_in_the_docs() -> None:
    page = (ROOT / "docs" / "mappings.md").read_text(encoding="utf-8")
    assert get_args(ScopeClause.model_fields["operator"].annotation) == tuple(Operator)
    assert [operator.value for operator in Operator if f"`{operator.value}`" not in page] == []


def rows_of(names: Mapping[str, Sequence[str]]) -> str:
    """The table of a resource type as the page has to have it."""
    return "\n".join(f"| `{name}` | {', '.join(f'`{each}`' for each in found)} |" for name, found in names.items())


def test_the_names_of_a_mapping_and_the_attributes_that_they_come_from_are_those_of_the_code() -> None:
    page = (ROOT / "docs" / "sources.md").read_text(encoding="utf-8")
    people, groups = page.split("\nPeople:\n")[1].split("\nGroups:\n")
    assert rows_of(PERSON_NAMES) in people, rows_of(PERSON_NAMES)
    assert rows_of(GROUP_NAMES) in groups, rows_of(GROUP_NAMES)
    assert [name for name in (ACCOUNT_ENABLED, DN, OBJECT_ID) if f"| `{name}` |" not in people] == []
    assert [name for name in (DN, MEMBERS, OBJECT_ID) if f"| `{name}` |" not in groups] == []
    assert re.findall(r"^\| `([A-Za-z-]+)` \| [A-Z0-9]", page.split("`accountEnabled` comes")[1], re.MULTILINE)[
        : len(LOCKS)
    ] == list(LOCKS)


def fields_of(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """The YAML path of every field of a source kind, references as a whole."""
    for name, info in model.model_fields.items():
        path = f"{prefix}{info.alias or name}"
        inner = next((each for each in (LdapUsers, LdapGroups, SourceSchedule) if each in _types(info)), None)
        yield from [path] if inner is None else fields_of(inner, f"{path}.")


def _types(info: FieldInfo) -> Sequence[object]:
    return (info.annotation, *get_args(info.annotation))


@pytest.mark.parametrize("model", [LdapSource, LocalCsvSource, LocalIdentitySourceSpec])
def test_every_field_of_a_source_is_in_the_docs(model: type[BaseModel]) -> None:
    page = (ROOT / "docs" / "sources.md").read_text(encoding="utf-8")
    assert [path for path in fields_of(model) if f"`{path}`" not in page] == []


@pytest.mark.parametrize("model", [AttributeRule, AttributeMappingSpec, MatchGroup, ScopeClause, ScopeFilter])
def test_every_field_of_a_mapping_is_in_the_docs(model: type[BaseModel]) -> None:
    page = (ROOT / "docs" / "mappings.md").read_text(encoding="utf-8")
    fields = {info.alias or name for name, info in model.model_fields.items()} - {"resourceType", "attributes"}
    assert [field for field in sorted(fields) if f"`{field}" not in page and f"{field}:" not in page] == []


def test_the_mappings_of_the_docs_are_what_they_seem() -> None:
    blocks = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs" / "mappings.md").read_text(encoding="utf-8"), re.DOTALL)
    compiled = []
    for block in blocks:
        manifest = parse_manifest(yaml.safe_load(block))
        assert isinstance(manifest, AttributeMapping)
        compiled.append(compile_mapping(manifest.metadata.name, manifest.spec, fake_surroundings()))
    assert [mapping.resource_type for mapping in compiled] == [ResourceType.USER, ResourceType.GROUP]
    assert all(mapping.matching for mapping in compiled)


def test_every_way_to_leave_and_what_is_done_then_is_in_the_docs() -> None:
    page = (ROOT / "docs" / "deprovisioning.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    written = yaml.safe_load(block)["spec"]["deprovisioning"]
    connector = parse_manifest(yaml.safe_load(block))
    assert isinstance(connector, ProvisioningConnector)
    ways = get_args(ProvisioningConnectorSpec.model_fields["deletion_policy"].annotation)
    assert {"deletion_policy", "deprovision_timeout"} <= connector.spec.model_fields_set
    assert [
        word for word in (*ways, "deletionPolicy", "deprovisionTimeout", DEPROVISION) if f"`{word}" not in page
    ] == []
    assert sorted(written) == sorted(info.alias or name for name, info in Deprovisioning.model_fields.items())
    assert [word for word in (*Policy, *CAUSES, *written) if f"`{word}`" not in page] == []


def test_the_references_of_the_docs_are_some() -> None:
    page = (ROOT / "docs" / "mappings.md").read_text(encoding="utf-8")
    section = page.partition("## Who refers to whom")[2].partition("\n## ")[0]
    manager, members = (yaml.safe_load(line)[0] for line in re.findall(r"^    (- .*)$", section, re.MULTILINE))
    name = {"target": "displayName", "source": "displayName", "match": 1}
    for resource_type, line in (("User", manager), ("Group", members)):
        spec = AttributeMappingSpec.model_validate({"resourceType": resource_type, "attributes": (name, line)})
        assert len(compile_mapping("some", spec, fake_surroundings()).references) == 1


def test_what_the_front_page_says_that_one_writes_is_what_the_models_take() -> None:
    (block,) = re.findall(r"```yaml\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    kinds = [parse_manifest(document).names.kind for document in yaml.safe_load_all(block)]
    assert kinds == ["ProvisioningConnector", "IdentitySource"]


def test_the_example_of_an_import_gives_what_the_page_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = (ROOT / "docs" / "import-entra-schema.md").read_text(encoding="utf-8")
    export, told, written = re.findall(r"^```(?:json|yaml|)\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    monkeypatch.chdir(tmp_path)
    Path("schema.json").write_text(export, encoding="utf-8")

    result = CliRunner().invoke(usher, ["import-entra-schema", "schema.json"])

    assert (result.exit_code, result.stderr, result.stdout) == (0, told, written)


def test_every_link_between_our_pages_leads_somewhere() -> None:
    folders = ("docs", "operator", "operator/decisions", "charts/usher", "examples/quickstart", "examples/ldap")
    pages = [*ROOT.glob("*.md"), *(page for folder in folders for page in (ROOT / folder).glob("*.md"))]
    links = [(page, link) for page in pages for link in re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8"))]
    assert [
        f"{page.relative_to(ROOT)}: {link}"
        for page, link in links
        if not link.startswith("http") and not (page.parent / link).exists()
    ] == []


def test_the_tests_of_a_mapping_that_the_page_shows_hold_for_the_example(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "mappings-test.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    file = tmp_path / "people.test.yaml"
    file.write_text(block, encoding="utf-8")

    result = CliRunner().invoke(usher, ["validate", "-f", str(ROOT / "examples" / "csv"), "--test", str(file)])

    assert result.exit_code == 0, result.output
    assert "3 tests: 3 passed, 0 failed" in result.stdout
