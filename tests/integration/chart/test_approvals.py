"""The chart's admission policies, on a real API server: who may approve, and set the limits looser."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any, Final

import pytest

from cluster.fixtures import Namespace
from integration.chart.conftest import Install

pytestmark = pytest.mark.apiserver

VERSION: Final = "provisioning.usher.dev/v1alpha1"
WORD: Final = "provisioning.usher.dev/{}"
TARGET: Final = {"scim": {"url": "https://a.example", "auth": {"bearer": {"secretRef": {"name": "a", "key": "b"}}}}}
CONNECTOR: Final = {
    "sourceRef": {"name": "corp"},
    "target": TARGET,
    "scope": {"include": "All"},
    "mappings": [{"name": "people"}],
}
SOURCE: Final = {"csv": {"configMapRef": {"name": "people", "key": "csv"}}}
EDITOR, APPROVER = "erika", "anton"
WITHIN: Final = 30.0


def manifest(kind: str, spec: Mapping[str, Any], name: str = "subject", **annotations: str) -> dict[str, Any]:
    words = {WORD.format(word.replace("_", "-")): text for word, text in annotations.items()}
    metadata = {"name": name, "annotations": words} if words else {"name": name}
    base = CONNECTOR if kind == "ProvisioningConnector" else SOURCE
    return {"apiVersion": VERSION, "kind": kind, "metadata": metadata, "spec": {**base, **spec}}


def safety(**more: Any) -> dict[str, Any]:
    return {"safety": more}


@pytest.fixture
def guarded(namespace: Namespace, install: Install) -> Namespace:
    """The policies are in force. Two people may write connectors and sources, one of them may approve."""
    install()
    release = f"usher-{namespace.name}"
    resources = "provisioningconnectors.provisioning.usher.dev,identitysources.provisioning.usher.dev"
    verbs = "get,list,create,update,patch,delete"
    namespace.kubectl("create", "role", "editor", f"--verb={verbs}", f"--resource={resources}")
    for user in (EDITOR, APPROVER):
        namespace.kubectl("create", "rolebinding", f"editor-{user}", "--role=editor", f"--user={user}")
    namespace.kubectl("create", "rolebinding", "approver", f"--clusterrole={release}-approver", f"--user={APPROVER}")
    probes = (
        manifest("ProvisioningConnector", {}, "probe", approve_plan="x"),
        manifest("IdentitySource", {}, "probe", approve_read="x"),
    )
    deadline = time.monotonic() + WITHIN
    while any(write(namespace, EDITOR, probe, "--dry-run=server") == "" for probe in probes):
        assert time.monotonic() < deadline, "the policies are not in force"
        time.sleep(0.25)
    return namespace


def write(namespace: Namespace, user: str, document: Mapping[str, Any], *options: str) -> str:
    """Applies it in the name of the user; returns what the API server has against it."""
    how = ("apply", f"--as={user}", "--as-group=system:authenticated", *options, "--filename=-")
    answer = namespace.kubectl(*how, input=json.dumps(document), check=False)
    assert answer.returncode == 0 or "ValidatingAdmissionPolicy" in answer.stderr, answer.stderr
    return answer.stderr if answer.returncode else ""


LOOSE: Final = (
    ("accounts", {"maxCount": 501}),
    ("accounts", {"maxPercent": 11}),
    ("accounts", {"minCount": 11}),
    ("groups", {"maxCount": 501}),
    ("memberships", {"maxPercent": 100}),
    ("onStateLoss", "Disable"),
)
STRICT: Final[tuple[dict[str, Any], ...]] = (
    {},
    {"accounts": {"maxCount": 500, "maxPercent": 10, "minCount": 10}},
    {"accounts": {"maxCount": 0}, "groups": {"minCount": 0}, "memberships": {"maxPercent": 1}},
    {"approval": "Always"},
    {"approval": "OnViolation", "onStateLoss": "Report"},
    {"holdFor": "1000h"},
    {"accounts": None},
)


def test_a_new_connector_may_be_as_loose_as_the_defaults_and_looser_by_an_approver(guarded: Namespace) -> None:
    for field, value in LOOSE:
        document = manifest("ProvisioningConnector", safety(**{field: value}))
        told = write(guarded, EDITOR, document, "--dry-run=server")
        assert "in a new object less than by default" in told, (field, value)
        assert "provisioningconnectors/approve" in told
        assert write(guarded, APPROVER, document, "--dry-run=server") == "", (field, value)
    for strict in STRICT:
        document = manifest("ProvisioningConnector", safety(**strict))
        assert write(guarded, EDITOR, document, "--dry-run=server") == "", strict
    assert write(guarded, EDITOR, manifest("ProvisioningConnector", {}), "--dry-run=server") == ""


def test_a_connector_may_be_set_looser_than_it_was_by_an_approver_alone(guarded: Namespace) -> None:
    tight = {"accounts": {"maxCount": 5, "maxPercent": 1, "minCount": 1}, "approval": "Always"}
    assert write(guarded, EDITOR, manifest("ProvisioningConnector", safety(**tight))) == ""
    looser: tuple[dict[str, Any], ...] = (
        {},  # the defaults are looser than that
        {**tight, "accounts": {"maxCount": 6, "maxPercent": 1, "minCount": 1}},
        {**tight, "accounts": {"maxCount": 5, "maxPercent": 1}},
        {**tight, "approval": "OnViolation"},
        {"accounts": tight["accounts"]},
        {**tight, "onStateLoss": "Disable"},
        {**tight, "groups": {"minCount": 11}},
    )
    for spec in looser:
        assert write(guarded, EDITOR, manifest("ProvisioningConnector", safety(**spec)), "--dry-run=server"), spec
        assert write(guarded, APPROVER, manifest("ProvisioningConnector", safety(**spec)), "--dry-run=server") == ""
    tighter = {**tight, "accounts": {"maxCount": 4, "maxPercent": 1, "minCount": 0}, "groups": {"maxCount": 1}}
    assert write(guarded, EDITOR, manifest("ProvisioningConnector", safety(**tighter)), "--dry-run=server") == ""


def test_what_is_looser_already_may_be_applied_again_and_changed_elsewhere(guarded: Namespace) -> None:
    loose = safety(accounts={"maxCount": 9000}, onStateLoss="Disable")
    assert write(guarded, APPROVER, manifest("ProvisioningConnector", loose, approve_plan="abc")) == ""

    assert write(guarded, EDITOR, manifest("ProvisioningConnector", loose, approve_plan="abc")) == ""
    paused = {**loose, "suspend": True}
    assert write(guarded, EDITOR, manifest("ProvisioningConnector", paused, approve_plan="abc")) == ""
    assert write(guarded, EDITOR, manifest("ProvisioningConnector", paused)) == "", "an annotation taken away"


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        ("ProvisioningConnector", "approve_plan"),
        ("ProvisioningConnector", "confirm_worklist"),
        ("IdentitySource", "approve_read"),
    ],
)
def test_a_word_of_approval_is_given_by_an_approver_alone(guarded: Namespace, kind: str, word: str) -> None:
    def given(text: str) -> dict[str, Any]:
        return manifest(kind, {}, **{word: text})

    assert "takes the right to update" in write(guarded, EDITOR, given("abc"))
    assert write(guarded, EDITOR, manifest(kind, {}, requestedAt="now")) == "", "another annotation"
    assert "takes the right to update" in write(guarded, EDITOR, given("abc"))
    assert write(guarded, APPROVER, given("abc")) == ""
    assert "takes the right to update" in write(guarded, EDITOR, given("def"))
    assert write(guarded, EDITOR, manifest(kind, {}), "--dry-run=server") == ""


def test_a_source_may_retain_less_by_an_approver_alone(guarded: Namespace) -> None:
    def retaining(share: int | None) -> dict[str, Any]:
        return manifest("IdentitySource", {} if share is None else {"minRetained": share})

    assert "less than 80" in write(guarded, EDITOR, retaining(79), "--dry-run=server")
    assert write(guarded, APPROVER, retaining(79), "--dry-run=server") == ""
    assert write(guarded, EDITOR, retaining(95)) == ""
    for share in (94, None):
        assert write(guarded, EDITOR, retaining(share), "--dry-run=server")
        assert write(guarded, APPROVER, retaining(share), "--dry-run=server") == ""
    assert write(guarded, EDITOR, retaining(96), "--dry-run=server") == ""


def test_what_the_operator_writes_is_not_asked_for_that_right(guarded: Namespace) -> None:
    operator = f"system:serviceaccount:{guarded.name}:usher-{guarded.name}"
    loose = manifest("ProvisioningConnector", safety(accounts={"maxCount": 9000}), approve_plan="abc")
    assert write(guarded, APPROVER, loose) == ""

    finalizer = json.dumps({"metadata": {"finalizers": ["provisioning.usher.dev/deprovision"]}})
    guarded.kubectl("patch", "pconn/subject", f"--as={operator}", "--type=merge", f"--patch={finalizer}")
    status = {"plan": {"hash": "abc", "summary": "1", "expires": "2026-01-01T00:00:00Z"}}
    named = {"apiVersion": VERSION, "kind": "ProvisioningConnector", "metadata": {"name": "subject"}}
    how = ("apply", "--server-side", "--subresource=status", f"--as={operator}", "--filename=-")
    guarded.kubectl(*how, input=json.dumps({**named, "status": status}))
    guarded.kubectl(
        "patch", "pconn/subject", f"--as={operator}", "--type=merge", '--patch={"metadata":{"finalizers":null}}'
    )


def test_an_approver_by_the_chart_needs_no_other_role_to_approve(guarded: Namespace) -> None:
    assert write(guarded, EDITOR, manifest("ProvisioningConnector", {})) == ""
    guarded.kubectl("delete", "rolebinding", f"editor-{APPROVER}")
    word = json.dumps({"metadata": {"annotations": {WORD.format("approve-plan"): "abc"}}})
    patch = ("patch", "pconn/subject", "--type=merge", f"--patch={word}")

    assert guarded.kubectl(*patch, f"--as={EDITOR}", check=False).returncode != 0
    guarded.kubectl(*patch, f"--as={APPROVER}")


def test_without_the_policy_nobody_is_asked(namespace: Namespace, install: Install) -> None:
    install("--set=approvalPolicy.enabled=false")
    found = namespace.kubectl("get", "validatingadmissionpolicies", "--output=name").stdout
    assert namespace.name not in found
