"""A SCIM app without sockets: requests as data in, replies as data out, accounts and groups in a memory target."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import orjson

from usher.core.errors import ResourceError, UniquenessTaken
from usher.core.model.plans import Criterion
from usher.core.model.resources import AttributePath, Json, ResourceType, TargetId
from usher.testing.documents import Document, copy_of
from usher.testing.history import Actor
from usher.testing.memory_accounts import members_of
from usher.testing.memory_app import MemoryApp
from usher.testing.memory_settings import MEMBERS
from usher.testing.memory_target import MemoryTarget
from usher.testing.scim_filters import Predicate, parse_filter
from usher.testing.scim_patches import apply_operations
from usher.testing.scim_projection import choose, leave_out
from usher.testing.scim_schemas import GROUPS, USERS, Kind, Refusal, listing, normalise

_PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
_ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"
_ONE_COMPARISON = re.compile(r'(?P<path>[\w.:-]+)\s+eq\s+(?P<value>"(?:[^"\\]|\\.)*")', re.IGNORECASE)


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


class ScimCollection:
    """The resources of one type. Methods may raise Refusal."""

    def __init__(self, app: ScimApp, kind: Kind, memory: MemoryApp) -> None:
        self._app = app
        self._kind = kind
        self._memory = memory

    def create(self, body: Document, query: Query) -> Reply:
        """201 with the resource; 409 where a unique value is taken."""
        document = self._accept(body)
        with _refusing():
            target_id = self._memory.plant(document, Actor.CLIENT)
        reply = self.get(target_id, query)
        return Reply(201, reply.body, reply.headers)

    def get(self, target_id: str, query: Query) -> Reply:
        """200 with the resource and its version, 404."""
        document = self.render(self._known(target_id), query)
        location = self._location(target_id)
        version = self._version(target_id)
        return Reply(200, document, {"Location": location} | ({} if version is None else {"ETag": version}))

    def query(self, query: Query) -> Reply:
        """A page of those that the filter selects, in order of creation."""
        chosen = self.select(query.filter)
        start, rows = _page_of(query, self._memory.settings.page_size)
        return Reply(200, listing([self.render(each, query) for each in chosen[rows]], len(chosen), start))

    def replace(self, target_id: str, body: Document, query: Query) -> Reply:
        """PUT: what the body does not hold is gone."""
        self._store(self._known(target_id), self._accept(body))
        return self.get(target_id, query)

    def patch(self, target_id: str, body: Document, query: Query) -> Reply:
        """PATCH, all operations or none."""
        if body.get("schemas") != [_PATCH]:
            raise Refusal(400, "invalidSyntax", "the body is no PatchOp message")
        known = self._known(target_id)
        document = apply_operations(body.get("Operations"), self._memory.document(known), self._kind)
        document.pop("schemas", None)
        self._store(known, _settle_members(document))
        reply = self.get(target_id, query)
        return reply if self._app.patch_status == 200 else Reply(self._app.patch_status, None, reply.headers)

    def delete(self, target_id: str) -> Reply:
        """204, or 404."""
        self._memory.remove(self._known(target_id), Actor.CLIENT)
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
        if not isinstance(schemas, list) or self._kind.urn not in schemas:
            raise Refusal(400, "invalidSyntax", f"schemas names the {self._kind.name}")
        document = normalise(body, self._kind.attributes)
        document.pop("schemas", None)
        if not document.get(self._kind.key):
            raise Refusal(400, "invalidValue", f"{self._kind.key} is required")
        return _settle_members(document)

    def _store(self, target_id: TargetId, document: Document) -> None:
        with _refusing():
            self._memory.store(target_id, document, Actor.CLIENT)

    def has(self, target_id: str) -> bool:
        """Whether there is one of that id."""
        return target_id in self._memory.accounts

    def _known(self, target_id: str) -> TargetId:
        if not self.has(target_id):
            raise Refusal(404, "", "there is no such resource")
        return TargetId(target_id)

    def _version(self, target_id: str) -> str | None:
        return self._memory.version_of(self._memory.accounts[TargetId(target_id)])

    def select(self, text: str) -> list[TargetId]:
        """Ids of those that the filter selects, in order of creation."""
        if not text:
            return self._memory.shown()
        predicate = parse_filter(text, self._kind.attributes)
        return [each for each in self._candidates(text) if self._fits(each, predicate)]

    def _candidates(self, text: str) -> list[TargetId]:
        """Those that the index of a single comparison finds: a superset of the right answer."""
        match = _ONE_COMPARISON.fullmatch(text.strip())
        if match is None or match["path"].lower() not in {self._kind.key.lower(), "externalid"}:
            return self._memory.shown()
        return self._memory.query((Criterion(AttributePath(match["path"]), orjson.loads(match["value"])),))

    def _fits(self, target_id: TargetId, predicate: Predicate) -> bool:
        return predicate({**self._memory.document(target_id), "id": target_id})

    def render(self, target_id: TargetId, query: Query) -> Document:
        """One resource as an answer tells it."""
        account = self._memory.accounts[target_id]
        document = copy_of(account.document)
        document.pop("password", None)
        if self._kind is GROUPS and not _leaves_out_members(query) and (ids := members_of(document)):
            document[MEMBERS] = [self._app.render_member(each) for each in ids]
        meta: Document = {
            "resourceType": self._kind.name,
            "created": account.created.isoformat(),
            "lastModified": account.modified.isoformat(),
            "location": self._location(target_id),
        }
        version = self._memory.version_of(account)
        if version is not None:
            meta["version"] = version
        schemas: list[Json] = [self._kind.urn, *(urn for urn in self._kind.extensions if urn in document)]
        whole: Document = {"schemas": schemas, "id": target_id, **document, "meta": meta}
        if query.attributes:
            return choose(whole, query.attributes, self._kind.attributes)
        return leave_out(whole, query.excluded, self._kind.attributes)

    def _location(self, target_id: str) -> str:
        return f"{self._app.base}/{self._kind.endpoint}/{target_id}"


class ScimApp:
    """Users and groups of RFC 7643; set `base` to the URL that locations begin with.

    `patch_status` is that of the answer to a PATCH: 200 with the resource, or 204.
    """

    def __init__(self, memory: MemoryTarget, patch_status: int = 200) -> None:
        self.memory = memory
        self.base = ""
        self.patch_status = patch_status
        pairs = ((USERS, ResourceType.USER), (GROUPS, ResourceType.GROUP))
        self._collections = {kind.endpoint: ScimCollection(self, kind, memory.collection(t)) for kind, t in pairs}

    def at(self, endpoint: str) -> ScimCollection:
        """`Users` or `Groups`."""
        return self._collections[endpoint]

    def query(self, endpoint: str, query: Query) -> Reply:
        """A page of those that the filter selects: of users and groups where no endpoint is named (RFC 7644 3.4.3).

        May raise Refusal.
        """
        return self.at(endpoint).query(query) if endpoint else self._search(query)

    def _search(self, query: Query) -> Reply:
        chosen: list[tuple[ScimCollection, TargetId]] = []
        refusals: list[Refusal] = []
        for each in self._collections.values():
            try:
                chosen += [(each, target_id) for target_id in each.select(query.filter)]
            except Refusal as refusal:  # its documents have no such attribute, those of another may have it
                refusals.append(refusal)
        if len(refusals) == len(self._collections):
            raise refusals[0]
        start, rows = _page_of(query, self.memory.settings.page_size)
        return Reply(200, listing([each.render(one, query) for each, one in chosen[rows]], len(chosen), start))

    def render_member(self, target_id: str) -> Document:
        """A member as an answer tells it; of one whom the app does not know it has nothing but the id."""
        for kind in (USERS, GROUPS):
            if self.at(kind.endpoint).has(target_id):
                return {"value": target_id, "$ref": f"{self.base}/{kind.endpoint}/{target_id}", "type": kind.name}
        return {"value": target_id}

    def discover(self, name: str, item: str) -> Reply:
        """`/ServiceProviderConfig`, `/Schemas`, `/ResourceTypes`, whole or one item of them. May raise Refusal."""
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


def error_reply(refusal: Refusal) -> Reply:
    """The error message of RFC 7644 section 3.12."""
    body: Document = {"schemas": [_ERROR], "status": str(refusal.status), "detail": refusal.detail}
    if refusal.scim_type:
        body["scimType"] = refusal.scim_type
    return Reply(refusal.status, body)


def _page_of(query: Query, size: int) -> tuple[int, slice]:
    """The number of the first row, from 1, and the rows; a page has at most `size` of them."""
    count = size if query.count is None else max(min(query.count, size), 0)
    start = max(query.start, 1)
    return start, slice(start - 1, start - 1 + count)


@contextmanager
def _refusing() -> Iterator[None]:
    """What the memory target refuses, as the answer that says so."""
    try:
        yield
    except UniquenessTaken as error:
        raise Refusal(409, "uniqueness", "a unique value is taken") from error
    except ResourceError as error:
        raise Refusal(400, "invalidValue", error.message) from error


def _settle_members(document: Document) -> Document:
    """A member is known by its id, and is one once; what else a client says of it, the app knows itself."""
    if MEMBERS in document:
        document[MEMBERS] = [{"value": one} for one in dict.fromkeys(members_of(document))]
    return document


def _leaves_out_members(query: Query) -> bool:
    return MEMBERS in map(str.lower, query.excluded) and not query.attributes


def _names(versions: str, current: str) -> bool:
    return versions.strip() == "*" or current in [version.strip() for version in versions.split(",")]
