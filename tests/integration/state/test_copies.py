"""Copies of a state that is in use, by the commands of the docs, and what an old one does when it is put back."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from database.fixtures import write_url
from database.keys import make_keys
from database.postgres import PASSWORD, Postgres, program
from usher.contracts.store import Store
from usher.core.model.reports import CycleResult
from usher.core.sync.leaving import Deprovisioning, Policy
from usher.state.places import Place, Server
from usher.state.store import open_store
from usher.testing.clock import FakeClock
from usher.testing.memory_settings import MemorySettings
from usher.testing.memory_source import MemorySource
from usher.testing.memory_target import MemoryTarget
from usher.testing.world import World, new_world, person

PAGE = (Path(__file__).parents[3] / "docs" / "state.md").read_text(encoding="utf-8")
STAFF = [f"user{n}" for n in range(6)]


def command(begins: str, url: str, dump: Path) -> list[str]:
    """A line of the docs as it would be run, with a database and a file of the test's."""
    [line] = [each.strip() for each in PAGE.splitlines() if each.strip().startswith(begins)]
    mine = url.replace(f":{PASSWORD}@", "@")
    return shlex.split(
        line.replace("postgresql://usher@db.example.com:5432/usher", mine).replace("state-copy.dump", str(dump))
    )


def copy_file(path: Path, to: Path) -> Path:
    [line] = [each.strip() for each in PAGE.splitlines() if " exec deployment/usher -- python -c " in each]
    script = re.search(r'python -c "(.*)" > state-copy\.db$', line)
    assert script is not None
    done = subprocess.run(
        [sys.executable, "-c", script[1].replace("/var/lib/usher/state.db", str(path))], capture_output=True, check=True
    )
    to.write_bytes(done.stdout)
    return to


def run_client(line: list[str]) -> None:
    subprocess.run(
        [program(line[0]), *line[1:]], check=True, capture_output=True, env={"PATH": os.defpath, "PGPASSWORD": PASSWORD}
    )


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if request.param == "sqlite":
        return tmp_path / "state.db"
    found: Place = request.getfixturevalue("state_server")
    return found


@pytest.fixture
def copy(postgres: Postgres, tmp_path: Path) -> Callable[[Place], Place]:
    """Copies a state as it is now; gives the place to which the copy was put back."""

    def of_server(server: Server) -> Server:
        dump, back = tmp_path / "state-copy.dump", write_url(tmp_path, postgres, postgres.create())
        for begins, one in (("pg_dump", server), ("pg_restore", back)):
            run_client(command(begins, one.url_file.read_text(encoding="utf-8").strip(), dump))
        return back

    def of(place: Place) -> Place:
        if isinstance(place, Server):
            return of_server(place)
        assert place is not None
        return copy_file(place, tmp_path / "put-back.db")

    return of


def staffed(world: World) -> World:
    world.people(STAFF)
    return world


def changed(world: World) -> World:
    """Somebody left, somebody moved, somebody came."""
    world.people([name for name in STAFF if name != "user1"])
    world.source.put("id-user2", **person("user2", jobTitle="Director"))
    world.people(["new"])
    return world


STAYS = Deprovisioning()
GOES = Deprovisioning(on_source_deleted=Policy.DELETE, delete_after=timedelta(minutes=20))


@pytest.mark.parametrize("leavers", [STAYS, GOES], ids=["who leaves is disabled", "who leaves is deleted"])
@pytest.mark.parametrize("encrypted", [False, True], ids=["readable", "encrypted"])
async def test_an_old_copy_makes_nobody_twice_and_takes_nothing_from_anybody_who_is_still_in(
    place: Place, copy: Callable[[Place], Place], tmp_path: Path, leavers: Deprovisioning, encrypted: bool
) -> None:
    keys = make_keys(tmp_path / "keys", "1") if encrypted else None
    target, clock = MemoryTarget(MemorySettings(unique=None, versioned=False)), FakeClock()

    def world_on(store: Store) -> World:
        return World(store, MemorySource(), target, clock, deprovisioning=leavers)

    async with open_store(place, keys) as store:
        await staffed(world_on(store)).sync()
        back = copy(place)
        world = changed(world_on(store))
        for _ in range(3):
            clock.advance(3600)
            assert (await world.sync()).result is CycleResult.SUCCEEDED
    truth, before = world.accounts(), len(target.history.writes)
    assert len(truth) == len(STAFF) + (leavers is STAYS)

    async with open_store(back, keys) as store:
        world = changed(world_on(store))
        for _ in range(3):
            clock.advance(3600)
            await world.sync()
        assert world.accounts() == truth
        assert set(target.history.most_accounts_by("userName").values()) == {1}
        again = len(target.history.writes)
        assert again - before <= 2
        assert (await world.sync()).result is CycleResult.SUCCEEDED
        assert len(target.history.writes) == again


async def test_a_copy_is_whole_while_the_state_is_written(place: Place, copy: Callable[[Place], Place]) -> None:
    target = MemoryTarget(MemorySettings())
    async with open_store(place) as store:
        world = staffed(new_world(store, target))
        await world.sync()
        world.people(["another"])
        await world.read()
        back = copy(place)
        await world.cycle()
    async with open_store(back) as store:
        world = staffed(new_world(store, target))
        world.people(["another"])
        assert (await world.sync()).result is CycleResult.SUCCEEDED
        assert len(world.accounts()) == len(STAFF) + 1
