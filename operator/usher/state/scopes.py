"""The tables of assignments."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Table

from usher.state.columns import Content, Identifier, Sealed, Words
from usher.state.schema import metadata, of_connector, of_lane

resolutions: Final = Table(
    "resolutions",
    metadata,
    of_connector(),
    Column("scope", Words, nullable=False),
    Column("users", BigInteger, nullable=False),
    Column("groups", BigInteger),
    Column("pins", Sealed, nullable=False),
    Column("unresolved", Sealed, nullable=False),
)
"""What the entries of a scope meant when the last cycle was concluded."""

assignees: Final = Table(
    "assignees",
    metadata,
    of_lane(),
    Column("source_id", Identifier, primary_key=True),
    Column("roles", Content),
    sqlite_with_rowid=False,
)
"""Who was assigned then; `roles` is NULL for none."""
