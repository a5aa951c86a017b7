"""The way to the app without sockets: our own HTTP client above, the SCIM service below, faults in between.

Only aiohttp itself is replaced: what its exceptions mean, how answers are read and retried is the real code.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final, cast

import aiohttp
import yarl

from simulation.process import CURRENT
from simulation.strikes import STRIKES
from simulation.wire import Call, Response, Sent
from usher.contracts.permits import _UNTIL, FOR_EVER
from usher.contracts.runtime import Runtime, SecretRef, SecretText
from usher.contracts.target import Capabilities
from usher.targets.scim.session import ScimSession
from usher.targets.scim.settings import ScimSettings
from usher.testing.clock import FakeClock
from usher.testing.memory_target import MemoryTarget
from usher.testing.scim_app import ScimApp, error_reply
from usher.testing.scim_schemas import Refusal
from usher.testing.scim_service import PREFIX, Request, read_request
from usher.transport.addresses import cli_policy
from usher.transport.auth import BearerClient
from usher.transport.certificates import Authority
from usher.transport.http import HttpClient, _Gate, _NoPermit, _Pacing
from usher.transport.pace import Limits, Pace
from usher.transport.urls import parse_base_url

ADDRESS: Final = f"https://app.example.com{PREFIX}"
SECRET: Final = "zxq-canary-token"
"""Never to be seen anywhere but in the header that carries it."""
LATENCY: Final = 0.05
MEMBERS_A_REQUEST: Final = 2
"""So few that a set of three takes two requests, as one of a hundred and one does at a real app."""


class Network:
    """The app and the way to it. `sent` are all requests that came; `told` all that the program said of itself."""

    def __init__(self, app: MemoryTarget, clock: FakeClock, settle: timedelta | None, latency: float = LATENCY) -> None:
        self.app = app
        self.clock = clock
        self.latency = latency
        self.settle = settle
        self.scim = ScimApp(app)
        self.scim.base = ADDRESS
        self.sent: list[Sent] = []

    async def request(
        self, method: str, url: yarl.URL, *, headers: Mapping[str, str], data: bytes | None, allow_redirects: bool
    ) -> Response:
        """As `aiohttp.ClientSession.request`, which raises what that raises."""
        assert not allow_redirects
        process = CURRENT.get()
        assert process is not None
        process.breathe()
        await process.go_on()
        if process.taken and method != "GET" and _UNTIL.get() < FOR_EVER:
            raise _NoPermit  # as the client does where the bytes would go out: the permit ended in the meantime
        began = self.clock.monotonic()
        index = len(self.sent)
        self.sent.append(Sent(began, method, url.raw_path_qs, 0, stale=process.taken))
        await self.clock.sleep(self.latency)
        lower = {name.lower(): value for name, value in headers.items()}
        asked = read_request(Request(method, url.raw_path, url.query, lower, data or b""))
        struck = process.request(asked.operation.value)
        call = Call(process, asked, self.scim, self.clock)
        self.sent[index] = replace(self.sent[index], struck=struck or "")
        if lower.get("authorization") != f"Bearer {SECRET}":
            response = Response.of(error_reply(Refusal(401, "", "a bearer token is needed")))
        else:
            response = Response.of(call.proceed()) if struck is None else await STRIKES[struck](call)
        waits = _asked_for(response.headers.get("retry-after", ""), self.app.runtime.now())
        until = 0.0 if waits is None else self.clock.monotonic() + waits
        self.sent[index] = replace(self.sent[index], status=response.status, not_before=until)
        await process.go_on()
        process.breathe()
        return response

    @asynccontextmanager
    async def open(self, runtime: Runtime) -> AsyncIterator[ScimSession]:
        """A session of the real kind."""
        scim = ScimSettings(ADDRESS, SecretRef("Secret", "app", "token"), settle=self.settle)
        pacing = _Pacing(Pace(Limits(scim.connections, scim.requests_per_second), runtime), runtime)
        gate = _Gate(parse_base_url(ADDRESS), cli_policy())
        client = HttpClient(gate, cast(aiohttp.ClientSession, self), Authority.PUBLIC, pacing)

        async def read_token() -> SecretText:
            return SecretText(SECRET)

        yield SmallSession(BearerClient(client, read_token), runtime, scim)


def _asked_for(retry_after: str, now: datetime) -> float | None:
    """The seconds of a Retry-After, read without the engine, which may read it wrongly."""
    if not retry_after or retry_after.isdigit():
        return float(retry_after) if retry_after else None
    return (parsedate_to_datetime(retry_after) - now).total_seconds()


class SmallSession(ScimSession):
    """The session, of a target that takes few members in one request."""

    @property
    def capabilities(self) -> Capabilities:
        return replace(super().capabilities, members_a_request=MEMBERS_A_REQUEST)
