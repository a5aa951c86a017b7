"""Between aiohttp and the SCIM service: requests taken, replies put on the wire, broken where a fault says so."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import orjson
from aiohttp import web

from usher.testing.faults import Fault, FaultKind
from usher.testing.scim_app import Reply, error_reply
from usher.testing.scim_schemas import Refusal
from usher.testing.scim_service import Request

_LOGIN_PAGE: Final = "<!DOCTYPE html><html><head><title>Sign in</title></head><body><form></form></body></html>"
_REFUSALS: Final = {
    FaultKind.REFUSED: Refusal(400, "invalidValue", "no such title"),
    FaultKind.NO_LICENCE: Refusal(402, "", "no licence is left"),
    FaultKind.UNAUTHORIZED: Refusal(401, "", "the token has expired"),
}
_SCIM_JSON: Final = "application/scim+json"


async def take(request: web.Request) -> Request:
    """The request with its body."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    body = await request.read()
    return Request(request.method, request.rel_url.raw_path, dict(request.query), headers, body)


def respond(reply: Reply) -> web.Response:
    """The reply on the wire."""
    if reply.body is None:
        return web.Response(status=reply.status, headers=reply.headers)
    headers = {**reply.headers, "Content-Type": _SCIM_JSON}
    return web.Response(status=reply.status, body=orjson.dumps(reply.body), headers=headers)


def fail_early(fault: Fault, request: web.Request) -> web.Response | None:
    """The answer to a request that has no effect; None where the request goes on."""
    match fault.kind:
        case FaultKind.LOST_BEFORE:
            return reset(request)
        case _ if fault.kind in _REFUSALS:
            return respond(error_reply(_REFUSALS[fault.kind]))
        case FaultKind.THROTTLED:
            wait = () if fault.retry_after is None else (("Retry-After", _retry_after(fault.retry_after)),)
            return respond(replace(error_reply(Refusal(429, "", "too many requests")), headers=dict(wait)))
        case FaultKind.KILL_BEFORE:
            fault.kill()
            return reset(request)
        case FaultKind.UNAVAILABLE | FaultKind.HTML_200:
            return _unavailable() if fault.kind is FaultKind.UNAVAILABLE else _login_page()
        case _:
            return None


async def fail_late(fault: Fault, reply: Reply, request: web.Request) -> web.StreamResponse:
    """The answer to a request that has had its effect."""
    match fault.kind:
        case FaultKind.UNAVAILABLE_AFTER:
            return _unavailable()
        case FaultKind.HTML_200_AFTER:
            return _login_page()
        case FaultKind.TRUNCATED_JSON if reply.body is not None:
            whole = respond(reply)
            text = orjson.dumps(reply.body)
            return web.Response(status=reply.status, body=text[: len(text) // 2], headers=whole.headers)
        case FaultKind.CUT_OFF if reply.body is not None:
            return await _cut_off(reply, request)
        case FaultKind.LOST_AFTER | FaultKind.KILL_AFTER:
            if fault.kind is FaultKind.KILL_AFTER:
                fault.kill()
            return reset(request)
        case _:
            return respond(reply)


async def _cut_off(reply: Reply, request: web.Request) -> web.StreamResponse:
    text = orjson.dumps(reply.body)
    response = web.StreamResponse(status=reply.status, headers={**reply.headers, "Content-Type": _SCIM_JSON})
    response.content_length = len(text)
    await response.prepare(request)
    await response.write(text[: len(text) // 2])
    if request.transport is not None:
        request.transport.close()
    return response


def reset(request: web.Request) -> web.Response:
    """Drops the connection without an answer; what is returned goes nowhere."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)


def _retry_after(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:g}"


def _unavailable() -> web.Response:
    return web.Response(status=503, text="upstream connect error", content_type="text/plain")


def _login_page() -> web.Response:
    return web.Response(status=200, text=_LOGIN_PAGE, content_type="text/html")
