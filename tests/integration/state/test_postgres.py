"""A state on a PostgreSQL server: whose it is, what happens when the server is away, and what is told."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import Connection

import usher
from database.fixtures import write_url
from database.postgres import PASSWORD, Postgres
from usher.contracts.log import WHOLE_LOG
from usher.contracts.store import Intent, Store
from usher.core.errors import CycleError
from usher.core.model.plans import Action
from usher.core.model.resources import SourceId
from usher.state.database import Database
from usher.state.places import Server
from usher.state.postgres import _SETTINGS, PostgresServer
from usher.state.store import open_store
from usher.testing.store_examples import CRM, collect, link_people, make_consumption

WRITER: Final = Path(__file__).with_name("endless_writer.py")
ENVIRONMENT: Final = {**os.environ, "PYTHONPATH": str(Path(usher.__file__).parents[1])}


@asynccontextmanager
async def writing(server: Server, first: int) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(WRITER),
        str(server.url_file),
        str(first),
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def read_round(process: asyncio.subprocess.Process) -> int:
    assert process.stdout is not None
    return int(await process.stdout.readline())


async def stored_round(store: Store) -> int:
    [one] = {int(digest.target_id.split("-")[0]) for digest in await collect(store.link_digests(CRM))}
    return one


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever says nothing for a moment has lost the state."""
    monkeypatch.setattr("usher.state.postgres.LEASE", 1)


# --- whose it is


async def test_a_state_that_somebody_has_is_refused_with_who_it_is(state_server: Server) -> None:
    async with open_store(state_server) as store:
        with pytest.raises(
            CycleError, match=r"is in use by usher on .* from 127\.0\.0\.1: stop that one first"
        ) as refused:
            async with open_store(state_server):
                pass
        assert refused.value.reason == "StateLocked"
        await link_people(store, CRM, p1="t1")
    async with open_store(state_server) as store:
        assert await store.count_links(CRM) == (1, 1)


async def test_two_databases_of_one_server_are_two_states(
    state_server: Server, postgres: Postgres, state_template: str, tmp_path: Path
) -> None:
    other = write_url(tmp_path, postgres, postgres.create(state_template))
    async with open_store(state_server) as store, open_store(other) as another:
        await link_people(store, CRM, p1="t1")
        assert await another.count_links(CRM) == (0, 0)


async def test_who_was_silent_and_comes_back_writes_nothing_and_sends_nothing(
    state_server: Server, impatient: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_store(state_server) as paused:
        await paused.save_consumption(CRM, make_consumption())
        await link_people(paused, CRM, p1="t1")
        await asyncio.sleep(1.2)
        async with open_store(state_server) as heir:
            await link_people(heir, CRM, p2="t2")
            monkeypatch.setattr("usher.state.tenure._CERTAIN", 0.5)
            with pytest.raises(CycleError, match="terminating connection"):
                await paused.confirm()
            with pytest.raises(CycleError) as unsent:
                await paused.confirm()
            with pytest.raises(CycleError) as unwritten:
                await paused.write_intents(CRM, [Intent(SourceId("p3"), Action.CREATE)])
            await asyncio.wait_for(paused.until_taken(), 1)
            assert await heir.intents(CRM) == {}
            assert (await heir.count_links(CRM)) == (2, 2)
            assert time.monotonic() + 10 < await heir.confirm() < time.monotonic() + 30
    assert {unsent.value.reason, unwritten.value.reason} == {"StateTaken"}


async def test_who_was_cut_off_while_another_came_and_went_writes_nothing(
    state_server: Server, postgres: Postgres
) -> None:
    async with open_store(state_server) as former:
        await link_people(former, CRM, p1="t1")
        postgres.execute("postgres", CUT_ALL)
        async with open_store(state_server) as heir:
            await link_people(heir, CRM, p1="t2")
        for _ in range(2):
            with pytest.raises(CycleError) as refused:
                await link_people(former, CRM, p1="t3")
        assert refused.value.reason == "StateTaken"


CUT_ALL: Final = (
    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
    "WHERE pid <> pg_backend_pid() AND application_name LIKE 'usher%'"
)


async def test_a_stopped_process_that_goes_on_has_lost_the_state_to_the_next(
    state_server: Server, impatient: None
) -> None:
    for delay in (0.0, 0.004, 0.011):
        async with writing(state_server, 1) as process:
            await read_round(process)
            await asyncio.sleep(delay)
            process.send_signal(signal.SIGSTOP)
            await asyncio.sleep(1.2)
            async with open_store(state_server) as heir:
                before = await stored_round(heir)
                process.send_signal(signal.SIGCONT)
                _, said = await asyncio.wait_for(process.communicate(), 20)
                assert await stored_round(heir) == before
            assert said.decode().strip() in ("StateTaken", "StateUnreachable")


async def test_a_killed_process_leaves_whole_rounds_and_a_state_that_is_free_at_once(state_server: Server) -> None:
    first = 1
    for attempt in range(5):
        async with writing(state_server, first) as process:
            said = await read_round(process)
            await asyncio.sleep(0.007 * attempt)
            process.kill()
            rest, _ = await process.communicate()
        said = max([said, *map(int, rest.split())])
        async with open_store(state_server) as store:
            stored = await stored_round(store)
            assert stored in (said, said + 1)
            assert await store.count_links(CRM) == (50, 50)
            newest = await store.log(CRM.connector, WHOLE_LOG, 50)
            assert [int(entry.detail) for entry in newest] == [stored] * 50
        first = stored + 1


# --- the server is away


async def test_a_server_that_is_away_is_told_and_nothing_is_lost_when_it_is_back(
    state_server: Server, postgres: Postgres
) -> None:
    async with open_store(state_server) as store:
        await link_people(store, CRM, p1="t1")
        postgres.stop()
        try:
            for _ in range(2):
                with pytest.raises(CycleError, match="Nothing of it is lost") as away:
                    await link_people(store, CRM, p2="t2")
                assert away.value.reason == "StateUnreachable"
        finally:
            postgres.start()
        await link_people(store, CRM, p3="t3")
        assert set(await store.links(CRM, [SourceId(f"p{i}") for i in range(9)])) == {"p1", "p3"}


# --- what can't be opened


async def refuse(server: Server, reason: str, *words: str) -> None:
    with pytest.raises(CycleError) as refused:
        async with open_store(server):
            pass
    assert refused.value.reason == reason
    assert PASSWORD not in repr(refused.getrepr(chain=True))
    for word in words:
        assert word in str(refused.value)


async def test_a_wrong_password_is_told_and_not_shown(postgres: Postgres, tmp_path: Path) -> None:
    server = write_url(tmp_path, postgres, "postgres")
    server.url_file.write_text(postgres.url("postgres").replace("usher:", "usher:not-"), encoding="utf-8")
    await refuse(server, "StateUnreachable", "password authentication failed", "user and password in the URL")


async def test_a_database_that_is_not_there_is_told(postgres: Postgres, tmp_path: Path) -> None:
    await refuse(write_url(tmp_path, postgres, "nowhere"), "StateUnreachable", '"nowhere" does not exist')


async def test_a_file_that_is_missing_is_told(tmp_path: Path) -> None:
    await refuse(Server(tmp_path / "absent"), "StateUnreachable", "No such file", str(tmp_path / "absent"))


@pytest.mark.parametrize("text", ["", f"usher:{PASSWORD}@host", f"mysql://usher:{PASSWORD}@host/db", "postgresql://h"])
async def test_a_file_that_holds_no_url_is_told_and_not_shown(text: str, tmp_path: Path) -> None:
    (tmp_path / "url").write_text(text, encoding="utf-8")
    await refuse(Server(tmp_path / "url"), "StateUnusable", "postgresql://user:password@host:5432/database")


async def test_a_database_in_another_encoding_is_refused(postgres: Postgres, tmp_path: Path) -> None:
    name = postgres.create(options="ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'")
    await refuse(write_url(tmp_path, postgres, name), "StateUnusable", "its encoding is not UTF8")


async def test_a_database_of_another_program_is_refused_as_it_is(postgres: Postgres, tmp_path: Path) -> None:
    name = postgres.create()
    postgres.execute(name, "CREATE TABLE theirs (id integer)")
    await refuse(write_url(tmp_path, postgres, name), "StateUnusable", "a database of another program")
    assert postgres.execute(name, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == [(1,)]


async def test_an_error_of_the_server_names_no_person(state_server: Server, postgres: Postgres) -> None:
    async with open_store(state_server) as store:
        await link_people(store, CRM, p1="t1")
        [[name]] = postgres.execute(
            "postgres", "SELECT datname FROM pg_stat_activity WHERE application_name LIKE 'usher on%'"
        )
        postgres.execute(name, "ALTER TABLE links ADD CONSTRAINT short CHECK (length(source_id) < 5)")
        with pytest.raises(CycleError) as refused:
            await link_people(store, CRM, ann_example="t2")
    assert refused.value.reason == "StateUnusable"
    assert "ann" not in str(refused.value)
    assert "CheckViolation (23514)" in str(refused.value)


async def test_a_step_to_the_next_schema_may_take_longer_than_a_statement_of_a_cycle(
    state_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(_SETTINGS, "statement_timeout", "200ms")

    def sleep(connection: Connection) -> None:
        connection.exec_driver_sql("SELECT pg_sleep(0.5)")

    database = Database(PostgresServer(state_server))
    try:
        await database.alter(sleep)
        with pytest.raises(CycleError, match="statement timeout") as late:
            await database.run(sleep)
    finally:
        await database.close()
    assert late.value.reason == "StateUnreachable"
