"""Connections that wait for their next use: used again while they answer, and gone when nobody wants them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from directory.configuration import READER
from directory.fake import FakeDirectory, Question, answered, done, fake_directory, message
from directory.population import people
from directory.slapd import Slapd
from directory.sources import Source, settings
from usher.core.errors import CycleError, IncompleteRead, UsherError
from usher.transport.ldap import connection, pool
from usher.transport.ldap.pool import DirectoryPool

pytestmark = pytest.mark.usefixtures("nothing_stays")


@pytest.fixture
async def keeping() -> AsyncIterator[DirectoryPool]:
    """A pool, closed at the end of the test."""
    made = DirectoryPool()
    yield made
    await made.close()


@pytest.fixture(scope="module")
def slapd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slapd]:
    """An instance with eight people, to be stopped and started."""
    made = Slapd(tmp_path_factory.mktemp("pool"))
    made.load(people(8))
    with made:
        yield made


class Temper:
    """How a fake directory answers: `silent` says nothing to a search, `refusing` ends it with an error."""

    silent = False
    refusing = False

    async def answer(self, question: Question) -> bytes:
        """To one question."""
        if question.kind != "searchRequest":
            return answered(question)
        if self.silent:
            return b""
        return done(question.number, code=80) if self.refusing else answered(question)


def source_of(fake: FakeDirectory, keeping: DirectoryPool) -> Source:
    return Source(settings(fake.url), lend=keeping.lend)


async def until_closed(fake: FakeDirectory, left: int = 0) -> None:
    async with asyncio.timeout(2):
        while fake.open > left:  # noqa: ASYNC110 - the other side tells no event
            await asyncio.sleep(0.005)


async def test_a_second_read_uses_the_connection_of_the_first(keeping: DirectoryPool) -> None:
    async with fake_directory(Temper().answer) as fake:
        source = source_of(fake, keeping)
        for _ in range(3):
            await source.read()
        assert fake.connections == 1
        assert [each.kind for each in fake.questions].count("bindRequest") == 1
        await keeping.close()
        await until_closed(fake)


async def test_two_reads_at_once_have_a_connection_each_and_one_is_kept(keeping: DirectoryPool) -> None:
    async with fake_directory(Temper().answer) as fake:
        source = source_of(fake, keeping)
        async with asyncio.TaskGroup() as group:
            for _ in range(2):
                group.create_task(source.read())
        assert fake.connections == 2
        await until_closed(fake, 1)
        assert fake.open == 1


@pytest.mark.parametrize("ends", ["stop", "kill"])
async def test_a_directory_that_was_started_again_is_read_as_before(
    slapd: Slapd, keeping: DirectoryPool, ends: str
) -> None:
    source = replace(Source.of(slapd), lend=keeping.lend)
    former = await source.read()
    getattr(slapd, ends)()
    with pytest.raises(CycleError) as caught:
        await source.read()
    slapd.start()

    assert caught.value.reason == "SourceUnreachable"
    assert (await source.read()).by_id == former.by_id


async def test_a_rotated_password_binds_anew(slapd: Slapd, keeping: DirectoryPool, tmp_path: Path) -> None:
    source = replace(Source.of(slapd), lend=keeping.lend)
    await source.read()
    slapd.modify(READER.dn, {"userPassword": ["another"]})
    try:
        rotated = replace(source, password=b"another")
        assert (await rotated.read()).resources
        with pytest.raises(CycleError) as caught:
            await replace(source, password=b"wrong").read()
        assert caught.value.reason == "CredentialsRejected"
    finally:
        slapd.modify(READER.dn, {"userPassword": [READER.password]})


async def test_a_connection_that_nobody_wants_is_closed(
    keeping: DirectoryPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "IDLE", 0.05)
    async with fake_directory(Temper().answer) as fake:
        await source_of(fake, keeping).read()
        assert fake.open == 1
        await until_closed(fake)


async def test_an_old_connection_is_not_used_again(keeping: DirectoryPool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "OLD", 0.0)
    async with fake_directory(Temper().answer) as fake:
        for _ in range(2):
            await source_of(fake, keeping).read()
        assert fake.connections == 2
        await until_closed(fake, 1)


async def test_a_connection_of_a_read_that_failed_is_not_used_again(keeping: DirectoryPool) -> None:
    temper = Temper()
    async with fake_directory(temper.answer) as fake:
        source = source_of(fake, keeping)
        temper.refusing = True
        with pytest.raises(UsherError):
            await source.read()
        temper.refusing = False
        await source.read()
        assert fake.connections == 2
        await until_closed(fake, 1)


async def test_a_connection_that_went_silent_is_replaced(
    keeping: DirectoryPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "ALIVE_TIMEOUT", 0.05)
    monkeypatch.setattr(connection, "ANSWER_TIMEOUT", 5.0)
    temper = Temper()
    async with fake_directory(temper.answer) as fake:
        source = source_of(fake, keeping)
        await source.read()
        temper.silent = True
        reading = asyncio.create_task(source.read())
        async with asyncio.timeout(5):
            while fake.connections < 2:  # noqa: ASYNC110 - the fake tells no event
                await asyncio.sleep(0.005)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading


async def test_a_read_that_is_cancelled_while_it_asks_whether_the_connection_lives_leaves_nothing(
    keeping: DirectoryPool,
) -> None:
    temper = Temper()
    async with fake_directory(temper.answer) as fake:
        source = source_of(fake, keeping)
        await source.read()
        temper.silent = True
        asked = len(fake.questions)
        reading = asyncio.create_task(source.read())
        while len(fake.questions) == asked:  # noqa: ASYNC110 - the fake tells no event
            await asyncio.sleep(0.005)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        await until_closed(fake)


async def test_what_is_lent_when_the_pool_closes_is_closed_when_it_comes_back(keeping: DirectoryPool) -> None:
    async with fake_directory(Temper().answer) as fake:
        async with source_of(fake, keeping).open():
            await keeping.close()
        await until_closed(fake)


async def test_a_refused_bind_keeps_no_connection(keeping: DirectoryPool) -> None:
    async def refusing(question: Question) -> bytes:
        return message(question.number, "bindResponse", resultCode=49)

    async with fake_directory(refusing) as fake:
        with pytest.raises(CycleError):
            await source_of(fake, keeping).read()
        await until_closed(fake)


async def test_an_error_of_whoever_reads_closes_the_connection(keeping: DirectoryPool) -> None:
    async with fake_directory(Temper().answer) as fake:
        with pytest.raises(IncompleteRead):
            async with source_of(fake, keeping).open():
                raise IncompleteRead("the engine found an id twice")
        await until_closed(fake)
