"""The tables of the ledger of references."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Boolean, Column, Index, Integer, Table, text

from usher.state.columns import Identifier, Sealed
from usher.state.schema import metadata, of_lane

references: Final = Table(
    "reference_ends",
    metadata,
    of_lane(),
    Column("source_id", Identifier, primary_key=True),
    Column("referent", Identifier, primary_key=True),
    Index("reference_ends_by_referent", "referent", "lane_id", "source_id"),
    sqlite_with_rowid=False,
)
"""What each holder refers to: by the source id of a resource of any type, whether or not there is one."""

holders: Final = Table(
    "holders",
    metadata,
    of_lane(),
    Column("source_id", Identifier, primary_key=True),
    Column("due", Boolean, nullable=False),
    Column("waiting", Integer, nullable=False),
    Column("size", Integer, nullable=False),
    Column("held", Sealed),
)
"""Who refers, or did when last looked at. `waiting` is how many of their references have no active account, `held` the
accounts that their attributes are known to hold, NULL where nothing is known, and `size` how many."""
Index(
    "holders_due",
    holders.c.lane_id,
    holders.c.source_id,
    sqlite_where=text("due = 1"),  # as SQLAlchemy writes it in queries: SQLite compares the words
    postgresql_where=text("due"),
)
Index(
    "holders_waiting",
    holders.c.lane_id,
    holders.c.waiting,
    sqlite_where=text("waiting > 0"),
    postgresql_where=text("waiting > 0"),
)
