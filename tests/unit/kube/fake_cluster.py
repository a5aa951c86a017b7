"""An API server in memory, for the few calls that the operator makes, and a controller on it with a real store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import count
from typing import Any

from usher.contracts.runtime import Runtime
from usher.engine.job import Ports
from usher.kube.cluster import AccessDenied, ClusterError, ObjectGone, StaleWrite
from usher.kube.controller import Controller, Means
from usher.kube.metrics import Metrics
from usher.kube.objects import Document, Kind, ObjectKey
from usher.state.store import open_store
from usher.testing.clock import real_runtime
from usher.transport.addresses import operator_policy

NAMESPACE = "identity"
CSV = "objectId,userPrincipalName\n1,alice@example.com\n"


class FakeCluster:
    """ClusterApi and DataReader. `down` makes every call fail; `writes` are the statuses applied, in order."""

    def __init__(self) -> None:
        self.objects: dict[ObjectKey, dict[str, Any]] = {}
        self.data: dict[tuple[str, str], dict[str, bytes]] = {}
        self.events: list[Document] = []
        self.writes: list[ObjectKey] = []
        self.down = False
        self.forbidden = False
        self.unpatchable = False
        self.watcher: Callable[[Kind, Mapping[str, Any]], None] = lambda _kind, _event: None
        self._versions = count(100)

    # --- what users do

    def put(self, kind: Kind, name: str, spec: Mapping[str, Any], **annotations: str) -> ObjectKey:
        """Creates an object or changes its spec and annotations; watchers hear of it."""
        key = ObjectKey(kind, NAMESPACE, name)
        former = self.objects.get(key)
        changed = former is None or former.get("spec") != spec
        generation = 1 if former is None else former["metadata"]["generation"] + changed
        kept = {} if former is None else former["metadata"]
        metadata = {
            **{name: kept[name] for name in ("finalizers", "deletionTimestamp") if name in kept},
            "namespace": NAMESPACE,
            "name": name,
            "uid": f"uid-{name}",
            "generation": generation,
            "creationTimestamp": kept.get("creationTimestamp", f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"),
            "annotations": {f"provisioning.usher.dev/{k.replace('_', '-')}": v for k, v in annotations.items()},
        }
        status = {} if former is None else former.get("status", {})
        self._store(key, {"metadata": metadata, "spec": dict(spec), "status": status}, "MODIFIED")
        return key

    def put_people(self, text: str) -> None:
        """The ConfigMap with the CSV document."""
        self.data[("ConfigMap", "people")] = {"people.csv": text.encode()}
        self._store(
            ObjectKey(Kind.CONFIG_MAP, NAMESPACE, "people"),
            {"metadata": {"namespace": NAMESPACE, "name": "people"}},
            "MODIFIED",
        )

    def delete(self, key: ObjectKey, *, heard: str = "yes") -> None:
        """Deletes an object, or marks it where it has finalizers; with `heard` "no" the event is lost."""
        document = self.objects[key]
        if document["metadata"].get("finalizers"):
            former = document["metadata"]
            time = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
            marked = {**former, "deletionTimestamp": time, "generation": former["generation"] + 1}
            self._store(key, {**document, "metadata": marked}, "MODIFIED")
            return
        del self.objects[key]
        if heard == "yes":
            self.watcher(key.kind, {"type": "DELETED", "object": document})

    def status(self, key: ObjectKey) -> dict[str, Any]:
        """The status of an object."""
        found: dict[str, Any] = self.objects[key].get("status", {})
        return found

    def condition(self, key: ObjectKey, kind: str) -> tuple[str, str]:
        """Status and reason of a condition, empty where it is not there."""
        for each in self.status(key).get("conditions", []):
            if each["type"] == kind:
                return each["status"], each["reason"]
        return "", ""

    def _store(self, key: ObjectKey, document: dict[str, Any], event: str) -> Document:
        document = {**document, "apiVersion": key.kind.api_version, "kind": key.kind.value}
        document["metadata"] = {**document["metadata"], "resourceVersion": str(next(self._versions))}
        self.objects[key] = document
        self.watcher(key.kind, {"type": event, "object": document})
        return document

    # --- ClusterApi

    async def list(self, kind: Kind) -> AsyncIterator[Sequence[Document]]:
        self._answer()
        yield [document for key, document in self.objects.items() if key.kind is kind]

    async def exists(self, key: ObjectKey) -> bool:
        self._answer()
        return key in self.objects

    async def apply_status(self, key: ObjectKey, version: str, status: Mapping[str, Any]) -> Document:
        self._answer()
        if key not in self.objects:
            raise ObjectGone("gone", reason="NotFound")
        document = self.objects[key]
        if document["metadata"]["resourceVersion"] != version:
            raise StaleWrite("changed", reason="Conflict")
        self.writes.append(key)
        return self._store(key, {**document, "status": dict(status)}, "MODIFIED")

    async def set_finalizers(self, key: ObjectKey, version: str, finalizers: Sequence[str]) -> Document:
        self._answer()
        if self.unpatchable:
            raise AccessDenied("no", reason="AccessDenied")
        if key not in self.objects:
            raise ObjectGone("gone", reason="NotFound")
        document = self.objects[key]
        if document["metadata"]["resourceVersion"] != version:
            raise StaleWrite("changed", reason="Conflict")
        metadata = {**document["metadata"], "finalizers": list(finalizers)}
        written = self._store(key, {**document, "metadata": metadata}, "MODIFIED")
        if not finalizers and "deletionTimestamp" in metadata:
            self.delete(key)
        return written

    async def remove(self, key: ObjectKey, uid: str) -> None:
        self._answer()
        if key in self.objects and self.objects[key]["metadata"]["uid"] == uid:
            self.delete(key)

    async def post_event(self, namespace: str, event: Document) -> None:
        self._answer()
        assert namespace == NAMESPACE
        self.events.append(event)

    # --- DataReader

    async def read(self, kind: str, namespace: str, name: str) -> Mapping[str, bytes]:
        self._answer()
        assert namespace == NAMESPACE
        if self.forbidden:
            raise AccessDenied("no", reason="AccessDenied")
        if (kind, name) not in self.data:
            raise ObjectGone("gone", reason="NotFound")
        return self.data[kind, name]

    def _answer(self) -> None:
        if self.down:
            raise ClusterError("the API server does not answer", reason="ClusterUnreachable")


class Desk:
    """A cluster, and a controller that works on it."""

    def __init__(self, cluster: FakeCluster, ports: Ports) -> None:
        self.cluster, self.ports, self.metrics = cluster, ports, Metrics()
        policy = operator_policy(["127.0.0.0/8"], [])
        self.controller = Controller(Means(cluster, cluster, ports, policy, self.metrics, [NAMESPACE]))
        cluster.watcher = self.controller.observer.observe

    async def until(self, holds: Callable[[], bool], seconds: float = 60.0) -> None:
        """Lets the controller work until it is so."""
        async with asyncio.timeout(seconds):
            while not holds():  # noqa: ASYNC110 - what holds is looked up, nothing announces it
                await asyncio.sleep(0.01)


@asynccontextmanager
async def desk(cluster: FakeCluster, runtime: Runtime | None = None) -> AsyncIterator[Desk]:
    """A controller that runs."""
    async with open_store(None) as store, working(Desk(cluster, Ports(store, runtime or real_runtime()))) as one:
        yield one


@asynccontextmanager
async def working(one: Desk) -> AsyncIterator[Desk]:
    """Lets it run; with the ports of an earlier one it is the next process."""
    await one.controller.start()
    try:
        yield one
    finally:
        await one.controller.stop()


def source_spec(interval: str = "1h") -> dict[str, Any]:
    """A CSV in the ConfigMap `people`."""
    return {"schedule": {"interval": interval}, "csv": {"configMapRef": {"name": "people", "key": "people.csv"}}}


def connector_spec(url: str = "http://127.0.0.1:9/scim", **more: Any) -> dict[str, Any]:
    """A connector from `corp` by way of `people`; nothing listens at the default address."""
    token = {"name": "token", "key": "token"}
    return {
        "sourceRef": {"name": "corp"},
        "schedule": {"interval": "1h"},
        "target": {"scim": {"url": url, "auth": {"bearer": {"secretRef": token}}}},
        "scope": {"include": "All"},
        "mappings": [{"name": "people"}],
        **more,
    }


def mapping_spec(expression: str = "ToLower([userPrincipalName])") -> dict[str, Any]:
    """A mapping with one computed attribute."""
    return {
        "attributes": [
            {"target": "userName", "source": "userPrincipalName", "match": 1},
            {"target": "displayName", "expression": expression},
        ]
    }
