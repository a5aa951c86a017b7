"""Opening a state file: what is accepted, what is refused, and who may read it."""

from __future__ import annotations

import errno
import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from usher.core.errors import CycleError
from usher.state.store import open_store
from usher.testing.store_examples import (
    CRM,
    PEOPLE,
    USER,
    collect,
    link_people,
    make_change,
    make_consumption,
    make_hold,
    make_snapshot,
    make_staged,
)


async def refuse(path: Path, *words: str) -> None:
    """Opening must say `StateUnusable`, the file, what is wrong and the way out."""
    with pytest.raises(CycleError) as refused:
        async with open_store(path):
            pass
    assert refused.value.reason == "StateUnusable"
    for word in (str(path), "the next cycle matches again, but people who left", "stay active", *words):
        assert word in str(refused.value)


def read_modes(folder: Path) -> dict[str, int]:
    return {file.name: file.stat().st_mode & 0o777 for file in folder.iterdir()}


def run_sql(path: Path, statement: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        return connection.execute(statement).fetchall()


async def test_what_was_stored_is_there_after_reopening(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    async with open_store(path) as store:
        await store.save_consumption(CRM, make_consumption(version=2))
        await link_people(store, CRM, p1="t1")
        await store.add_changes(CRM, [make_change("p1")])
        await store.hold(CRM.connector, make_hold(), [make_change("p2")])
        await store.approve(CRM.connector, "hash-1")
        await store.stage(PEOPLE, USER, [make_staged("p1")])
        await store.publish(PEOPLE, USER, {}, make_snapshot(1, 1))
    async with open_store(path) as store:
        assert await store.consumption(CRM) == make_consumption(version=2)
        assert await store.count_links(CRM) == (1, 1)
        assert await collect(store.all_changes(CRM)) == [make_change("p1")]
        held = await store.held(CRM.connector)
        assert held is not None
        assert held[0].approved
        assert await store.snapshot(PEOPLE, USER) == make_snapshot(1, 1)


async def test_only_the_owner_reads_the_files(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    async with open_store(path):
        pass
    path.chmod(0o644)
    async with open_store(path) as store:
        await store.save_consumption(CRM, make_consumption())
        modes = read_modes(tmp_path)
    assert modes == dict.fromkeys(("state.db", "state.db-wal", "state.db-shm", "state.db.lock"), 0o600)


async def test_a_second_store_in_the_same_process_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    (tmp_path / "link.db").symlink_to(path)
    async with open_store(path):
        for name in (path, tmp_path / "link.db"):
            with pytest.raises(CycleError, match="in use by process") as refused:
                async with open_store(name):
                    pass
            assert refused.value.reason == "StateLocked"
    async with open_store(tmp_path / "link.db"):
        pass


async def test_a_file_that_is_no_database_is_refused_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    path.write_bytes(b"no database " * 1000)
    await refuse(path, "file is not a database", "move it away")
    assert path.read_bytes() == b"no database " * 1000


async def test_a_file_that_was_cut_off_to_nothing_is_refused_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    async with open_store(path) as store:
        await link_people(store, CRM, p1="t1")
    os.truncate(path, 0)
    await refuse(path, "it is empty (0 bytes)", "put a copy in its place")
    assert path.stat().st_size == 0


async def test_who_is_killed_while_a_state_is_made_leaves_nothing_that_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "state.db"
    with monkeypatch.context() as killed:
        killed.setattr("os.fsync", _die)
        with pytest.raises(KeyboardInterrupt):
            async with open_store(path):
                pass
    assert not path.exists()
    async with open_store(path) as store:
        assert await store.count_links(CRM) == (0, 0)
    assert not (tmp_path / "state.db.new").exists()


def _die(_descriptor: int) -> None:
    raise KeyboardInterrupt


async def test_a_database_of_another_program_is_refused_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    run_sql(path, "CREATE TABLE theirs (id INTEGER)")
    path.chmod(0o640)
    before = path.read_bytes()
    await refuse(path, "a database of another program")
    assert path.read_bytes() == before
    assert path.stat().st_mode & 0o777 == 0o640


async def test_a_missing_folder_is_not_made(tmp_path: Path) -> None:
    await refuse(tmp_path / "volume" / "state.db", "No such file or directory")
    assert not (tmp_path / "volume").exists()


async def test_a_folder_is_no_state_file(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    await refuse(tmp_path / "folder", "Is a directory")


async def test_a_file_that_can_not_be_made_private_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse_chmod(_path: Path, _mode: int) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    async with open_store(tmp_path / "state.db"):
        pass
    (tmp_path / "state.db").chmod(0o644)
    monkeypatch.setattr(Path, "chmod", refuse_chmod)
    await refuse(tmp_path / "state.db", "Operation not permitted")


async def test_a_volume_without_locks_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse_lock(_descriptor: int, _operation: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.flock", refuse_lock)
    await refuse(tmp_path / "state.db", "its lock can't be taken: No locks available")


async def test_a_damaged_page_is_found_when_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    async with open_store(path) as store:
        await store.stage(PEOPLE, USER, [make_staged(f"p{index:04}") for index in range(2000)])
        await store.publish(PEOPLE, USER, {}, make_snapshot(1, 2000))
    data = bytearray(path.read_bytes())
    data[64 * 4096 :] = b"\xff" * (len(data) - 64 * 4096)
    path.write_bytes(data)
    async with open_store(path) as store:
        with pytest.raises(CycleError, match="malformed") as found:
            await collect(store.changes(PEOPLE, USER, None, 1))
    assert found.value.reason == "StateUnusable"


async def test_a_damaged_row_is_found_when_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    async with open_store(path) as store:
        await store.add_changes(CRM, [make_change("p1")])
        run_sql(path, "UPDATE planned_changes SET content = x'7b7b'")
        with pytest.raises(CycleError, match="a row holds no JSON") as found:
            await collect(store.all_changes(CRM))
    assert found.value.reason == "StateUnusable"
