"""What `alembic revision --autogenerate` runs: the newest revision next to the tables of the code.

The program itself does not come by here: it takes its steps in `usher.state.migrating`.
"""

from __future__ import annotations

from typing import Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy import create_engine

import usher.state.store  # noqa: F401 - its imports bring all tables
from usher.state.columns import Content, Identifier, Instant, SealedWords, Words
from usher.state.migrating import REVISIONS, upgrade
from usher.state.schema import metadata, revisions


def _render(kind: str, thing: object, _context: AutogenContext) -> str | Literal[False]:
    """The types by what they are in the database: a revision must not change with our code."""
    if kind != "type":
        return False
    if thing is Words or isinstance(thing, Identifier):
        return "WORDS"
    if isinstance(thing, Content | SealedWords):
        return "sa.LargeBinary()"
    return "sa.BigInteger()" if isinstance(thing, Instant) else False


with create_engine("sqlite://").begin() as connection:
    upgrade(connection, REVISIONS)
    context.configure(
        connection=connection,
        target_metadata=metadata,
        version_table=revisions.name,
        render_as_batch=True,
        render_item=_render,
    )
    context.run_migrations()
