"""From any schema that there was to the one of the code, on both databases."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import (
    BigInteger,
    Boolean,
    Connection,
    Engine,
    Integer,
    LargeBinary,
    MetaData,
    NullPool,
    create_engine,
    func,
    insert,
    inspect,
    select,
    text,
)

import usher.state.store  # noqa: F401 - its imports bring all tables
from database.postgres import Postgres
from usher.core.errors import CycleError
from usher.state.migrating import REVISIONS, bring_up_to_date, directory, upgrade
from usher.state.places import Place
from usher.state.schema import metadata, revisions
from usher.state.sqlite import SqliteFile
from usher.state.store import open_store
from usher.state.unfit import UnfitError
from usher.testing.store_examples import CRM, link_people

BASELINE: Final = "0001"
NEXT: Final = """
import sqlalchemy as sa
from alembic import op

revision = "9999"
down_revision = {head!r}


def upgrade() -> None:
    with op.batch_alter_table("connectors", recreate="auto") as connectors:
        connectors.add_column(sa.Column("colour", sa.Text(), nullable=False, server_default="blue"))
        connectors.alter_column("word", type_=sa.String(500))
    {more}
"""
"""A step as they come: in SQLite it makes the table anew to which most others refer."""


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """An empty database."""
    if request.param == "sqlite":
        yield SqliteFile(tmp_path / "state.db").engine.execution_options(usher_loose=True)
        return
    postgres: Postgres = request.getfixturevalue("postgres")
    name = postgres.create()
    made = create_engine(postgres.url(name).replace("postgresql:", "postgresql+psycopg:"), poolclass=NullPool)
    yield made
    postgres.drop(name)


def differences(connection: Connection) -> list[Any]:
    context = MigrationContext.configure(
        connection, opts={"version_table": revisions.name, "compare_type": True, "compare_server_default": True}
    )
    return list(compare_metadata(context, metadata))


def by_steps(connection: Connection) -> None:
    upgrade(connection, REVISIONS)


@pytest.mark.parametrize("make", [by_steps, bring_up_to_date], ids=["by its steps", "at once"])
def test_a_new_database_has_the_tables_of_the_code(engine: Engine, make: Callable[[Connection], None]) -> None:
    with engine.begin() as connection:
        make(connection)
        assert differences(connection) == []
        assert connection.execute(select(revisions.c.version_num)).scalars().all() == [newest()]
        if connection.dialect.name == "postgresql":
            assert not connection.execute(text(ORDERED_BY_A_LANGUAGE)).all()


ORDERED_BY_A_LANGUAGE: Final = """
SELECT table_name, column_name FROM information_schema.columns
WHERE table_schema = 'public' AND data_type IN ('text', 'character varying') AND table_name <> 'usher_revision'
  AND collation_name IS DISTINCT FROM 'C'
"""


@pytest.mark.parametrize("make", [by_steps, bring_up_to_date], ids=["by its steps", "at once"])
def test_the_indexes_of_a_new_database_are_those_of_the_code(
    engine: Engine, make: Callable[[Connection], None]
) -> None:
    with engine.begin() as connection:
        make(connection)
        found = {
            (table, str(index["name"]))
            for table in metadata.tables
            for index in inspect(connection).get_indexes(table)
            if not index.get("duplicates_constraint")
        }
    assert found == {(table.name, str(index.name)) for table in metadata.tables.values() for index in table.indexes}


def newest() -> str:
    return max(path.name[:4] for path in REVISIONS[0].glob("[0-9]*.py"))


def test_the_steps_are_one_chain_in_the_order_of_their_numbers() -> None:
    chain = [step.revision for step in directory(REVISIONS).walk_revisions()]
    assert chain == sorted(chain, reverse=True)
    assert (chain[0], chain[-1]) == (newest(), BASELINE)
    assert [path.name[:4] for path in sorted(REVISIONS[0].glob("[0-9]*.py"))] == sorted(chain)


# --- rows stay


def fill(connection: Connection) -> dict[str, int]:
    """Two rows in each table, as it is in the database; how many there are then."""
    known = MetaData()
    known.reflect(connection)
    for table in known.sorted_tables:
        if table.name == revisions.name:
            continue
        for number in (1, 2):
            row = {
                column.name: value_for(column.type, number)
                for column in table.columns
                if not (column.name == "id" and column.autoincrement is True)
            }
            connection.execute(insert(table).values(row))
    return count(connection)


def value_for(kind: object, number: int) -> object:
    if isinstance(kind, Boolean):
        return True
    if isinstance(kind, LargeBinary):
        return f"[{number}]".encode()
    return number if isinstance(kind, BigInteger | Integer) else f"text {number}"


def count(connection: Connection) -> dict[str, int]:
    known = MetaData()
    known.reflect(connection)
    tables = [table for table in known.sorted_tables if table.name != revisions.name]
    return {table.name: connection.execute(select(func.count()).select_from(table)).scalar_one() for table in tables}


def add_step(folder: Path, more: str = "pass") -> tuple[Path, ...]:
    (folder / "9999_next.py").write_text(NEXT.format(head=newest(), more=more), encoding="utf-8")
    return (*REVISIONS, folder)


def test_whoever_comes_from_the_baseline_keeps_every_row(engine: Engine, tmp_path: Path) -> None:
    folders = add_step(tmp_path)
    with engine.begin() as connection:
        upgrade(connection, REVISIONS, BASELINE)
        before = fill(connection)
    assert set(before.values()) == {2}
    with engine.begin() as connection:
        bring_up_to_date(connection, folders)
        after = count(connection)
        assert {name: after.get(name) for name in before} == before
        assert connection.execute(text("SELECT colour FROM connectors")).scalars().all() == ["blue", "blue"]
        assert connection.execute(select(revisions.c.version_num)).scalar_one() == "9999"


def test_a_step_that_fails_leaves_everything_as_it_was(engine: Engine, tmp_path: Path) -> None:
    folders = add_step(tmp_path, 'raise RuntimeError("half way")')
    with engine.begin() as connection:
        bring_up_to_date(connection)
        before = fill(connection)
    with pytest.raises(RuntimeError, match="half way"), engine.begin() as connection:
        bring_up_to_date(connection, folders)
    with engine.begin() as connection:
        assert count(connection) == before
        assert "colour" not in {column["name"] for column in inspect(connection).get_columns("connectors")}
        assert connection.execute(select(revisions.c.version_num)).scalar_one() == newest()


def test_a_step_that_breaks_references_is_refused(tmp_path: Path) -> None:
    """SQLite alone puts the check off; PostgreSQL refuses the statement."""
    folders = add_step(tmp_path, 'op.execute("DELETE FROM connectors")')
    engine = SqliteFile(tmp_path / "state.db").engine.execution_options(usher_loose=True)
    with engine.begin() as connection:
        bring_up_to_date(connection)
        before = fill(connection)
    with pytest.raises(UnfitError, match="refer to rows that are not there"), engine.begin() as connection:
        bring_up_to_date(connection, folders)
    with engine.begin() as connection:
        assert count(connection) == before
    engine.dispose()


# --- what the store says


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """A state that nobody opened yet."""
    if request.param == "sqlite":
        return tmp_path / "state.db"
    found: Place = request.getfixturevalue("state_server")
    return found


def run_sql(place: Place, statement: str, **values: str) -> None:
    if isinstance(place, Path):
        url = f"sqlite:///{place}"
    else:
        assert place is not None
        url = place.url_file.read_text(encoding="utf-8").strip().replace("postgresql:", "postgresql+psycopg:")
    engine = create_engine(url, poolclass=NullPool)
    with closing(engine.connect()) as connection:
        connection.execute(text(statement), values)
        connection.commit()
    engine.dispose()


async def test_a_state_of_a_newer_version_is_refused_as_it_is(place: Place) -> None:
    async with open_store(place) as store:
        await link_people(store, CRM, p1="t1")
    run_sql(place, "UPDATE usher_revision SET version_num = '7777'")
    for _ in range(2):
        with pytest.raises(CycleError, match="it has schema 7777, this program knows schemas up to") as refused:
            async with open_store(place):
                pass
        assert refused.value.reason == "StateUnusable"
        assert "a newer version of Usher was here" in str(refused.value)
    run_sql(place, "UPDATE usher_revision SET version_num = :now", now=newest())
    async with open_store(place) as store:
        assert await store.count_links(CRM) == (1, 1)


async def test_an_older_state_is_brought_up_to_date_when_it_is_opened(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_store(place) as store:
        await link_people(store, CRM, p1="t1")
    (tmp_path / "steps").mkdir()
    monkeypatch.setattr(bring_up_to_date, "__defaults__", (add_step(tmp_path / "steps"),))
    for _ in range(2):
        async with open_store(place) as store:
            assert await store.count_links(CRM) == (1, 1)
    run_sql(place, "UPDATE connectors SET colour = 'red'")
