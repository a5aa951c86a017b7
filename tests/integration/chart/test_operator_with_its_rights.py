"""The operator as a process, with the token of the chart's service account and no other right."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from cluster.fixtures import Namespace

pytestmark = pytest.mark.apiserver

Install: TypeAlias = Callable[..., str]
VERSION: Final = "provisioning.usher.dev/v1alpha1"
TIMEOUT: Final = 40.0
RUN: Final = {
    "apiVersion": VERSION,
    "kind": "ProvisioningRun",
    "metadata": {"name": "try"},
    "spec": {"connectorRef": {"name": "app"}, "type": "TestConnection", "ttlAfterFinished": "0s"},
}


def eventually(what: str, check: Callable[[], Any]) -> Any:
    """The first true answer."""
    deadline = time.monotonic() + TIMEOUT
    while time.monotonic() < deadline:
        if found := check():
            return found
        time.sleep(0.25)
    raise AssertionError(f"not within {TIMEOUT:.0f} s: {what}")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass(frozen=True, slots=True)
class Operator:
    """A running operator."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path

    def is_ready(self) -> bool:
        assert self.process.poll() is None, self.log.read_text(encoding="utf-8")
        try:
            with urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=5) as answer:
                return bool(answer.status == 200)
        except (URLError, OSError):
            return False


@contextmanager
def running(namespace: Namespace, user: str, folder: Path, *options: str) -> Iterator[Operator]:
    """`usher operator` with a token of this service account; ended by SIGTERM."""
    token = namespace.kubectl("create", "token", user.rpartition(":")[2]).stdout.strip()
    kubeconfig = namespace.cluster.with_token(token).kubeconfig
    port, log = free_port(), folder / "operator.log"
    command = [sys.executable, "-m", "usher.cli.main", "operator", f"--kubeconfig={kubeconfig}", *options]
    command += [f"--state={folder / 'state.db'}", f"--listen=127.0.0.1:{port}"]
    with log.open("wb") as output, subprocess.Popen(command, stdout=output, stderr=output) as process:
        operator = Operator(process, port, log)
        try:
            eventually("the operator is ready", operator.is_ready)
            yield operator
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=TIMEOUT)


def manifests() -> list[dict[str, Any]]:
    """One person, to be brought into an app whose token is in a Secret that nobody made."""
    target = {
        "url": "https://app.example.com/scim/v2",
        "auth": {"bearer": {"secretRef": {"name": "app-token", "key": "token"}}},
    }
    csv = "objectId,userPrincipalName\n1,ada@example.com\n"
    return [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "people"}, "data": {"people.csv": csv}},
        {
            "apiVersion": VERSION,
            "kind": "IdentitySource",
            "metadata": {"name": "people"},
            "spec": {"csv": {"configMapRef": {"name": "people", "key": "people.csv"}}},
        },
        {
            "apiVersion": VERSION,
            "kind": "AttributeMapping",
            "metadata": {"name": "users"},
            "spec": {"attributes": [{"target": "userName", "source": "userPrincipalName", "match": 1}]},
        },
        {
            "apiVersion": VERSION,
            "kind": "ProvisioningConnector",
            "metadata": {"name": "app"},
            "spec": {
                "sourceRef": {"name": "people"},
                "scope": {"include": "All"},
                "mappings": [{"name": "users"}],
                "target": {"scim": target},
                "deletionPolicy": "Deprovision",
            },
        },
    ]


def apply(namespace: Namespace) -> None:
    document = {"apiVersion": "v1", "kind": "List", "items": manifests()}
    namespace.kubectl("apply", "--filename=-", input=json.dumps(document))


def ready(namespace: Namespace, kind: str, name: str, status: str) -> str:
    """The message of the condition Ready, once it has this status."""

    def condition() -> dict[str, str] | None:
        found = json.loads(namespace.kubectl("get", kind, name, "--output=json").stdout)
        conditions: list[dict[str, str]] = found.get("status", {}).get("conditions", [])
        return next((each for each in conditions if (each["type"], each["status"]) == ("Ready", status)), None)

    message: str = eventually(f"{kind} {name} has Ready={status}", condition)["message"]
    return message


def test_the_rights_of_the_chart_are_all_that_the_operator_needs(
    namespace: Namespace, install: Install, tmp_path: Path
) -> None:
    # given: rights in this namespace alone, so that no other test meets this operator
    user = install(f"--set=watchNamespaces={{{namespace.name}}}")
    with running(namespace, user, tmp_path, f"--namespace={namespace.name}") as operator:
        # when: seen by its watches, not by its first list
        apply(namespace)
        # then: it read the ConfigMap, and asked for the Secret
        ready(namespace, "identitysource", "people", "True")
        ready(namespace, "attributemapping", "users", "True")
        message = ready(namespace, "provisioningconnector", "app", "False")
        assert "Secret/app-token" in message
        assert "does not exist" in message
        of_it = "--field-selector=involvedObject.name=app,source=usher"
        eventually("its event", lambda: namespace.kubectl("get", "events", of_it, "--output=name").stdout)
        # and: it tells of a run, and deletes it in its time
        namespace.kubectl("create", "--filename=-", input=json.dumps(RUN))
        namespace.kubectl("wait", "--for=delete", "prun/try", "--timeout=40s")
        of_the_run = "--field-selector=involvedObject.kind=ProvisioningRun,source=usher"
        assert namespace.kubectl("get", "events", of_the_run, "--output=name").stdout
        # and: a change of the ConfigMap reaches it by its watch
        change = {"data": {"people.csv": "objectId\n"}}
        namespace.kubectl("patch", "configmap", "people", "--patch", json.dumps(change))
        ready(namespace, "identitysource", "people", "False")
        # and: its finalizer is on the connector, and comes off, as nobody has an account
        found = namespace.kubectl("get", "pconn", "app", "--output=jsonpath={.metadata.finalizers}").stdout
        assert found == '["provisioning.usher.dev/deprovision"]'
        namespace.kubectl("delete", "pconn", "app", "--timeout=20s")
    assert operator.process.returncode == 0
    log = operator.log.read_text(encoding="utf-8")
    assert "may not" not in log
    assert "AccessDenied" not in log
    assert "orbidden" not in log


def test_a_secret_that_is_not_granted_is_said_to_be_so(namespace: Namespace, install: Install, tmp_path: Path) -> None:
    user = install("--set=rbac.secretNames={other}")
    with running(namespace, user, tmp_path, f"--namespace={namespace.name}"):
        apply(namespace)
        message = ready(namespace, "provisioningconnector", "app", "False")
    assert "Secret/app-token" in message
    assert "RBAC" in message
