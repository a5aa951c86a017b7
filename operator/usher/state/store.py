"""The way in: opens the state and closes it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from usher.contracts.store import Store
from usher.state.anchorings import SqlAnchorings
from usher.state.assignments import SqlAssignments
from usher.state.comparisons import SqlComparisons
from usher.state.database import Database
from usher.state.discoveries import SqlDiscoveries
from usher.state.endings import SqlEndings
from usher.state.journal import SqlJournal
from usher.state.keys import SqlKeys
from usher.state.links import SqlLinks
from usher.state.log import SqlLog
from usher.state.migrating import bring_up_to_date
from usher.state.places import Place, Server
from usher.state.plans import SqlPlans
from usher.state.postgres import PostgresServer
from usher.state.reading import ReadFile, ReadServer
from usher.state.references import SqlReferences
from usher.state.retention import SqlRetention
from usher.state.snapshots import SqlSnapshots
from usher.state.sqlite import SqliteFile
from usher.state.standings import SqlStandings
from usher.state.statefile import locked
from usher.state.tenure import SqlTenure, keep
from usher.state.transfers import SqlTransfers
from usher.state.unlocking import note_wiped, unlock


class SqlStore(
    SqlSnapshots,
    SqlLinks,
    SqlAssignments,
    SqlReferences,
    SqlComparisons,
    SqlPlans,
    SqlLog,
    SqlJournal,
    SqlTransfers,
    SqlAnchorings,
    SqlEndings,
    SqlStandings,
    SqlDiscoveries,
    SqlKeys,
    SqlRetention,
    SqlTenure,
):
    """Store on one database. Its parts share nothing but that."""


@asynccontextmanager
async def open_store(place: Place, keys: Path | None = None) -> AsyncIterator[Store]:
    """The state in this place; a file is made, private to its owner, where there is none.

    `keys` is a folder of keys (`keyring.Keyring.read`): what is personal is encrypted then. None leaves it as it is.

    Raises CycleError: `StateLocked` while another process has it, `StateUnusable` where it can't be opened, is damaged,
    belongs to another program or another version of this one, or is encrypted with a key that is not there. Every
    method of the store raises the latter when the disk is full or fails, `StateUnreachable` when a server is away, and
    `StateTaken` when another process took the state over; nothing of that call is stored then, unless the answer to a
    commit was lost.
    """
    match place:
        case Server():
            async with _open_server(place, keys) as store:
                yield store
        case Path():
            with locked(place) as path:
                async with _open_file(path, keys) as store:
                    yield store
        case None:
            async with _open_file(None, keys) as store:
                yield store


@asynccontextmanager
async def open_to_read(place: Path | Server, keys: Path | None = None) -> AsyncIterator[Store]:
    """The same state once more, for whoever only reads: a connection of its own, over which nothing can be written.

    Whoever calls holds the state by `open_store` meanwhile. No transaction of the one waits for one of the other, so
    readers take no time of a cycle but that of the processor. Raises CycleError as `open_store`, and `TooLong` from any
    method that reads for longer than `reading.LONGEST`.
    """
    database = Database(ReadServer(place) if isinstance(place, Server) else ReadFile(place))
    try:
        await database.run(unlock, keys)
        yield SqlStore(database)
    finally:
        await database.close()


@asynccontextmanager
async def _open_file(path: Path | None, keys: Path | None) -> AsyncIterator[Store]:
    medium = SqliteFile(path)
    database = Database(medium)
    try:
        await _make_ready(database, medium, keys)
        await database.run(medium.take_over)
        yield SqlStore(database)
    finally:
        await database.close()


@asynccontextmanager
async def _open_server(server: Server, keys: Path | None) -> AsyncIterator[Store]:
    medium = PostgresServer(server)
    database = Database(medium)
    try:
        await _make_ready(database, medium, keys)
        await database.run(medium.begin_tenure)
        keeping = asyncio.create_task(keep(database))
        try:
            yield SqlStore(database)
        finally:
            keeping.cancel()
    finally:
        await database.close()


async def _make_ready(database: Database, medium: SqliteFile | PostgresServer, keys: Path | None) -> None:
    await database.alter(bring_up_to_date)
    if await database.run(unlock, keys):
        await database.run(medium.wipe)
        await database.run(note_wiped)
