"""An operator on the real API server, in a namespace of its own, with an app that it provisions."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import Future
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from cluster.fixtures import Namespace
from usher.kube.cluster import KubernetesApi, ObjectGone, load_configuration, open_client
from usher.kube.operator import OperatorOptions, serve
from usher.testing.hostile_server import HostileServer, hostile_server

PATIENCE = 60.0
"""Seconds for what has no promise of its own: two tests that share a core with this one are no failure of it."""

HEADER = "objectId,userPrincipalName,mail,displayName,IsSoftDeleted"
API = "provisioning.usher.dev/v1alpha1"
PLURALS = {
    "pconn": "provisioningconnectors",
    "idsrc": "identitysources",
    "amap": "attributemappings",
    "prun": "provisioningruns",
}
ATTRIBUTES = (
    {"target": "userName", "source": "userPrincipalName", "match": 1},
    {"target": 'emails[type eq "work"].value', "source": "mail"},
    {"target": "displayName", "source": "displayName"},
)

Document = dict[str, Any]


def people(*names: str) -> str:
    """A CSV document with these people."""
    return "\n".join([HEADER, *(f"id-{n},{n}@example.com,{n}@example.com,{n.title()},false" for n in names), ""])


class Running:
    """An operator on a thread."""

    def __init__(self, options: OperatorOptions) -> None:
        self._stop = asyncio.Event()
        self._loop = asyncio.new_event_loop()
        self._ended: Future[None] = Future()
        self._thread = Thread(target=self._run, args=(options,), name="operator")
        self._thread.start()

    def _run(self, options: OperatorOptions) -> None:
        try:
            self._loop.run_until_complete(serve(options, self._stop))
        except BaseException as error:  # noqa: BLE001 - it is raised where the test stops the operator
            self._ended.set_exception(error)
        else:
            self._ended.set_result(None)
        finally:
            self._loop.close()

    def end(self) -> None:
        """Stops it, and raises what it ended with."""
        if not self._ended.done():
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(timeout=60)
        self._ended.result(timeout=0)


@dataclass(slots=True)
class Stage:
    """The namespace as a user sees it; `tools` asks the API server without a program in between."""

    namespace: Namespace
    tools: KubernetesApi
    app: HostileServer
    state: Path
    _operator: Running | None = None

    # --- the operator

    def start(self) -> None:
        """Starts the operator on an event loop of its own, as kopf ends every task of its loop with itself."""
        options = OperatorOptions(
            state=self.state,
            kubeconfig=self.namespace.kubeconfig,
            namespaces=(self.namespace.name,),
            listen=("127.0.0.1", 0),
            allow_cidrs=("127.0.0.0/8",),
        )
        self._operator = Running(options)

    async def end(self) -> float:
        """Stops the operator; returns how many seconds that took."""
        started = time.monotonic()
        if self._operator is not None:
            await asyncio.to_thread(self._operator.end)
            self._operator = None
        return time.monotonic() - started

    # --- the user

    async def kubectl(self, *arguments: str, given: str | None = None) -> str:
        """Runs kubectl in the namespace."""
        done = await asyncio.to_thread(self.namespace.kubectl, *arguments, input=given)
        return done.stdout

    async def apply(self, *documents: Mapping[str, Any]) -> None:
        """Applies these objects with kubectl."""
        listed = {"apiVersion": "v1", "kind": "List", "items": list(documents)}
        await self.kubectl("apply", "-f", "-", given=json.dumps(listed))

    async def write_people(self, *names: str) -> None:
        """The CSV document holds these people now."""
        await self.apply(config_map(people(*names)))

    async def annotate(self, what: str, **values: str) -> None:
        """Sets annotations of ours on `pconn/app`."""
        words = [f"provisioning.usher.dev/{name.replace('_', '-')}={value}" for name, value in values.items()]
        await self.kubectl("annotate", "--overwrite", what, *words)

    async def get(self, what: str) -> Document:
        """The object `pconn/app`; empty where there is none."""
        kind, _, name = what.partition("/")
        path = f"/apis/{API}/namespaces/{self.namespace.name}/{PLURALS[kind]}/{name}"
        try:
            return dict(await self.tools.call("GET", path))
        except ObjectGone:
            return {}

    async def status(self, what: str) -> Document:
        """Its status."""
        found: Document = (await self.get(what)).get("status", {})
        return found

    async def condition(self, what: str, kind: str) -> Document:
        """One condition; empty where there is none."""
        conditions = (await self.status(what)).get("conditions", [])
        return next((each for each in conditions if each["type"] == kind), {})

    async def until_condition(self, what: str, kind: str, status: str, reason: str = "") -> Document:
        """Waits for a condition, and returns it."""

        def holds(found: Document) -> bool:
            conditions = {each["type"]: each for each in found.get("status", {}).get("conditions", [])}
            wanted = conditions.get(kind, {})
            return bool(wanted.get("status") == status and reason in ("", wanted["reason"]))

        await self.until(what, holds)
        return await self.condition(what, kind)

    async def until(self, what: str, holds: Callable[[Document], bool], seconds: float = PATIENCE) -> Document:
        """Waits until the object is as it shall be."""
        deadline = time.monotonic() + seconds
        while True:
            found = await self.get(what)
            if holds(found):
                return found
            assert time.monotonic() < deadline, json.dumps(found.get("status", {}), indent=1)
            await asyncio.sleep(0.1)

    async def until_true(self, holds: Callable[[], bool], seconds: float = PATIENCE) -> None:
        """Waits for something outside of the cluster."""
        deadline = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < deadline, self.accounts
            await asyncio.sleep(0.05)

    async def events(self) -> dict[str, str]:
        """Messages of the events in the namespace by reason."""
        found = await self.tools.call("GET", f"/api/v1/namespaces/{self.namespace.name}/events")
        return {each["reason"]: each["message"] for each in found["items"]}

    async def until_events(self, *reasons: str) -> dict[str, str]:
        """Waits for these events, which are posted after the status that tells the same; returns all by reason."""
        deadline = time.monotonic() + 10
        while not set(reasons) <= set(events := await self.events()):
            assert time.monotonic() < deadline, events
            await asyncio.sleep(0.1)
        return events

    # --- the app

    @property
    def accounts(self) -> dict[str, bool]:
        """The app's accounts by the name before the @, and whether they are active."""
        documents = [account.document for account in self.app.app.accounts.values()]
        return {str(each["userName"]).partition("@")[0]: each.get("active", True) is True for each in documents}

    # --- objects

    async def set_up(self, *names: str, interval: str = "1h") -> None:
        """Applies a whole flow of these people."""
        await self.apply(
            config_map(people(*names)), secret(self.app.token), source(), mapping(), self.connector(interval)
        )

    def connector(self, interval: str = "1h", name: str = "app", **spec: Any) -> Document:
        """A connector into the app."""
        token = {"name": "app-token", "key": "token"}
        return manifest(
            "ProvisioningConnector",
            name,
            {
                "sourceRef": {"name": "corp"},
                "schedule": {"interval": interval},
                "target": {"scim": {"url": self.app.url, "auth": {"bearer": {"secretRef": token}}}},
                "scope": {"include": "All"},
                "mappings": [{"name": "people"}],
                **spec,
            },
        )


def manifest(kind: str, name: str, spec: Mapping[str, Any]) -> Document:
    """An object of ours."""
    return {"apiVersion": API, "kind": kind, "metadata": {"name": name}, "spec": dict(spec)}


def config_map(text: str) -> Document:
    """The ConfigMap with the CSV document."""
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "people"}, "data": {"people.csv": text}}


def secret(token: str) -> Document:
    """The Secret with the app's token."""
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "app-token"}, "stringData": {"token": token}}


def source(interval: str = "1h", **spec: Any) -> Document:
    """The source."""
    reference = {"name": "people", "key": "people.csv"}
    whole = {"schedule": {"interval": interval}, "csv": {"configMapRef": reference}, **spec}
    return manifest("IdentitySource", "corp", whole)


def mapping(*attributes: Mapping[str, Any]) -> Document:
    """The mapping."""
    return manifest("AttributeMapping", "people", {"attributes": list(attributes or ATTRIBUTES)})


@asynccontextmanager
async def _set(namespace: Namespace, state: Path) -> AsyncIterator[Stage]:
    async with (
        open_client(await load_configuration(namespace.kubeconfig)) as client,
        hostile_server() as app,
    ):
        stage = Stage(namespace, KubernetesApi(client, [namespace.name]), app, state)
        stage.start()
        try:
            yield stage
        finally:
            await stage.end()


@pytest.fixture
async def stage(namespace: Namespace, crds: tuple[str, ...], tmp_path: Path) -> AsyncIterator[Stage]:
    """A running operator that watches one fresh namespace."""
    async with _set(namespace, tmp_path / "state.db") as stage:
        yield stage
