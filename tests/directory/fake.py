"""A directory that misbehaves: what it says to each question is what a test wants of it.

A real one is to be preferred; this is for what none says on demand.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from pyasn1.codec.ber import decoder, encoder
from pyasn1.error import PyAsn1Error, SubstrateUnderrunError
from pyasn1_modules import rfc2251

PAGED: Final = "1.2.840.113556.1.4.319"
SYNC_STATE: Final = "1.3.6.1.4.1.4203.1.9.1.2"
SYNC_DONE: Final = "1.3.6.1.4.1.4203.1.9.1.3"

Controls: TypeAlias = Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class Question:
    """One message of the client: its number, its kind (`bindRequest`), and the part that belongs to the kind."""

    number: int
    kind: str
    content: Any


Answer: TypeAlias = Callable[[Question], Awaitable[bytes | None]]
"""The bytes that are said to a question; None hangs up."""


@dataclass(slots=True)
class FakeDirectory:
    """Where it listens and what it was asked; `heard` are all bytes inside TLS, `open` the connections of now."""

    port: int = 0
    heard: bytearray = field(default_factory=bytearray)
    questions: list[Question] = field(default_factory=list)
    connections: int = 0
    open: int = 0

    @property
    def url(self) -> str:
        return f"ldap://127.0.0.1:{self.port}"


@asynccontextmanager
async def fake_directory(
    answer: Answer, *, tls: ssl.SSLContext | None = None, greeting: bytes = b""
) -> AsyncIterator[FakeDirectory]:
    """Listens until the end of the block. `greeting` is said to whoever connects; who speaks no LDAP is left."""
    fake = FakeDirectory()
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        fake.connections += 1
        fake.open += 1
        try:
            writer.write(greeting)
            with suppress(OSError, asyncio.CancelledError, PyAsn1Error):
                await _converse(fake, answer, reader, writer)
        finally:
            fake.open -= 1
            writer.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    fake.port = server.sockets[0].getsockname()[1]
    try:
        yield fake
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()


async def _converse(
    fake: FakeDirectory, answer: Answer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    pending = b""
    while data := await reader.read(65536):
        fake.heard += data
        pending += data
        while pending:
            try:
                message, rest = decoder.decode(pending, asn1Spec=rfc2251.LDAPMessage())
            except SubstrateUnderrunError:
                break
            pending = bytes(rest)
            operation = message["protocolOp"]
            question = Question(int(message["messageID"]), operation.getName(), operation.getComponent())
            fake.questions.append(question)
            said = await answer(question)
            if said is None:
                return
            writer.write(said)
            await writer.drain()


def message(number: int, kind: str, controls: Controls | None = None, **content: Any) -> bytes:
    """One message of the directory; what `content` does not say is empty, or success."""
    made: Any = rfc2251.LDAPMessage()
    made["messageID"] = number
    operation = made["protocolOp"][kind]
    if kind not in ("searchResEntry", "searchResRef"):
        content = {"resultCode": 0, "matchedDN": "", "errorMessage": "", **content}
    for name, value in content.items():
        operation[name] = value
    for position, (oid, value) in enumerate((controls or {}).items()):
        control = made["controls"][position]
        control["controlType"], control["criticality"], control["controlValue"] = oid, False, value
    data: bytes = encoder.encode(made)
    return data


def entry(number: int, dn: str, attributes: Mapping[str, Sequence[bytes]], controls: Controls | None = None) -> bytes:
    """A search result entry."""
    found = rfc2251.PartialAttributeList()
    for position, (name, values) in enumerate(attributes.items()):
        found[position]["type"] = name
        for place, value in enumerate(values):
            found[position]["vals"][place] = value
    return message(number, "searchResEntry", controls, objectName=dn, attributes=found)


def page_control(cookie: bytes) -> Controls:
    """The control that ends a page (RFC 2696)."""
    return {PAGED: _sequence(b"\x02\x01\x00" + _octets(cookie))}


def done(number: int, cookie: bytes | None = b"", code: int = 0) -> bytes:
    """The end of a search: with the control of pages unless the cookie is None."""
    return message(number, "searchResDone", None if cookie is None else page_control(cookie), resultCode=code)


def answered(question: Question) -> bytes:
    """What a directory without entries says."""
    if question.kind == "bindRequest":
        return message(question.number, "bindResponse")
    return done(question.number) if question.kind == "searchRequest" else b""


def _octets(value: bytes) -> bytes:
    return b"\x04" + _length(value)


def _sequence(content: bytes) -> bytes:
    return b"\x30" + _length(content)


def _length(content: bytes) -> bytes:
    assert len(content) < 128
    return bytes([len(content)]) + content
