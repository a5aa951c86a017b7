"""The server: TLS, one request a connection, and nothing for who is not known and allowed.

Made of aiohttp's low-level server. What it leaves open is closed here: how many connections there are at once, and how
long one may last, whoever is at its other end and however slowly they write or read.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from usher.core.errors import UsherError
from usher.kube.attempts import location_of
from usher.kube.metrics import Metrics
from usher.kube.readapi.answering import Asked, Library, answer
from usher.kube.readapi.names import ROUTE, Question
from usher.kube.readapi.refusals import Refusal, refusal_of
from usher.kube.readapi.reviews import Reviewer, User

CONNECTIONS: Final = 64
"""At once; who comes later waits in the queue of the system."""
AT_ONCE: Final = 8
"""Requests that are answered at once; each may hold an answer in memory."""
LIFETIME: Final = 30.0
"""Seconds from the first byte of a connection until it is closed."""
HANDSHAKE: Final = 5.0
LONGEST_TOKEN: Final = 16 * 1024
_MOST_HEADERS: Final = 32
_LONGEST_LINE: Final = 8 * 1024
_HEADERS: Final = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Server": "usher"}

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Desk:
    """What requests are answered with."""

    library: Library
    reviewer: Reviewer
    metrics: Metrics


@asynccontextmanager
async def serve(address: tuple[str, int], context: ssl.SSLContext, desk: Desk) -> AsyncIterator[int]:
    """Serves until left; gives the port. Raises UsherError when the address can't be had."""
    listening = _listen(address)
    entrance = _Entrance(desk, context)
    accepting = asyncio.get_running_loop().create_task(entrance.accept_for_ever(listening))
    try:
        yield listening.getsockname()[1]
    finally:
        accepting.cancel()
        await entrance.close()
        listening.close()


def _listen(address: tuple[str, int]) -> socket.socket:
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    try:
        listening = socket.create_server(address, family=family, backlog=CONNECTIONS)
    except OSError as error:
        message = f"can't listen on {address[0]} port {address[1]} for the read API: {error.strerror}"
        raise UsherError(message, reason="AddressUnusable") from error
    listening.setblocking(False)  # noqa: FBT003 - the word of the standard library
    return listening


class _Server(web.Server):
    """Tells when a connection is lost."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._lost: dict[RequestHandler, asyncio.Event] = {}

    async def until_lost(self, handler: RequestHandler) -> None:
        """Returns at once for one that is lost already."""
        if handler in self.connections:
            await self._lost.setdefault(handler, asyncio.Event()).wait()

    def connection_lost(self, handler: RequestHandler, exc: BaseException | None = None) -> None:
        super().connection_lost(handler, exc)
        lost = self._lost.pop(handler, None)
        if lost is not None:
            lost.set()


class _Entrance:
    """Lets connections in, as many as there is room for, and shows each one out in time."""

    def __init__(self, desk: Desk, context: ssl.SSLContext) -> None:
        self._desk, self._context = desk, context
        self._room = asyncio.Semaphore(CONNECTIONS)
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._inside: set[asyncio.Task[None]] = set()
        self._server = _Server(
            self._handle,
            handler_cancellation=True,
            access_log=None,
            max_line_size=_LONGEST_LINE,
            max_field_size=LONGEST_TOKEN,
            max_headers=_MOST_HEADERS,
            lingering_time=0,
            auto_decompress=False,
        )

    async def accept_for_ever(self, listening: socket.socket) -> None:
        """Until it is cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            await self._room.acquire()
            try:
                connection, _ = await loop.sock_accept(listening)
            except BaseException as error:
                self._room.release()
                if not isinstance(error, OSError):
                    raise
                await asyncio.sleep(0.1)  # out of descriptors, say
                continue
            task = loop.create_task(self._attend(connection))
            self._inside.add(task)
            task.add_done_callback(self._leave)

    def _leave(self, task: asyncio.Task[None]) -> None:
        self._inside.discard(task)
        self._room.release()

    async def close(self) -> None:
        """Ends every connection."""
        for task in self._inside:
            task.cancel()
        await asyncio.gather(*self._inside, return_exceptions=True)

    async def _attend(self, connection: socket.socket) -> None:
        loop, transport = asyncio.get_running_loop(), None
        try:
            async with asyncio.timeout(LIFETIME):
                transport, handler = await loop.connect_accepted_socket(
                    self._server, connection, ssl=self._context, ssl_handshake_timeout=HANDSHAKE
                )
                await self._server.until_lost(handler)
        except (OSError, TimeoutError):
            pass  # no TLS, the wrong certificate authority, or too slow: the client has to know why
        finally:
            if transport is None:
                connection.close()
            else:
                transport.abort()

    # --- one request

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        question: str = ""
        came: bytes | Refusal = Refusal(503, "Busy", "too many questions at once: ask again in a moment")
        if not self._turns.locked():
            async with self._turns:
                question, came = await self._come_to(request)
        status = came.status if isinstance(came, Refusal) else 200
        self._desk.metrics.questions.labels(question, str(status)).inc()
        body = came.body if isinstance(came, Refusal) else came
        response = web.Response(status=status, body=body, content_type="application/json", headers=_HEADERS)
        if status == 401:
            response.headers["WWW-Authenticate"] = "Bearer"
        response.force_close()
        return response

    async def _come_to(self, request: web.BaseRequest) -> tuple[str, bytes | Refusal]:
        """Which question it is, as far as it is one of ours, and what comes of it."""
        try:
            user = await self._desk.reviewer.user_of(_token(request))
            if user is None:
                return "", Refusal(401, "Unauthorized", "a bearer token is needed that the cluster knows")
            return await self._answer(request, user)
        except UsherError as error:
            return "", refusal_of(error)
        except Exception as error:
            what = location_of(error)
            logger.exception("unexpected error of the read API", extra={"fields": {"error": what}})
            return "", Refusal(500, "InternalError", f"unexpected {what}: this is a bug of the operator")

    async def _answer(self, request: web.BaseRequest, user: User) -> tuple[str, bytes | Refusal]:
        found = ROUTE.fullmatch(request.path)
        if found is None or found[3] not in set(Question):
            return "", Refusal(404, "NotFound", "there is nothing to read at this path")
        question = Question(found[3])
        if request.method != "GET":
            return question, Refusal(405, "MethodNotAllowed", "this API is for reading: GET")
        asked = Asked(question, found[1], found[2], request.rel_url.query)
        if not await self._desk.reviewer.may(user, asked.namespace, asked.name, question):
            what = f"you may not get provisioningconnectors/{question} of {asked.name} in namespace {asked.namespace}"
            return question, Refusal(403, "Forbidden", what)
        return question, await answer(self._desk.library, asked)


def _token(request: web.BaseRequest) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""
