"""Groups over the wire: whose members are asked for, what an app does with that, and how large a group may be."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from ipaddress import ip_network
from typing import Final
from uuid import UUID

import pytest

from usher.contracts.runtime import SecretRef
from usher.contracts.target import Complete, Page, Projection, TargetSession
from usher.core.errors import NotSent, ResourceError
from usher.core.model.plans import Amend, Create, Criterion, Update
from usher.core.model.resources import AttributePath, Json, ResourceType, TargetId, TargetResource
from usher.core.scim.paths import GROUP_URN
from usher.core.scim.references import referenced
from usher.targets.scim.session import open_scim
from usher.targets.scim.settings import ScimSettings
from usher.testing.clock import real_runtime
from usher.testing.faults import Fault, FaultKind, Operation, every
from usher.testing.hostile_server import Exclusion, HostileServer, HostileSettings, hostile_server
from usher.testing.memory_app import DEFAULTS
from usher.testing.memory_secrets import MemorySecrets
from usher.testing.memory_settings import MemorySettings
from usher.transport.addresses import AddressPolicy

USER: Final = ResourceType.USER
GROUP: Final = ResourceType.GROUP
NAME: Final = AttributePath("displayName")
MEMBERS: Final = AttributePath("members")
STAFF: Final = (Criterion(NAME, "staff"),)
HUGE: Final = 100_000
WITHOUT: Final = "excludedAttributes=members"


@asynccontextmanager
async def talking(
    exclusion: Exclusion = Exclusion.HONOURED, app: MemorySettings = DEFAULTS
) -> AsyncIterator[tuple[HostileServer, TargetSession]]:
    token = SecretRef("Secret", "app", "token")
    policy = AddressPolicy(networks=(ip_network("127.0.0.0/8"),))
    async with hostile_server(HostileSettings(app, exclusion=exclusion)) as server:
        secrets = MemorySecrets({token: server.token})
        async with open_scim(ScimSettings(server.url, token), secrets, real_runtime(), policy) as session:
            yield server, session


def plant_group(server: HostileServer, name: str, *members: str) -> TargetId:
    held: list[Json] = [{"value": member} for member in members]
    return server.app.collection(GROUP).plant({"displayName": name, "members": held} if held else {"displayName": name})


async def read_all(
    session: TargetSession, resource_type: ResourceType, target_id: TargetId, wanted: Projection
) -> Sequence[TargetResource]:
    """The resource as each of the three reads brings it."""
    pages = [item async for item in session.list(resource_type, wanted) if isinstance(item, Page)]
    found = await session.find(resource_type, STAFF, wanted)
    one = await session.get(resource_type, target_id, wanted)
    assert one is not None
    return [resource for page in pages for resource in page.resources] + [*found, one]


@pytest.mark.parametrize(
    ("wanted", "leaves_out"),
    [
        ({"displayName"}, True),
        (set(), True),
        ({"displayName", "externalId", "urn:example:hr:Group:owner"}, True),
        ({"members"}, False),
        ({"Members"}, False),
        ({"displayName", "members.value"}, False),
        ({'members[value eq "u1"].type'}, False),
        ({f"{GROUP_URN}:members"}, False),
    ],
)
async def test_every_read_of_groups_leaves_the_members_out_unless_somebody_wants_them(
    wanted: set[str], leaves_out: bool
) -> None:
    async with talking() as (server, session):
        ada = server.app.plant({"userName": "ada"})
        staff = plant_group(server, "staff", ada)
        brought = await read_all(session, GROUP, staff, frozenset(map(AttributePath, wanted)))
    assert [WITHOUT in asked for asked in server.asked] == [leaves_out] * 3
    assert [referenced(MEMBERS, resource.attributes) for resource in brought] == [() if leaves_out else (ada,)] * 3


async def test_no_read_of_users_and_no_write_of_groups_leaves_anything_out() -> None:
    async with talking() as (server, session):
        ada = server.app.plant({"userName": "ada", "displayName": "staff"})
        await read_all(session, USER, ada, frozenset({NAME}))
        made = await session.create(Create(GROUP, {NAME: "staff"}))
        await session.update(Update(GROUP, made.id, {MEMBERS: Amend(add=({"value": ada},))}, {}, None))
    assert len(server.asked) == 5
    assert not any("xclude" in asked for asked in server.asked)


async def test_an_app_that_brings_the_members_all_the_same_goes_on_being_asked_and_they_are_dropped() -> None:
    async with talking(Exclusion.IGNORED) as (server, session):
        staff = plant_group(server, "staff", server.app.plant({"userName": "ada"}))
        brought = await read_all(session, GROUP, staff, frozenset({NAME}))
    assert [set(resource.attributes) for resource in brought] == [{"displayName"}] * 3
    assert [WITHOUT in asked for asked in server.asked] == [True] * 3


async def test_an_app_that_refuses_to_leave_members_out_is_not_asked_to_a_second_time() -> None:
    async with talking(Exclusion.REFUSED) as (server, session):
        staff = plant_group(server, "staff", server.app.plant({"userName": "ada"}))
        brought = await read_all(session, GROUP, staff, frozenset({NAME}))
    assert [set(resource.attributes) for resource in brought] == [{"displayName"}] * 3
    assert [WITHOUT in asked for asked in server.asked] == [True, False, False, False]


async def test_a_query_that_the_app_refuses_for_itself_says_nothing_about_leaving_members_out() -> None:
    unknown = (Criterion(AttributePath("shoeSize"), "43"),)
    async with talking() as (server, session):
        with pytest.raises(ResourceError):
            await session.find(GROUP, unknown, frozenset({NAME}))
        await session.find(GROUP, STAFF, frozenset({NAME}))
    assert [WITHOUT in asked for asked in server.asked] == [True, False, True]


async def test_a_throttled_read_of_groups_is_not_sent_in_another_form() -> None:
    async with talking() as (server, session):
        server.faults.add(every(Operation.FIND, 1, Fault(FaultKind.UNAVAILABLE)))
        with pytest.raises(NotSent):
            await session.find(GROUP, STAFF, frozenset({NAME}))
    assert [WITHOUT in asked for asked in server.asked] == [True]


async def test_names_of_groups_are_compared_as_the_app_says_of_groups() -> None:
    async with talking() as (server, session):
        server.app.told = server.app.describe(server.url)
        _exact_names(server.app.told.schemas)
        plant_group(server, "STAFF")
        loose = await session.find(GROUP, STAFF, frozenset({NAME}))
        session.tune(await session.discover())
        exact = await session.find(GROUP, STAFF, frozenset({NAME}))
    assert (len(loose), len(exact)) == (1, 0)


def _exact_names(schemas: Json) -> None:
    assert isinstance(schemas, dict)
    resources = schemas["Resources"]
    assert isinstance(resources, list)
    for schema in resources:
        if isinstance(schema, dict) and schema["id"] == GROUP_URN:
            schema["attributes"] = [{"name": "displayName", "type": "string", "caseExact": True}]


def _many() -> list[str]:
    return [str(UUID(int=number)) for number in range(HUGE)]


async def test_a_group_of_a_hundred_thousand_is_read_and_changed() -> None:
    ids = _many()
    async with talking(app=MemorySettings(takes_strangers=True)) as (server, session):
        staff = plant_group(server, "staff", *ids)
        found = await session.get(GROUP, staff, frozenset({MEMBERS}))
        assert found is not None
        assert referenced(MEMBERS, found.attributes) == tuple(ids)
        edit = Amend(add=({"value": "new"},), remove=({"value": ids[0]},))
        await session.update(Update(GROUP, staff, {MEMBERS: edit}, {}, None))
        assert server.app.members(staff) == {*ids[1:], "new"}


async def test_a_list_of_huge_groups_is_small_where_nobody_wants_their_members() -> None:
    ids = _many()
    async with talking() as (server, session):
        for number in range(5):
            plant_group(server, f"staff {number}", *ids)
        items = [item async for item in session.list(GROUP, frozenset({NAME}))]
    assert items[-1] == Complete(5)


@pytest.mark.parametrize("wanted", [frozenset({NAME}), frozenset({MEMBERS})])
async def test_an_answer_about_groups_is_no_larger_than_any_other_may_be(wanted: Projection) -> None:
    """Sixteen MiB, as `transport.http` has it: here 200 bytes for each of a hundred thousand members."""
    async with talking(Exclusion.IGNORED, MemorySettings(takes_strangers=True)) as (server, session):
        staff = plant_group(server, "staff", *(f"{one}{'x' * 180}" for one in _many()))
        with pytest.raises(NotSent):
            await session.get(GROUP, staff, wanted)
