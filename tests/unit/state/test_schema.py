"""The tables in both databases, and the order of pages in an index."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import ClauseElement, Column, Table, Text, create_engine, create_mock_engine, literal, select
from sqlalchemy.engine.default import DefaultDialect

import usher.state.store  # noqa: F401 - its imports bring all tables
from usher.state.columns import Identifier, Instant, Words
from usher.state.schema import changes, links, metadata, resources
from usher.state.statements import after


def test_every_table_can_be_made_in_postgresql() -> None:
    made: list[str] = []
    engine = create_mock_engine("postgresql+psycopg://", lambda statement, *_: made.append(compile_for_it(statement)))

    def compile_for_it(statement: ClauseElement) -> str:
        return str(statement.compile(dialect=engine.dialect))

    metadata.create_all(engine, checkfirst=False)

    assert sum("CREATE TABLE" in statement for statement in made) == len(metadata.tables)
    assert not [statement for statement in made if "BLOB" in statement or "ROWID" in statement]


@pytest.mark.parametrize(
    "time",
    [
        datetime(2026, 3, 1, 12, 0, 0, 999_999, tzinfo=UTC),
        datetime(1969, 12, 31, 23, 59, 59, 1, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
        datetime(2026, 3, 1, 12, tzinfo=timezone(timedelta(hours=5, minutes=30))),
    ],
)
def test_a_time_comes_back_to_the_microsecond_in_utc(time: datetime) -> None:
    stored = Instant().process_bind_param(time, DefaultDialect())
    found = Instant().process_result_value(stored, DefaultDialect())
    assert found == time
    assert found is not None
    assert found.tzinfo is UTC


@pytest.mark.parametrize(
    ("table", "keys", "last"),
    [
        (resources, [resources.c.version, resources.c.resource_id], [3, "p1"]),
        (resources, [resources.c.resource_id], ["p1"]),
        (links, [links.c.source_id], ["p1"]),
        (changes, [changes.c.phase, changes.c.rank, changes.c.source_id], [10, 0, "p1"]),
    ],
)
def test_a_page_is_sought_in_an_index_and_not_sorted(table: Table, keys: list[Column[Any]], last: list[Any]) -> None:
    engine = create_engine("sqlite://")
    owner = next(iter(table.primary_key))
    statement = select(*keys).where(owner == literal(1), after(keys, last)).order_by(*keys).limit(10)
    with engine.connect() as connection:
        metadata.create_all(connection)
        text = str(statement.compile(connection, compile_kwargs={"literal_binds": True}))
        plan = " ".join(row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}"))
    engine.dispose()
    assert re.search(r"USING (COVERING )?INDEX \S+ \(\w+=\? AND .*>", plan), plan
    assert "TEMP B-TREE" not in plan


def test_every_id_of_a_resource_is_of_the_type_that_an_encrypted_state_encrypts_alike() -> None:
    """Else a row of one table would not find that of another. What is text beside that is ordered by its bytes."""
    ids = {"source_id", "target_id", "resource_id", "referent"}
    columns = [column for table in metadata.tables.values() for column in table.columns]
    assert [column for column in columns if (column.name in ids) is not isinstance(column.type, Identifier)] == []
    texts = [column for column in columns if type(column.type) is Text and column.type is not Words]
    assert texts == []
