"""Rows in any number, in statements for so many of them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import Connection, bindparam, func, insert, select

from unit.state.databases import open_database
from usher.state.log import log_entries
from usher.state.schema import claims, connectors, lanes
from usher.state.statements import AT_ONCE, Among, AnyRow, delete_ids, insert_rows, replace_ids

COUNTS = [0, 1, 2, 3, AT_ONCE - 1, AT_ONCE, AT_ONCE + 1, 2 * AT_ONCE + 77]
TIME = datetime(2026, 3, 1, 12, tzinfo=UTC)

_MADE = Among(
    select(claims.c.source_id, claims.c.claim).where(claims.c.lane_id == bindparam("owner")), claims.c.source_id
)


def person(number: int) -> str:
    return f"p{number:05}"


def add_people(connection: Connection, numbers: range, claim: bytes = b"x") -> None:
    replace_ids(connection, claims, 1, {person(number): (1, person(number), claim) for number in numbers})


def prepare(connection: Connection, count: int) -> None:
    connection.execute(insert(connectors), [{"id": 1, "key": "hr/crm"}, {"id": 2, "key": "hr/wiki"}])
    connection.execute(
        insert(lanes), [{"id": i, "connector_id": i, "resource_type": "User", "anew": False} for i in (1, 2)]
    )
    add_people(connection, range(count))
    insert_rows(connection, claims, [(2, person(0), b"other")])


def people(connection: Connection) -> list[str]:
    mine = select(claims.c.source_id).where(claims.c.lane_id == 1).order_by(claims.c.source_id)
    return list(connection.execute(mine).scalars())


def read(row: AnyRow) -> tuple[str, bytes]:
    return row.source_id, row.claim


@pytest.mark.parametrize("count", COUNTS)
async def test_any_number_of_rows_is_inserted_each_once(count: int) -> None:
    database = await open_database(None)
    await database.run(prepare, count)
    assert await database.run(people) == [person(number) for number in range(count)]
    await database.close()


@pytest.mark.parametrize("count", COUNTS)
async def test_any_number_of_rows_is_found_each_once_and_of_its_owner_alone(count: int) -> None:
    database = await open_database(None)
    await database.run(prepare, 3 * AT_ONCE)
    asked = [person(number) for number in range(count)]
    found = await database.run(_MADE.fetch, [*asked, "nobody"], read, owner=1)
    assert sorted(found) == [(one, b"x") for one in asked]
    await database.close()


@pytest.mark.parametrize("count", COUNTS)
async def test_any_number_of_rows_is_deleted_and_no_other(count: int) -> None:
    database = await open_database(None)
    await database.run(prepare, 3 * AT_ONCE)
    await database.run(delete_ids, claims, 1, [person(number) for number in range(count)])
    assert await database.run(people) == [person(number) for number in range(count, 3 * AT_ONCE)]
    assert len(await database.run(_MADE.fetch, [person(0)], read, owner=2)) == 1
    await database.close()


async def test_a_row_replaces_the_one_of_the_same_id() -> None:
    database = await open_database(None)
    await database.run(prepare, 10)
    await database.run(add_people, range(5, 15), b"y")
    found = dict(await database.run(_MADE.fetch, [person(number) for number in range(15)], read, owner=1))
    assert [found[person(number)] for number in (0, 4, 5, 14)] == [b"x", b"x", b"y", b"y"]
    await database.close()


async def test_values_go_through_the_type_of_their_column() -> None:
    database = await open_database(None)
    await database.run(prepare, 0)
    row = (1, TIME, "c", None, None, "action", "Create", "Success", "", "", b"[]", "User", 0, None)
    await database.run(insert_rows, log_entries, [row] * 3)
    statement = select(log_entries.c.id, log_entries.c.time, log_entries.c.source_id).order_by(log_entries.c.id)
    rows = await database.rows(statement, tuple)
    assert rows == [(1, TIME, None), (2, TIME, None), (3, TIME, None)]
    await database.close()


async def test_there_are_few_different_statements_however_many_values_are_asked_for() -> None:
    database = await open_database(None)
    await database.run(prepare, 1)
    asked = Among(select(func.count()).where(claims.c.lane_id == bindparam("owner")), claims.c.source_id)
    for count in range(1, 3 * AT_ONCE, 7):
        await database.run(asked.fetch, [person(number) for number in range(count)], tuple, owner=1)
    [known] = asked._queries.values()
    assert len(known) <= AT_ONCE.bit_length()
    await database.close()
