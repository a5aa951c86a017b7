"""One bound connection to a directory: paged searches, single entries, and refreshes by content synchronization.

python-ldap blocks, so its calls run in a thread of the connection's own. Referrals are not followed, aliases not
dereferenced, and nothing of the machine's ldap.conf counts.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeVar

import ldap
from ldap.controls.libldap import SimplePagedResultsControl
from pyasn1.error import PyAsn1Error

from usher.contracts.runtime import SecretText
from usher.core.errors import CycleError, IncompleteRead, UsherError, WatermarkExpired
from usher.transport.addresses import AddressPolicy
from usher.transport.certificates import Authority, unverified
from usher.transport.ldap.client import Client, Entry, SyncPart
from usher.transport.ldap.errors import BASE_NOT_FOUND, CHANGES_REFUSED, COOKIE_REFUSED, interpret
from usher.transport.ldap.relay import Relay, open_relay
from usher.transport.ldap.starttls import start_tls
from usher.transport.sockets import connect
from usher.transport.tls import client_context
from usher.transport.urls import parse_directory_url

T = TypeVar("T")

ANSWER_TIMEOUT: Final = 60.0
"""Seconds in which a page, or the next part of a refresh, has to be there."""
ALIVE_TIMEOUT: Final = 5.0
HANDSHAKE_TIMEOUT: Final = 30.0
READ_TIMEOUT: Final = 3_600.0
"""Seconds in which a whole read has to come to its end, however lively the directory is."""
MAX_PAGE: Final = 64 * 1024 * 1024
MAX_EMPTY_PAGES: Final = 1_000
"""In a row. A directory may send empty pages, but not for ever."""
MESSAGES: Final = 500
"""Messages of a refresh that are taken at once."""


@dataclass(frozen=True, slots=True)
class DirectorySettings:
    """How to reach a directory and who reads. `ca_pem` replaces the public authorities.

    `ca_field` is where the spec names an authority, `unreachable` the reason for a directory that can't be asked.
    """

    url: str
    start_tls: bool
    ca_pem: bytes | None
    bind_dn: str
    ca_field: str
    unreachable: str


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for: entries below `base` at any depth. `attributes` as RFC 4511 4.5.1.8 lists them."""

    base: str
    filter: str
    attributes: Sequence[str]
    page_size: int


class DirectoryConnection:
    """Made by `open_directory`. One question at a time."""

    def __init__(self, client: Client, relay: Relay, host: str, unreachable: str) -> None:
        self._client, self._relay = client, relay
        self._host, self._unreachable = host, unreachable
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="usher-ldap")

    async def bind(self, dn: str, password: SecretText) -> None:
        """Raises CycleError: CredentialsRejected, or the reason for a directory that can't be asked."""
        if not password.reveal():  # RFC 4513 5.1.2: a name without a password is an anonymous bind that succeeds
            raise CycleError("the password is empty: look at the Secret", reason="CredentialsRejected")
        if "\0" in password.reveal():
            raise CycleError("the password holds a NUL byte: look at the Secret", reason="CredentialsRejected")
        try:
            await self._call(partial(self._client.bind, dn, password.reveal()))
        except CycleError as error:
            if error.reason != BASE_NOT_FOUND:
                raise
            message = f"the directory {self._host} refuses the account: bindDN names none"
            raise CycleError(message, reason="CredentialsRejected", detail=error.detail) from error

    async def pages(self, search: Search) -> AsyncIterator[Sequence[Entry]]:
        """All entries, page by page (RFC 2696). Raises IncompleteRead where the end is not the end of all.

        While one page is worked at the next is asked for already.
        """
        empty, until = 0, _deadline()
        asking = self._ask_page(search, b"")
        try:
            while True:
                entries, cookie = await asking
                empty = 0 if entries else empty + 1
                if empty > MAX_EMPTY_PAGES:
                    raise IncompleteRead(f"the directory sent {empty} empty pages in a row")
                if cookie:
                    _refuse_late(until)
                    asking = self._ask_page(search, cookie)
                yield entries
                if not cookie:
                    return
        finally:
            asking.cancel()  # of one that failed and that nobody waits for, nothing is logged then

    async def entry(self, dn: str, attributes: Sequence[str]) -> Entry | None:
        """One entry by its name; None where there is none, or the account may not see it."""
        try:
            found = await self._call(partial(self._client.read, dn, attributes))
        except CycleError as error:
            if error.reason == BASE_NOT_FOUND:
                return None
            raise
        return found[0] if found else None

    async def refresh(self, search: Search, cookie: str | None) -> AsyncIterator[Sequence[SyncPart]]:
        """What changed since the cookie, or everything without one (RFC 4533, refreshOnly).

        Raises WatermarkExpired where the cookie is too old, or newer than the directory, which was restored then.
        """
        until = _deadline()
        start = partial(self._client.start_refresh, search.base, search.filter, search.attributes, cookie)
        message = await self._call(start)
        more = True
        while more:
            take = partial(self._client.take_parts, message, MESSAGES)
            parts, more = await self._call(take, stale=() if cookie is None else COOKIE_REFUSED)
            _refuse_late(until)
            yield parts

    async def changed(
        self, root: str, cookie: bytes, attributes: Sequence[str]
    ) -> AsyncIterator[tuple[Sequence[Entry], bytes]]:
        """Changed and deleted entries of a naming context of Active Directory, each part with the cookie behind it.

        An entry has those of the attributes that changed, and is there if one of them did. Without a cookie, all
        entries there are. Raises WatermarkExpired.
        """
        until, more = _deadline(), True
        while more:
            ask = partial(self._client.changed, root, cookie, attributes)
            entries, control = await self._call(ask, stale=CHANGES_REFUSED if cookie else ())
            _refuse_late(until)
            cookie, more = control.cookie, control.more
            yield entries, cookie

    async def is_alive(self) -> bool:
        """Whether it can be used once more."""
        try:
            await self._call(partial(self._client.read, "", ("1.1",)), patience=ALIVE_TIMEOUT)
        except UsherError:
            return False
        return True

    async def close(self) -> None:
        """Ends it, with a call that may still wait for an answer. Even where this is cancelled nothing stays."""
        self._relay.abort()
        forgotten = asyncio.wrap_future(self._thread.submit(self._client.forget))
        self._thread.shutdown(wait=False)
        await asyncio.shield(forgotten)
        await self._relay.close()

    def _ask_page(self, search: Search, cookie: bytes) -> asyncio.Task[tuple[list[Entry], bytes]]:
        return asyncio.create_task(self._call(partial(self._page, search, cookie)))

    def _page(self, search: Search, cookie: bytes) -> tuple[list[Entry], bytes]:
        control = SimplePagedResultsControl(True, size=search.page_size, cookie=cookie)  # noqa: FBT003 - its signature
        entries, controls = self._client.search(search.base, search.filter, search.attributes, control)
        answered = [one for one in controls if one.controlType == control.controlType]
        if not answered:
            raise IncompleteRead("the directory does not say whether there are more pages")
        return entries, answered[0].cookie or b""

    async def _call(
        self, work: Callable[[], T], *, stale: tuple[type[ldap.LDAPError], ...] = (), patience: float | None = None
    ) -> T:
        """`stale` are the errors by which a watermark is refused; `patience` in seconds, ANSWER_TIMEOUT unless given.

        libldap's own time-outs end where the first byte of an answer comes, so that half an answer would hold it. After
        one of ours, or a cancellation, the thread waits on: the connection is good for `close` only.
        """
        self._relay.allow(MAX_PAGE)
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT if patience is None else patience):
                return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except TimeoutError:
            message = f"the directory {self._host} did not answer whole: that took too long"
            raise CycleError(message, reason=self._unreachable) from None
        except ldap.LDAPError as error:
            if self._relay.overflowed:
                message = f"one answer of the directory is larger than {MAX_PAGE // 2**20} MiB: lower pageSize"
                raise IncompleteRead(message) from None
            if isinstance(error, stale):
                raise WatermarkExpired("the directory does not know its own cookie any more") from None
            raise interpret(error, self._host, self._unreachable) from None
        except (
            PyAsn1Error,
            ValueError,
            LookupError,
            TypeError,
            AssertionError,
        ) as error:  # what python-ldap can't read
            message = f"an answer of the directory {self._host} can't be read: is that an LDAP server?"
            raise CycleError(message, reason=self._unreachable) from error


@asynccontextmanager
async def open_directory(
    settings: DirectorySettings, password: SecretText, policy: AddressPolicy
) -> AsyncIterator[DirectoryConnection]:
    """A bound connection. Raises SpecError for a URL or an authority that can't be used, CycleError for the rest."""
    connection = await connect_directory(settings, password, policy)
    try:
        yield connection
    finally:
        await connection.close()


async def connect_directory(
    settings: DirectorySettings, password: SecretText, policy: AddressPolicy
) -> DirectoryConnection:
    """As `open_directory`, for whoever closes it."""
    url = parse_directory_url(settings.url)
    try:
        relay = await _open_relay(settings, policy)
    except CycleError as error:
        raise CycleError(error.message, reason=settings.unreachable, detail=error.detail) from error
    connection = DirectoryConnection(Client(relay.hand_over()), relay, url.host, settings.unreachable)
    try:
        await connection.bind(settings.bind_dn, password)
    except BaseException:
        await connection.close()
        raise
    return connection


async def _open_relay(settings: DirectorySettings, policy: AddressPolicy) -> Relay:
    url = parse_directory_url(settings.url)
    encrypted = settings.start_tls or url.scheme == "ldaps"
    context = client_context(settings.ca_pem, settings.ca_field) if encrypted else None
    opened = await connect(url.host, url.port, "ldaps" if encrypted else "ldap", policy)
    try:
        if settings.start_tls:
            await start_tls(opened, url.host)  # closes what it can't use, as does open_relay
        return await open_relay(opened, context, url.host, HANDSHAKE_TIMEOUT)
    except ssl.SSLCertVerificationError as error:
        authority = Authority.PUBLIC if settings.ca_pem is None else Authority.GIVEN
        raise unverified(url.host, error, authority, settings.ca_field) from None
    except OSError as error:
        what = f"the TLS handshake failed: does port {url.port} speak TLS, 1.2 or newer?"
        message = f"no connection to {url.host}: {what if encrypted else 'the connection broke'}"
        raise CycleError(message, reason=settings.unreachable) from error


def _deadline() -> float:
    return asyncio.get_running_loop().time() + READ_TIMEOUT


def _refuse_late(until: float) -> None:
    if asyncio.get_running_loop().time() > until:
        raise IncompleteRead(f"the directory had not come to its end after {READ_TIMEOUT:.0f} s")
