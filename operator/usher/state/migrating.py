"""From the schema that a database has to the one that the code knows.

A new database gets the tables of the code; an older one takes the steps (`migrations/versions`) that it lacks, all in
one transaction. Alembic is asked only then: it takes longer to import than a small database to open.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection, insert, inspect, select

from usher.state.schema import metadata, revisions
from usher.state.unfit import UnfitError

if TYPE_CHECKING:
    from alembic.script import ScriptDirectory

MIGRATIONS: Final = Path(__file__).with_name("migrations")
REVISIONS: Final = (MIGRATIONS / "versions",)
"""The folders of steps. A file is called by its number: 0001_baseline.py."""


def bring_up_to_date(connection: Connection, folders: tuple[Path, ...] = REVISIONS) -> None:
    """Raises UnfitError, and has changed nothing then."""
    tables = set(inspect(connection).get_table_names())
    known = sorted(path.name[:4] for folder in folders for path in folder.glob("[0-9]*.py"))
    if not tables:
        metadata.create_all(connection)
        connection.execute(insert(revisions).values(version_num=known[-1]))
        return
    if revisions.name not in tables:
        raise UnfitError("it is a database of another program: leave it as it is, and name another place")
    found = connection.execute(select(revisions.c.version_num)).scalars().all()
    if len(found) != 1 or found[0] not in known:
        raise UnfitError(
            f"it has schema {', '.join(found) or 'none'}, this program knows schemas up to {known[-1]}: a newer "
            "version of Usher was here, use that one or newer"
        )
    if found[0] != known[-1]:
        upgrade(connection, folders)


def upgrade(connection: Connection, folders: tuple[Path, ...], to: str = "head") -> None:
    """Takes the steps that are left, in the transaction of the caller."""
    from alembic.operations import Operations  # noqa: PLC0415 - see the module
    from alembic.runtime.migration import MigrationContext  # noqa: PLC0415 - see the module

    scripts = directory(folders)

    def steps(revision: Any, _context: MigrationContext) -> Any:
        return scripts._upgrade_revs(to, revision)  # noqa: SLF001 - as alembic's own commands do

    options = {"fn": steps, "script": scripts, "version_table": revisions.name, "render_as_batch": True}
    context = MigrationContext.configure(connection, opts=options)
    with Operations.context(context):
        context.run_migrations()
    if connection.dialect.name == "sqlite" and connection.exec_driver_sql("PRAGMA foreign_key_check").first():
        raise UnfitError("its rows refer to rows that are not there")


def directory(folders: tuple[Path, ...]) -> ScriptDirectory:
    """The steps as alembic sees them."""
    from alembic.script import ScriptDirectory  # noqa: PLC0415 - see the module

    return ScriptDirectory(str(MIGRATIONS), version_locations=[str(folder) for folder in folders])
