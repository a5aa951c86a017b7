"""The way in: opens the state and closes it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

from usher.contracts.store import Store
from usher.state.assignments import SqlAssignments
from usher.state.comparisons import SqlComparisons
from usher.state.database import Database
from usher.state.discoveries import SqlDiscoveries
from usher.state.endings import SqlEndings
from usher.state.keys import SqlKeys
from usher.state.links import SqlLinks
from usher.state.plans import SqlPlans
from usher.state.references import SqlReferences
from usher.state.snapshots import SqlSnapshots
from usher.state.standings import SqlStandings
from usher.state.statefile import locked
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
    SqlStandings,
    SqlDiscoveries,
    SqlKeys,
):
    """Store on one database. Its parts share nothing but that."""


@asynccontextmanager
async def open_store(path: Path | None) -> AsyncIterator[Store]:
    """The state in this file (made, private to its owner, where there is none), or in memory with None.

    Raises CycleError: `StateLocked` while another process has the file, `StateUnusable` where it can't be opened, is
    damaged, or belongs to another program or another version of this one. Every method of the store raises the latter
    when the disk is full or fails, and nothing of that call is stored then.
    """
    with ExitStack() as held:
        if path is not None:
            path = held.enter_context(locked(path))
        database = await Database.open(path)
        try:
            yield SqlStore(database)
        finally:
            await database.close()
