"""Statements that several tables share, in the SQL that SQLite and PostgreSQL have in common."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final, TypeAlias, TypeVar

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Row,
    Select,
    Table,
    delete,
    insert,
    literal,
    tuple_,
)

T = TypeVar("T")
R = TypeVar("R")
Id = TypeVar("Id", bound=str)

AnyRow: TypeAlias = "Row[*tuple[Any, ...]]"
AnySelect: TypeAlias = "Select[*tuple[Any, ...]]"

IN_LIST: Final = 500
"""Values in one IN: far below every driver's limit of parameters, and large enough that the statement costs nothing."""


def chunked(values: Collection[T], size: int = IN_LIST) -> Iterator[list[T]]:
    """The values in lists of at most `size`."""
    rest = iter(values)
    while chunk := list(islice(rest, size)):
        yield chunk


def delete_ids(connection: Connection, table: Table, owner: int, ids: Collection[str]) -> None:
    """Deletes the rows with these ids of one feed or connector: the first two columns of the table's primary key."""
    owner_column, id_column, *_ = table.primary_key
    for chunk in chunked(ids):
        connection.execute(delete(table).where(owner_column == owner, id_column.in_(chunk)))


def insert_rows(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """All in one statement; none is fine."""
    if rows:
        connection.execute(insert(table), rows)


def replace_ids(connection: Connection, table: Table, owner: int, rows: Mapping[Id, Mapping[str, Any]]) -> None:
    """Puts these rows (by id) in the place of the ones with the same ids.

    Delete and insert, as the upserts of the databases differ. All old rows go before the first new one comes.
    """
    delete_ids(connection, table, owner, rows)
    insert_rows(connection, table, list(rows.values()))


def fetch(connection: Connection, statement: AnySelect, read: Callable[[AnyRow], T]) -> list[T]:
    """All rows."""
    return [read(row) for row in connection.execute(statement)]


def fetch_among(
    connection: Connection, statement: AnySelect, column: Column[T], values: Collection[T], read: Callable[[AnyRow], R]
) -> list[R]:
    """The rows whose `column` is one of the values, however many these are."""
    return [read(row) for chunk in chunked(values) for row in connection.execute(statement.where(column.in_(chunk)))]


def after(keys: Sequence[Column[Any]], last: Sequence[Any]) -> ColumnElement[bool]:
    """Strictly behind `last` in the order of `keys`."""
    behind: ColumnElement[bool] = tuple_(*keys) > tuple_(
        *(literal(value, key.type) for key, value in zip(keys, last, strict=True))
    )
    return behind
