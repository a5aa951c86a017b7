"""`usher logs` and its like, of people of a cluster: with the chart's roles, over the API server, to the operator."""

from __future__ import annotations

import asyncio
import json
import os
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias

import httpx
import pytest

from cluster.fixtures import Cluster, Namespace
from cluster.kubelet import POD, node_of
from integration.chart.test_operator_with_its_rights import apply, eventually, running
from usher.contracts.store import Record
from usher.core.model.resources import ConnectorKey, Lane, ResourceType
from usher.kube.readapi.identity import make_identity
from usher.kube.readapi.names import AUDIENCE, Place, path_of
from usher.state.store import open_store
from usher.testing.store_examples import make_consumption, make_entry, make_link, name_people

pytestmark = pytest.mark.apiserver

Install: TypeAlias = Callable[..., str]
LINES = 1201


@dataclass(frozen=True)
class Stage:
    """An operator with a read API, and lines of the log of its connector `app`."""

    namespace: Namespace
    place: Place
    log: Path

    def notice(self) -> dict[str, str]:
        """What the operator tells of its read API."""
        shown = self.namespace.kubectl("get", "configmap", self.place.name, "--output=json").stdout
        found: dict[str, str] = json.loads(shown).get("data", {})
        return found

    def account(self, name: str, *, reads: str = "yes", visits: str = "yes") -> Cluster:
        """The cluster for a service account that may read connectors here, or go to the read API, or both."""
        self.namespace.kubectl("create", "serviceaccount", name)
        who = f"--serviceaccount={self.namespace.name}:{name}"
        if reads == "yes":
            role = f"--clusterrole={self.namespace.name}:{self.place.name}:reader"
            self.namespace.kubectl("create", "rolebinding", f"{name}-reads", role, who)
        if visits == "yes":
            self.namespace.kubectl("create", "rolebinding", f"{name}-visits", f"--role={self.place.name}-visitor", who)
        return self.namespace.cluster.with_token(self.token(name))

    def token(self, name: str, *options: str) -> str:
        """A token of that service account."""
        return self.namespace.kubectl("create", "token", name, *options).stdout.strip()

    async def usher(self, who: Cluster, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs usher with the kubeconfig of that one."""
        command = [sys.executable, "-m", "usher.cli.main", *arguments, f"--kubeconfig={who.kubeconfig}"]
        command += ["-n", self.namespace.name, f"--read-api={self.place}"]
        environment = {**os.environ, "COLUMNS": "200"}
        return await asyncio.to_thread(
            subprocess.run, command, capture_output=True, text=True, check=False, timeout=60, env=environment
        )

    async def ask(self, token: str, name: str = "app") -> int:
        """The status of an answer, without the API server in between."""
        notice = self.notice()
        trust = ssl.create_default_context(cadata=notice["ca.crt"])
        url = f"https://127.0.0.1:{notice['port']}{path_of(self.namespace.name, name, 'logs')}"
        async with httpx.AsyncClient(verify=trust, trust_env=False, timeout=20) as client:
            headers = {"Authorization": f"Bearer {token}"}
            return (await client.get(url, headers=headers, extensions={"sni_hostname": self.place.host})).status_code


@pytest.fixture
async def stage(namespace: Namespace, install: Install, tmp_path: Path) -> AsyncIterator[Stage]:
    user = await asyncio.to_thread(install, f"--set=watchNamespaces={{{namespace.name}}}")
    place = Place(namespace.name, f"{user.rpartition(':')[2]}-read-api")
    async with open_store(tmp_path / "state.db") as store:
        connector = ConnectorKey(f"{namespace.name}/app")
        now = datetime.now(UTC)  # older lines than the retention would go
        lane = Lane(connector, ResourceType.USER)
        await store.save_consumption(lane, make_consumption())
        await store.record(lane, Record(links=[make_link(person, f"t-{person}") for person in name_people(LINES)]))
        await store.append_log(connector, [make_entry("p1", f"line {number}", now) for number in range(LINES)])
    options = ("--read-api=127.0.0.1:0", f"--read-api-notice={place}", f"--pod={POD}")
    async with node_of(namespace):
        with running(namespace, user, tmp_path, f"--namespace={namespace.name}", *options) as operator:
            stage = Stage(namespace, place, operator.log)
            await asyncio.to_thread(apply, namespace)
            await asyncio.to_thread(eventually, "the read API is announced", stage.notice)
            yield stage


async def test_who_may_reads_all_pages_of_the_log_by_the_name_of_the_connector_alone(stage: Stage) -> None:
    reader = stage.account("reader")

    done = await stage.usher(reader, "logs", "app", "--limit=5000", "-o", "json")

    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(done.stdout)
    assert [line["detail"] for line in found["entries"]] == [f"line {number}" for number in reversed(range(LINES))]
    assert found["before"] is None
    log = stage.log.read_text(encoding="utf-8")
    assert "AccessDenied" not in log
    assert "line 7" not in log

    # and: as much as was asked for, and where it goes on
    some = await stage.usher(reader, "logs", "app", "--limit=2", "--user=p1")
    assert [line in some.stdout for line in ("line 1200", "line 1199", "line 1198")] == [True, True, False]
    before = some.stdout.rpartition("--before ")[2].strip()
    more = await stage.usher(reader, "logs", "app", "--limit=1", "--before", before)
    assert "line 1198" in more.stdout


async def test_who_may_is_told_links_people_and_plans(stage: Stage) -> None:
    reader = stage.account("reader")

    done = await stage.usher(reader, "links", "app", "--limit=5000", "-o", "json")
    assert (done.returncode, done.stderr) == (0, "")
    links = json.loads(done.stdout)
    assert [one["sourceId"] for one in links["links"]] == name_people(LINES)
    assert (links["total"], links["connector"]) == (LINES, f"{stage.namespace.name}/app")
    done = await stage.usher(reader, "links", "app", "--orphans")
    assert "no full comparison has been made yet" in done.stdout

    # the operator has read the source by now, and compiled the mapping; the app's token nobody ever made
    def explained() -> str:
        who = f"--kubeconfig={reader.kubeconfig}", "-n", stage.namespace.name, f"--read-api={stage.place}"
        command = [sys.executable, "-m", "usher.cli.main", "explain", "app", "ADA@example.com", *who]
        shown = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        return shown.stdout if shown.returncode == 0 else ""

    told = await asyncio.to_thread(eventually, "somebody is explained", explained)
    assert "User 1" in told
    assert "in: an active account is wanted" in told
    done = await stage.usher(reader, "explain", "app", "nobody")
    assert done.returncode == 1
    assert "knows nobody of that id or name: nobody" in done.stderr

    done = await stage.usher(reader, "plan", "app", "-o", "json")
    assert done.returncode == 0
    assert json.loads(done.stdout) == {"connector": f"{stage.namespace.name}/app", "held": None, "changes": []}
    done = await stage.usher(reader, "links", "app", "p0001", "--no-account")
    assert done.returncode == 2
    assert "need -f" in done.stderr


@pytest.mark.parametrize(
    ("rights", "complaint"),
    [
        ({"reads": "no"}, "you may not get provisioningconnectors/logs of app in namespace"),
        ({"visits": "no"}, "you may not get ConfigMap/"),
    ],
)
async def test_who_may_not_is_told_which_right_is_missing(stage: Stage, rights: dict[str, str], complaint: str) -> None:
    done = await stage.usher(stage.account("other", **rights), "logs", "app")
    assert done.returncode == 1
    assert complaint in done.stderr
    assert "line" not in done.stdout


async def test_rights_in_one_namespace_open_no_connector_of_another(stage: Stage) -> None:
    reader = stage.account("reader")
    for name in ("kube-public/app", "default/app"):
        done = await stage.usher(reader, "logs", name)
        assert done.returncode == 1
        assert f"may not get provisioningconnectors/logs of app in namespace {name.partition('/')[0]}" in done.stderr
    missing = await stage.usher(reader, "logs", "nobody")
    assert "there is no ProvisioningConnector/nobody in namespace" in missing.stderr


async def test_a_kubeconfig_with_a_certificate_alone_asks_as_a_service_account(stage: Stage) -> None:
    stage.account("reader", visits="no")
    administrator = stage.namespace.cluster

    alone = await stage.usher(administrator, "logs", "app")
    done = await stage.usher(administrator, "logs", "app", "--as-service-account=reader", "--limit=1")

    assert alone.returncode == 1
    assert "--as-service-account" in alone.stderr
    assert (done.returncode, "line 1200" in done.stdout) == (0, True)


async def test_only_tokens_that_the_cluster_knows_now_and_for_this_use_are_answered(stage: Stage) -> None:
    stage.account("reader")
    stage.account("leaver")
    good = stage.token("reader")
    left = stage.token("leaver")
    await asyncio.to_thread(stage.namespace.kubectl, "delete", "serviceaccount", "leaver")

    assert await stage.ask(good) == 200
    assert await stage.ask(stage.token("reader", f"--audience={AUDIENCE}")) == 200
    assert await stage.ask(stage.token("reader", "--audience=vault")) == 401
    assert await stage.ask(left) == 401
    assert await stage.ask(good[:-2] + ("AA" if good[-2:] != "AA" else "BB")) == 401
    assert await stage.ask(good, "nobody") == 404


async def test_a_pod_that_is_gone_or_does_not_listen_is_told(stage: Stage) -> None:
    reader = stage.account("reader")
    notice = stage.notice()
    for field, value, complaint in (
        ("port", "1", "connection refused"),
        ("pod", "usher-1", "Pod usher-1 of the operator"),
    ):
        patch = json.dumps({"data": {**notice, field: value}})
        stage.namespace.kubectl("patch", "configmap", stage.place.name, f"--patch={patch}")
        done = await stage.usher(reader, "logs", "app")
        assert done.returncode == 1
        assert complaint in done.stderr, done.stderr


async def test_whoever_else_answers_gets_no_token(stage: Stage) -> None:
    reader = stage.account("reader")
    stranger = make_identity(stage.place.host).authority.decode()
    patch = json.dumps({"data": {**stage.notice(), "ca.crt": stranger}})
    stage.namespace.kubectl("patch", "configmap", stage.place.name, f"--patch={patch}")
    done = await stage.usher(reader, "logs", "app")
    assert done.returncode == 1
    assert "what answers is not the operator" in done.stderr
