"""One HTTP client for one origin. Its errors say whether the request can have had an effect.

aiohttp's session, called without anything between: a client object of another library above it costs as much CPU as the
request itself. Redirects, cookies, proxies from the environment and silent re-sends are off.
"""

from __future__ import annotations

import socket
import zlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Never, TypeAlias

import aiohttp
import yarl

from usher.contracts.permits import is_permitted
from usher.contracts.runtime import Runtime
from usher.core.errors import CycleError, NotSent, OutcomeUnknown, Overdue, UsherError
from usher.core.scim.responses import parse_retry_after
from usher.transport.addresses import AddressPolicy
from usher.transport.certificates import Authority, unverified
from usher.transport.pace import Limits, Pace
from usher.transport.redaction import silence_url_loggers
from usher.transport.tls import client_context
from usher.transport.urls import BaseUrl, parse_base_url

MAX_BODY: Final = 16 * 1024 * 1024
MAX_HEADERS: Final = 100
MAX_HEADER_SIZE: Final = 8_190
DEFAULT_LIMITS: Final = Limits()
_TOO_MANY: Final = 429
_PATIENCE: Final = frozenset({_TOO_MANY, 503})

_AddressInfo: TypeAlias = tuple[int | socket.AddressFamily, int | socket.SocketKind, int, str, tuple[object, ...]]


@dataclass(frozen=True, slots=True)
class HttpSettings:
    """How to reach one origin. Times in seconds; `deadline` bounds a request from its sending to the end of its answer.

    `ca_pem` replaces the public certificate authorities.
    """

    base_url: str
    ca_pem: bytes | None = None
    limits: Limits = DEFAULT_LIMITS
    connect_timeout: float = 10.0
    deadline: float = 60.0


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """Status, headers (names in lower case, the last of several wins) and the whole body, decompressed."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class _AnswerTooLarge(Exception):
    """More bytes than MAX_BODY, or bytes that don't decompress."""


class _NoPermit(aiohttp.ClientError):
    """Nothing of the request went out."""


class _PermittedRequest(aiohttp.ClientRequest):
    """Looks at the permit of a write last of all; its head and its body go out at once, a task later than `send`."""

    async def send(self, conn: aiohttp.connector.Connection) -> aiohttp.ClientResponse:
        if self.method != "GET" and not is_permitted():
            raise _NoPermit
        return await super().send(conn)

    async def write_bytes(
        self,
        writer: aiohttp.abc.AbstractStreamWriter,
        conn: aiohttp.connector.Connection,
        content_length: int | None = None,
    ) -> None:
        if is_permitted() or conn.protocol is None:
            await super().write_bytes(writer, conn, content_length)
        else:
            conn.protocol.set_exception(_NoPermit())


class HttpClient:
    """Sends requests to one origin. Made by `open_http`."""

    def __init__(self, gate: _Gate, session: aiohttp.ClientSession, authority: Authority, pacing: _Pacing) -> None:
        self._url = gate.url
        self._base = gate.url.origin + gate.url.path
        self._gate = gate
        self._session = session
        self._authority = authority
        self._pacing = pacing

    async def send(
        self, method: str, path_and_query: str, headers: Mapping[str, str], body: bytes | None = None
    ) -> HttpAnswer:
        """One request, `path_and_query` relative to the base address and ready for the wire.

        Raises NotSent (no connection, or a GET that broke: it has no effect anyway; `Overdue` for another method whose
        permit had ended), OutcomeUnknown (the request went out and no whole answer came back) or CycleError (forbidden
        address, certificate that can't be verified).
        """
        url = _ready_url(self._base + path_and_query)
        sent = {"accept-encoding": "identity", **headers}
        pace = self._pacing.pace
        began = await pace.begin()
        try:
            response = await self._session.request(method, url, headers=sent, data=body, allow_redirects=False)
            try:
                answer = await _take(response)
            finally:
                response.release()  # which closes a connection whose answer was not read
            self._pacing.note(answer, began)
        except (TimeoutError, aiohttp.ClientError, _AnswerTooLarge, OSError) as error:
            if isinstance(error, TimeoutError):
                pace.answered(began)
            self._fail(method, error)
        else:
            return answer
        finally:
            pace.end()

    def _fail(self, method: str, error: Exception) -> Never:
        if isinstance(error, _NoPermit):
            raise Overdue(f"a request to {self._url.host} waited for too long") from None
        if isinstance(error, aiohttp.ClientConnectorCertificateError):
            raise unverified(self._url.host, error.certificate_error, self._authority, "tls.caRef") from None
        if isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError):
            raise (self._gate.refusal or NotSent(f"no connection to {self._url.host}: {_describe(error)}")) from None
        problem = f"{self._url.host} did not answer whole: {_describe(error)}"
        raise _after_sending(method, problem) from None


@dataclass(frozen=True, slots=True)
class _Pacing:
    """Goes by what answers say of the pace."""

    pace: Pace
    runtime: Runtime

    def note(self, answer: HttpAnswer, began: float) -> None:
        """Fewer requests after a 429, and after any answer that says when to come back (RFC 9110 10.2.3)."""
        if answer.status not in _PATIENCE:
            self.pace.answered(began)
            return
        wait = parse_retry_after(answer.headers.get("retry-after"), self.runtime.now())
        if answer.status == _TOO_MANY or wait is not None:
            self.pace.refused(began, wait)


@lru_cache(maxsize=64)
def _ready_url(text: str) -> yarl.URL:
    """As it is: it is quoted, and would else be quoted by other rules. All creates go to one URL."""
    return yarl.URL(text, encoded=True)


class _Gate:
    """Makes the sockets, after asking the policy about the address; remembers why it refused one."""

    def __init__(self, url: BaseUrl, policy: AddressPolicy) -> None:
        self.url = url
        self._policy = policy
        self.refusal: CycleError | None = None

    def open_socket(self, info: _AddressInfo) -> socket.socket:
        family, kind, protocol, _, address = info
        try:
            self._policy.check(str(address[0]), host=self.url.host, scheme=self.url.scheme)
        except CycleError as error:
            self.refusal = error
            raise ConnectionRefusedError("address refused by policy") from error
        opened = socket.socket(family=family, type=kind, proto=protocol)
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return opened


@asynccontextmanager
async def open_http(settings: HttpSettings, policy: AddressPolicy, runtime: Runtime) -> AsyncIterator[HttpClient]:
    """A client for the origin of `settings.base_url`; raises SpecError for a URL or a CA that can't be used."""
    silence_url_loggers()
    url = parse_base_url(settings.base_url)
    gate = _Gate(url, policy)
    tls = url.scheme == "https" or settings.ca_pem is not None
    context = client_context(settings.ca_pem, "tls.caRef") if tls else True
    connector = aiohttp.TCPConnector(limit=settings.limits.in_flight, ssl=context, socket_factory=gate.open_socket)
    session = aiohttp.ClientSession(
        connector=connector,
        request_class=_PermittedRequest,
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=_timeouts(settings),
        auto_decompress=False,
        trust_env=False,
        max_line_size=MAX_HEADER_SIZE,
        max_field_size=MAX_HEADER_SIZE,
        max_headers=MAX_HEADERS,
    )
    session._retry_connection = False  # noqa: SLF001  # aiohttp has no public switch for its silent second sending
    async with session:
        authority = Authority.PUBLIC if settings.ca_pem is None else Authority.GIVEN
        yield HttpClient(gate, session, authority, _Pacing(Pace(settings.limits, runtime), runtime))


def _timeouts(settings: HttpSettings) -> aiohttp.ClientTimeout:
    """One timer a request, aiohttp's: it runs from the wait for a connection to the last byte of the answer."""
    connect = settings.connect_timeout
    return aiohttp.ClientTimeout(total=settings.deadline, connect=connect, sock_connect=connect)


async def _take(response: aiohttp.ClientResponse) -> HttpAnswer:
    """The whole answer, never more than MAX_BODY of it. Some targets compress although they were asked not to."""
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.raw_headers}
    content, collected = response.content, bytearray()
    while not content.at_eof():
        collected += await content.readany()
        if len(collected) > MAX_BODY:
            raise _AnswerTooLarge
    encoding, body = headers.get("content-encoding", "").strip().lower(), bytes(collected)
    return HttpAnswer(response.status, headers, body if encoding in ("", "identity") else _inflate(encoding, body))


def _inflate(encoding: str, body: bytes) -> bytes:
    if encoding not in ("gzip", "deflate"):
        raise _AnswerTooLarge
    stream = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)
    try:
        inflated = stream.decompress(body, MAX_BODY + 1)
    except zlib.error as error:
        raise _AnswerTooLarge from error
    if len(inflated) > MAX_BODY or (body and not stream.eof):
        raise _AnswerTooLarge
    return inflated


def _after_sending(method: str, problem: str) -> UsherError:
    return NotSent(problem) if method == "GET" else OutcomeUnknown(problem)


_WORDS: Final[tuple[tuple[type[BaseException], str], ...]] = (
    (aiohttp.ClientConnectorDNSError, "the name can't be resolved"),
    (aiohttp.ClientConnectorSSLError, "the TLS handshake failed"),
    (aiohttp.ConnectionTimeoutError, "connecting took too long"),
    (TimeoutError, "the time for one request is over"),
    (_AnswerTooLarge, f"the answer is larger than {MAX_BODY} bytes, or compressed in a way that can't be read"),
    (aiohttp.ClientResponseError, "the answer is no HTTP"),
)


def _describe(error: BaseException) -> str:
    """What happened in words of ours: exception texts of HTTP libraries hold URLs. The first kind that fits counts."""
    found = next((words for kind, words in _WORDS if isinstance(error, kind)), None)
    if found is None and isinstance(error, aiohttp.ClientConnectorError):
        return (error.os_error.strerror or "connecting failed").lower()
    return found or "the connection broke"
