"""The read API on a real port, with a real state; the API server that it asks is in memory."""

from __future__ import annotations

import ssl
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from usher.answers.explaining import Explained
from usher.api.conditions import Finding
from usher.contracts.store import Store
from usher.engine.job import Ports
from usher.kube.cluster import ClusterError
from usher.kube.metrics import Metrics
from usher.kube.objects import Document, Kind, ObjectKey
from usher.kube.readapi.answering import Library
from usher.kube.readapi.identity import load, make_identity
from usher.kube.readapi.names import Place, Question, path_of
from usher.kube.readapi.reviews import Reviewer
from usher.kube.readapi.server import Desk, serve
from usher.state.store import open_store, open_to_read
from usher.testing.clock import fake_runtime
from usher.testing.memory_target import MemoryTarget
from usher.testing.store_examples import CRM
from usher.testing.world import World, new_world

PLACE = Place("usher-system", "usher-read-api")
NAMESPACE, _, NAME = CRM.connector.partition("/")
ADA = "ada's token"


@dataclass
class FakeReviews:
    """Who is who by token, with the audience of the token, and what each may: (subresource, namespace, name)."""

    tokens: dict[str, tuple[str, str]] = field(default_factory=lambda: {ADA: ("ada", "the API server")})
    rights: dict[str, set[tuple[str, str, str]]] = field(
        default_factory=lambda: {"ada": {(one.value, NAMESPACE, NAME) for one in Question}}
    )
    asked: Counter[str] = field(default_factory=Counter)
    specs: list[Mapping[str, Any]] = field(default_factory=list)
    down: bool = False

    async def call(self, method: str, path: str, *, body: Document) -> Document:
        assert (method, path.rpartition("/")[2]) == ("POST", f"{body['kind'].lower()}s")
        if self.down:
            raise ClusterError("the API server does not answer", reason="ClusterUnreachable")
        kind, spec = body["kind"], body["spec"]
        self.asked[kind] += 1
        self.specs.append(spec)
        return {"status": self._token(spec) if kind == "TokenReview" else self._access(spec)}

    def _token(self, spec: Mapping[str, Any]) -> Document:
        name, audience = self.tokens.get(spec["token"], ("", ""))
        wanted = spec.get("audiences", ["the API server"])
        if audience not in wanted:
            return {"authenticated": False, "error": "not for us"}
        return {
            "authenticated": True,
            "audiences": [audience],
            "user": {"username": name, "uid": "7", "groups": ["staff"], "extra": {"scopes": ["x"]}},
        }

    def _access(self, spec: Mapping[str, Any]) -> Document:
        what = spec["resourceAttributes"]
        assert (what["verb"], what["resource"]) == ("get", "provisioningconnectors")
        wanted = (what["subresource"], what["namespace"], what["name"])
        return {"allowed": wanted in self.rights.get(spec["user"], set())}


@dataclass
class Stage:
    """A running read API."""

    store: Store
    port: int
    trust: ssl.SSLContext
    reviews: FakeReviews
    metrics: Metrics
    objects: dict[ObjectKey, Document]
    clock: list[float]
    prepared: dict[ObjectKey, Explained | Finding]

    @property
    def key(self) -> ObjectKey:
        """Of the connector."""
        return ObjectKey(Kind.CONNECTOR, NAMESPACE, NAME)

    def world(self) -> World:
        """The connector, with a source and an app, on this state; it is there from now on, as the world is now."""
        world = new_world(self.store, MemoryTarget())
        world.name = CRM.connector
        self.objects[self.key] = {}
        return world

    def show(self, world: World) -> None:
        """Questions are about the connector as the world has it now."""
        self.prepared[self.key] = Explained(world.job, "", suspended=False, approve="usher approve -n identity crm")

    async def ask(
        self,
        question: str = "logs",
        params: Mapping[str, object] | None = None,
        *,
        token: str = ADA,
        place: str = CRM.connector,
        method: str = "GET",
    ) -> httpx.Response:
        """One question about a connector."""
        namespace, _, name = place.partition("/")
        return await self.ask_at(path_of(namespace, name, question), params, token=token, method=method)

    async def ask_at(
        self, path: str, params: Mapping[str, object] | None = None, *, token: str = ADA, method: str = "GET"
    ) -> httpx.Response:
        """One request to any path."""
        async with httpx.AsyncClient(verify=self.trust, trust_env=False, timeout=20) as client:
            return await client.request(
                method,
                f"https://127.0.0.1:{self.port}{path}",
                params={name: str(value) for name, value in (params or {}).items()},
                headers={"Authorization": f"Bearer {token}"} if token else {},
                extensions={"sni_hostname": PLACE.host},
            )


@asynccontextmanager
async def open_stage(folder: Path) -> AsyncIterator[Stage]:
    """With an empty state, and no object in the cluster."""
    identity, context = make_identity(PLACE.host), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    load(context, identity)
    trust = ssl.create_default_context(cadata=identity.authority.decode())
    reviews, metrics, objects, clock = FakeReviews(), Metrics(), dict[ObjectKey, Document](), [0.0]
    prepared = dict[ObjectKey, Explained | Finding]()
    async with open_store(folder / "state.db") as store, open_to_read(folder / "state.db") as read:
        library = Library(Ports(read, fake_runtime()), objects.get, lambda key, _document: prepared[key])
        desk = Desk(library, Reviewer(reviews, lambda: clock[0]), metrics)
        async with serve(("127.0.0.1", 0), context, desk) as port:
            yield Stage(store, port, trust, reviews, metrics, objects, clock, prepared)
