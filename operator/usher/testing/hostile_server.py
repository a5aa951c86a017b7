"""A SCIM 2.0 server over real HTTP: strictly correct by default, and as bad as its fault schedule says.

In-process: `async with hostile_server(settings, faults) as server`. As a program, for tests that kill processes:
`python -m usher.testing.hostile_server --port 0 --history FILE`; its first line of output is its URL.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
from collections import Counter, deque
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Final

from aiohttp import web

from usher.testing.clock import real_runtime
from usher.testing.faults import FaultSchedule, Operation, parse_rule
from usher.testing.history import Entry, History, to_line
from usher.testing.hostile_documents import Canned
from usher.testing.hostile_wire import fail_early, fail_late, respond, take
from usher.testing.memory_app import DEFAULTS
from usher.testing.memory_settings import USER_NAME, MemorySettings
from usher.testing.memory_target import MemoryTarget
from usher.testing.scim_app import Query, ScimApp, error_reply
from usher.testing.scim_schemas import Refusal
from usher.testing.scim_service import PREFIX, Asked, answer, read_request

_CHANGING: Final = ("POST", "PUT", "PATCH", "DELETE")
_MAX_BODY: Final = 16 * 1024 * 1024
_REMEMBERED: Final = 100


class Exclusion(StrEnum):
    """What the app does with `excludedAttributes`: as RFC 7644 3.9 says, nothing, or a 400."""

    HONOURED = "honoured"
    IGNORED = "ignored"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class HostileSettings:
    """The server's temper without faults.

    `app`: uniqueness, versions, page size (also the most that a page brings), lag, latency and the form of ids.
    `patch_status`: 200 answers a PATCH with the resource, 204 with nothing. `documents`: what the endpoints of these
    names (`Schemas`) answer instead of what the app says of itself.
    """

    app: MemorySettings = DEFAULTS
    patch_status: int = 200
    token: str = "let-me-in"
    exclusion: Exclusion = Exclusion.HONOURED
    documents: Mapping[str, Canned] = field(default_factory=dict)


class HostileServer:
    """A running server. `requests` counts by method; `app` is what stands behind it, `history` what happened there.

    `asked` are the last requests as the wire had them: `GET /scim/v2/Users?startIndex=1`.

    `documents` begins as that of the settings, and may be changed.
    """

    def __init__(self, settings: HostileSettings, faults: FaultSchedule, history: History) -> None:
        self.app = MemoryTarget(settings.app, faults, real_runtime(), history)
        self.faults = faults
        self.history = history
        self.requests: Counter[str] = Counter()
        self.asked: deque[str] = deque(maxlen=_REMEMBERED)
        self.token = settings.token
        self.documents = dict(settings.documents)
        self.url = ""
        self._latency = settings.app.latency
        self._scim = ScimApp(self.app, settings.patch_status)
        self._exclusion = settings.exclusion

    @property
    def writes(self) -> int:
        """How many requests came that ask for a change, refused and failed ones included."""
        return sum(self.requests[method] for method in _CHANGING)

    def settle_at(self, url: str) -> None:
        """The address that clients use, and that locations begin with."""
        self.url = self._scim.base = url

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Every request comes through here."""
        self.requests[request.method] += 1
        self.asked.append(f"{request.method} {request.raw_path}")
        await asyncio.sleep(self._latency)
        try:
            self._admit(request)
            asked = read_request(await take(request))
        except Refusal as refusal:
            return respond(error_reply(refusal))
        fault = self.faults.next(asked.operation, asked.subject)
        early = self._canned(asked) if fault is None else fail_early(fault, request)
        if early is not None:
            return early
        try:
            understood = replace(asked, query=self._understood(asked.query))
            reply = answer(self._scim, understood, None if fault is None else fault.kind)
        except Refusal as refusal:
            reply = error_reply(refusal)
        return respond(reply) if fault is None else await fail_late(fault, reply, request)

    def _admit(self, request: web.Request) -> None:
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            raise Refusal(401, "", "a bearer token is needed")

    def _canned(self, asked: Asked) -> web.Response | None:
        canned = self.documents.get(asked.endpoint) if asked.operation is Operation.DISCOVER else None
        if canned is None:
            return None
        return web.Response(status=canned.status, body=canned.body, content_type=canned.content_type)

    def _understood(self, query: Query) -> Query:
        """The query as far as the app knows about leaving attributes out."""
        match self._exclusion:
            case Exclusion.REFUSED if query.excluded:
                raise Refusal(400, "invalidSyntax", "there is no such parameter")
            case Exclusion.IGNORED:
                return replace(query, excluded=())
            case _:
                return query


@asynccontextmanager
async def hostile_server(
    settings: HostileSettings = HostileSettings(),
    faults: FaultSchedule | None = None,
    history: History | None = None,
    port: int = 0,
) -> AsyncIterator[HostileServer]:
    """Serves on 127.0.0.1 until left; port 0 takes a free one."""
    schedule = FaultSchedule() if faults is None else faults
    server = HostileServer(settings, schedule, History() if history is None else history)
    web_app = web.Application(client_max_size=_MAX_BODY)
    web_app.router.add_route("*", "/{path:.*}", server.handle)
    runner = web.AppRunner(web_app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        server.settle_at(f"http://127.0.0.1:{runner.addresses[0][1]}{PREFIX}")
        yield server
    finally:
        await runner.cleanup()


# --- as a program ---------------------------------------------------------------------------------------------------


def main(arguments: Sequence[str] | None = None) -> None:
    """Serves until SIGTERM or SIGINT."""
    options = _parser().parse_args(arguments)
    unique = USER_NAME if options.unique else None
    settings = HostileSettings(
        app=MemorySettings(unique=unique, versioned=options.versions, page_size=options.page_size),
        patch_status=options.patch_status,
        token=options.token,
    )
    faults = FaultSchedule([parse_rule(text, lambda: _kill(options.kill_pid_file)) for text in options.fault])
    with open(options.history, "ab", buffering=0) as sink:  # noqa: PTH123 - unbuffered: every line survives a kill

        def write(entry: Entry) -> None:
            sink.write(to_line(entry))

        asyncio.run(_serve(settings, faults, History(write), options.port))


async def _serve(settings: HostileSettings, faults: FaultSchedule, history: History, port: int) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with hostile_server(settings, faults, history, port) as server:
        print(server.url, flush=True)  # noqa: T201 - the program's answer
        await stop.wait()


def _kill(pid_file: str) -> None:
    os.kill(int(Path(pid_file).read_text(encoding="ascii")), signal.SIGKILL)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="usher.testing.hostile_server", description="A SCIM server that fails on demand."
    )
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--token", default=HostileSettings().token)
    parser.add_argument("--unique", action=argparse.BooleanOptionalAction, default=True, help="user names are unique")
    parser.add_argument("--versions", action=argparse.BooleanOptionalAction, default=True, help="resources have ETags")
    parser.add_argument("--page-size", type=int, default=100)
    parser.add_argument("--patch-status", type=int, choices=(200, 204), default=200)
    parser.add_argument("--history", default=os.devnull, help="file that gets a line of JSON for every change")
    parser.add_argument(
        "--fault", action="append", default=[], help="create:3:lost-after, update:*5:throttled=2, any:7:kill-before"
    )
    parser.add_argument("--kill-pid-file", default="", help="file with the pid that kill-before and kill-after kill")
    return parser


if __name__ == "__main__":
    main()
