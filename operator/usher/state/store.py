"""The way in: opens the state and closes it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from usher.contracts.store import Store
from usher.state.assignments import SqlAssignments
from usher.state.comparisons import SqlComparisons
from usher.state.database import Database
from usher.state.discoveries import SqlDiscoveries
from usher.state.endings import SqlEndings
from usher.state.keys import SqlKeys
from usher.state.links import SqlLinks
from usher.state.migrating import bring_up_to_date
from usher.state.places import Place, Server
from usher.state.plans import SqlPlans
from usher.state.postgres import PostgresServer
from usher.state.references import SqlReferences
from usher.state.snapshots import SqlSnapshots
from usher.state.sqlite import SqliteFile
from usher.state.statefile import locked
from usher.state.tenure import SqlTenure, keep
from usher.state.transfers import SqlTransfers


class SqlStore(
    SqlSnapshots,
    SqlLinks,
    SqlAssignments,
    SqlReferences,
    SqlComparisons,
    SqlPlans,
    SqlTransfers,
    SqlEndings,
    SqlDiscoveries,
    SqlKeys,
    SqlTenure,
):
    """Store on one database. Its parts share nothing but that."""


@asynccontextmanager
async def open_store(place: Place) -> AsyncIterator[Store]:
    """The state in this place; a file is made, private to its owner, where there is none.

    Raises CycleError: `StateLocked` while another process has it, `StateUnusable` where it can't be opened, is damaged,
    or belongs to another program or another version of this one. Every method of the store raises the latter when the
    disk is full or fails, `StateUnreachable` when a server is away, and `StateTaken` when another process took the
    state over; nothing of that call is stored then, unless the answer to a commit was lost.
    """
    match place:
        case Server():
            async with _open_server(place) as store:
                yield store
        case Path():
            with locked(place) as path:
                async with _open_file(path) as store:
                    yield store
        case None:
            async with _open_file(None) as store:
                yield store


@asynccontextmanager
async def _open_file(path: Path | None) -> AsyncIterator[Store]:
    medium = SqliteFile(path)
    database = Database(medium)
    try:
        await database.alter(bring_up_to_date)
        await database.run(medium.take_over)
        yield SqlStore(database)
    finally:
        await database.close()


@asynccontextmanager
async def _open_server(server: Server) -> AsyncIterator[Store]:
    medium = PostgresServer(server)
    database = Database(medium)
    try:
        await database.alter(bring_up_to_date)
        await database.run(medium.begin_tenure)
        keeping = asyncio.create_task(keep(database))
        try:
            yield SqlStore(database)
        finally:
            keeping.cancel()
    finally:
        await database.close()
