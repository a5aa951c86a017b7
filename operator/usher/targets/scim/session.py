"""A session with a SCIM app.

Queries never say which attributes they want: a target that honours `attributes` then leaves out the version, one that
does not parse a URN in it answers 400, and whole resources are always safe. What nobody asked for is dropped here.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Final
from uuid import UUID

from usher.contracts.runtime import Runtime, Secrets, SecretText
from usher.contracts.target import Capabilities, Complete, Page, Projection
from usher.core.errors import CycleError, IncompleteRead, ResourceError
from usher.core.model.plans import Conjunction, Create, Criterion, Delete, Stored, Update
from usher.core.model.resources import AttributePath, Json, ResourceType, TargetId, TargetResource
from usher.core.model.standing import Credential
from usher.core.scim.discovery import Discovery, Documents, read_discovery
from usher.core.scim.filters import matches
from usher.core.scim.paging import PAGE_SIZE, Pager
from usher.core.scim.patches import build_patch
from usher.core.scim.paths import parse_path
from usher.core.scim.requests import (
    CONFIG_URL,
    MEDIA_TYPE,
    SCHEMAS_URL,
    TYPES_URL,
    collection_url,
    create_body,
    find_url,
    page_url,
    patch_body,
    resource_url,
    wants_members,
    without_members,
)
from usher.core.scim.responses import (
    interpret_create,
    interpret_delete,
    interpret_document,
    interpret_page,
    interpret_resource,
    interpret_update,
)
from usher.core.scim.schemas import core_schema
from usher.targets.scim.settings import ScimSettings
from usher.transport.addresses import AddressPolicy
from usher.transport.auth import BearerClient
from usher.transport.http import HttpAnswer, HttpSettings, open_http
from usher.transport.pace import Limits

_READ: Final = {"accept": MEDIA_TYPE}
_DISABLE_PATHS: Final = {ResourceType.USER: AttributePath("active")}
_REFUSED: Final = 400
_WRITE: Final = {"accept": MEDIA_TYPE, "content-type": MEDIA_TYPE}


class ScimSession:
    """TargetSession over SCIM 2.0: PATCH for updates, `active` for disabling, lists by index."""

    def __init__(self, client: BearerClient, runtime: Runtime, settings: ScimSettings) -> None:
        self._client = client
        self._can_be_asked = settings.settle is not None
        self._runtime = runtime
        self._schemas = {each: core_schema(each) for each in ResourceType}
        self._page_size = PAGE_SIZE
        self._excludes = True

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(_DISABLE_PATHS, self._page_size)

    @property
    def credential(self) -> Credential | None:
        return self._client.credential

    async def check(self) -> None:
        """Looks for a user who can't exist, which proves the way, the credentials, the protocol and the queries.

        An app that answers no queries is asked what it is instead.
        """
        if not self._can_be_asked:
            await self._document(CONFIG_URL)
            return
        nobody = str(UUID(int=self._runtime.random.getrandbits(128), version=4))
        try:
            await self.find(ResourceType.USER, (Criterion(AttributePath("userName"), nobody),), frozenset())
        except ResourceError as error:
            raise CycleError(
                "the target refuses a query by userName, which every SCIM service has to answer",
                reason="ServiceIncompatible",
                detail=error.detail,
            ) from error

    async def discover(self) -> Discovery:
        """Asks for the three documents of RFC 7644 4, each whole.

        They are read beside the event loop: some targets describe themselves in megabytes.
        """
        config, resource_types, schemas = [await self._document(url) for url in (CONFIG_URL, TYPES_URL, SCHEMAS_URL)]
        return await asyncio.to_thread(read_discovery, Documents(config, resource_types, schemas))

    async def _document(self, url: str) -> Json:
        answer = await self._client.send("GET", url, _READ)
        return await asyncio.to_thread(interpret_document, answer, self._runtime.now(), url)

    def tune(self, discovery: Discovery) -> None:
        self._schemas = {each: discovery.schema(each) for each in ResourceType}
        self._page_size = min(PAGE_SIZE, discovery.max_results or PAGE_SIZE)

    async def list(self, resource_type: ResourceType, wanted: Projection) -> AsyncIterator[Page | Complete]:
        self._refuse_unasked()
        pager = Pager()
        while not pager.complete:
            url = page_url(resource_type, pager.start_index, self._page_size)
            page = interpret_page(await self._read(url, resource_type, wanted), self._runtime.now())
            pager.feed(page)
            yield Page([_project(resource, wanted) for resource in page.resources], page.total)
        yield Complete(pager.count)

    async def get(self, resource_type: ResourceType, target_id: TargetId, wanted: Projection) -> TargetResource | None:
        answer = await self._read(resource_url(resource_type, target_id), resource_type, wanted)
        resource = interpret_resource(answer, self._runtime.now())
        if resource is None:
            return None
        if resource.id != target_id:
            raise CycleError("the target answers a read by id with another resource", reason="ServiceIncompatible")
        return _project(resource, wanted)

    async def find(self, resource_type: ResourceType, key: Conjunction, wanted: Projection) -> Sequence[TargetResource]:
        if not key:
            return ()
        self._refuse_unasked()
        answer = await self._read(find_url(resource_type, key, self._page_size), resource_type, wanted)
        page = interpret_page(answer, self._runtime.now())
        if page.total != len(page.resources):
            raise IncompleteRead(f"the target found {page.total} resources and returned {len(page.resources)}")
        hits = {hit.id: hit for hit in page.resources if matches(key, hit.attributes, self._schemas[resource_type])}
        return [_project(hit, wanted) for hit in hits.values()]

    def _refuse_unasked(self) -> None:
        if not self._can_be_asked:
            message = "the app answers neither queries nor lists, as spec.target.scim.quirks.lookup says"
            raise ResourceError(message, reason="MethodNotAllowed")

    async def _read(self, url: str, resource_type: ResourceType, wanted: Projection) -> HttpAnswer:
        """Leaves the members of groups out where nobody wants them, unless the app does not understand that."""
        if resource_type is not ResourceType.GROUP or not self._excludes or wants_members(wanted):
            return await self._client.send("GET", url, _READ)
        answer = await self._client.send("GET", without_members(url), _READ)
        if answer.status != _REFUSED:
            return answer
        plain = await self._client.send("GET", url, _READ)
        self._excludes = plain.status == _REFUSED
        return plain

    async def create(self, change: Create) -> Stored:
        answer = await self._client.send("POST", collection_url(change.resource_type), _WRITE, create_body(change))
        return interpret_create(answer, self._runtime.now())

    async def update(self, change: Update) -> Stored:
        """Sends one PATCH, under If-Match where a version is expected; a delta without an effect is not sent."""
        operations = build_patch(change)
        if not operations:
            return Stored(change.target_id, change.expected_version, None)
        headers = _WRITE if change.expected_version is None else {**_WRITE, "if-match": change.expected_version}
        url = resource_url(change.resource_type, change.target_id)
        answer = await self._client.send("PATCH", url, headers, patch_body(operations))
        return interpret_update(answer, change.target_id, self._runtime.now())

    async def delete(self, change: Delete) -> None:
        answer: HttpAnswer = await self._client.send(
            "DELETE", resource_url(change.resource_type, change.target_id), _READ
        )
        interpret_delete(answer, self._runtime.now())


@asynccontextmanager
async def open_scim(
    settings: ScimSettings, secrets: Secrets, runtime: Runtime, policy: AddressPolicy
) -> AsyncIterator[ScimSession]:
    """Opens a session; raises SpecError for a URL or a CA that can't be used, CycleError for a missing Secret."""

    async def read_token() -> SecretText:
        return SecretText((await secrets.read(settings.token)).decode("utf-8", errors="replace"))

    ca_pem = None if settings.ca is None else await secrets.read(settings.ca)
    limits = Limits(settings.connections, settings.requests_per_second)
    http = HttpSettings(settings.url, ca_pem, limits, deadline=settings.deadline)
    async with open_http(http, policy, runtime) as client:
        yield ScimSession(BearerClient(client, read_token), runtime, settings)


def _project(resource: TargetResource, wanted: Projection) -> TargetResource:
    """Only the attributes that somebody asked for, so that a page of large resources does not stay in memory."""
    roots = {(parsed.urn or parsed.attribute).lower() for parsed in map(parse_path, wanted)}
    return replace(
        resource, attributes={key: value for key, value in resource.attributes.items() if key.lower() in roots}
    )
