"""Cycles with groups and managers against SCIM servers of others, and what is there at the end."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import Final

import pytest

from integration.servers import Server
from usher.contracts.runtime import SecretRef
from usher.core.model.reports import CycleReport, CycleResult
from usher.core.model.resources import ResourceType
from usher.core.scim.references import is_reference
from usher.core.sync.leaving import Deprovisioning, Policy
from usher.engine.cycle import run_cycle
from usher.engine.job import ConnectorJob, Control
from usher.engine.undo import run_undo
from usher.targets.scim.session import open_scim
from usher.targets.scim.settings import ScimSettings
from usher.testing.clock import real_runtime
from usher.testing.documents import read_at
from usher.testing.memory_secrets import MemorySecrets
from usher.testing.memory_settings import MEMBERS
from usher.testing.world import MANAGER, World, group_mapping, open_world, person, with_manager
from usher.transport.addresses import cli_policy

TOKEN: Final = SecretRef("Secret", "app", "token")
SEEDS: Final = count()
"""A cycle is called by its second and a number of chance."""


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


def job_at(world: World, server: Server) -> ConnectorJob:
    settings, secrets = ScimSettings(server.url, TOKEN), MemorySecrets({TOKEN: server.token})
    lanes = tuple(replace(lane, address=server.url) for lane in world.job.lanes)
    return replace(
        world.job, lanes=lanes, open_target=lambda: open_scim(settings, secrets, real_runtime(), cli_policy())
    )


async def sync(world: World, server: Server) -> CycleReport:
    await world.read(min_retained=0)
    ports = replace(world.ports, runtime=real_runtime(next(SEEDS)))
    report = await run_cycle(job_at(world, server), ports, Control())
    assert (report.error, report.result) == ("", CycleResult.SUCCEEDED)
    return report


async def undo(world: World, server: Server, cycle: CycleReport) -> CycleReport:
    ports = replace(world.ports, runtime=real_runtime(next(SEEDS)))
    report = await run_undo(job_at(world, server), ports, Control(), cycle.name)
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


async def test_what_a_cycle_did_is_taken_back(world: World, server: Server) -> None:
    world.group("staff", "ada", "bob")
    put_manager(world, "bob", "ada")
    await sync(world, server)
    before = everything(server)
    world.group("staff", "bob", "cyd")
    world.people(["cyd"])
    world.source.put("id-ada", **person("ada", jobTitle="Director", displayName="Ada L."))
    put_manager(world, "bob", "eve")
    changed = await sync(world, server)
    assert everything(server) != before

    undone = await undo(world, server, changed)

    assert (undone.counts.updated, undone.counts.disabled, undone.counts.deleted) == (1, 1, 0)
    assert inactive(server) == {"cyd"}
    assert {name: one for name, one in everything(server).items() if name != "cyd"} == before
    assert (await undo(world, server, undone)).counts.updated == 2
    assert members(server) == {"staff": {"bob", "cyd"}}


async def test_who_was_deleted_is_there_again_with_values_and_manager(world: World, server: Server) -> None:
    world.deprovisioning = Deprovisioning(on_source_deleted=Policy.DELETE, delete_after=timedelta())
    put_manager(world, "bob", "ada")
    await sync(world, server)
    world.source.drop("id-bob")
    disabled = await sync(world, server)
    assert (disabled.counts.disabled, disabled.counts.deleted) == (1, 0)
    before = everything(server)
    world.clock.advance((real_runtime().now() - world.clock.now()).total_seconds())  # a later read than the disable
    deleted = await sync(world, server)
    assert deleted.counts.deleted == 1

    undone = await undo(world, server, deleted)

    assert undone.counts.created == 1
    assert everything(server) == before


def everything(server: Server) -> Mapping[str, object]:
    """What we write, by the name of the account; and the members."""
    paths = ("displayName", "title", "active", 'emails[type eq "work"].value')
    accounts = {names(server)[str(one["id"])]: [read_at(one, path) for path in paths] for one in server.accounts()}
    return accounts | {"members": members(server), "managers": managers(server)}


def inactive(server: Server) -> set[str]:
    return {names(server)[str(one["id"])] for one in server.accounts() if one["active"] is False}


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
