"""Apps that a sync writes to, seen past everything of ours: one of ours and those of others, in one form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from integration.proxy import Proxy
from integration.servers import Server
from usher.core.model.resources import Json
from usher.testing.hostile_server import HostileServer


class App(Protocol):
    """What a test of a sync asks of its target."""

    @property
    def url(self) -> str: ...

    @property
    def writes(self) -> int:
        """The requests so far that were to change something."""
        ...

    def documents(self) -> Sequence[Mapping[str, Json]]:
        """Its accounts."""
        ...

    def plant(self, account: Mapping[str, Json]) -> None:
        """Makes an account that was there before us."""
        ...


class OfOurs:
    """The hostile server."""

    def __init__(self, server: HostileServer) -> None:
        self._server = server

    @property
    def url(self) -> str:
        return self._server.url

    @property
    def writes(self) -> int:
        return self._server.writes

    def documents(self) -> Sequence[Mapping[str, Json]]:
        return [self._server.app.document(account) for account in self._server.app.accounts]

    def plant(self, account: Mapping[str, Json]) -> None:
        self._server.app.plant(dict(account))


class OfOthers:
    """A server that nobody here wrote, behind a proxy that counts."""

    def __init__(self, server: Server, proxy: Proxy) -> None:
        self._server = server
        self._proxy = proxy

    @property
    def url(self) -> str:
        return f"{self._proxy.url}/{self._server.url.rpartition('/')[2]}"

    @property
    def writes(self) -> int:
        return self._proxy.writes

    def documents(self) -> Sequence[Mapping[str, Json]]:
        return self._server.accounts()

    def plant(self, account: Mapping[str, Json]) -> None:
        self._server.plant(account)
