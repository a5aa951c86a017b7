from __future__ import annotations

import pytest

from cluster.fixtures import Cluster, Namespace

pytestmark = pytest.mark.apiserver


def test_the_api_server_answers(cluster: Cluster) -> None:
    assert cluster.kubectl("get", "--raw=/readyz").stdout == "ok"


def test_a_namespace_comes_and_goes(cluster: Cluster, namespace: Namespace) -> None:
    namespace.kubectl("create", "configmap", "one")

    cluster.kubectl("delete", "namespace", namespace.name, "--timeout=60s")

    assert "NotFound" in cluster.kubectl("get", "namespace", namespace.name, check=False).stderr


def test_an_account_has_a_token_and_no_rights_by_default(namespace: Namespace) -> None:
    namespace.kubectl("create", "serviceaccount", "somebody")
    somebody = namespace.cluster.with_token(namespace.kubectl("create", "token", "somebody").stdout)

    who = somebody.kubectl("auth", "whoami", "--output=jsonpath={.status.userInfo.username}")
    denied = somebody.kubectl("get", "secrets", f"--namespace={namespace.name}", check=False)

    assert who.stdout == f"system:serviceaccount:{namespace.name}:somebody"
    assert denied.returncode != 0
    assert "Forbidden" in denied.stderr


def test_the_definitions_are_served(crds: tuple[str, ...], namespace: Namespace) -> None:
    assert len(crds) == 4

    assert namespace.kubectl("get", "pconn").returncode == 0


def test_helm_speaks_to_the_cluster(namespace: Namespace) -> None:
    assert namespace.helm("list", "--output=json").stdout.strip() == "[]"


def test_the_kubeconfig_of_the_environment_is_never_read(namespace: Namespace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", "/dev/null/garbage")

    assert namespace.kubectl("get", "configmaps").returncode == 0
    assert namespace.helm("list").returncode == 0
