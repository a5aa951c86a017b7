"""A directory that is killed while it is read costs nobody the account, and the next read goes on as if nothing was."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum

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
from usher.transport.ldap.relay import Relay

pytestmark = pytest.mark.usefixtures("nothing_stays")

COUNT = 120
CHANGED = 60
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


class Depth(Enum):
    """What a read asks for."""

    WHOLE = "whole"
    CHANGES = "changes"


@dataclass(slots=True)
class Stage:
    """A world whose source is the directory."""

    world: World
    source: Source

    async def read(self, depth: Depth) -> None:
        every = timedelta() if depth is Depth.WHOLE else timedelta(days=1)
        opener: SourceOpener = self.source.open
        job = SourceJob(KEY, (ResourceType.USER,), opener, 80, every)
        await read_source(job, self.world.ports)


@asynccontextmanager
async def stage(slapd: Slapd, changes: Changes) -> AsyncIterator[Stage]:
    async with open_world(target=MemoryTarget()) as world:
        yield Stage(world, Source.of(slapd, page_size=PAGE, changes=changes))


class Assassin:
    """Kills the directory when it has said so many bytes on a connection; what it said then does not arrive."""

    def __init__(self, slapd: Slapd, monkeypatch: pytest.MonkeyPatch) -> None:
        self.at: int | None = None
        admit = Relay._admit

        def watched(relay: Relay, size: int) -> bool:
            said[relay] = said.get(relay, 0) + size
            if self.at is None or said[relay] <= self.at:
                return admit(relay, size)
            slapd.kill()
            return False

        said: dict[Relay, int] = {}
        monkeypatch.setattr(Relay, "_admit", watched)


@pytest.mark.parametrize("changes", [Changes.MODIFY_TIMESTAMP, Changes.SYNCREPL])
async def test_ten_kills_in_reads_of_all_and_of_changes_cost_nobody_anything_and_the_eleventh_read_works(
    slapd: Slapd, everybody: Sequence[Entry], monkeypatch: pytest.MonkeyPatch, changes: Changes
) -> None:
    assassin = Assassin(slapd, monkeypatch)
    async with stage(slapd, changes) as scene:
        world = scene.world
        for _ in range(2):
            await scene.read(Depth.WHOLE)
        await world.cycle()
        before, writes = await world.store.snapshot(KEY, ResourceType.USER), len(world.target.history.entries)
        assert len(world.accounts()) == COUNT
        retitle(slapd, everybody[:CHANGED], f"After {changes}")
        for number in range(10):
            assassin.at = number * 3_500
            with pytest.raises((CycleError, IncompleteRead)):
                await scene.read(list(Depth)[number % 2])
            assert not slapd.runs
            await world.cycle()
            slapd.start()
            retitle(slapd, everybody[:1], f"After {changes}")
        assassin.at = None
        assert await world.store.snapshot(KEY, ResourceType.USER) == before
        assert len(world.target.history.entries) == writes
        await scene.read(Depth.CHANGES)
        await world.cycle()

        assert len(world.target.history.entries) == writes + CHANGED
        assert all(account["active"] is True for account in world.accounts().values())
        titles = [account.get("title") for account in world.accounts().values()]
        assert titles.count(f"After {changes}") == CHANGED
        after = await world.store.snapshot(KEY, ResourceType.USER)
    assert before is not None
    assert after is not None
    assert (after.count, after.version, after.whole) == (COUNT, before.version + 1, before.whole)


def retitle(slapd: Slapd, whom: Sequence[Entry], title: str) -> None:
    """A write. After a kill OpenLDAP says that nothing changed until there is one: it keeps the last change's number
    in memory, and on disk that of its last orderly stop, or of a checkpoint.
    """
    with slapd.session() as admin:
        for entry in whom:
            admin.modify_s(entry.dn, [(ldap.MOD_REPLACE, "title", title.encode())])
