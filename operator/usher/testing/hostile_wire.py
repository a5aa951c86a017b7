"""Between aiohttp and the SCIM app: requests taken apart, replies put together, both broken where a fault says so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from http import HTTPMethod
from typing import Final
from urllib.parse import unquote

import orjson
from aiohttp import web

from usher.testing.documents import Document
from usher.testing.faults import Fault, FaultKind, Operation
from usher.testing.scim_app import Query, Reply, error_reply
from usher.testing.scim_schemas import Refusal

PREFIX: Final = "/scim/v2"
_LOGIN_PAGE: Final = "<!DOCTYPE html><html><head><title>Sign in</title></head><body><form></form></body></html>"
_REFUSALS: Final = {
    FaultKind.REFUSED: Refusal(400, "invalidValue", "no such title"),
    FaultKind.NO_LICENCE: Refusal(402, "", "no licence is left"),
    FaultKind.UNAUTHORIZED: Refusal(401, "", "the token has expired"),
}
_SCIM_JSON: Final = "application/scim+json"
_ACCEPTED: Final = frozenset({_SCIM_JSON, "application/json"})
_COLLECTIONS: Final = ("Users", "Groups")
_ON_ONE: Final = {
    HTTPMethod.GET: Operation.GET,
    HTTPMethod.PUT: Operation.UPDATE,
    HTTPMethod.PATCH: Operation.UPDATE,
    HTTPMethod.DELETE: Operation.DELETE,
}


@dataclass(frozen=True, slots=True)
class Asked:
    """One request, read. `endpoint` and `subject` are the segments of its path; `body` is empty where there is none.

    A search of everything has an empty `endpoint`.
    """

    operation: Operation
    method: HTTPMethod
    endpoint: str
    subject: str
    query: Query
    body: Document


async def read_request(request: web.Request) -> Asked:
    """Takes a request apart. Raises Refusal for what is no SCIM request to a known endpoint."""
    path = request.rel_url.raw_path
    segments = [unquote(part) for part in path.removeprefix(PREFIX).strip("/").split("/")]
    if not path.startswith(f"{PREFIX}/") or len(segments) > 2:
        raise Refusal(404, "", "there is no such endpoint")
    endpoint, subject = segments[0], segments[1] if len(segments) > 1 else ""
    if request.method not in HTTPMethod.__members__:
        raise Refusal(405, "", "there is no such method")
    method = HTTPMethod(request.method)
    searches = method is HTTPMethod.POST and ".search" in {endpoint, subject}
    if endpoint not in _COLLECTIONS and not searches and method is not HTTPMethod.GET:
        raise Refusal(405, "", "this endpoint can only be read")
    body = await _read_body(request) if method in {HTTPMethod.POST, HTTPMethod.PUT, HTTPMethod.PATCH} else {}
    if searches:
        where = endpoint if endpoint in _COLLECTIONS else ""
        return Asked(Operation.FIND, method, where, "", _query_of(_searched(body)), body)
    query = _query_of(request.query)
    if endpoint not in _COLLECTIONS:
        return Asked(Operation.DISCOVER, method, endpoint, subject, query, body)
    return Asked(_operation(method, subject, query), method, endpoint, subject, query, body)


def _operation(method: HTTPMethod, subject: str, query: Query) -> Operation:
    if subject and method in _ON_ONE:
        return _ON_ONE[method]
    if not subject and method is HTTPMethod.POST:
        return Operation.CREATE
    if not subject and method is HTTPMethod.GET:
        return Operation.FIND if query.filter else Operation.LIST
    raise Refusal(405, "", "the method is not for this endpoint")


async def _read_body(request: web.Request) -> Document:
    if request.content_type not in _ACCEPTED:
        raise Refusal(415, "", "a body is application/scim+json")
    try:
        body = orjson.loads(await request.read())
    except orjson.JSONDecodeError as error:
        raise Refusal(400, "invalidSyntax", "the body is no JSON") from error
    if not isinstance(body, dict):
        raise Refusal(400, "invalidSyntax", "the body is no JSON object")
    return body


def _searched(body: Document) -> dict[str, str]:
    """A SearchRequest message (RFC 7644 section 3.4.3) as the parameters it stands for."""
    return {name: ",".join(map(str, value)) if isinstance(value, list) else str(value) for name, value in body.items()}


def _query_of(parameters: Mapping[str, str]) -> Query:
    try:
        count = parameters.get("count")
        return Query(
            filter=parameters.get("filter", ""),
            start=int(parameters.get("startIndex", "1")),
            count=None if count is None else int(count),
            attributes=_names(parameters.get("attributes", "")),
            excluded=_names(parameters.get("excludedAttributes", "")),
        )
    except ValueError as error:
        raise Refusal(400, "invalidValue", "startIndex and count are numbers") from error


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def respond(reply: Reply) -> web.Response:
    """The reply on the wire."""
    if reply.body is None:
        return web.Response(status=reply.status, headers=reply.headers)
    headers = {**reply.headers, "Content-Type": _SCIM_JSON}
    return web.Response(status=reply.status, body=orjson.dumps(reply.body), headers=headers)


def twist_query(query: Query, kind: FaultKind | None) -> Query:
    """The query that a faulty app answers instead."""
    match kind:
        case FaultKind.IGNORED_FILTER:
            return replace(query, filter="")
        case FaultKind.REPEATED_PAGE:
            return replace(query, start=1)
        case _:
            return query


def twist_list(reply: Reply, asked: Query, kind: FaultKind | None) -> Reply:
    """The list that a faulty app sends instead."""
    body = dict(reply.body or {})
    match kind:
        case FaultKind.LYING_TOTAL:
            total = body["totalResults"]
            body["totalResults"] = total + 1 if isinstance(total, int) else 1
        case FaultKind.EMPTY_LIST:
            body |= {"totalResults": 0, "itemsPerPage": 0, "Resources": []}
        case FaultKind.REPEATED_PAGE:
            body["startIndex"] = asked.start
        case _:
            pass
    return Reply(reply.status, body, reply.headers)


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
