"""Who asks, and whether they may: the API server decides both. Nothing is let through that it did not say."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final, Generic, Protocol, TypeVar

from usher.api.names import GROUP, VERSION
from usher.api.v1alpha1.kinds import CONNECTOR
from usher.kube.objects import Document
from usher.kube.readapi.names import AUDIENCE, Question

KEPT: Final = 10.0
"""Seconds for which an answer of the API server holds: as long may somebody ask whose right was taken away."""
MOST: Final = 1000
"""Answers that are kept of each kind."""
_TOKEN_REVIEWS: Final = "/apis/authentication.k8s.io/v1/tokenreviews"  # noqa: S105 - a path, no password
_ACCESS_REVIEWS: Final = "/apis/authorization.k8s.io/v1/subjectaccessreviews"

T = TypeVar("T")


class Caller(Protocol):
    """Makes one request to the API server."""

    async def call(self, method: str, path: str, *, body: Document) -> Document:
        """Its answer. Raises ClusterError."""


@dataclass(frozen=True, slots=True)
class User:
    """Who the API server says it is. `key` stands for all of it."""

    key: bytes
    spec: Mapping[str, Any]


class Reviewer:
    """Asks the API server, and remembers for a short time what it said, a no as well."""

    def __init__(self, api: Caller, clock: Callable[[], float] = time.monotonic) -> None:
        self._api = api
        self._users = _Memory[User | None](clock)
        self._rights = _Memory[bool](clock)

    async def user_of(self, token: str) -> User | None:
        """Whose token this is, None where it is nobody's. Raises ClusterError.

        A token for us alone counts, and one that is good for the API server itself, as kubeconfigs have them.
        """
        key = sha256(token.encode()).digest()

        async def ask() -> User | None:
            return await self._review(key, token, [AUDIENCE]) or await self._review(key, token, [])

        return await self._users.get(key, ask)

    async def may(self, user: User, namespace: str, name: str, question: Question) -> bool:
        """Whether they may ask this about that connector. Raises ClusterError."""
        attributes = {
            "group": GROUP,
            "version": VERSION,
            "resource": CONNECTOR.plural,
            "subresource": question.value,
            "verb": "get",
            "namespace": namespace,
            "name": name,
        }

        async def ask() -> bool:
            status = await self._ask(_ACCESS_REVIEWS, {**user.spec, "resourceAttributes": attributes})
            return status.get("allowed") is True and status.get("denied") is not True

        return await self._rights.get((user.key, namespace, name, question), ask)

    async def _review(self, key: bytes, token: str, audiences: list[str]) -> User | None:
        status = await self._ask(_TOKEN_REVIEWS, {"token": token, **({"audiences": audiences} if audiences else {})})
        found = status.get("user")
        if status.get("authenticated") is not True or not isinstance(found, dict) or not found.get("username"):
            return None
        if audiences and AUDIENCE not in (status.get("audiences") or ()):
            return None  # an API server, or a webhook behind it, that knows no audiences
        names = {"user": found["username"], "groups": found.get("groups") or [], "extra": found.get("extra") or {}}
        return User(key, {**names, "uid": found.get("uid") or ""})

    async def _ask(self, path: str, spec: Document) -> Document:
        version = path.removeprefix("/apis/").rpartition("/")[0]
        kind = "TokenReview" if path is _TOKEN_REVIEWS else "SubjectAccessReview"
        answer = await self._api.call("POST", path, body={"apiVersion": version, "kind": kind, "spec": spec})
        status = answer.get("status")
        return status if isinstance(status, dict) else {}


class _Memory(Generic[T]):
    """What was answered lately; the oldest is forgotten first."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._known: dict[object, tuple[float, T]] = {}

    async def get(self, key: object, ask: Callable[[], Awaitable[T]]) -> T:
        known = self._known.get(key)
        if known is not None and self._clock() - known[0] < KEPT:
            return known[1]
        asked = self._clock()
        answer = await ask()
        self._known.pop(key, None)
        while len(self._known) >= MOST:
            del self._known[next(iter(self._known))]
        self._known[key] = (asked, answer)
        return answer
