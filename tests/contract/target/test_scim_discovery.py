"""What a SCIM app says of itself, over the wire: offered, refused, broken, huge, and gone by."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from ipaddress import ip_network
from typing import Final

import pytest

from usher.contracts.runtime import SecretRef
from usher.contracts.target import TargetSession
from usher.core.errors import CycleError, NotSent, Throttled, UsherError
from usher.core.model.plans import Criterion
from usher.core.model.resources import AttributePath, ResourceType
from usher.core.scim.definitions import MAX_ATTRIBUTES
from usher.core.scim.discovery import Discovery, Feature, Types
from usher.core.scim.schemas import USER_SCHEMA
from usher.targets.scim.session import open_scim
from usher.targets.scim.settings import ScimSettings
from usher.testing.clock import real_runtime
from usher.testing.faults import Fault, FaultKind, Operation, every
from usher.testing.hostile_documents import (
    BROKEN,
    CUT_SHORT,
    LOGIN_PAGE,
    NOT_OFFERED,
    Canned,
    canned,
    contradictory_schemas,
    huge_schemas,
    schemas_document,
)
from usher.testing.hostile_server import HostileServer, HostileSettings, hostile_server
from usher.testing.memory_secrets import MemorySecrets
from usher.testing.memory_settings import MemorySettings
from usher.transport.addresses import AddressPolicy

ENDPOINTS: Final = ("ServiceProviderConfig", "ResourceTypes", "Schemas")
LOOPBACK: Final = AddressPolicy(networks=(ip_network("127.0.0.0/8"),))
TOKEN: Final = SecretRef("Secret", "app", "token")
USER: Final = ResourceType.USER
NAME: Final = AttributePath("userName")
DEEP: Final = Canned(body=b"[" * 500 + b"]" * 500)


@asynccontextmanager
async def talking(
    documents: Mapping[str, Canned], page_size: int = 100
) -> AsyncIterator[tuple[HostileServer, TargetSession]]:
    settings = HostileSettings(app=MemorySettings(page_size=page_size), documents=documents)
    async with hostile_server(settings) as server:
        secrets = MemorySecrets({TOKEN: server.token})
        async with open_scim(ScimSettings(server.url, TOKEN), secrets, real_runtime(), LOOPBACK) as session:
            yield server, session


async def test_three_requests_tell_everything() -> None:
    async with talking({}, page_size=7) as (server, session):
        discovery = await session.discover()
    assert dict(server.requests) == {"GET": 3}
    assert discovery.features == {Feature.PATCH, Feature.FILTER, Feature.ETAG}
    assert (discovery.max_results, discovery.types) == (7, Types.DISCOVERED)
    assert discovery.schema(ResourceType.USER) == USER_SCHEMA


@pytest.mark.parametrize("status", [400, 403, 404, 405, 410, 501])
async def test_a_clear_no_is_no_more_than_that(status: int) -> None:
    refusal = Canned(status, NOT_OFFERED.body)
    async with talking(dict.fromkeys(ENDPOINTS, refusal)) as (_, session):
        assert await session.discover() == Discovery()
    async with talking({"Schemas": refusal}) as (_, session):
        discovery = await session.discover()
    assert (discovery.types, Feature.PATCH in discovery.features) == (Types.RFC_7643, True)


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (BROKEN, NotSent),
        (Canned(503), NotSent),
        (Canned(408), NotSent),
        (Canned(429), Throttled),
        (CUT_SHORT, NotSent),
        (LOGIN_PAGE, CycleError),
        (Canned(200), CycleError),
        (Canned(302), CycleError),
        (Canned(401), CycleError),
        (DEEP, CycleError),
    ],
)
async def test_what_may_be_otherwise_in_an_hour_is_never_taken_for_a_no(
    endpoint: str, answer: Canned, error: type[UsherError]
) -> None:
    async with talking({endpoint: answer}) as (_, session):
        with pytest.raises(error) as caught:
            await session.discover()
    assert type(caught.value) is error
    assert answer.status == 429 or endpoint in str(caught.value)


@pytest.mark.parametrize("kind", [FaultKind.LOST_AFTER, FaultKind.CUT_OFF])
async def test_an_answer_that_does_not_arrive_is_never_taken_for_a_no(kind: FaultKind) -> None:
    async with talking({}) as (server, session):
        server.faults.add(every(Operation.DISCOVER, 3, Fault(kind)))
        with pytest.raises(NotSent):
            await session.discover()


async def test_a_huge_answer_is_read_as_far_as_anybody_needs_it() -> None:
    async with talking({"Schemas": canned(huge_schemas())}) as (_, session):
        discovery = await session.discover()
    assert len(discovery.attributes) == MAX_ATTRIBUTES


async def test_an_answer_against_rfc_7643_changes_nothing_that_would_hurt() -> None:
    async with talking({"Schemas": canned(contradictory_schemas())}) as (_, session):
        schema = (await session.discover()).schema(ResourceType.USER)
    for path in ("userName", "active", "name.givenName", 'emails[type eq "work"].value'):
        assert schema.definition(AttributePath(path)) == USER_SCHEMA.definition(AttributePath(path))


@pytest.mark.parametrize("exact", [True, False])
async def test_a_hit_is_compared_as_the_app_says_that_it_compares(exact: bool) -> None:
    schemas = canned(schemas_document({"name": "userName", "caseExact": exact}))
    async with talking({"Schemas": schemas}) as (server, session):
        server.app.plant({"userName": "ADA"})
        session.tune(await session.discover())
        hits = await session.find(USER, (Criterion(NAME, "ada"),), frozenset({NAME}))
    assert len(hits) == (0 if exact else 1)


@pytest.mark.parametrize(("most", "pages", "size"), [(2, 3, 2), (0, 1, 100), (1000, 1, 100)])
async def test_a_page_is_no_larger_than_the_app_says(most: int, pages: int, size: int) -> None:
    config = canned({"filter": {"supported": True, "maxResults": most}})
    async with talking({"ServiceProviderConfig": config}) as (server, session):
        for number in range(5):
            server.app.plant({"userName": f"n{number}"})
        session.tune(await session.discover())
        before = server.faults.count(Operation.LIST)
        listed = [item async for item in session.list(USER, frozenset({NAME}))]
    assert session.capabilities.page_size == size
    assert server.faults.count(Operation.LIST) - before == pages
    assert len(listed) == pages + 1
