"""Our session against SCIM servers of others: scim2-server, the strictest, and scimmy, which lets much pass."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from typing import ClassVar
from uuid import uuid4

import pytest

from integration.servers import Server
from usher.contracts.runtime import SecretRef
from usher.contracts.target import Page, TargetSession
from usher.core.errors import CycleError, ResourceError, StaleImage
from usher.core.model.plans import Create, Criterion, Edit, Replace, Stored, Update
from usher.core.model.resources import AttributePath, Json, ResourceType, TargetId
from usher.core.scim.patches import element_path
from usher.core.scim.paths import ENTERPRISE_URN, USER_URN
from usher.core.scim.values import read
from usher.targets.scim.session import open_scim
from usher.targets.scim.settings import ScimSettings
from usher.testing.app_under_test import AppUnderTest
from usher.testing.awkward import list_whom_no_query_finds
from usher.testing.clock import real_runtime
from usher.testing.contract import TargetContract
from usher.testing.memory_secrets import MemorySecrets
from usher.transport.addresses import cli_policy

USER = ResourceType.USER
TOKEN = SecretRef("Secret", "app", "token")
WORK_MAIL = AttributePath('emails[type eq "work"].value')
CITY = AttributePath('addresses[type eq "work"].locality')
LAND = AttributePath('addresses[type eq "work"].country')
MANAGER = AttributePath(f"{ENTERPRISE_URN}:manager")
DEPARTMENT = AttributePath(f"{ENTERPRISE_URN}:department")
TITLE = AttributePath("title")
SHOE_SIZE = AttributePath("shoeSize")
MAPPED = (*map(AttributePath, ("userName", "title", "name.givenName", "active")), WORK_MAIL, CITY, LAND, DEPARTMENT)


def opened(url: str, token: str) -> AbstractAsyncContextManager[TargetSession]:
    return open_scim(ScimSettings(url, TOKEN), MemorySecrets({TOKEN: token}), real_runtime(), cli_policy())


def behind(server: Server) -> AppUnderTest:
    async def document(target_id: TargetId) -> Mapping[str, Json] | None:
        everything = frozenset(
            map(AttributePath, ("userName", "displayName", "name", "emails", "roles", "active", "title", MANAGER))
        )
        async with opened(server.url, server.token) as session:
            resource = await session.get(USER, target_id, everything)
        return None if resource is None else resource.attributes

    async def group(target_id: TargetId) -> Mapping[str, Json] | None:
        return server.group(target_id)

    return AppUnderTest(
        open=lambda: opened(server.url, server.token),
        intrude=lambda: opened(server.url, "wrong"),
        document=document,
        group=group,
    )


class TestScim2Server(TargetContract):
    """It says `uniqueness: none` of the names of groups, answers 204 where a member to be removed is none, and does not
    look at whom the ids of members are: a PATCH with the id of nobody is a 204, and who is deleted stays one.
    """

    unique_groups = False
    misses_members = False
    knows_members = False
    forgets_members = False

    @pytest.fixture
    def app(self, scim2_server: Server) -> AppUnderTest:
        return behind(scim2_server)


class TestScimmy(TargetContract):
    """Its filters know no escapes; its versions are the web framework's, and nothing is compared with them.

    `add` at `members` with somebody who is one answers 200 with that member twice; `remove` of one who is none answers
    204. Who the members are is left to the app, and ours does not look.
    """

    checks_versions = False
    repeats_members = True
    misses_members = False
    knows_members = False
    forgets_members = False
    beyond_queries: ClassVar = ('"', "\\", '" or userName pr')
    refused_ids: ClassVar = ('"',)

    @pytest.fixture
    def app(self, scimmy: Server) -> AppUnderTest:
        return behind(scimmy)


@pytest.fixture(params=["scim2_server", "scimmy"])
def server(request: pytest.FixtureRequest) -> Server:
    found: Server = request.getfixturevalue(request.param)
    return found


@pytest.fixture
async def session(server: Server) -> AsyncIterator[TargetSession]:
    async with opened(server.url, server.token) as session:
        yield session


@pytest.fixture
async def strict(scim2_server: Server) -> AsyncIterator[TargetSession]:
    async with opened(scim2_server.url, scim2_server.token) as session:
        yield session


@pytest.fixture
async def lenient(scimmy: Server) -> AsyncIterator[TargetSession]:
    async with opened(scimmy.url, scimmy.token) as session:
        yield session


async def create(session: TargetSession, **values: Json) -> Stored:
    named = {AttributePath("userName"): f"u{uuid4().hex}@example.com"}
    return await session.create(Create(USER, named | {AttributePath(path): value for path, value in values.items()}))


async def image(session: TargetSession, target_id: TargetId) -> dict[AttributePath, Json]:
    resource = await session.get(USER, target_id, frozenset(MAPPED))
    assert resource is not None
    elements = [element for path in MAPPED if (element := element_path(path)) is not None]
    return {path: read(path, resource.attributes) for path in (*MAPPED, *elements)}


async def update(session: TargetSession, made: Stored, wanted: Mapping[AttributePath, Json]) -> Stored:
    delta: dict[AttributePath, Edit] = {path: Replace(value) for path, value in wanted.items()}
    return await session.update(Update(USER, made.id, delta, await image(session, made.id), made.version))


@pytest.mark.parametrize(
    "steps",
    [
        pytest.param(
            [{CITY: "Berlin", LAND: "DE"}, {CITY: None}, {CITY: "Bonn"}], id="an element filled piece by piece"
        ),
        pytest.param([{LAND: "DE"}, {CITY: "Berlin"}, {LAND: None, CITY: None}], id="an element that loses everything"),
        pytest.param([{WORK_MAIL: "a@x.example"}, {WORK_MAIL: None}, {WORK_MAIL: "b@x.example"}], id="mail comes back"),
        pytest.param([{DEPARTMENT: "R&D"}, {DEPARTMENT: "Sales"}, {DEPARTMENT: None}], id="an extension"),
        pytest.param([{AttributePath("name.givenName"): "Zoë"}, {AttributePath("name.givenName"): None}], id="a name"),
        pytest.param([{AttributePath("active"): False}, {AttributePath("active"): True}], id="disabled and enabled"),
    ],
)
async def test_a_server_takes_every_step_of_an_account(
    session: TargetSession, steps: list[dict[AttributePath, Json]]
) -> None:
    stored = await create(session, active=True)
    expected = await image(session, stored.id)
    for wanted in steps:
        stored = await update(session, stored, wanted)
        expected |= wanted
        found = await image(session, stored.id)
        assert {path: found[path] for path in MAPPED} == {path: expected[path] for path in MAPPED}


async def test_a_value_in_an_element_that_is_gone_asks_for_a_new_look(session: TargetSession) -> None:
    made = await create(session)
    change = Update(USER, made.id, {WORK_MAIL: Replace("b@x.example")}, {WORK_MAIL: "a@x.example"}, None)

    with pytest.raises(StaleImage):
        await session.update(change)


async def test_a_path_with_the_urn_of_the_core_schema_means_the_attribute(session: TargetSession) -> None:
    title = AttributePath(f"{USER_URN}:title")
    made = await create(session, **{title: "Ms"})

    await session.update(Update(USER, made.id, {title: Replace("Dr")}, {title: "Ms"}, made.version))

    assert (await image(session, made.id))[TITLE] == "Dr"


async def test_an_update_to_what_is_there_already_succeeds(session: TargetSession) -> None:
    made = await create(session, title="Dr")
    overtaken = {TITLE: "Ms"}

    for _ in range(2):
        made = await session.update(Update(USER, made.id, {TITLE: Replace("Dr")}, overtaken, made.version))

    assert (await image(session, made.id))[TITLE] == "Dr"


async def test_an_attribute_that_a_strict_server_does_not_know_fails_that_resource(strict: TargetSession) -> None:
    with pytest.raises(ResourceError) as caught:
        await create(strict, shoeSize="43")

    assert "43" not in str(caught.value)
    with pytest.raises(ResourceError):
        await strict.find(USER, (Criterion(SHOE_SIZE, "43"),), frozenset())


async def test_an_attribute_that_a_lenient_server_drops_is_not_in_its_answer(lenient: TargetSession) -> None:
    made = await create(lenient, shoeSize="43")

    assert made.echo is not None
    assert "shoeSize" not in made.echo.attributes
    with pytest.raises(ResourceError) as caught:
        await lenient.update(Update(USER, made.id, {SHOE_SIZE: Replace("44")}, {SHOE_SIZE: "43"}, made.version))
    assert caught.value.reason == "SchemaAttributeNotFound"
    assert not await lenient.find(USER, (Criterion(SHOE_SIZE, "43"),), frozenset())


async def test_a_value_that_the_server_does_not_allow_fails_that_resource_and_is_not_told(
    lenient: TargetSession,
) -> None:
    """scimmy holds to the canonical values of the type of an address."""
    private = AttributePath('emails[type eq "private"].value')

    with pytest.raises(ResourceError) as caught:
        await create(lenient, **{private: "ada@x.example"})

    assert caught.value.reason == "UnprocessableEntity"
    assert "non-canonical" in caught.value.detail
    assert "ada@x.example" not in f"{caught.value} {caught.value.detail}"


async def test_a_filter_on_an_element_finds_its_user(session: TargetSession) -> None:
    mail = f"{uuid4().hex}@x.example"
    made = await create(session, **{WORK_MAIL: mail})

    hits = await session.find(USER, (Criterion(WORK_MAIL, mail),), frozenset({WORK_MAIL}))

    assert [hit.id for hit in hits] == [made.id]


async def test_a_filter_on_an_extension_finds_its_user(strict: TargetSession) -> None:
    made = await create(strict, **{DEPARTMENT: (department := uuid4().hex)})

    hits = await strict.find(USER, (Criterion(DEPARTMENT, department),), frozenset({DEPARTMENT}))

    assert [hit.id for hit in hits] == [made.id]


async def test_who_is_not_found_by_an_extension_is_found_in_the_list(lenient: TargetSession) -> None:
    """scimmy answers a filter on an extension with nobody, whoever there is."""
    made = await create(lenient, **{DEPARTMENT: (department := uuid4().hex)})

    hits = await list_whom_no_query_finds(lenient, Criterion(DEPARTMENT, department))

    assert [hit.id for hit in hits] == [made.id]


async def test_a_page_brings_only_what_was_asked_for(session: TargetSession) -> None:
    await create(session, title="x")

    async for item in session.list(USER, frozenset({AttributePath("userName")})):
        if isinstance(item, Page):
            assert all(set(resource.attributes) == {"userName"} for resource in item.resources)


async def test_an_address_without_scim_behind_it_ends_the_cycle(server: Server) -> None:
    async with opened(f"{server.url}/nothing", server.token) as session:
        with pytest.raises(CycleError) as caught:
            await session.check()

    assert caught.value.reason == "ServiceIncompatible"
