"""Cycles with groups and managers against SCIM servers of others, and what is there at the end."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import Final

import pytest

from integration.servers import Server
from usher.contracts.runtime import SecretRef
from usher.core.model.reports import CycleReport, CycleResult
from usher.core.model.resources import ResourceType
from usher.core.scim.references import is_reference
from usher.engine.cycle import run_cycle
from usher.engine.job import Control
from usher.targets.scim.session import open_scim
from usher.targets.scim.settings import ScimSettings
from usher.testing.clock import real_runtime
from usher.testing.documents import read_at
from usher.testing.memory_secrets import MemorySecrets
from usher.testing.memory_settings import MEMBERS
from usher.testing.world import MANAGER, World, group_mapping, open_world, person, with_manager
from usher.transport.addresses import cli_policy

TOKEN: Final = SecretRef("Secret", "app", "token")


@pytest.fixture(params=["scim2_server", "scimmy"])
def server(request: pytest.FixtureRequest) -> Server:
    found: Server = request.getfixturevalue(request.param)
    found.empty()
    return found


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with open_world() as opened:
        opened.group_mapping = group_mapping()
        opened.mapping = with_manager(opened.mapping)
        opened.people(["ada", "bob", "eve"])
        opened.source.attributes = ("accountEnabled", "manager")
        yield opened


async def sync(world: World, server: Server) -> CycleReport:
    await world.read()
    settings, secrets = ScimSettings(server.url, TOKEN), MemorySecrets({TOKEN: server.token})
    lanes = tuple(replace(lane, address=server.url) for lane in world.job.lanes)
    job = replace(
        world.job, lanes=lanes, open_target=lambda: open_scim(settings, secrets, real_runtime(), cli_policy())
    )
    report = await run_cycle(job, replace(world.ports, runtime=real_runtime()), Control())
    assert (report.error, report.result) == ("", CycleResult.SUCCEEDED)
    return report


def names(server: Server) -> Mapping[str, str]:
    return {str(one["id"]): str(one["userName"]).partition("@")[0] for one in server.accounts()}


def members(server: Server) -> dict[str, set[str]]:
    """Names of members, by the names of groups."""
    known, found = names(server), {}
    for group in server.groups():
        held = read_at(group, MEMBERS)
        ids = [str(one["value"]) for one in held if isinstance(one, dict)] if isinstance(held, list) else []
        assert len(set(ids)) == len(ids)
        found[str(group["displayName"])] = {known[one] for one in ids}
    return found


def managers(server: Server) -> dict[str, str]:
    known = names(server)
    held = {str(one["id"]): read_at(one, f"{MANAGER}.value") for one in server.accounts()}
    return {known[one]: known[str(manager)] for one, manager in held.items() if manager is not None}


async def test_members_and_managers_end_as_the_source_has_them(world: World, server: Server) -> None:
    world.group("staff", "ada", "bob")
    world.group("nobody")
    put_manager(world, "bob", "ada")
    await sync(world, server)
    assert members(server) == {"staff": {"ada", "bob"}, "nobody": set()}
    assert managers(server) == {"bob": "ada"}

    world.group("staff", "bob", "eve")
    put_manager(world, "bob", "eve")
    put_manager(world, "ada", "eve")
    await sync(world, server)
    assert members(server) == {"staff": {"bob", "eve"}, "nobody": set()}
    assert managers(server) == {"bob": "eve", "ada": "eve"}

    world.group("staff")
    world.people(["ada", "bob", "eve"])
    await sync(world, server)
    assert members(server) == {"staff": set(), "nobody": set()}
    assert managers(server) == {}

    again = await sync(world, server)
    assert (again.counts.updated, again.counts.created, again.pending) == (0, 0, 0)


def put_manager(world: World, name: str, manager: str) -> None:
    world.source.put(f"id-{name}", **person(name, manager=f"id-{manager}"))


async def test_a_server_says_that_it_has_groups_and_what_a_group_is(server: Server) -> None:
    secrets = MemorySecrets({TOKEN: server.token})
    async with open_scim(ScimSettings(server.url, TOKEN), secrets, real_runtime(), cli_policy()) as session:
        discovery = await session.discover()

    assert discovery.offers(ResourceType.GROUP)
    group = discovery.schema(ResourceType.GROUP)
    assert {"displayname", "members", "members.value", "members.$ref"} <= set(discovery.of_groups)
    assert group.known(MEMBERS)
    assert is_reference(group, MEMBERS)
    assert is_reference(discovery.schema(ResourceType.USER), MANAGER)
