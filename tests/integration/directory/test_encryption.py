"""A password goes to nobody but the directory: the connection is checked and encrypted before the first word."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
import trustme
from pyasn1_modules import rfc2251

from directory.certificates import Certificates
from directory.configuration import READER
from directory.fake import FakeDirectory, Question, answered, fake_directory, message
from directory.fixtures import DIRECTORY_PEOPLE
from directory.slapd import Slapd
from directory.sources import AUTHORITY, Source, settings
from usher.core.errors import CycleError, SpecError
from usher.transport.addresses import operator_policy
from usher.transport.ldap import connection, starttls

pytestmark = pytest.mark.usefixtures("nothing_stays")

STRANGE = trustme.CA()


def encrypted(slapd: Slapd, way: str, **others: Any) -> Source:
    source = Source.of(slapd, ca=AUTHORITY, **others)
    if way == "ldaps":
        return replace(source, settings=replace(source.settings, url=slapd.tls_url))
    return replace(source, settings=replace(source.settings, start_tls=True))


def trusted(fake: FakeDirectory, authority: trustme.CA | None, **others: Any) -> Source:
    """A source over TLS that trusts this authority, or the public ones."""
    url = fake.url.replace("ldap:", "ldaps:")
    ca = None if authority is None else AUTHORITY
    pem = b"" if authority is None else authority.cert_pem.bytes()
    return Source(settings(url, ca=ca, **others), authority=pem)


def server_context(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


async def unreached(source: Source) -> CycleError:
    """The error of a read that ends before the password was sent."""
    with pytest.raises(CycleError) as caught:
        await source.read()
    assert caught.value.reason == "SourceUnreachable"
    assert READER.password not in str(caught.value)
    return caught.value


async def usual(question: Question) -> bytes:
    return answered(question)


def agreeing(more: bytes = b"", **content: Any) -> Any:
    """Says yes to StartTLS, or what `content` has of it, and `more` behind that."""

    async def answer(question: Question) -> bytes:
        if question.kind == "extendedReq":
            return message(question.number, "extendedResp", **content) + more
        return answered(question)

    return answer


@pytest.mark.parametrize("way", ["ldaps", "starttls"])
async def test_everybody_comes_over_tls_from_a_server_that_the_given_authority_signed(
    directory: Slapd, way: str
) -> None:
    found = await encrypted(directory, way).read()

    assert len(found.by_id) == DIRECTORY_PEOPLE


@pytest.mark.parametrize("way", ["ldaps", "starttls"])
async def test_a_server_that_another_authority_signed_is_not_spoken_to(directory: Slapd, way: str) -> None:
    given = replace(encrypted(directory, way), authority=Certificates.issue().authority.encode())
    public = encrypted(directory, way)
    public = replace(public, settings=replace(public.settings, ca=None))

    assert "The authority in caRef did not sign it" in str(await unreached(given))
    assert "If an authority of your own signed it, name that in caRef" in str(await unreached(public))


@pytest.mark.parametrize(
    ("authority", "names", "expires", "words"),
    [
        (STRANGE, ["127.0.0.1"], datetime(2020, 1, 1, tzinfo=UTC), "has expired"),
        (STRANGE, ["ldap.example.com"], None, "for another host"),
        (STRANGE, ["127.0.0.2"], None, "for another host"),
        (trustme.CA(), ["127.0.0.1"], None, "The authority in caRef did not sign it"),
        (None, ["127.0.0.1"], None, "If an authority of your own signed it"),
    ],
)
async def test_a_certificate_is_told_by_what_is_wrong_with_it_and_no_password_is_sent(
    authority: trustme.CA | None, names: list[str], expires: datetime | None, words: str
) -> None:
    begins = None if expires is None else datetime(2019, 1, 1, tzinfo=UTC)
    certificate = STRANGE.issue_cert(*names, not_before=begins, not_after=expires)
    async with fake_directory(usual, tls=server_context(certificate)) as fake:
        error = await unreached(trusted(fake, authority))

    assert words in str(error)
    assert "caRef" in str(error)
    assert fake.questions == []
    assert fake.heard == b""


async def test_an_authority_that_is_no_certificate_is_told_at_its_field() -> None:
    async with fake_directory(usual) as fake:
        source = replace(trusted(fake, STRANGE), authority=b"no certificate")
        with pytest.raises(SpecError) as caught:
            await source.read()
    assert caught.value.path == "caRef"
    assert fake.connections == 0


# --- addresses


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("ldap://192.0.43.8", "use ldaps://, or set startTLS: true"),
        ("ldap://127.0.0.1", "--allow-cidr"),
        ("ldaps://127.0.0.1", "--allow-cidr"),
        ("ldap://169.254.169.254", "never reached"),
    ],
)
async def test_the_operator_reaches_only_what_it_may(url: str, words: str) -> None:
    error = await unreached(Source(settings(url), policy=operator_policy((), ())))

    assert words in str(error)


async def test_the_operator_reaches_what_it_is_permitted(directory: Slapd) -> None:
    source = replace(Source.of(directory), policy=operator_policy(("127.0.0.0/8",), ()))

    assert len((await source.read()).resources) == DIRECTORY_PEOPLE


# --- StartTLS


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (agreeing(resultCode=2), "it refuses StartTLS"),
        (agreeing(resultCode=52), "it refuses StartTLS"),
        (agreeing(more=message(2, "bindResponse")), "the answer is none to StartTLS"),
        (agreeing(more=b"\x30"), "the answer is none to StartTLS"),
        (lambda question: _said(message(question.number + 1, "extendedResp")), "the answer is none to StartTLS"),
        (lambda question: _said(message(question.number, "bindResponse")), "the answer is none to StartTLS"),
        (lambda _: _said(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "the answer is"),
        (lambda _: _said(b"\x30\x84\x7f\xff\xff\xff" + bytes(5000)), "answer"),
        (lambda _: _said(b"\x30\x82\x20\x00" + bytes(5000)), "answer"),
        (lambda _: _said(None), "it gives no answer to StartTLS"),
    ],
)
async def test_without_a_plain_yes_to_starttls_nothing_more_is_said(answer: Any, words: str) -> None:
    async with fake_directory(answer) as fake:
        error = await unreached(Source(settings(fake.url, start_tls=True)))

    assert words in str(error)
    assert bytes(fake.heard) == starttls.starttls_request()


async def _said(data: bytes | None) -> bytes | None:
    return data


async def test_after_the_yes_only_tls_counts() -> None:
    async with fake_directory(agreeing()) as fake:
        error = await unreached(Source(settings(fake.url, start_tls=True)))

    assert "the TLS handshake failed" in str(error)
    assert READER.password.encode() not in fake.heard
    assert not any(question.kind == "bindRequest" for question in fake.questions)


async def test_the_request_is_that_of_the_rfc() -> None:
    asked: list[Question] = []

    async def answer(question: Question) -> None:
        asked.append(question)

    async with fake_directory(answer) as fake:
        await unreached(Source(settings(fake.url, start_tls=True)))
    assert [(each.kind, str(each.content["requestName"])) for each in asked] == [
        ("extendedReq", "1.3.6.1.4.1.1466.20037")
    ]
    assert isinstance(asked[0].content, rfc2251.ExtendedRequest)


# --- who does not answer


@pytest.mark.parametrize("others", [{"start_tls": True}, {}])
async def test_a_server_that_is_silent_at_the_handshake_does_not_hold_a_read(
    monkeypatch: pytest.MonkeyPatch, others: dict[str, Any]
) -> None:
    monkeypatch.setattr(starttls, "TIMEOUT", 0.1)
    monkeypatch.setattr(connection, "HANDSHAKE_TIMEOUT", 0.1)

    async def silent(_: Question) -> bytes:
        return b""

    async with fake_directory(silent) as fake, asyncio.timeout(5):
        url = fake.url if others else fake.url.replace("ldap:", "ldaps:")
        await unreached(Source(settings(url, **others)))


async def test_a_server_without_tls_is_told_by_its_port() -> None:
    async with fake_directory(usual, greeting=b"0\x0c\x02\x01\x00") as fake:
        error = await unreached(trusted(fake, STRANGE))

    assert f"does port {fake.port} speak TLS" in str(error)


async def test_a_port_where_nobody_listens_is_told() -> None:
    async with fake_directory(usual) as fake:
        pass
    error = await unreached(Source(settings(fake.url)))

    assert str(error) == "no connection to 127.0.0.1: connection refused"
