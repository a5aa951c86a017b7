"""A SCIM app as a service: requests taken apart and answered, whatever brings them; a faulty app's lies among them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from http import HTTPMethod
from typing import Final
from urllib.parse import unquote

import orjson

from usher.testing.documents import Document
from usher.testing.faults import FaultKind, Operation
from usher.testing.scim_app import Query, Reply, ScimApp, ScimCollection
from usher.testing.scim_schemas import Refusal

PREFIX: Final = "/scim/v2"
_ACCEPTED: Final = frozenset({"application/scim+json", "application/json"})
_COLLECTIONS: Final = ("Users", "Groups")
_WITH_BODY: Final = frozenset({HTTPMethod.POST, HTTPMethod.PUT, HTTPMethod.PATCH})
_ON_ONE: Final = {
    HTTPMethod.GET: Operation.GET,
    HTTPMethod.PUT: Operation.UPDATE,
    HTTPMethod.PATCH: Operation.UPDATE,
    HTTPMethod.DELETE: Operation.DELETE,
}


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request. `path` is as the wire has it, `query` decoded; names of headers are in lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes = b""


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
    headers: Mapping[str, str]


def read_request(request: Request) -> Asked:
    """Takes a request apart. Raises Refusal for what is no SCIM request to a known endpoint."""
    path = request.path
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
    body = _read_body(request) if method in _WITH_BODY else {}
    if searches:
        where = endpoint if endpoint in _COLLECTIONS else ""
        return Asked(Operation.FIND, method, where, "", _query_of(_searched(body)), body, request.headers)
    query = _query_of(request.query)
    operation = _operation(method, subject, query) if endpoint in _COLLECTIONS else Operation.DISCOVER
    return Asked(operation, method, endpoint, subject, query, body, request.headers)


def _operation(method: HTTPMethod, subject: str, query: Query) -> Operation:
    if subject and method in _ON_ONE:
        return _ON_ONE[method]
    if not subject and method is HTTPMethod.POST:
        return Operation.CREATE
    if not subject and method is HTTPMethod.GET:
        return Operation.FIND if query.filter else Operation.LIST
    raise Refusal(405, "", "the method is not for this endpoint")


def _read_body(request: Request) -> Document:
    if request.headers.get("content-type", "").partition(";")[0].strip() not in _ACCEPTED:
        raise Refusal(415, "", "a body is application/scim+json")
    try:
        body = orjson.loads(request.body)
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


# --- answers --------------------------------------------------------------------------------------------------------


def answer(scim: ScimApp, asked: Asked, kind: FaultKind | None = None) -> Reply:
    """What the app says, under a fault of this kind if one is given. Raises Refusal."""
    if asked.operation in (Operation.CHECK, Operation.DISCOVER):
        return scim.discover(asked.endpoint, asked.subject)
    if asked.operation in (Operation.LIST, Operation.FIND):
        return _twist_list(scim.query(asked.endpoint, _twist_query(asked.query, kind)), asked.query, kind)
    where = scim.at(asked.endpoint)
    match asked.operation:
        case Operation.CREATE:
            return where.create(asked.body, asked.query)
        case Operation.GET:
            if where.unchanged(asked.subject, asked.headers.get("if-none-match", "")):
                return Reply(304)
            return where.get(asked.subject, asked.query)
        case _:
            where.expect(asked.subject, asked.headers.get("if-match", ""))
            return _write(where, asked, kind)


def _write(where: ScimCollection, asked: Asked, kind: FaultKind | None) -> Reply:
    if kind is FaultKind.IGNORED_CHANGE:
        return where.get(asked.subject, asked.query)
    if asked.method is HTTPMethod.PATCH:
        return where.patch(asked.subject, asked.body, asked.query)
    if asked.method is HTTPMethod.PUT:
        return where.replace(asked.subject, asked.body, asked.query)
    return where.delete(asked.subject)


def _twist_query(query: Query, kind: FaultKind | None) -> Query:
    """The query that a faulty app answers instead."""
    match kind:
        case FaultKind.IGNORED_FILTER:
            return replace(query, filter="")
        case FaultKind.REPEATED_PAGE:
            return replace(query, start=1)
        case _:
            return query


def _twist_list(reply: Reply, asked: Query, kind: FaultKind | None) -> Reply:
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
