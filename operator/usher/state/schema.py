"""The tables. Keyed by small numbers of their own, so that a name of a connector or a source is stored once.

Only types and constraints that SQLite and PostgreSQL share: times are whole microseconds since 1970 (UTC), nested
content is JSON in bytes that nobody queries, two NULLs never collide in a unique index.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    text,
)

from usher.state.columns import Content, Identifier, Instant, Sealed, Words

ROW_ID: Final = BigInteger().with_variant(Integer, "sqlite")


metadata: Final = MetaData()

revisions: Final = Table("usher_revision", metadata, Column("version_num", String(32), primary_key=True))
"""Alembic's table, under a name of ours: the last step that the database took."""


# --- snapshots ------------------------------------------------------------------------------------------------------


def _of_feed() -> Column[int]:
    return Column("feed_id", ROW_ID, ForeignKey("feeds.id", ondelete="CASCADE"), primary_key=True)


feeds: Final = Table(
    "feeds",
    metadata,
    Column("id", ROW_ID, primary_key=True),
    Column("source", Words, nullable=False),
    Column("resource_type", Words, nullable=False),
    Column("gone", Instant),
    UniqueConstraint("source", "resource_type"),
)
"""One resource type of one source: exists from the first staged row on, with or without a snapshot. `gone` says since
when the source is not there any more."""

snapshots: Final = Table(
    "snapshots",
    metadata,
    _of_feed(),
    Column("version", BigInteger, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("attributes", Content, nullable=False),
    Column("identity", Words, nullable=False),
    Column("digest", Words, nullable=False),
    Column("watermark", Words),
    Column("completed", Instant, nullable=False),
    Column("whole", Instant, nullable=False),
)

resources: Final = Table(
    "resources",
    metadata,
    _of_feed(),
    Column("resource_id", Identifier, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("fingerprint", Content),
    Column("content", Sealed),
    Column("evidence", Words),
    Index("resources_by_version", "feed_id", "version", "resource_id"),
)
"""`version` is the one that last changed the row. A tombstone has neither fingerprint nor content, but
`evidence` of why it is one."""

staged: Final = Table(
    "staged_resources",
    metadata,
    _of_feed(),
    Column("resource_id", Identifier, primary_key=True),
    Column("fingerprint", Content, nullable=False),
    Column("content", Sealed, nullable=False),
)

discoveries: Final = Table(
    "discoveries",
    metadata,
    Column("address", Words, primary_key=True),
    Column("read", Instant, nullable=False),
    Column("content", LargeBinary, nullable=False),
)
"""What the target at a base address says of itself."""


# --- connectors -----------------------------------------------------------------------------------------------------

connectors: Final = Table(
    "connectors",
    metadata,
    Column("id", ROW_ID, primary_key=True),
    Column("key", Words, nullable=False, unique=True),
    Column("retired", Instant, index=True),
    Column("uid", Words),
    Column("word", Words),
)
"""`uid` is that of the object that was seen last, `word` the last word of approval that was given, NULL before."""


def of_connector() -> Column[int]:
    """The first column of a table that belongs to a connector."""
    return Column("connector_id", ROW_ID, ForeignKey("connectors.id", ondelete="CASCADE"), primary_key=True)


lanes: Final = Table(
    "lanes",
    metadata,
    Column("id", ROW_ID, primary_key=True),
    Column("connector_id", ROW_ID, ForeignKey("connectors.id", ondelete="CASCADE"), nullable=False),
    Column("resource_type", Words, nullable=False),
    Column("anew", Boolean, nullable=False),
    UniqueConstraint("connector_id", "resource_type", "anew"),
)
"""One resource type of one connector. One that is `anew` takes the place of the other when that is approved."""


def of_lane() -> Column[int]:
    """The first column of a table that belongs to a lane."""
    return Column("lane_id", ROW_ID, ForeignKey("lanes.id", ondelete="CASCADE"), primary_key=True)


consumptions: Final = Table(
    "consumptions",
    metadata,
    of_lane(),
    Column("source", Words, nullable=False),
    Column("identity", Words, nullable=False),
    Column("address", Words, nullable=False),
    Column("mapping", Words, nullable=False),
    Column("schema", Words, nullable=False),
    Column("version", BigInteger),
    Column("guarded", Boolean, nullable=False),
    Column("scope", Words, nullable=False),
    Column("lost", Boolean, nullable=False),
    Column("restarted", Boolean, nullable=False),
)

links: Final = Table(
    "links",
    metadata,
    of_lane(),
    Column("source_id", Identifier, primary_key=True),
    Column("target_id", Identifier, nullable=False),
    Column("owner_address", Words),
    Column("enabled", Boolean, nullable=False),
    Column("fingerprint", Content, nullable=False),
    Column("version", Words),
    Column("image", Sealed, nullable=False),
    UniqueConstraint("lane_id", "target_id"),
    UniqueConstraint("owner_address", "target_id"),
)
"""`owner_address` says where the target id means something, its type included, while the connector is active; else it
is NULL: it owns nothing."""
Index(
    "links_disabled",
    links.c.lane_id,
    sqlite_where=text("enabled = 0"),
    postgresql_where=text("NOT enabled"),
)

intents: Final = Table(
    "intents",
    metadata,
    of_lane(),
    Column("source_id", Identifier, primary_key=True),
    Column("action", Words, nullable=False),
    Column("match_keys", Sealed, nullable=False),
    sqlite_with_rowid=False,
)

claims: Final = Table(
    "claims",
    metadata,
    of_lane(),
    Column("source_id", Identifier, primary_key=True),
    Column("claim", Content, primary_key=True),
    Index("claims_by_value", "lane_id", "claim"),
    sqlite_with_rowid=False,
)
"""`claim` is a digest of 16 bytes: a matching value may be long, and is personal."""

unsettled: Final = Table(
    "unsettled",
    metadata,
    of_lane(),
    Column("source_id", Identifier, primary_key=True),
    Column("reason", Words, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("since", Instant, nullable=False),
    Column("duty", Words),  # without one nothing has failed
    Column("due", Instant),
    Column("tried", Content),
    sqlite_with_rowid=False,
)


# --- plans and the log ----------------------------------------------------------------------------------------------

changes: Final = Table(
    "planned_changes",
    metadata,
    of_lane(),
    Column("source_id", Identifier, primary_key=True),
    Column("phase", Integer, primary_key=True, autoincrement=False),
    Column("rank", Integer, nullable=False),
    Column("action", Words, nullable=False),
    Column("content", Sealed, nullable=False),
    Index("planned_changes_in_order", "lane_id", "phase", "rank", "source_id"),
)
"""The running plan of each lane: at most one row a phase for each resource."""

holds: Final = Table(
    "holds",
    metadata,
    of_connector(),
    Column("hash", Words, nullable=False),
    Column("reason", Words, nullable=False),
    Column("summary", Words, nullable=False),
    Column("size", Content, nullable=False),
    Column("live", Content, nullable=False),
    Column("created", Instant, nullable=False),
    Column("expires", Instant, nullable=False),
    Column("approved", Boolean, nullable=False),
    Column("guarded", Boolean, nullable=False),
    Column("whole", Boolean, nullable=False),
    Column("anew", Boolean, nullable=False),
)

deletions: Final = Table(
    "pending_deletions",
    metadata,
    of_lane(),
    Column("source_id", Identifier, primary_key=True),
    Column("since", Instant, nullable=False),
    Index("pending_deletions_by_time", "lane_id", "since"),
    sqlite_with_rowid=False,
)
"""Disabled accounts that are to be deleted when that has lasted since then."""

held_changes: Final = Table(
    "held_changes",
    metadata,
    of_lane(),
    Column("source_id", Identifier, primary_key=True),
    Column("phase", Integer, primary_key=True, autoincrement=False),
    Column("rank", Integer, nullable=False),
    Column("content", Sealed, nullable=False),
)

cycles: Final = Table(
    "cycles",
    metadata,
    Column("id", ROW_ID, primary_key=True),
    Column("connector_id", ROW_ID, ForeignKey("connectors.id", ondelete="CASCADE"), nullable=False),
    Column("cycle", Words, nullable=False),
    Column("report", Sealed, nullable=False),
    UniqueConstraint("connector_id", "cycle"),
)

seal_keys: Final = Table(
    "seal_keys",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("key", Sealed, nullable=False),
)
