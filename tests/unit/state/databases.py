"""An opened database below the store."""

from __future__ import annotations

from pathlib import Path

from usher.state.database import Database
from usher.state.preparing import prepare
from usher.state.sqlite import SqliteFile


async def open_database(path: Path | None) -> Database:
    """With its schema; in memory with None. Whoever opens it closes it."""
    medium = SqliteFile(path)
    database = Database(medium)
    await database.run(prepare, medium)
    await database.run(medium.take_over)
    return database
