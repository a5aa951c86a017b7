"""The schema of an opened database: made where there is none, checked where there is one."""

from __future__ import annotations

from sqlalchemy import Connection, insert, inspect, select

from usher.state.database import Medium
from usher.state.schema import SCHEMA_VERSION, metadata, schema_version


def prepare(connection: Connection, medium: Medium) -> None:
    """Raises CycleError `StateUnusable` for a database of another program, or of another version of this one."""
    tables = inspect(connection).get_table_names()
    if not tables:
        metadata.create_all(connection)
        connection.execute(insert(schema_version).values(version=SCHEMA_VERSION))
        return
    if schema_version.name not in tables:
        raise medium.unusable("it is a database of another program")
    version = connection.execute(select(schema_version.c.version)).scalar()
    if version != SCHEMA_VERSION:
        raise medium.unusable(f"it has schema {version}, this program knows schema {SCHEMA_VERSION}")
