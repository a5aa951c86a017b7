"""A SCIM app without sockets: requests as data in, replies as data out, accounts in a memory target."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

import orjson

from usher.core.errors import UniquenessTaken
from usher.core.model.plans import Criterion
from usher.core.model.resources import AttributePath, Json, TargetId
from usher.testing.documents import Document, copy_of
from usher.testing.history import Actor
from usher.testing.memory_target import MemoryTarget
from usher.testing.scim_filters import Predicate, parse_filter, split_path
from usher.testing.scim_patches import apply_operations
from usher.testing.scim_schemas import (
    DOCUMENT,
    ENTERPRISE,
    USER,
    Refusal,
    find_definition,
    listing,
    normalise,
)

_PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
_ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"
_ONE_COMPARISON = re.compile(r'(?P<path>[\w.:-]+)\s+eq\s+(?P<value>"(?:[^"\\]|\\.)*")', re.IGNORECASE)
_MINIMUM: Final = frozenset({"id", "schemas"})


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer: status, JSON body or none, further headers."""

    status: int
    body: Document | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Query:
    """Parameters of RFC 7644 section 3.4.2; `start` counts from 1, `count` is None where the client does not say."""

    filter: str = ""
    start: int = 1
    count: int | None = None
    attributes: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()


class ScimApp:
    """Users of RFC 7643. Methods may raise Refusal; set `base` to the URL that locations begin with."""

    def __init__(self, memory: MemoryTarget, patch_status: int = 200) -> None:
        self.memory = memory
        self.base = ""
        self._patch_status = patch_status

    def discover(self, name: str, item: str) -> Reply:
        """`/ServiceProviderConfig`, `/Schemas`, `/ResourceTypes`, whole or one item of them."""
        told = self.memory.describe(self.base)
        documents = {
            "ServiceProviderConfig": told.config,
            "ResourceTypes": told.resource_types,
            "Schemas": told.schemas,
        }
        document = documents.get(name)
        if not isinstance(document, dict):
            raise Refusal(404, "", "there is no such endpoint")
        if not item:
            return Reply(200, document)
        listed = document.get("Resources")
        for each in listed if isinstance(listed, list) else ():
            if isinstance(each, dict) and each.get("id") == item:
                return Reply(200, each)
        raise Refusal(404, "", "there is no such document")

    def create(self, body: Document, query: Query) -> Reply:
        """201 with the resource; 409 where a unique value is taken."""
        document = self._accept(body)
        try:
            target_id = self.memory.plant(document, Actor.CLIENT)
        except UniquenessTaken as error:
            raise _taken() from error
        reply = self.get(target_id, query)
        return Reply(201, reply.body, reply.headers)

    def get(self, target_id: str, query: Query) -> Reply:
        """200 with the resource and its version, 404."""
        document = self._render(self._known(target_id), query)
        location = f"{self.base}/Users/{target_id}"
        version = self._version(target_id)
        return Reply(200, document, {"Location": location} | ({} if version is None else {"ETag": version}))

    def query(self, query: Query) -> Reply:
        """A page of those that the filter selects, in order of creation."""
        chosen = self._select(query.filter)
        size = self.memory.settings.page_size
        count = size if query.count is None else max(min(query.count, size), 0)
        start = max(query.start, 1)
        page = [self._render(each, query) for each in chosen[start - 1 : start - 1 + count]]
        return Reply(200, listing(page, len(chosen), start))

    def replace(self, target_id: str, body: Document, query: Query) -> Reply:
        """PUT: what the body does not hold is gone."""
        self._store(self._known(target_id), self._accept(body))
        return self.get(target_id, query)

    def patch(self, target_id: str, body: Document, query: Query) -> Reply:
        """PATCH, all operations or none."""
        if body.get("schemas") != [_PATCH]:
            raise Refusal(400, "invalidSyntax", "the body is no PatchOp message")
        known = self._known(target_id)
        document = apply_operations(body.get("Operations"), self.memory.document(known))
        document.pop("schemas", None)
        self._store(known, document)
        reply = self.get(target_id, query)
        return reply if self._patch_status == 200 else Reply(self._patch_status, None, reply.headers)

    def delete(self, target_id: str) -> Reply:
        """204, or 404."""
        self.memory.remove(self._known(target_id), Actor.CLIENT)
        return Reply(204)

    def expect(self, target_id: str, versions: str) -> None:
        """If-Match: raises Refusal (412) unless one of the versions, or `*`, is that of the resource."""
        current = self._version(self._known(target_id))
        if current is not None and versions and not _names(versions, current):
            raise Refusal(412, "", "the resource has another version")

    def unchanged(self, target_id: str, versions: str) -> bool:
        """If-None-Match: whether one of the versions is that of the resource."""
        current = self._version(self._known(target_id))
        return current is not None and bool(versions) and _names(versions, current)

    def _accept(self, body: Document) -> Document:
        schemas = body.get("schemas")
        if not isinstance(schemas, list) or USER not in schemas:
            raise Refusal(400, "invalidSyntax", "schemas names the User")
        document = normalise(body)
        document.pop("schemas", None)
        if not document.get("userName"):
            raise Refusal(400, "invalidValue", "userName is required")
        return document

    def _store(self, target_id: TargetId, document: Document) -> None:
        try:
            self.memory.store(target_id, document, Actor.CLIENT)
        except UniquenessTaken as error:
            raise _taken() from error

    def _known(self, target_id: str) -> TargetId:
        if target_id not in self.memory.accounts:
            raise Refusal(404, "", "there is no such resource")
        return TargetId(target_id)

    def _version(self, target_id: str) -> str | None:
        return self.memory.version_of(self.memory.accounts[TargetId(target_id)])

    def _select(self, text: str) -> list[TargetId]:
        if not text:
            return self.memory.shown()
        predicate = parse_filter(text)
        return [each for each in self._candidates(text) if self._fits(each, predicate)]

    def _candidates(self, text: str) -> list[TargetId]:
        """Those that the index of a single comparison finds: a superset of the right answer."""
        match = _ONE_COMPARISON.fullmatch(text.strip())
        if match is None or match["path"].lower() not in {"username", "externalid"}:
            return self.memory.shown()
        return self.memory.query((Criterion(AttributePath(match["path"]), orjson.loads(match["value"])),))

    def _fits(self, target_id: TargetId, predicate: Predicate) -> bool:
        return predicate({**self.memory.document(target_id), "id": target_id})

    def _render(self, target_id: TargetId, query: Query) -> Document:
        account = self.memory.accounts[target_id]
        document = copy_of(account.document)
        document.pop("password", None)
        schemas: list[Json] = [USER, ENTERPRISE] if ENTERPRISE in document else [USER]
        meta: Document = {
            "resourceType": "User",
            "created": account.created.isoformat(),
            "lastModified": account.modified.isoformat(),
            "location": f"{self.base}/Users/{target_id}",
        }
        version = self.memory.version_of(account)
        if version is not None:
            meta["version"] = version
        whole: Document = {"schemas": schemas, "id": target_id, **document, "meta": meta}
        if query.attributes:
            return _choose(whole, (*_MINIMUM, *query.attributes))
        return _leave_out(whole, query.excluded)


def error_reply(refusal: Refusal) -> Reply:
    """The error message of RFC 7644 section 3.12."""
    body: Document = {"schemas": [_ERROR], "status": str(refusal.status), "detail": refusal.detail}
    if refusal.scim_type:
        body["scimType"] = refusal.scim_type
    return Reply(refusal.status, body)


def _taken() -> Refusal:
    return Refusal(409, "uniqueness", "a unique value is taken")


def _names(versions: str, current: str) -> bool:
    return versions.strip() == "*" or current in [version.strip() for version in versions.split(",")]


def _choose(document: Document, paths: Iterable[str]) -> Document:
    """The document with nothing but these attributes, in its own order."""
    wanted = [_steps(path) for path in paths]
    return {
        name: part for name, value in document.items() if (part := _part(name, value, wanted)) not in (None, {}, [])
    }


def _part(name: str, value: Json, wanted: list[tuple[str, ...]]) -> Json:
    deeper = [steps[1:] for steps in wanted if steps[0] == name.lower()]
    if not deeper:
        return None
    if () in deeper:
        return value
    if isinstance(value, list):
        return [_part(name, item, wanted) for item in value]
    if not isinstance(value, dict):
        return value
    return {sub: part for sub, held in value.items() if (part := _part(sub, held, deeper)) is not None}


def _leave_out(document: Document, paths: Iterable[str]) -> Document:
    for steps in map(_steps, paths):
        if steps[0] not in _MINIMUM:
            _drop(document, steps)
    return document


def _drop(holder: Json, steps: tuple[str, ...]) -> None:
    if isinstance(holder, list):
        for item in holder:
            _drop(item, steps)
    elif isinstance(holder, dict):
        for name in [name for name in holder if name.lower() == steps[0]]:
            if len(steps) == 1:
                del holder[name]
            else:
                _drop(holder[name], steps[1:])


def _steps(path: str) -> tuple[str, ...]:
    if find_definition(DOCUMENT, path) is not None:
        return (path.lower(),)
    return tuple(part.lower() for part in split_path(path) if part)
