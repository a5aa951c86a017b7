"""Statements that several tables share, in the SQL that SQLite and PostgreSQL have in common.

Thousands of rows go through here, and SQLAlchemy's work for one row is several times the database's. So its statements
are compiled once, and rows go to the driver as the tuples that they are. Many go in one statement: the driver takes the
interpreter's lock again after each, and has to wait for it while the event loop runs.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, islice
from typing import Any, Final, TypeAlias, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy import (
    Column,
    ColumnElement,
    Compiled,
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

from usher.state.columns import Identifier, Sealed

T = TypeVar("T")
R = TypeVar("R")
Id = TypeVar("Id", bound=str)

AnyRow: TypeAlias = "Row[*tuple[Any, ...]]"
AnySelect: TypeAlias = "Select[*tuple[Any, ...]]"
Values: TypeAlias = tuple[Any, ...]
"""A row to be inserted: a value for each column of the table in their order, but for a row id that numbers itself."""

AT_ONCE: Final = 256
"""Values in one list, or rows in one INSERT: far below every driver's limit of parameters (11 columns at the most)."""


def chunked(values: Collection[T], size: int) -> Iterator[list[T]]:
    """The values in lists of at most `size`."""
    rest = iter(values)
    while chunk := list(islice(rest, size)):
        yield chunk


def delete_ids(
    connection: Connection, table: Table, owner: int, ids: Collection[str] | Collection[int], rest: Values = ()
) -> None:
    """Deletes the rows with these ids of one feed or connector: the first two columns of the table's primary key.

    `rest` are values of the next columns of the key: of the rows with these ids only those go that have them.
    """
    written = _written_ids(_id_column(table), connection.dialect, ids)
    for chunk in chunked(written, AT_ONCE):
        padded = _padded(chunk)
        text = _deletion(table, connection.dialect, len(padded), len(rest))
        connection.exec_driver_sql(text, (owner, *rest, *padded))


def insert_rows(connection: Connection, table: Table, rows: Sequence[Values]) -> None:
    """All of them; none is fine."""
    writers = _writers(table, connection.dialect)
    start, size = 0, AT_ONCE
    while start < len(rows):
        while size > len(rows) - start:
            size //= 2
        chunk = rows[start : start + size]
        if writers:
            chunk = [_written(row, writers) for row in chunk]
        text = _insertion(table, connection.dialect, size)
        connection.exec_driver_sql(text, tuple(chain.from_iterable(chunk)))
        start += size


def replace_ids(connection: Connection, table: Table, owner: int, rows: Mapping[Id, Values]) -> None:
    """Puts these rows (by id) in the place of the ones with the same ids.

    Delete and insert, as the upserts of the databases differ. All old rows go before the first new one comes.
    """
    delete_ids(connection, table, owner, rows)
    insert_rows(connection, table, list(rows.values()))


def _id_column(table: Table) -> Column[Any]:
    """The second column of its key."""
    _, id_column, *_ = table.primary_key
    return id_column


def _written_ids(column: Column[Any], dialect: Dialect, values: Collection[T]) -> Collection[T]:
    """The values as they stand in the column."""
    writer = column.type.dialect_impl(dialect).bind_processor(dialect) if isinstance(column.type, Identifier) else None
    return values if writer is None else [writer(value) for value in values]


def _padded(values: list[T]) -> list[T]:
    """The values, with the last one again until they are a power of two: so there are few different statements."""
    size: int = 1 << (len(values) - 1).bit_length()
    return values + values[-1:] * (size - len(values))


@lru_cache(maxsize=1024)
def _deletion(table: Table, dialect: Dialect, size: int, rest: int) -> str:
    owner_column, id_column, *more = table.primary_key
    statement = delete(table).where(owner_column == bindparam("owner"))
    for column in more[:rest]:
        statement = statement.where(column == bindparam(column.key))
    statement = statement.where(id_column.in_([bindparam(_LISTED)]))
    return _with_list_of(size, statement.compile(dialect=dialect))


@lru_cache(maxsize=1024)
def _insertion(table: Table, dialect: Dialect, size: int) -> str:
    # inline: PostgreSQL's would end with RETURNING a row id.
    compiled = insert(table).inline().compile(dialect=dialect, column_keys=[column.key for column in _given(table)])
    head, values, row = str(compiled).rpartition(" VALUES ")
    return f"{head}{values}{', '.join([row] * size)}"


_LISTED: Final = "listed"


def _with_list_of(size: int, compiled: Compiled) -> str:
    """The statement with a list of so many parameters in the place of its list of one.

    SQLAlchemy would take a millisecond for each forty of them. Its parameters have to be positional.
    """
    mark = str(bindparam(_LISTED).compile(dialect=compiled.dialect))
    return str(compiled).replace(f"IN ({mark})", f"IN ({', '.join([mark] * size)})")


def _given(table: Table) -> Sequence[Column[Any]]:
    """Its columns without a row id that numbers itself."""
    return [column for column in table.columns if column is not table.autoincrement_column]


Writers: TypeAlias = Sequence[tuple[int, Callable[[Any], Any]]]


@lru_cache(maxsize=1024)
def _writers(table: Table, dialect: Dialect) -> Writers:
    """What turns a value into the driver's own, by position, where that is needed."""
    bound = [column.type.dialect_impl(dialect).bind_processor(dialect) for column in _given(table)]
    return [(index, writer) for index, writer in enumerate(bound) if writer is not None]


def _written(row: Values, writers: Writers) -> Values:
    values = list(row)
    for index, writer in writers:
        values[index] = writer(values[index])
    return tuple(values)


def fetch(connection: Connection, statement: AnySelect, read: Callable[[AnyRow], T]) -> list[T]:
    """All rows."""
    return [read(row) for row in connection.execute(statement)]


@dataclass(frozen=True, slots=True)
class _Query:
    """A text for a list of one size, which parameters come before the list, and how its rows are opened."""

    text: str
    names: Sequence[str]
    opened: Callable[[AnyRow], Any] | None


class Among:
    """A query for the rows whose `column` is one of many values. Rows come as the driver gives them, untyped.

    What is sealed in them is opened. Other parameters of the statement are named, and stand before the list in its
    text.
    """

    def __init__(self, statement: AnySelect, column: Column[Any]) -> None:
        self._statement = statement
        self._column = column
        self._queries: WeakKeyDictionary[Dialect, dict[int, _Query]] = WeakKeyDictionary()

    def fetch(
        self, connection: Connection, values: Collection[T], read: Callable[[AnyRow], R], /, **fixed: object
    ) -> list[R]:
        """The rows for these values, however many these are."""
        found: list[R] = []
        for chunk in chunked(_written_ids(self._column, connection.dialect, values), AT_ONCE):
            padded = _padded(chunk)
            query = self._query(connection.dialect, len(padded))
            parameters = (*(fixed[name] for name in query.names), *padded)
            rows: Iterable[AnyRow] = connection.exec_driver_sql(query.text, parameters)
            found.extend(map(read, rows if query.opened is None else map(query.opened, rows)))
        return found

    def _query(self, dialect: Dialect, size: int) -> _Query:
        known = self._queries.setdefault(dialect, {})
        if size not in known:
            compiled = self._statement.where(self._column.in_([bindparam(_LISTED)])).compile(dialect=dialect)
            names = [name for name in compiled.positiontup or () if name != _LISTED]
            known[size] = _Query(_with_list_of(size, compiled), names, _opening(self._statement, dialect))
        return known[size]


def _opening(statement: AnySelect, dialect: Dialect) -> Callable[[AnyRow], Any] | None:
    """What makes of a row one with its sealed values opened; None where no value is sealed."""
    columns = list(statement.selected_columns)
    sealed = [(index, one.type.result_processor(dialect, None)) for index, one in enumerate(columns) if _is_sealed(one)]
    openers = [(index, opener) for index, opener in sealed if opener is not None]
    if not openers:
        return None
    make = namedtuple("make", [one.name for one in columns])  # type: ignore[misc]  # noqa: PYI024 - names come at run time

    def opened(row: AnyRow) -> Any:
        values = list(row)
        for index, opener in openers:
            values[index] = opener(values[index])
        return make._make(values)

    return opened


def _is_sealed(column: ColumnElement[Any]) -> bool:
    return isinstance(column.type, Sealed | Identifier)


def after(keys: Sequence[Column[Any]], last: Sequence[Any]) -> ColumnElement[bool]:
    """Strictly behind `last` in the order of `keys`."""
    behind: ColumnElement[bool] = tuple_(*keys) > tuple_(
        *(literal(value, key.type) for key, value in zip(keys, last, strict=True))
    )
    return behind
