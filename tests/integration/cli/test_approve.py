"""`usher approve` and `usher crds` against a real API server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cluster.fixtures import Namespace
from integration.cli.folders import MAPPING, SOURCE, Folder
from usher.cli.main import usher

pytestmark = pytest.mark.apiserver
HASH = "b2407755733da911"


def approve(namespace: Namespace, *arguments: str) -> Result:
    place = ["--kubeconfig", str(namespace.kubeconfig), "-n", namespace.name]
    return CliRunner().invoke(usher, ["approve", *arguments, *place])


def annotated(namespace: Namespace, what: str) -> dict[str, Any]:
    document = json.loads(namespace.kubectl("get", what, "--output=json").stdout)
    kept: dict[str, Any] = document["metadata"].get("annotations", {})
    return kept


@pytest.fixture
def held(crds: tuple[str, ...], namespace: Namespace, tmp_path: Path) -> Namespace:
    """A connector that holds a plan, and a source with a void read, as an operator would tell it."""
    folder = Folder(tmp_path / "manifests", "https://app.example.com/scim")
    source = SOURCE.replace("file: people.csv", "configMapRef: {name: people, key: csv}")
    connector = (folder.path / "people.yaml").read_text(encoding="utf-8")
    namespace.kubectl("create", "-f", "-", input=f"{MAPPING}---\n{source}---\n{connector}")
    for what, status in (("pconn/people", {"plan": {"hash": HASH}}), ("idsrc/directory", {"pending": {"hash": HASH}})):
        patch = json.dumps({"status": status})
        namespace.kubectl("patch", what, "--subresource=status", "--type=merge", f"--patch={patch}")
    return namespace


@pytest.mark.parametrize("name", ["people", "pconn/people"])
def test_a_held_plan_is_approved_by_its_annotation(held: Namespace, name: str) -> None:
    result = approve(held, name, HASH)

    assert result.exit_code == 0, result.output
    assert f"ProvisioningConnector/people in namespace {held.name}: approved {HASH}" in result.stdout
    assert annotated(held, "pconn/people")["provisioning.usher.dev/approve-plan"] == HASH


def test_a_void_read_is_approved_by_its_annotation(held: Namespace) -> None:
    result = approve(held, "idsrc/directory", HASH)

    assert result.exit_code == 0, result.output
    assert annotated(held, "idsrc/directory")["provisioning.usher.dev/approve-read"] == HASH


def test_another_hash_than_the_one_that_waits_is_refused_and_writes_nothing(held: Namespace) -> None:
    result = approve(held, "people", "0" * 16)

    assert result.exit_code == 1
    assert HASH in result.stderr
    assert "provisioning.usher.dev/approve-plan" not in annotated(held, "pconn/people")


def test_what_holds_nothing_or_is_not_there_is_told(held: Namespace) -> None:
    nothing = '--patch=[{"op": "remove", "path": "/status"}]'
    held.kubectl("patch", "pconn/people", "--subresource=status", "--type=json", nothing)

    for name, told in (("people", "nothing waits"), ("nobody", "there is no ProvisioningConnector/nobody")):
        result = approve(held, name, HASH)
        assert result.exit_code == 1
        assert told in result.stderr


def test_who_may_not_approve_is_told_what_it_takes(held: Namespace) -> None:
    held.kubectl("create", "serviceaccount", "guest")
    token = held.kubectl("create", "token", "guest").stdout.strip()

    result = approve(Namespace(held.name, held.cluster.with_token(token)), "people", HASH)

    assert result.exit_code == 1
    assert "get and patch" in result.stderr


def test_a_kubeconfig_that_leads_nowhere_is_told(tmp_path: Path) -> None:
    config = tmp_path / "config"
    for text, told in (("{}", "no usable kubeconfig"), (AWAY, "does not answer")):
        config.write_text(text, encoding="utf-8")
        result = CliRunner().invoke(usher, ["approve", "people", HASH, "--kubeconfig", str(config)])
        assert result.exit_code == 1
        assert told in result.stderr


AWAY = """\
{apiVersion: v1, kind: Config, current-context: x, clusters: [{name: x, cluster: {server: 'http://127.0.0.1:1'}}],
 users: [{name: x, user: {}}], contexts: [{name: x, context: {cluster: x, user: x}}]}
"""


def test_the_api_server_takes_what_crds_renders(crds: tuple[str, ...], namespace: Namespace) -> None:
    rendered = CliRunner().invoke(usher, ["crds"]).stdout

    namespace.kubectl("apply", "--dry-run=server", "-f", "-", input=rendered)
