"""Statements that several tables share, in the SQL that SQLite and PostgreSQL have in common.

Thousands of rows go through here, and SQLAlchemy's work for one row is several times the database's. So its statements
are compiled once, and rows go to the driver as the tuples that they are.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import islice
from typing import Any, Final, TypeAlias, TypeVar

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Dialect,
    Row,
    Select,
    Table,
    bindparam,
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
Values: TypeAlias = tuple[Any, ...]
"""A row to be inserted: a value for each column of the table in their order, but for a row id that numbers itself."""

IN_LIST: Final = 500
"""Values in one IN: far below every driver's limit of parameters, and large enough that the statement costs nothing."""


def chunked(values: Collection[T], size: int = IN_LIST) -> Iterator[list[T]]:
    """The values in lists of at most `size`."""
    rest = iter(values)
    while chunk := list(islice(rest, size)):
        yield chunk


def delete_ids(connection: Connection, table: Table, owner: int, ids: Collection[str]) -> None:
    """Deletes the rows with these ids of one feed or connector: the first two columns of the table's primary key."""
    if ids:
        connection.exec_driver_sql(_deletion(table, connection.dialect), [(owner, one) for one in ids])


def insert_rows(connection: Connection, table: Table, rows: Sequence[Values]) -> None:
    """All in one statement; none is fine."""
    if not rows:
        return
    text, writers = _insertion(table, connection.dialect)
    if writers:
        rows = [_written(row, writers) for row in rows]
    connection.exec_driver_sql(text, list(rows))


def replace_ids(connection: Connection, table: Table, owner: int, rows: Mapping[Id, Values]) -> None:
    """Puts these rows (by id) in the place of the ones with the same ids.

    Delete and insert, as the upserts of the databases differ. All old rows go before the first new one comes.
    """
    delete_ids(connection, table, owner, rows)
    insert_rows(connection, table, list(rows.values()))


@lru_cache
def _deletion(table: Table, dialect: Dialect) -> str:
    owner_column, id_column, *_ = table.primary_key
    statement = delete(table).where(owner_column == bindparam("owner"), id_column == bindparam("one"))
    return str(statement.compile(dialect=dialect))


Writers: TypeAlias = Sequence[tuple[int, Callable[[Any], Any]]]


@lru_cache
def _insertion(table: Table, dialect: Dialect) -> tuple[str, Writers]:
    """The statement, and by position what turns a value into the driver's own."""
    columns = [column for column in table.columns if column is not table.autoincrement_column]
    compiled = insert(table).compile(dialect=dialect, column_keys=[column.key for column in columns])
    bound = [column.type.dialect_impl(dialect).bind_processor(dialect) for column in columns]
    return str(compiled), [(index, writer) for index, writer in enumerate(bound) if writer is not None]


def _written(row: Values, writers: Writers) -> Values:
    values = list(row)
    for index, writer in writers:
        values[index] = writer(values[index])
    return tuple(values)


def fetch(connection: Connection, statement: AnySelect, read: Callable[[AnyRow], T]) -> list[T]:
    """All rows."""
    return [read(row) for row in connection.execute(statement)]


class Among:
    """A query for the rows whose `column` is one of many values. Rows come as the driver gives them, untyped.

    Other parameters of the statement are named, and stand before the list in its text.
    """

    def __init__(self, statement: AnySelect, column: Column[Any]) -> None:
        self._statement = statement
        self._column = column
        self._texts: dict[tuple[str, int], tuple[str, Sequence[str]]] = {}

    def fetch(
        self, connection: Connection, values: Collection[T], read: Callable[[AnyRow], R], **fixed: object
    ) -> list[R]:
        """The rows for these values, however many these are."""
        found: list[R] = []
        for chunk in chunked(values):
            size = min(IN_LIST, 1 << (len(chunk) - 1).bit_length())
            text, names = self._compiled(connection.dialect, size)
            padding = (chunk[-1],) * (size - len(chunk))
            parameters = (*(fixed[name] for name in names), *chunk, *padding)
            found.extend(map(read, connection.exec_driver_sql(text, parameters)))
        return found

    def _compiled(self, dialect: Dialect, size: int) -> tuple[str, Sequence[str]]:
        """The text for a list of `size`, which is a power of two or the largest, so that there are few of them."""
        known = self._texts.get((dialect.name, size))
        if known is None:
            among = self._column.in_([bindparam(f"among_{index}") for index in range(size)])
            compiled = self._statement.where(among).compile(dialect=dialect)
            names = [name for name in compiled.positiontup or () if not name.startswith("among_")]
            known = self._texts[dialect.name, size] = (str(compiled), names)
        return known


def after(keys: Sequence[Column[Any]], last: Sequence[Any]) -> ColumnElement[bool]:
    """Strictly behind `last` in the order of `keys`."""
    behind: ColumnElement[bool] = tuple_(*keys) > tuple_(
        *(literal(value, key.type) for key, value in zip(keys, last, strict=True))
    )
    return behind
