"""Where a state may be."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Server:
    """A database on a PostgreSQL server, by a file with its URL (`postgresql://user:password@host:port/database`).

    The file is read again for each connection: a password that changed there is used from the next one on.
    """

    url_file: Path


Place: TypeAlias = Path | Server | None
"""A file of SQLite, a database on a PostgreSQL server, or memory."""
