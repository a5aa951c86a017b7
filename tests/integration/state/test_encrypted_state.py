"""What is personal is not to be read in the files of an encrypted state, and only its keys open it."""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from secrets import token_hex

import pytest

from database.keys import make_keys
from database.postgres import Postgres
from usher.contracts.comparisons import Comparison
from usher.contracts.journal import Journal, JournalPart
from usher.contracts.log import WHOLE_LOG, LogQuery
from usher.contracts.store import Record, Store
from usher.core.errors import CycleError
from usher.core.model.journal import JournalEntry
from usher.core.model.plans import Action, Phase, Replace
from usher.core.model.resources import AttributePath, SourceId, TargetId
from usher.state.places import Place
from usher.state.sqlite import SqliteFile
from usher.state.store import open_store
from usher.testing.faults import Fault, FaultKind, FaultSchedule, Killed, Operation, nth
from usher.testing.memory_settings import MemorySettings
from usher.testing.memory_target import MemoryTarget
from usher.testing.store_examples import (
    ADDRESS,
    CRM,
    NOON,
    USER_NAME,
    collect,
    link_people,
    make_change,
    make_entry,
    make_hold,
)
from usher.testing.world import World, new_world, person

JOURNAL = Journal("cycle-1", NOON, ADDRESS)
NAME = "Zebedee"
"""The name of somebody, and the part of the mail address before the @."""


@pytest.fixture(autouse=True)
def of_this_test(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server's own log keeps what other tests wrote: so nobody has the name of another test."""
    monkeypatch.setitem(globals(), "NAME", f"Zebedee-{token_hex(6)}")


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if request.param == "sqlite":
        return tmp_path / "state.db"
    found: Place = request.getfixturevalue("state_server")
    return found


def traces(place: Place, postgres: Postgres) -> list[str]:
    """The files below the state in which the canary can be read, its log and its newest changes included."""
    if isinstance(place, Path):
        files = [place, place.with_name(f"{place.name}-wal")]
    else:
        postgres.execute("postgres", "CHECKPOINT")
        files = [path for path in (postgres.folder / "data").rglob("*") if path.is_file()]
    words = [NAME.encode(), NAME.lower().encode()]
    found = []
    for path in files:
        with suppress(FileNotFoundError):
            data = path.read_bytes()
            found += [path.name for word in words if word in data]
    return found


def peopled(store: Store, target: MemoryTarget) -> World:
    world = new_world(store, target)
    for number in range(4):
        world.source.put(f"id-{NAME}-{number}", **person(f"{NAME}{number}"))
    return world


async def fill(store: Store, target: MemoryTarget) -> None:
    """A cycle that is killed in a create, another one, and what a log and a held plan say of people."""
    target.faults.add(nth(Operation.CREATE, 3, Fault(FaultKind.KILL_AFTER)))
    with suppress(Killed):
        await peopled(store, target).sync()
    world = peopled(store, target)
    await world.sync()
    world.source.put(f"id-{NAME}-1", **person(f"{NAME}1", jobTitle=f"{NAME}, the Director"))
    await world.sync()
    await store.save_claims(CRM, {SourceId(f"p1-{NAME}"): [NAME], SourceId(f"p2-{NAME}"): [NAME]})
    await store.record(CRM, Record(log=[make_entry(f"p-{NAME}", f"clashes with {NAME}")]))
    await store.add_changes(CRM, [make_change("p1"), make_change(NAME)])
    await store.hold(CRM.connector, make_hold(), [make_change("p1", Action.DISABLE, Phase.DISABLE)])
    await store.save_references(CRM, {SourceId(f"g-{NAME}"): [SourceId(f"p1-{NAME}")]})
    await store.save_comparison(CRM, Comparison(NOON, None), [TargetId(f"t-{NAME}")])
    await store.keep_parts(CRM.connector, {"scope": {"users": [NAME]}})
    await store.write_intents(CRM, [], JournalPart(JOURNAL, [entry()]))
    await store.seal_key(NAME.encode())


def entry() -> JournalEntry:
    """Of somebody who was deleted: with a name wherever one can be."""
    here, members = TargetId(f"t-{NAME}"), AttributePath("members")
    delta, before = {USER_NAME: Replace(NAME)}, {USER_NAME: f"{NAME} of before"}
    return JournalEntry(1, SourceId(f"p-{NAME}"), here, Action.DELETE, delta, before, {members: (here,)})


async def expect_what_was_filled(store: Store) -> None:
    assert await store.claimants(CRM, [NAME]) == {NAME: [f"p1-{NAME}", f"p2-{NAME}"]}
    assert await store.rivals(CRM, [NAME]) == {NAME: [f"p1-{NAME}", f"p2-{NAME}"]}
    assert [entry.detail for entry in await store.log(CRM.connector, WHOLE_LOG, 1)] == [f"clashes with {NAME}"]
    assert await store.held(CRM.connector) == (make_hold(), [make_change("p1", Action.DISABLE, Phase.DISABLE)])
    assert await store.kept_parts(CRM.connector) == {"scope": {"users": [NAME]}}
    assert await store.due_holders(CRM) == [f"g-{NAME}"]
    assert await store.orphans(CRM) == [f"t-{NAME}"]
    assert [
        entry.source_id for entry in await store.log(CRM.connector, LogQuery(source_id=SourceId(f"p-{NAME}")), 9)
    ] == [f"p-{NAME}"]
    assert await collect(store.journal_entries(CRM, JOURNAL.cycle)) == [entry()]
    assert await store.seal_key(b"another") == NAME.encode()


def anything_goes() -> MemoryTarget:
    return MemoryTarget(MemorySettings(unique=None, versioned=False), FaultSchedule())


async def test_without_a_key_the_state_can_be_read_in_its_files(place: Place, postgres: Postgres) -> None:
    """Else the tests below would prove nothing."""
    async with open_store(place) as store:
        await fill(store, anything_goes())
        assert traces(place, postgres)


async def test_with_a_key_nobody_can_be_read_in_the_files(place: Place, postgres: Postgres, tmp_path: Path) -> None:
    target = anything_goes()
    keys = make_keys(tmp_path / "keys", "1")
    async with open_store(place, keys) as store:
        await fill(store, target)
        await expect_what_was_filled(store)
        assert traces(place, postgres) == []
    assert traces(place, postgres) == []
    async with open_store(place, keys) as store:
        await expect_what_was_filled(store)
        world = peopled(store, target)
        world.source.put(f"id-{NAME}-1", **person(f"{NAME}1", jobTitle=f"{NAME}, the Director"))
        writes = len(target.history.writes)
        await world.sync()
        assert len(target.history.writes) == writes
        assert target.history.most_accounts_by("userName") == {f"{NAME}{n}@example.com": 1 for n in range(4)}


async def test_a_state_that_was_not_encrypted_is_when_it_gets_a_key(
    place: Place, postgres: Postgres, tmp_path: Path
) -> None:
    target, keys = anything_goes(), make_keys(tmp_path / "keys", "1")
    async with open_store(place) as store:
        await fill(store, target)
    async with open_store(place, keys) as store:
        assert [name for name in traces(place, postgres) if not postgres.is_log(name)] == []
        await expect_what_was_filled(store)
        assert (await peopled(store, target).sync()).counts.created == 0


async def test_what_could_not_be_wiped_off_is_wiped_off_by_the_next(
    tmp_path: Path, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, keys = tmp_path / "state.db", make_keys(tmp_path / "keys", "1")
    async with open_store(path) as store:
        await fill(store, anything_goes())
    with monkeypatch.context() as broken:
        broken.setattr(SqliteFile, "wipe", _fail)
        with pytest.raises(CycleError, match="No space left"):
            async with open_store(path, keys):
                pass
    assert is_wiped(path) == [(0,)]
    async with open_store(path, keys) as store:
        assert is_wiped(path) == [(1,)]
        assert traces(path, postgres) == []
        await expect_what_was_filled(store)


def is_wiped(path: Path) -> list[tuple[int]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT wiped FROM data_keys").fetchall()


def _fail(*_: object) -> None:
    raise OSError(28, "No space left on device")


# --- keys


async def test_a_new_key_takes_the_place_of_the_old_one(place: Place, tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    async with open_store(place, make_keys(folder, "2026-01")) as store:
        await fill(store, anything_goes())
    async with open_store(place, make_keys(folder, "2026-01", "2026-07")) as store:
        await expect_what_was_filled(store)
    async with open_store(place, make_keys(folder, "2026-07")) as store:
        await expect_what_was_filled(store)
    await refuse(place, make_keys(folder, "2026-01"), "none of the 1 keys that were given opens it")


async def test_an_encrypted_state_is_refused_without_its_key_and_stays_as_it_is(place: Place, tmp_path: Path) -> None:
    keys = make_keys(tmp_path / "keys", "1")
    async with open_store(place, keys) as store:
        await fill(store, anything_goes())
    await refuse(place, None, "it is encrypted: name the folder with its keys", "--state-keys DIR")
    await refuse(place, make_keys(tmp_path / "others", "2", "3"), "none of the 2 keys")
    async with open_store(place, keys) as store:
        await expect_what_was_filled(store)


async def refuse(place: Place, keys: Path | None, *words: str) -> None:
    with pytest.raises(CycleError) as refused:
        async with open_store(place, keys):
            pass
    assert refused.value.reason == "StateUnusable"
    for word in words:
        assert word in str(refused.value)


async def test_a_folder_without_a_key_is_refused_with_the_way_to_make_one(tmp_path: Path) -> None:
    await refuse(tmp_path / "state.db", make_keys(tmp_path / "keys"), "holds no key", "openssl rand -base64 32")


async def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    await refuse(tmp_path / "state.db", tmp_path / "absent", "No such file or directory")


@pytest.mark.parametrize("text", ["", "c2hvcnQ=", "no base64, surely not", "A" * 64])
async def test_a_file_that_is_no_key_is_named_and_not_shown(text: str, tmp_path: Path) -> None:
    folder = make_keys(tmp_path / "keys", "1")
    (folder / "2").write_text(text, encoding="utf-8")
    with pytest.raises(CycleError, match=r"keys/2 is no key: it has to hold 32 bytes in base64") as refused:
        async with open_store(tmp_path / "state.db", folder):
            pass
    assert not text or text not in str(refused.value)


async def test_a_row_that_somebody_changed_is_found_when_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    async with open_store(path, make_keys(tmp_path / "keys", "1")) as store:
        await link_people(store, CRM, p1="t1")
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("UPDATE links SET image = zeroblob(80)")
        with pytest.raises(CycleError, match="a row can't be decrypted") as refused:
            await store.links(CRM, [SourceId("p1")])
    assert refused.value.reason == "StateUnusable"
