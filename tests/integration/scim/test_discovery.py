"""What a server of somebody else says of itself, and cycles that go by it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, Protocol

import pytest

from integration.conftest import free_port, wait_for
from usher.contracts.runtime import SecretRef
from usher.contracts.target import TargetSession
from usher.core.model.reports import CycleReport
from usher.core.model.resources import AttributePath, Json, ResourceType, Value
from usher.core.scim.discovery import BulkLimits, Feature, Types
from usher.core.scim.paths import ENTERPRISE_URN, USER_URN
from usher.core.scim.schemas import USER_SCHEMA
from usher.core.scim.values import read
from usher.engine.cycle import run_cycle
from usher.engine.job import Control
from usher.targets.scim.session import open_scim
from usher.targets.scim.settings import ScimSettings
from usher.testing.clock import real_runtime
from usher.testing.memory_secrets import MemorySecrets
from usher.testing.world import DISABLE, World, direct_mapping, open_world
from usher.transport.addresses import cli_policy

HR: Final = "urn:example:hr:2.0:User"
TOKEN: Final = SecretRef("Secret", "app", "token")
KINDS: Final[Mapping[str, dict[str, Json]]] = {
    "badge": {"type": "integer"},
    "share": {"type": "decimal"},
    "remote": {"type": "boolean"},
    "hired": {"type": "dateTime"},
    "code": {"type": "string", "caseExact": True},
    "teams": {"type": "string", "multiValued": True},
}


class Peer(Protocol):
    @property
    def url(self) -> str: ...
    @property
    def token(self) -> str: ...


@dataclass(frozen=True)
class Described:
    """A server with an extension of ours; `exact` says whether case counts in its user names."""

    url: str
    token: str
    exact: bool


def opened(peer: Peer) -> AbstractAsyncContextManager[TargetSession]:
    secrets = MemorySecrets({TOKEN: peer.token})
    return open_scim(ScimSettings(peer.url, TOKEN), secrets, real_runtime(), cli_policy())


@contextmanager
def serving(folder: Path, *, exact: bool) -> Iterator[Described]:
    schemas, types = (_default(name) for name in ("schemas", "resource-types"))
    for attribute in next(schema for schema in schemas if schema["id"] == USER_URN)["attributes"]:
        if attribute["name"] == "userName":
            attribute["caseExact"] = exact
    usual = {"multiValued": False, "mutability": "readWrite", "returned": "default", "required": False}
    usual |= {"caseExact": False, "uniqueness": "none", "description": "ours"}
    attributes = [{"name": name, **usual, **kind} for name, kind in KINDS.items()]
    marks = ["urn:ietf:params:scim:schemas:core:2.0:Schema"]
    schemas.append({"schemas": marks, "id": HR, "name": "HR", "description": "ours", "attributes": attributes})
    user = next(one for one in types if one["name"] == "User")
    user["schemaExtensions"] = [*user.get("schemaExtensions", []), {"schema": HR, "required": False}]
    (folder / "schemas.json").write_text(json.dumps(schemas))
    (folder / "types.json").write_text(json.dumps(types))
    port = free_port()
    program = Path(sys.executable).with_name("scim2-server")
    options: list[str | Path] = ["--schema", folder / "schemas.json", "--resource-type", folder / "types.json"]
    options += ["--port", str(port), "--bearer-token", "let-me-in"]
    process = subprocess.Popen([program, *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(process, port)
        yield Described(f"http://127.0.0.1:{port}/v2", "let-me-in", exact)
    finally:
        process.terminate()
        process.wait(timeout=10)


def _default(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((files("scim2_server") / "resources" / f"default-{name}.json").read_text())
    return found


@pytest.fixture(scope="module", params=[False, True], ids=["any case", "exact case"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Described]:
    with serving(tmp_path_factory.mktemp("scim2"), exact=request.param) as described:
        yield described


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with open_world() as new:
        paths = {f"{HR}:{name}": (name, None) for name in KINDS}
        new.mapping = direct_mapping({"userName": ("login", 1), **paths}, {"active": DISABLE})
        yield new


async def test_a_strict_server_says_what_rfc_7643_says(scim2_server: Peer) -> None:
    async with opened(scim2_server) as session:
        discovery = await session.discover()

    assert discovery.features == set(Feature)
    assert (discovery.max_results, discovery.bulk) == (1000, BulkLimits(1000, 1024 * 1024))
    assert discovery.schemas == (USER_URN, ENTERPRISE_URN)
    assert discovery.types is Types.DISCOVERED
    told = discovery.schema(ResourceType.USER).attributes
    assert {key: told[key] for key in USER_SCHEMA.attributes} == USER_SCHEMA.attributes


async def test_a_lenient_server_differs_from_rfc_7643_in_where_it_says_that_case_counts(scimmy: Peer) -> None:
    async with opened(scimmy) as session:
        discovery = await session.discover()
        session.tune(discovery)

    assert discovery.features == {Feature.PATCH, Feature.BULK, Feature.FILTER, Feature.SORT}
    assert (discovery.max_results, session.capabilities.page_size) == (200, 100)
    assert discovery.schemas == (USER_URN, ENTERPRISE_URN)
    told, usual = discovery.schema(ResourceType.USER).attributes, USER_SCHEMA.attributes
    assert {key: replace(told[key], case_exact=usual[key].case_exact) for key in usual} == usual
    assert not told["profileurl"].case_exact


async def test_an_extension_and_the_case_of_user_names_are_read(server: Described) -> None:
    async with opened(server) as session:
        discovery = await session.discover()

    assert discovery.schemas == (USER_URN, ENTERPRISE_URN, HR)
    schema = discovery.schema(ResourceType.USER)
    user_name, teams = (schema.definition(AttributePath(path)) for path in ("userName", f"{HR}:teams"))
    assert user_name is not None
    assert user_name.case_exact is server.exact
    assert teams is not None
    assert teams.multi_valued


async def account(server: Described, login: str) -> dict[str, Json]:
    """The account as the server holds it: whoever has this name, in any case."""
    found: list[Mapping[str, Json]] = []
    async with opened(server) as session:
        wanted = frozenset(map(AttributePath, ("userName", f"{HR}:badge")))
        async for item in session.list(ResourceType.USER, wanted):
            found += [one.attributes for one in getattr(item, "resources", ())]
    [one] = [each for each in found if str(each["userName"]).lower() == login.lower()]
    return {"userName": one["userName"], **{name: read(AttributePath(f"{HR}:{name}"), one) for name in KINDS}}


async def put(world: World, server: Described, login: str, **attributes: Value) -> CycleReport:
    world.source.put("id-ada", login=login, **attributes)
    await world.read()
    lanes = (replace(world.job.lanes[0], address=server.url),)
    job = replace(world.job, lanes=lanes, open_target=lambda: opened(server))
    report = await run_cycle(job, replace(world.ports, runtime=real_runtime()), Control())
    assert (report.error, report.reasons) == ("", {})
    return report


async def test_values_take_the_types_of_an_extension_and_compare_by_them(world: World, server: Described) -> None:
    times = {"hired": "2026-01-01T00:00:00Z"}, {"hired": "2026-01-01T01:00:00+01:00"}
    first: dict[str, Value] = {"badge": "007", "share": "1.50", "remote": "True", "code": "x1", **times[0]}
    same: dict[str, Value] = {"badge": "7", "share": "1.5", "remote": "true", "code": "x1", **times[1]}
    assert (await put(world, server, "ada", **first, teams=("red", "blue"))).counts.created == 1
    made = await account(server, "ada")
    assert [made[name] for name in ("badge", "share", "remote", "code")] == [7, 1.5, True, "x1"]
    assert made["teams"] == ["red", "blue"]

    again = await put(world, server, "ada", **same, teams=("BLUE", "red"))
    changed = await put(world, server, "ada", **{**same, "code": "X1"}, teams=("BLUE", "red"))

    assert (again.counts.updated, again.counts.unchanged) == (0, 1)
    assert changed.counts.updated == 1
    held = await account(server, "ada")
    assert (held["code"], held["teams"]) == ("X1", ["red", "blue"])


async def test_a_user_name_is_rewritten_for_its_case_only_where_the_server_says_that_case_counts(
    world: World, server: Described
) -> None:
    await put(world, server, "grace")

    report = await put(world, server, "GRACE")

    assert report.counts.updated == int(server.exact)
    assert (await account(server, "grace"))["userName"] == ("GRACE" if server.exact else "grace")
