"""The one thread that speaks to the database.

The event loop hands over whole transactions and never waits for a disk. One connection in one thread: no two
transactions overlap, and a caller that is cancelled leaves a transaction that is whole or was never begun.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Concatenate, Final, ParamSpec, Protocol, TypeVar

import orjson
from sqlalchemy import Column, ColumnElement, Connection, Engine, true
from sqlalchemy.exc import DBAPIError

from usher.core.errors import CycleError
from usher.state.statements import AnyRow, AnySelect, after, fetch
from usher.state.unfit import UnfitError

P = ParamSpec("P")
T = TypeVar("T")

PAGE: Final = 256
"""Rows with content in one page: about half a megabyte of people."""

TAKEN: Final = "StateTaken"
"""The reason of the error of a state that another process has taken over."""
LOOSE: Final = "usher_loose"
"""The execution option of a transaction in which references between tables are checked at its end only."""
HASTY: Final = "usher_hasty"
"""The execution option of a transaction that may be on the disk later, if not later than the next one without it."""


@dataclass(frozen=True, slots=True)
class Order:
    """How pages follow each other: by `keys`, unique together and part of the selection.

    `start` is where the first page begins. It stands apart, as later pages begin behind the last row, and of two lower
    bounds SQLite would seek to the wrong one.
    """

    keys: Sequence[Column[Any]]
    start: ColumnElement[bool] = field(default_factory=true)


class Medium(Protocol):
    """What is under the one connection: a file, or a server."""

    @property
    def engine(self) -> Engine:
        """Has one connection at the most."""

    @property
    def shared(self) -> bool:
        """Whether another process could take it over while this one runs."""

    def unusable(self, error: DBAPIError | OSError | str) -> CycleError:
        """What is told of it: names the state and a way out, and nobody."""


class Database:
    """One database, one connection, one thread. What the database refuses comes out as the CycleError of its medium."""

    def __init__(self, medium: Medium) -> None:
        self._medium = medium
        self._hasty = medium.engine.execution_options(**{HASTY: True})
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="usher-state")
        self._heard = time.monotonic()
        self.taken = asyncio.Event()
        """Set when it is known that another process has taken it over."""

    @property
    def shared(self) -> bool:
        """As `Medium.shared`."""
        return self._medium.shared

    @property
    def silence(self) -> float:
        """Seconds since the beginning of the last transaction that succeeded, by the clock of this machine.

        No runtime of the engine may lend this clock: a process that was stopped has to see that time went on.
        """
        return time.monotonic() - self._heard

    async def close(self) -> None:
        """Lets the running transaction end, then closes the connection and the thread."""
        closing = asyncio.get_running_loop().run_in_executor(self._executor, self._medium.engine.dispose)
        try:
            await asyncio.shield(closing)
        finally:
            self._executor.shutdown()

    async def run(self, work: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """One transaction in the thread of the database: all of `work`, or (when it raises) nothing of it.

        It is on the disk when this returns.
        """
        return await self._transact(self._medium.engine, lambda connection: work(connection, *args, **kwargs))

    async def alter(self, work: Callable[[Connection], None]) -> None:
        """As `run`, for what changes tables: a table that is made anew must not take along what refers to it."""
        await self._transact(self._medium.engine.execution_options(**{LOOSE: True}), work)

    async def jot(self, work: Callable[Concatenate[Connection, P], None], *args: P.args, **kwargs: P.kwargs) -> None:
        """As `run`, without waiting for the disk: for what the next cycle makes again.

        It gets there with the next `run` that writes, at the latest. A loss of power before that takes it away, whole;
        a kill of the process does not. A server waits all the same.
        """
        await self._transact(self._hasty, lambda connection: work(connection, *args, **kwargs))

    async def _transact(self, engine: Engine, work: Callable[[Connection], T]) -> T:
        def transact() -> T:
            began = time.monotonic()
            try:
                with engine.begin() as connection:
                    done = work(connection)
            except (DBAPIError, OSError) as error:
                raise self._medium.unusable(error) from error
            except orjson.JSONDecodeError as error:
                raise self._medium.unusable("a row holds no JSON") from error
            except UnfitError as error:
                raise self._medium.unusable(str(error)) from error
            self._heard = began
            return done

        try:
            return await asyncio.get_running_loop().run_in_executor(self._executor, transact)
        except CycleError as error:
            if error.reason == TAKEN:
                self.taken.set()
            raise

    async def rows(self, statement: AnySelect, read: Callable[[AnyRow], T]) -> list[T]:
        """All rows of one statement."""
        return await self.run(fetch, statement, read)

    async def pages(
        self, statement: AnySelect, order: Order, read: Callable[[AnyRow], T], size: int = PAGE
    ) -> AsyncIterator[Sequence[T]]:
        """The rows in their order, each page a transaction of its own.

        Between two pages anything may change: no row is seen twice, and none is missed that keeps its place.
        """
        ordered = statement.order_by(*order.keys).limit(size)
        items, last = await self.run(_page, ordered.where(order.start), order.keys, read)
        while items:
            yield items
            if len(items) < size:
                return
            items, last = await self.run(_page, ordered.where(after(order.keys, last)), order.keys, read)


class OnDatabase:
    """A part of the store: it has a database and no state of its own."""

    def __init__(self, database: Database) -> None:
        self._database = database


def _page(
    connection: Connection, statement: AnySelect, keys: Sequence[Column[Any]], read: Callable[[AnyRow], T]
) -> tuple[list[T], Sequence[Any]]:
    rows = connection.execute(statement).all()
    last = [getattr(rows[-1], key.name) for key in keys] if rows else []
    return [read(row) for row in rows], last
