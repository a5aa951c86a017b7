"""Our session against a strict SCIM server of somebody else."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Protocol
from uuid import uuid4

import pytest

from usher.contracts.runtime import SecretRef
from usher.contracts.target import Page, TargetSession
from usher.core.errors import CycleError, ResourceError, StaleImage
from usher.core.model.plans import Create, Criterion, Edit, Replace, Stored, Update
from usher.core.model.resources import AttributePath, Json, ResourceType, TargetId
from usher.core.scim.patches import element_path
from usher.core.scim.paths import ENTERPRISE_URN, read
from usher.targets.scim.session import open_scim
from usher.targets.scim.settings import ScimSettings
from usher.testing.clock import real_runtime
from usher.testing.contract import AppUnderTest, TargetContract
from usher.testing.memory_secrets import MemorySecrets
from usher.transport.addresses import cli_policy

USER = ResourceType.USER
TOKEN = SecretRef("Secret", "app", "token")
WORK_MAIL = AttributePath('emails[type eq "work"].value')
CITY = AttributePath('addresses[type eq "work"].locality')
LAND = AttributePath('addresses[type eq "work"].country')
DEPARTMENT = AttributePath(f"{ENTERPRISE_URN}:department")
MAPPED = (*map(AttributePath, ("userName", "title", "name.givenName", "active")), WORK_MAIL, CITY, LAND, DEPARTMENT)


class Peer(Protocol):
    @property
    def url(self) -> str: ...
    @property
    def token(self) -> str: ...


def opened(url: str, token: str) -> AbstractAsyncContextManager[TargetSession]:
    return open_scim(ScimSettings(url, TOKEN), MemorySecrets({TOKEN: token}), real_runtime(), cli_policy())


@pytest.fixture
async def session(scim2_server: Peer) -> AsyncIterator[TargetSession]:
    async with opened(scim2_server.url, scim2_server.token) as session:
        yield session


class TestContract(TargetContract):
    @pytest.fixture
    def app(self, scim2_server: Peer) -> AppUnderTest:
        async def document(target_id: TargetId) -> Mapping[str, Json] | None:
            everything = frozenset(
                map(AttributePath, ("userName", "displayName", "name", "emails", "roles", "active", "title"))
            )
            async with opened(scim2_server.url, scim2_server.token) as session:
                resource = await session.get(USER, target_id, everything)
            return None if resource is None else resource.attributes

        return AppUnderTest(
            open=lambda: opened(scim2_server.url, scim2_server.token),
            intrude=lambda: opened(scim2_server.url, "wrong"),
            document=document,
        )


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
async def test_a_strict_server_takes_every_step_of_an_account(
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


async def test_an_attribute_that_the_server_does_not_know_fails_that_resource(session: TargetSession) -> None:
    with pytest.raises(ResourceError) as caught:
        await create(session, shoeSize="43")

    assert "43" not in str(caught.value)
    with pytest.raises(ResourceError):
        await session.find(USER, (Criterion(AttributePath("shoeSize"), "43"),), frozenset())


async def test_a_filter_on_an_extension_and_on_an_element_finds_its_user(session: TargetSession) -> None:
    mail = f"{uuid4().hex}@x.example"
    made = await create(session, **{WORK_MAIL: mail, DEPARTMENT: mail})

    for path in (WORK_MAIL, DEPARTMENT):
        hits = await session.find(USER, (Criterion(path, mail),), frozenset({path}))
        assert [hit.id for hit in hits] == [made.id]


async def test_a_page_brings_only_what_was_asked_for(session: TargetSession) -> None:
    await create(session, title="x")

    async for item in session.list(USER, frozenset({AttributePath("userName")})):
        if isinstance(item, Page):
            assert all(set(resource.attributes) == {"userName"} for resource in item.resources)


async def test_an_address_without_scim_behind_it_ends_the_cycle(scim2_server: Peer) -> None:
    async with opened(scim2_server.url.replace("/v2", "/nothing"), scim2_server.token) as session:
        with pytest.raises(CycleError) as caught:
            await session.check()

    assert caught.value.reason == "ServiceIncompatible"
