"""A directory that is killed while it is read costs nobody the account, and the next read goes on as if nothing was."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import ldap
import pytest

from directory.entries import Entry
from directory.population import people
from directory.slapd import Slapd
from directory.sources import Source
from usher.contracts.source import SourceOpener
from usher.core.errors import CycleError, IncompleteRead
from usher.core.model.resources import ResourceType, SourceKey
from usher.engine.job import SourceJob
from usher.engine.snapshot import read_source
from usher.sources.ldap.settings import Changes
from usher.testing.memory_target import MemoryTarget
from usher.testing.world import World, open_world
from usher.transport.ldap import connection
from usher.transport.ldap.client import Client

COUNT = 300
PAGE = 25
KEY = SourceKey("identity/corp")


@pytest.fixture(scope="module")
def everybody() -> list[Entry]:
    return people(COUNT)


@pytest.fixture(scope="module")
def slapd(tmp_path_factory: pytest.TempPathFactory, everybody: Sequence[Entry]) -> Iterator[Slapd]:
    """An instance to be killed."""
    made = Slapd(tmp_path_factory.mktemp("killed"))
    made.load(everybody)
    with made:
        yield made


@dataclass(slots=True)
class Stage:
    """A world whose source is the directory. `full` reads whole, otherwise by changes where that is possible."""

    world: World
    source: Source

    async def read(self, full: bool) -> None:
        every = timedelta() if full else timedelta(days=1)
        opener: SourceOpener = self.source.open
        job = SourceJob(KEY, (ResourceType.USER,), opener, 80, every)
        await read_source(job, self.world.ports)


@asynccontextmanager
async def stage(slapd: Slapd, changes: Changes) -> AsyncIterator[Stage]:
    async with open_world(target=MemoryTarget()) as world:
        yield Stage(world, Source.of(slapd, page_size=PAGE, changes=changes))


class Assassin:
    """Kills the directory when its client asks for the page, or the batch, of that number."""

    def __init__(self, slapd: Slapd, monkeypatch: pytest.MonkeyPatch) -> None:
        self.at = -1
        self.asked = 0
        for name in ("search", "take_parts"):
            monkeypatch.setattr(Client, name, self._watched(slapd, getattr(Client, name)))

    def _watched(self, slapd: Slapd, ask: object) -> object:
        def watched(*args: object) -> object:
            if self.asked == self.at:
                slapd.kill()
            self.asked += 1
            return ask(*args)  # type: ignore[operator]  # a method of whatever kind

        return watched

    def aim(self, at: int) -> None:
        self.at, self.asked = at, 0


@pytest.mark.parametrize("changes", list(Changes))
async def test_ten_kills_in_whole_reads_disable_nobody_and_the_eleventh_read_works(
    slapd: Slapd, monkeypatch: pytest.MonkeyPatch, changes: Changes
) -> None:
    monkeypatch.setattr(connection, "MESSAGES", PAGE)
    assassin = Assassin(slapd, monkeypatch)
    async with stage(slapd, changes) as scene:
        world = scene.world
        await scene.read(full=True)
        await world.cycle()
        before, history = await world.store.snapshot(KEY, ResourceType.USER), len(world.target.history.entries)
        assert len(world.accounts()) == COUNT
        for number in range(10):
            assassin.aim(number)
            with pytest.raises((CycleError, IncompleteRead)):
                await scene.read(full=True)
            assert not slapd.runs
            await world.cycle()
            slapd.start()
        assassin.aim(-1)
        assert await world.store.snapshot(KEY, ResourceType.USER) == before
        await scene.read(full=True)
        await world.cycle()

        assert len(world.target.history.entries) == history
        assert all(account["active"] is True for account in world.accounts().values())
        after = await world.store.snapshot(KEY, ResourceType.USER)
    assert after is not None
    assert before is not None
    assert (after.count, after.version) == (COUNT, before.version)


@pytest.mark.parametrize("changes", list(Changes))
async def test_ten_kills_in_reads_of_changes_lose_no_change_and_cost_nobody_anything(
    slapd: Slapd, everybody: Sequence[Entry], monkeypatch: pytest.MonkeyPatch, changes: Changes
) -> None:
    monkeypatch.setattr(connection, "MESSAGES", PAGE)
    assassin = Assassin(slapd, monkeypatch)
    async with stage(slapd, changes) as scene:
        world = scene.world
        for _ in range(2):
            await scene.read(full=True)
        await world.cycle()
        before, history = await world.store.snapshot(KEY, ResourceType.USER), len(world.target.history.entries)
        retitle(slapd, everybody[: 3 * PAGE], f"After {changes}")
        for number in range(10):
            assassin.aim(number % 3)
            with pytest.raises((CycleError, IncompleteRead)):
                await scene.read(full=False)
            assert not slapd.runs
            await world.cycle()
            slapd.start()
        assassin.aim(-1)
        assert await world.store.snapshot(KEY, ResourceType.USER) == before
        assert len(world.target.history.entries) == history
        await scene.read(full=False)
        await world.cycle()

        assert len(world.target.history.entries) == history + 3 * PAGE
        assert all(account["active"] is True for account in world.accounts().values())
        titles = [account.get("title") for account in world.accounts().values()]
    assert titles.count(f"After {changes}") == 3 * PAGE


def retitle(slapd: Slapd, whom: Sequence[Entry], title: str) -> None:
    with slapd.session() as admin:
        for entry in whom:
            admin.modify_s(entry.dn, [(ldap.MOD_REPLACE, "title", title.encode())])
