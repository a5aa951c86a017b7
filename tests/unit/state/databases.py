"""An opened database below the store."""

from __future__ import annotations

from pathlib import Path

from usher.state.database import Database
from usher.state.migrating import bring_up_to_date
from usher.state.sqlite import SqliteFile


async def open_database(path: Path | None) -> Database:
    """With its schema; in memory with None. Whoever opens it closes it."""
    medium = SqliteFile(path)
    database = Database(medium)
    await database.alter(bring_up_to_date)
    await database.run(medium.take_over)
    return database
