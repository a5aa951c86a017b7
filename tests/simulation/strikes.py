"""What each fault does to one request."""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from email.utils import format_datetime
from types import SimpleNamespace
from typing import Final, TypeAlias, cast

import aiohttp
from aiohttp.client_reqrep import ConnectionKey

from simulation.wire import Call, Response
from usher.core.model.resources import AttributePath
from usher.testing.documents import copy_of, read_at, write_at
from usher.testing.faults import FaultKind, Operation
from usher.testing.history import Actor
from usher.testing.memory_settings import MEMBERS
from usher.testing.scim_app import Reply, error_reply
from usher.testing.scim_schemas import Refusal
from usher.testing.world import MANAGER

Strike: TypeAlias = Callable[[Call], Awaitable[Response]]

DEADLINE: Final = 60.0
PATIENCE: Final = 7
"""Seconds that a Retry-After asks for."""
_KEY: Final = cast(ConnectionKey, SimpleNamespace(host="app.example.com", port=443, is_ssl=True, ssl=True))
_LOGIN_PAGE: Final = b"<!DOCTYPE html><html><title>Sign in</title></html>"


def _expired() -> Exception:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_code, error.verify_message = 10, "certificate has expired"
    return aiohttp.ClientConnectorCertificateError(_KEY, error)


def _broken(error: Callable[[], Exception], *, done: bool = False, after: float = 0.0) -> Strike:
    """No answer, the effect `done` or not, the error `after` so many seconds."""

    async def strike(call: Call) -> Response:
        if done:
            call.proceed()
        if after:
            await call.clock.sleep(after)
        raise error()

    return strike


def _status(status: int, *, done: bool = False, headers: Mapping[str, str] | None = None) -> Strike:
    """A proxy's or the app's answer of this status."""

    async def strike(call: Call) -> Response:
        if done:
            call.proceed()
        return Response(status, {"content-type": "text/plain", **(headers or {})}, b"upstream error")

    return strike


def _refused(status: int, *, done: bool = False, scim_type: str = "") -> Strike:
    """The app's own no, in the form of RFC 7644 3.12."""

    async def strike(call: Call) -> Response:
        if done:
            call.proceed()
        return Response.of(error_reply(Refusal(status, scim_type, "no")))

    return strike


async def _throttled_until(call: Call) -> Response:
    until = call.app.runtime.now() + timedelta(seconds=PATIENCE)
    headers = {"retry-after": format_datetime(until.replace(microsecond=0), usegmt=True)}
    return Response(429, headers, b"")


def _page(*, done: bool) -> Strike:
    async def strike(call: Call) -> Response:
        if done:
            call.proceed()
        return Response(200, {"content-type": "text/html"}, _LOGIN_PAGE)

    return strike


async def _truncated(call: Call) -> Response:
    whole = Response.of(call.proceed())
    return Response(whole.status, whole.headers, b"", aiohttp.ClientPayloadError("cut"))


def _half(*, done: bool) -> Strike:
    async def strike(call: Call) -> Response:
        whole = Response.of(call.proceed()) if done else Response(200, {}, b'{"schemas": ["urn:ietf')
        return Response(200, whole.headers, await whole.readany() if not done else (await whole.readany())[:40])

    return strike


def _lie(kind: FaultKind) -> Strike:
    async def strike(call: Call) -> Response:
        return Response.of(call.proceed(kind))

    return strike


async def _ignored(call: Call) -> Response:
    """A change is confirmed and not made; of references only where the answer shows that.

    An answer that shows none says nothing, as an app may leave them out of it: then the app is honest.
    """
    former = call.proceed(FaultKind.IGNORED_CHANGE)
    operations = call.asked.body.get("Operations")
    paths = (
        [str(one.get("path")) for one in operations if isinstance(one, dict)] if isinstance(operations, list) else []
    )
    body = former.body or {}
    hidden = any(path.startswith(MEMBERS) and MEMBERS not in body for path in paths)
    hidden |= any(path.startswith(MANAGER) and read_at(body, f"{MANAGER}.value") is None for path in paths)
    return Response.of(call.proceed() if hidden else former)


async def _page_without_rows(call: Call) -> Response:
    """A page after the first that brings nobody, though the total says that there is somebody."""
    reply = call.proceed()
    body = dict(reply.body or {})
    if call.asked.query.start > 1:
        body |= {"Resources": [], "itemsPerPage": 0}
    return Response.of(Reply(reply.status, body, reply.headers))


# --- somebody else was there first ----------------------------------------------------------------------------------


async def _gone(call: Call) -> Response:
    """An admin has deleted it a moment ago."""
    for collection in (call.app, call.app.groups):
        if collection is not None and call.asked.subject in collection.accounts:
            collection.remove(call.asked.subject)
    return Response.of(call.proceed())


async def _overtaken(call: Call) -> Response:
    """An admin has changed something else of it a moment ago; an app without versions says 412 all the same."""
    for collection in (call.app, call.app.groups):
        if collection is not None and call.asked.subject in collection.accounts:
            path = "nickName" if collection is call.app else "externalId"
            former = read_at(collection.document(call.asked.subject), path)
            collection.change(call.asked.subject, path, f"{former or ''}x")
    if call.app.settings.versioned and call.asked.operation is Operation.UPDATE:
        return Response.of(call.proceed())
    return Response.of(error_reply(Refusal(412, "", "another version")))


async def _taken(call: Call) -> Response:
    """An admin has made an account, or a group, of that name a moment ago."""
    collection = call.app if call.asked.endpoint == "Users" or call.app.groups is None else call.app.groups
    key = "userName" if call.asked.endpoint == "Users" else "displayName"
    document = copy_of({key: call.asked.body[key]})
    if key == "userName":
        write_at(document, AttributePath("active"), True)
    collection.plant(document, Actor.ADMIN)
    return Response.of(error_reply(Refusal(409, "uniqueness", "taken")))


# --- the process ----------------------------------------------------------------------------------------------------


async def _kill_before(call: Call) -> Response:
    call.process.die()
    raise AssertionError


async def _kill_after(call: Call) -> Response:
    call.proceed()
    call.process.die()
    raise AssertionError


async def _stop_after(call: Call) -> Response:
    response = Response.of(call.proceed())
    await call.process.stop()
    return response


def _moved(seconds: float) -> Strike:
    async def strike(call: Call) -> Response:
        call.process.clock_is_off += seconds
        return Response.of(call.proceed())

    return strike


_STATUSES: Final = (500, 502, 503, 504)

STRIKES: Final[Mapping[str, Strike]] = {
    "refused": _broken(lambda: aiohttp.ClientConnectorError(_KEY, ConnectionRefusedError(111, "Connection refused"))),
    "dns": _broken(lambda: aiohttp.ClientConnectorDNSError(_KEY, OSError(-2, "Name or service not known"))),
    "tls-expired": _broken(_expired),
    "reset-before": _broken(aiohttp.ServerDisconnectedError),
    "reset-after": _broken(aiohttp.ServerDisconnectedError, done=True),
    "timeout-before": _broken(aiohttp.ServerTimeoutError, after=DEADLINE),
    "timeout-after": _broken(aiohttp.ServerTimeoutError, done=True, after=DEADLINE),
    "slow-drip": _broken(TimeoutError, done=True, after=DEADLINE),
    "truncated-body": _truncated,
    "429-seconds": _status(429, headers={"retry-after": str(PATIENCE)}),
    "429-date": _throttled_until,
    "429-absent": _status(429),
    **{f"{status}-before": _status(status) for status in _STATUSES},
    **{f"{status}-after": _status(status, done=True) for status in _STATUSES},
    "503-retry-after": _status(503, headers={"retry-after": str(PATIENCE)}),
    "400": _refused(400, scim_type="invalidValue"),
    "401": _refused(401),
    "403": _refused(403),
    "404-gone": _gone,
    "404-lie": _refused(404),
    "409-ours": _refused(409, done=True, scim_type="uniqueness"),
    "409-foreign": _taken,
    "409-on-update": _refused(409, scim_type="uniqueness"),
    "412": _overtaken,
    "html-200-before": _page(done=False),
    "html-200-after": _page(done=True),
    "bad-json-before": _half(done=False),
    "bad-json-after": _half(done=True),
    "wrong-total": _lie(FaultKind.LYING_TOTAL),
    "overlapping-page": _lie(FaultKind.REPEATED_PAGE),
    "missing-page": _page_without_rows,
    "empty-list": _lie(FaultKind.EMPTY_LIST),
    "ignored-filter": _lie(FaultKind.IGNORED_FILTER),
    "ignored-change": _ignored,
    "kill-before": _kill_before,
    "kill-after": _kill_after,
    "stopped-after": _stop_after,
    "state-lost": _kill_before,
    "clock-ahead": _moved(3600.0),
    "clock-behind": _moved(-3600.0),
}
