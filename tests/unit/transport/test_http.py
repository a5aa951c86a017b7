"""The client against servers on loopback that misbehave on the wire."""

from __future__ import annotations

import asyncio
import gzip
import logging
import socket
import ssl
import struct
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
import trustme

from usher.contracts.permits import permitted
from usher.core.errors import CycleError, NotSent, OutcomeUnknown, Overdue, SpecError, UsherError
from usher.testing.clock import EPOCH, FakeClock, fake_runtime, real_runtime
from usher.transport.addresses import AddressPolicy, cli_policy, operator_policy
from usher.transport.http import HttpAnswer, HttpClient, HttpSettings, open_http
from usher.transport.pace import Limits

Behaviour = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
CANARY = "/Users?filter=userName%20eq%20%22canary%40example.com%22"


@dataclass(slots=True)
class Wire:
    """A listening server: its port, the connections it saw and the heads of the requests that reached it."""

    port: int = 0
    connections: int = 0
    heads: list[bytes] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@asynccontextmanager
async def listen(answer: bytes | Behaviour, tls: ssl.SSLContext | None = None) -> AsyncIterator[Wire]:
    """Gives the same bytes to each request, or does whatever the behaviour does with a connection after its request."""
    wire = Wire()

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        wire.connections += 1
        try:
            while True:
                wire.heads.append(await read_request(reader))
                if callable(answer):
                    await answer(reader, writer)
                    return
                writer.write(answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(converse, "127.0.0.1", 0, ssl=tls)
    wire.port = server.sockets[0].getsockname()[1]
    async with server:
        yield wire


async def read_request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            await reader.readexactly(int(line.partition(b":")[2]))
    return head


async def reset(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


async def stay_silent(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    await reader.read()


async def break_off(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{")


async def drip(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    for _index in range(1000):
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.02)


async def flood(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"100000\r\n" + b" " * 0x100000 + b"\r\n")
        await writer.drain()


def answer_with(body: bytes, *headers: str) -> bytes:
    head = "\r\n".join(["HTTP/1.1 200 OK", f"Content-Length: {len(body)}", *headers, "", ""])
    return head.encode() + body


async def send(url: str, method: str = "POST", path: str = CANARY, policy: AddressPolicy | None = None) -> HttpAnswer:
    settings = HttpSettings(url, connect_timeout=1.0, deadline=1.0)
    async with open_http(settings, policy or cli_policy(), real_runtime()) as client:
        return await client.send(method, path, {"authorization": "Bearer t0ken"}, b"{}" if method != "GET" else None)


async def failure(url: str, method: str = "POST", policy: AddressPolicy | None = None) -> UsherError:
    with pytest.raises(UsherError) as caught:
        await send(url, method, policy=policy)
    assert "canary" not in str(caught.value)
    assert "t0ken" not in str(caught.value)
    return caught.value


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def test_a_request_arrives_as_it_was_written() -> None:
    async with listen(OK) as wire:
        answer = await send(f"{wire.url}/scim/v2", "GET", "/Users/a%2Fb%20%22%C3%AB?x=%2B+%26")

    assert (answer.status, answer.body, answer.headers["content-length"]) == (200, b"{}", "2")
    assert wire.heads[0].startswith(b"GET /scim/v2/Users/a%2Fb%20%22%C3%AB?x=%2B+%26 HTTP/1.1\r\n")


async def test_only_our_own_headers_are_sent_and_no_cookie_is_kept() -> None:
    async with listen(answer_with(b"{}", "Set-Cookie: session=1; Path=/")) as wire, client_of(wire) as client:
        for _ in range(2):
            await client.send("GET", "/", {"accept": "application/scim+json"})

    names = {line.partition(b":")[0].lower() for line in wire.heads[1].split(b"\r\n")[1:] if line}
    assert names == {b"host", b"accept", b"accept-encoding", b"user-agent"}


@asynccontextmanager
async def client_of(wire: Wire) -> AsyncIterator[HttpClient]:
    async with open_http(
        HttpSettings(wire.url, limits=Limits(4), deadline=5.0), cli_policy(), real_runtime()
    ) as client:
        yield client


async def test_nobody_listening_means_that_nothing_was_sent() -> None:
    assert type(await failure(f"http://127.0.0.1:{free_port()}")) is NotSent


async def test_a_name_that_does_not_resolve_means_that_nothing_was_sent() -> None:
    assert type(await failure("http://no-such-host.invalid")) is NotSent


@pytest.mark.parametrize(
    "behaviour",
    [
        pytest.param(reset, id="reset after the request"),
        pytest.param(stay_silent, id="no answer"),
        pytest.param(drip, id="slow drip"),
        pytest.param(flood, id="endless body"),
        pytest.param(break_off, id="truncated body"),
        pytest.param(b"SSH-2.0-OpenSSH_9.9\r\n\r\n", id="no HTTP"),
        pytest.param(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 20_000 + b"\r\n\r\n", id="huge header"),
        pytest.param(b"HTTP/1.1 200 OK\r\n" + b"X: x\r\n" * 5_000 + b"\r\n", id="many headers"),
        pytest.param(answer_with(b"not gzip", "Content-Encoding: gzip"), id="broken gzip"),
        pytest.param(answer_with(gzip.compress(b"x" * 1_000)[:-20], "Content-Encoding: gzip"), id="truncated gzip"),
        pytest.param(answer_with(gzip.compress(bytes(100_000_000), 9), "Content-Encoding: gzip"), id="bomb"),
        pytest.param(answer_with(b"x", "Content-Encoding: br"), id="unknown encoding"),
    ],
)
async def test_after_the_request_went_out_the_outcome_of_a_write_is_unknown_and_a_read_may_be_repeated(
    behaviour: bytes | Behaviour,
) -> None:
    async with listen(behaviour) as wire:
        started = time.monotonic()
        assert type(await failure(wire.url, "POST")) is OutcomeUnknown
        assert type(await failure(wire.url, "GET")) is NotSent
        assert time.monotonic() - started < 10


async def test_a_write_whose_permit_has_ended_does_not_go_out_and_a_read_needs_none() -> None:
    async with listen(OK) as wire, client_of(wire) as client:
        with permitted(time.monotonic() - 1):
            for method, body in (("POST", b"{}"), ("PATCH", b"{}"), ("DELETE", None)):
                with pytest.raises(Overdue):
                    await client.send(method, "/", {}, body)
            assert (await client.send("GET", "/", {})).status == 200
        with permitted(time.monotonic() + 60):
            assert (await client.send("POST", "/", {}, b"{}")).status == 200

    assert [head.split()[0] for head in wire.heads] == [b"GET", b"POST"]


async def test_a_permit_that_ends_between_the_connection_and_the_first_byte_is_noticed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answers = iter([True, False])
    monkeypatch.setattr("usher.transport.http.is_permitted", lambda: next(answers))
    async with listen(OK) as wire, client_of(wire) as client:
        with pytest.raises(Overdue):
            await client.send("POST", "/", {}, b"{}")
        assert (await client.send("GET", "/", {})).status == 200

    assert [head.split()[0] for head in wire.heads] == [b"GET"]
    assert list(answers) == []


@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "DELETE"])
async def test_a_connection_that_died_while_idle_is_not_silently_tried_again(method: str) -> None:
    async def answer_then_close_on_the_next(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(OK)
        await writer.drain()
        wire.heads.append(await read_request(reader))

    async with listen(answer_then_close_on_the_next) as wire, client_of(wire) as client:
        await client.send("GET", "/first", {})
        with pytest.raises((OutcomeUnknown, NotSent)):
            await client.send(method, "/second", {})

    assert len(wire.heads) == 2


async def test_a_compressed_answer_is_read_all_the_same() -> None:
    async with listen(answer_with(gzip.compress(b'{"a": 1}'), "Content-Encoding: gzip")) as wire:
        assert (await send(wire.url, "GET")).body == b'{"a": 1}'


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_given_back_and_never_followed(status: int) -> None:
    async with listen(OK) as elsewhere:
        head = f"HTTP/1.1 {status} Moved\r\nLocation: {elsewhere.url}/\r\nContent-Length: 0\r\n\r\n"
        async with listen(head.encode()) as wire:
            assert (await send(wire.url, "GET")).status == status

    assert elsewhere.connections == 0


async def test_no_more_requests_are_in_flight_than_there_are_connections() -> None:
    running, most = 0, 0

    async def count(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.02)
        running -= 1
        writer.write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")

    async with listen(count) as wire, client_of(wire) as client:
        await asyncio.gather(*(client.send("GET", "/", {}) for _ in range(20)))

    assert most == 4


# --- TLS ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def server_tls(authority: trustme.CA, *names: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(context)
    return context


async def tls_send(wire: Wire, ca_pem: bytes | None) -> HttpAnswer:
    settings = HttpSettings(f"https://127.0.0.1:{wire.port}", ca_pem, connect_timeout=2.0, deadline=2.0)
    async with open_http(settings, cli_policy(), real_runtime()) as client:
        return await client.send("POST", "/", {}, b"{}")


async def test_a_certificate_of_the_given_authority_is_trusted(authority: trustme.CA) -> None:
    async with listen(OK, server_tls(authority, "127.0.0.1")) as wire:
        assert (await tls_send(wire, authority.cert_pem.bytes())).status == 200


@pytest.mark.parametrize(
    ("case", "way_out"),
    [
        ("another host", "for another host. Use a name that is in it"),
        ("unknown authority", "The authority in tls.caRef did not sign it"),
        ("public authorities only", "name that in tls.caRef"),
    ],
)
async def test_a_certificate_that_cannot_be_verified_ends_the_cycle_and_names_the_way_out(
    authority: trustme.CA, case: str, way_out: str
) -> None:
    name = "other.example.com" if case == "another host" else "127.0.0.1"
    trusted = {"another host": authority, "unknown authority": trustme.CA()}.get(case)
    async with listen(OK, server_tls(authority, name)) as wire:
        with pytest.raises(CycleError, match=r"certificate verification failed for 127\.0\.0\.1") as caught:
            await tls_send(wire, None if trusted is None else trusted.cert_pem.bytes())

    assert way_out in str(caught.value)
    assert caught.value.reason == "TargetUnreachable"
    assert wire.heads == []


async def test_a_certificate_that_has_expired_is_told_as_that(authority: trustme.CA) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    expired = authority.issue_cert("127.0.0.1", not_after=datetime(2020, 1, 2, tzinfo=UTC))
    expired.configure_cert(context)
    async with listen(OK, context) as wire:
        with pytest.raises(CycleError, match="has expired"):
            await tls_send(wire, authority.cert_pem.bytes())


async def test_old_tls_is_refused(authority: trustme.CA) -> None:
    context = server_tls(authority, "127.0.0.1")
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        context.minimum_version = ssl.TLSVersion.TLSv1
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    async with listen(OK, context) as wire:
        with pytest.raises(NotSent):
            await tls_send(wire, authority.cert_pem.bytes())

    assert wire.heads == []


async def test_tls_to_a_server_without_it_means_that_nothing_was_sent(authority: trustme.CA) -> None:
    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async def talk_first(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await talk(reader, writer)
        writer.close()

    server = await asyncio.start_server(talk_first, "127.0.0.1", 0)
    async with server:
        with pytest.raises(NotSent):
            await tls_send(Wire(server.sockets[0].getsockname()[1]), authority.cert_pem.bytes())


@pytest.mark.parametrize("pem", [b"", b"no certificate", b"\xff\xfe", b"-----BEGIN CERTIFICATE-----\nx\n"])
async def test_a_ca_that_is_none_is_a_spec_error(pem: bytes) -> None:
    with pytest.raises(SpecError, match=r"tls\.caRef"):
        async with open_http(HttpSettings("https://app.example.com", pem), cli_policy(), real_runtime()):
            pass


# --- addresses ------------------------------------------------------------------------------------------------------

FORMS_OF_LOOPBACK = [
    "127.0.0.1",
    "127.1",
    "127.0.1",
    "2130706433",
    "0x7f000001",
    "0177.0.0.1",
    "0x7f.0.0.1",
    "localhost",
    "LOCALHOST.",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[0:0:0:0:0:0:0:1]",
    "[64:ff9b::127.0.0.1]",
    "[2002:7f00:1::]",
    "0.0.0.0",  # noqa: S104  # a target, not an address that is listened on
    "0",
    "[::]",
    "169.254.169.254",
    "2852039166",
    "0xa9fea9fe",
    "[::ffff:169.254.169.254]",
    "[::ffff:a9fe:a9fe]",
    "[64:ff9b::a9fe:a9fe]",
    "[2002:a9fe:a9fe::1]",
    "[fd00:ec2::254]",
    "100.100.100.200",
    "224.0.0.1",
    "[ff02::1]",
    "255.255.255.255",
]


@pytest.mark.parametrize("host", FORMS_OF_LOOPBACK)
async def test_the_operator_connects_to_no_form_of_an_inner_address(host: str) -> None:
    async with listen(OK) as wire:
        with pytest.raises((CycleError, NotSent, SpecError)):
            await send(f"http://{host}:{wire.port}", "GET", policy=operator_policy((), ()))

    assert wire.connections == 0


async def test_a_name_that_resolves_to_another_address_the_second_time_is_checked_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answers = iter(["8.8.8.8", "127.0.0.1"])
    asked: list[str] = []

    def resolve(_host: str, port: int, *_: object) -> list[tuple[object, ...]]:
        asked.append(next(answers))
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (asked[-1], port))]

    async with listen(OK) as wire:
        monkeypatch.setattr(socket, "getaddrinfo", resolve)
        next(answers)  # what somebody saw who looked the name up to check it
        error = await failure(f"https://rebound.example:{wire.port}", "GET", operator_policy((), ()))

    assert asked == ["127.0.0.1"]
    assert type(error) is CycleError
    assert wire.connections == 0


async def test_a_refused_address_ends_the_cycle_and_names_the_way_out() -> None:
    error = await failure("http://127.0.0.1:1", policy=operator_policy((), ()))

    assert type(error) is CycleError
    assert "--allow-cidr" in str(error)


async def test_no_library_logs_a_url(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with listen(OK) as wire:
        await send(wire.url, "GET")

    assert "canary" not in caplog.text


async def test_after_a_retry_after_the_next_request_waits_as_long_as_it_says() -> None:
    busy = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 30\r\nContent-Length: 0\r\n\r\n"
    clock = FakeClock()
    async with (
        listen(busy) as wire,
        open_http(HttpSettings(wire.url), cli_policy(), fake_runtime(0, clock)) as client,
    ):
        await client.send("GET", "/Users", {})
        assert clock.monotonic() == 0.0
        await client.send("GET", "/Users", {})

    assert clock.monotonic() == 30.0


async def test_a_retry_after_may_be_a_date_by_our_own_clock() -> None:
    date = format_datetime(EPOCH + timedelta(seconds=45), usegmt=True)
    busy = f"HTTP/1.1 429 Too Many Requests\r\nRetry-After: {date}\r\nContent-Length: 0\r\n\r\n".encode()
    clock = FakeClock()
    async with (
        listen(busy) as wire,
        open_http(HttpSettings(wire.url), cli_policy(), fake_runtime(0, clock)) as client,
    ):
        await client.send("GET", "/Users", {})
        await client.send("GET", "/Users", {})

    assert clock.monotonic() == 45.0


async def test_no_more_requests_a_second_go_out_than_the_spec_allows() -> None:
    clock = FakeClock()
    limits = Limits(a_second=2.0)
    async with (
        listen(OK) as wire,
        open_http(HttpSettings(wire.url, limits=limits), cli_policy(), fake_runtime(0, clock)) as client,
    ):
        await asyncio.gather(*(client.send("GET", "/Users", {}) for _ in range(5)))

    assert clock.monotonic() == 2.0
