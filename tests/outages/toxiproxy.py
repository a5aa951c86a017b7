"""A Toxiproxy of our own: proxies in front of what an operator speaks to, each of which can be spoilt or taken away."""

from __future__ import annotations

import random
import socket
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Self

import httpx

from cluster.programs import locate, toxiproxy

PATIENCE: Final = 30.0
_PORTS: Final = range(20_000, 32_000)
"""Below those that the system gives to connections that go out: a proxy that is down comes back to the same port."""


@dataclass(frozen=True, slots=True)
class Toxic:
    """`kind` as Toxiproxy names it; `streams` are the directions: `upstream` to the server, `downstream` from it.

    `share` is how many of a hundred connections it befalls: who meets it at each could never write anything through it.

    The kind `down` is no toxic of Toxiproxy: the proxy is away, connections end and new ones are refused.
    """

    kind: str
    streams: tuple[str, ...] = ()
    attributes: Mapping[str, int] | None = None
    share: int = 100


DOWN: Final = Toxic("down")


@dataclass(frozen=True, slots=True)
class Proxy:
    """One proxy, which listens on 127.0.0.1."""

    name: str
    port: int
    api: httpx.Client

    def spoil(self, toxic: Toxic) -> None:
        """From now on, for connections that are there too."""
        if toxic.kind == DOWN.kind:
            self._set({"enabled": False})
        for stream in toxic.streams:
            body = {"type": toxic.kind, "stream": stream, "toxicity": toxic.share / 100}
            body["attributes"] = dict(toxic.attributes or {})
            self.api.post(f"/proxies/{self.name}/toxics", json=body).raise_for_status()

    def heal(self) -> None:
        """Passes on everything, as at first."""
        for toxic in self.api.get(f"/proxies/{self.name}/toxics").raise_for_status().json():
            self.api.delete(f"/proxies/{self.name}/toxics/{toxic['name']}").raise_for_status()
        self._set({"enabled": True})

    def _set(self, fields: Mapping[str, Any]) -> None:
        self.api.post(f"/proxies/{self.name}", json=fields).raise_for_status()


class Toxiproxy:
    """The server. `with` starts and ends it, and with it all proxies."""

    def __init__(self) -> None:
        port = free_port()
        self._api = httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=PATIENCE)
        command = [str(locate(toxiproxy())), "-host", "127.0.0.1", "-port", str(port)]
        quiet = subprocess.DEVNULL
        self._process = subprocess.Popen(command, stdin=quiet, stdout=quiet, stderr=quiet)

    def __enter__(self) -> Self:
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                self._api.get("/version").raise_for_status()
            except httpx.TransportError:
                assert self._process.poll() is None, "toxiproxy-server ended while it started"
                assert time.monotonic() < deadline, "toxiproxy-server does not answer"
                time.sleep(0.02)
            else:
                return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._api.close()
        self._process.kill()
        self._process.wait()

    def stand_before(self, name: str, port: int) -> Proxy:
        """A new proxy before that port of 127.0.0.1."""
        listens = free_port()
        body = {"name": name, "listen": f"127.0.0.1:{listens}", "upstream": f"127.0.0.1:{port}", "enabled": True}
        self._api.post("/proxies", json=body).raise_for_status()
        return Proxy(name, listens, self._api)


def free_port() -> int:
    """One that nobody has, and that no connection gets by chance."""
    for port in random.sample(_PORTS, len(_PORTS)):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise OSError("no port is free")
