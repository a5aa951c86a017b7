"""What the chart's service account may do, asked of a real API server: all of it, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TypeAlias

import pytest

from cluster.fixtures import Cluster, Namespace

pytestmark = pytest.mark.apiserver

Install: TypeAlias = Callable[..., str]
Rule: TypeAlias = tuple[str, str, str, str]

GROUP = "provisioning.usher.dev"
OWN = ("provisioningconnectors", "attributemappings", "identitysources", "provisioningruns")
EXPECTED: frozenset[Rule] = frozenset(
    {(GROUP, kind, "", verb) for kind in OWN for verb in ("get", "list", "watch")}
    | {(GROUP, f"{kind}/status", "", "patch") for kind in OWN}
    | {(GROUP, "provisioningconnectors", "", "patch"), (GROUP, "provisioningruns", "", "delete")}
    | {("", "configmaps", "", verb) for verb in ("get", "list", "watch")}
    | {("", "secrets", "", "get"), ("", "events", "", "create")}
)
"""API group, resource, name of the object (empty: any) and verb."""
REVIEWS: frozenset[tuple[str, str]] = frozenset(
    {("create", "tokenreviews.authentication.k8s.io"), ("create", "subjectaccessreviews.authorization.k8s.io")}
)


def rights(cluster: Cluster, user: str, namespace: str) -> frozenset[Rule]:
    """Everything that the user may do to resources of this namespace, beyond what every service account may."""
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectRulesReview",
        "spec": {"namespace": namespace},
    }
    answer = cluster.kubectl(
        "create", f"--as={user}", "--as-group=system:serviceaccounts", "--as-group=system:authenticated",
        "--validate=false", "--output=json", "--filename=-", input=json.dumps(review),
    )  # fmt: skip
    status = json.loads(answer.stdout)["status"]
    assert status["incomplete"] is False
    return frozenset(
        (group, resource, name, verb)
        for rule in status["resourceRules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for name in rule.get("resourceNames") or [""]
        for verb in rule["verbs"]
        if group not in {"authorization.k8s.io", "authentication.k8s.io"}  # asking who I am and what I may
    )


def allows(namespace: Namespace, user: str, *question: str) -> bool:
    answer = namespace.kubectl("auth", "can-i", *question, f"--as={user}", check=False)
    assert answer.stdout.strip() in {"yes", "no"}, answer.stderr
    return answer.stdout.strip() == "yes"


def at_home(user: str) -> frozenset[Rule]:
    """What it may do in the namespace in which it runs, beyond the rest: tell how its read API is reached."""
    return frozenset({("", "configmaps", f"{user.rpartition(':')[2]}-read-api", "patch")})


@pytest.fixture
def elsewhere(namespace: Namespace) -> str:
    """A namespace that nobody told the operator to watch."""
    del namespace
    return "kube-public"


def test_by_default_the_operator_may_do_just_this_in_every_namespace(
    namespace: Namespace, install: Install, elsewhere: str
) -> None:
    user = install()
    assert rights(namespace.cluster, user, namespace.name) == EXPECTED | at_home(user)
    assert rights(namespace.cluster, user, elsewhere) == EXPECTED


def test_by_default_it_may_list_and_watch_all_namespaces_at_once(namespace: Namespace, install: Install) -> None:
    user = install()
    watched = [f"{kind}.{GROUP}" for kind in OWN] + ["configmaps"]
    questions = [(verb, resource) for verb in ("list", "watch") for resource in watched]
    assert [each for each in questions if not allows(namespace, user, *each, "--all-namespaces")] == []


def test_with_named_namespaces_it_may_do_the_same_there_and_nothing_elsewhere(
    namespace: Namespace, install: Install, elsewhere: str
) -> None:
    user = install(f"--set=watchNamespaces={{{namespace.name}}}")
    assert rights(namespace.cluster, user, namespace.name) == EXPECTED | at_home(user)
    assert rights(namespace.cluster, user, elsewhere) == frozenset()


def test_with_named_secrets_it_may_read_these_only(namespace: Namespace, install: Install) -> None:
    user = install("--set=rbac.secretNames={app-token}")
    secrets = {rule for rule in rights(namespace.cluster, user, namespace.name) if rule[1] == "secrets"}
    assert secrets == {("", "secrets", "app-token", "get")}


def test_without_rbac_the_account_may_nothing(namespace: Namespace, install: Install) -> None:
    user = install("--set=rbac.create=false")
    assert rights(namespace.cluster, user, namespace.name) == frozenset()


def test_it_may_ask_who_somebody_is_and_what_they_may_only_for_a_read_api(
    namespace: Namespace, install: Install
) -> None:
    user = install("--set=readApi.enabled=false")
    assert [question for question in REVIEWS if allows(namespace, user, *question, "--all-namespaces")] == []
    assert rights(namespace.cluster, user, namespace.name) == EXPECTED
    install()
    assert [question for question in REVIEWS if not allows(namespace, user, *question, "--all-namespaces")] == []


REFUSED = (
    ("list", "secrets"),
    ("watch", "secrets"),
    ("update", "secrets/any"),
    ("delete", f"provisioningconnectors.{GROUP}/any"),
    ("update", f"provisioningconnectors.{GROUP}/any"),
    ("patch", f"attributemappings.{GROUP}/any"),
    ("patch", f"identitysources.{GROUP}/any"),
    ("create", "pods"),
    ("create", "pods/portforward"),
    ("patch", "configmaps/any"),
    ("get", f"provisioningconnectors.{GROUP}/any", "--subresource=logs"),
    ("get", f"provisioningconnectors.{GROUP}/any", "--subresource=explain"),
    ("update", "deployments.apps/any"),
    ("create", "serviceaccounts/token"),
    ("impersonate", "serviceaccounts/any"),
    ("bind", "clusterroles.rbac.authorization.k8s.io/any"),
    ("escalate", "roles.rbac.authorization.k8s.io/any"),
    ("list", "namespaces"),
    ("list", "customresourcedefinitions.apiextensions.k8s.io"),
)


def test_asked_one_by_one_the_api_server_refuses_what_would_raise_rights(
    namespace: Namespace, install: Install
) -> None:
    user = install()
    assert allows(namespace, user, "get", "secrets/any")
    assert [question for question in REFUSED if allows(namespace, user, *question)] == []
