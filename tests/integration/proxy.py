"""Stands between `usher` and a server, counts requests, and strikes at one of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Literal

from aiohttp import ClientSession, DummyCookieJar, web

_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "content-encoding", "host"}
_READS = {"GET", "HEAD", "OPTIONS"}


@dataclass(slots=True)
class Strike:
    """At the `ordinal`-th request: before it goes on, or after its answer came and before that is passed on."""

    ordinal: int
    moment: Literal["before", "after"]
    act: Callable[[], None]


class Proxy:
    """A running proxy. `requests` counts what came in, `writes` what of it was to change something."""

    def __init__(self, upstream: str, session: ClientSession) -> None:
        self._upstream = upstream
        self._session = session
        self.requests = 0
        self.writes = 0
        self.strike: Strike | None = None
        self.url = ""

    async def handle(self, request: web.Request) -> web.Response:
        """One request, there and back."""
        self.requests += 1
        self.writes += request.method not in _READS
        number, strike = self.requests, self.strike
        moment = None if strike is None or strike.ordinal != number else strike.moment
        if strike is not None and moment == "before":
            strike.act()
            return web.Response(status=503)
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _HOP_BY_HOP}
        body = await request.read()
        async with self._session.request(
            request.method, f"{self._upstream}{request.path_qs}", headers=headers, data=body, allow_redirects=False
        ) as answer:
            content = await answer.read()
            passed = {name: value for name, value in answer.headers.items() if name.lower() not in _HOP_BY_HOP}
        if strike is not None and moment == "after":
            strike.act()
        return web.Response(status=answer.status, headers=passed, body=content)


@asynccontextmanager
async def running_proxy(upstream: str) -> AsyncIterator[Proxy]:
    """Listens on 127.0.0.1; `upstream` is an origin."""
    async with ClientSession(cookie_jar=DummyCookieJar()) as session:
        proxy = Proxy(upstream, session)
        application = web.Application(client_max_size=16 * 1024 * 1024)
        application.router.add_route("*", "/{path:.*}", proxy.handle)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=1)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            proxy.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
            yield proxy
        finally:
            await runner.cleanup()
