"""Opens an encrypted state, encrypts one that was not, and puts its key under the newest of the keys that are given."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Integer,
    LargeBinary,
    Table,
    TableClause,
    Text,
    bindparam,
    column,
    delete,
    insert,
    select,
    table,
    update,
)
from sqlalchemy.types import TypeEngine

from usher.state.columns import Content, Identifier, Sealed, SealedWords, Words
from usher.state.schema import claims, metadata
from usher.state.statements import AT_ONCE, AnyRow, after, chunked
from usher.state.unfit import UnfitError
from usher.state.vault import Vault, give

_keys: Final = Table(
    "data_keys",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("wrapped_by", Words, nullable=False),
    Column("wrapped", Content, nullable=False),
    Column("wiped", Boolean, nullable=False),
)
"""One row in an encrypted state: its key, under one of the keys that are given. `wiped` once no page of the database
holds any more what stood there before it was encrypted."""

_COLUMN: Final = "changed"


def unlock(connection: Connection, folder: Path | None) -> bool:
    """Returns whether what stood there before has to be wiped off, which `wiped` then notes.

    Raises UnfitError for an encrypted state without its key, and has read nothing of it then.
    """
    found = connection.execute(select(_keys)).one_or_none()
    if folder is None:
        if found is not None:
            raise UnfitError("it is encrypted: name the folder with its keys (usher operator --state-keys DIR)")
        return False
    from usher.state.ciphers import KEY, StateVault  # noqa: PLC0415 - most commands have no key, and don't wait for it
    from usher.state.keyring import Keyring  # noqa: PLC0415 - it imports the cipher

    keyring = Keyring.read(folder)
    if found is None:
        key = os.urandom(KEY)
        vault = StateVault(key)
        _seal_all(connection, vault)
    else:
        key = keyring.unwrap(found.wrapped_by, found.wrapped)
        vault = StateVault(key)
    if found is None or found.wrapped_by != keyring.newest:
        _keep(connection, *keyring.wrap(key), wiped=found is not None and found.wiped)
    give(connection.dialect, vault)
    return found is None or not found.wiped


def note_wiped(connection: Connection) -> None:
    """The pages that held what was not encrypted are gone."""
    connection.execute(update(_keys).values(wiped=True))


def _keep(connection: Connection, name: str, wrapped: bytes, *, wiped: bool) -> None:
    connection.execute(delete(_keys))
    connection.execute(insert(_keys), {"id": 1, "wrapped_by": name, "wrapped": wrapped, "wiped": wiped})


def _seal_all(connection: Connection, vault: Vault) -> None:
    """Every personal value that stands there, whatever the table: ids last, as rows are found by them until then."""
    for one in metadata.sorted_tables:
        for each in one.columns:
            if isinstance(each.type, Sealed | SealedWords):
                for rows in _pages(connection, one, each):
                    _change(connection, one, each, vault.seal, rows)
    _change_keys(connection, claims, claims.c.claim, vault.digest)
    for one in metadata.sorted_tables:
        for each in one.columns:
            if isinstance(each.type, Identifier):
                _change_keys(connection, one, each, vault.seal_id)


def _change_keys(connection: Connection, one: Table, changed: Column[Any], change: Callable[[Any], Any]) -> None:
    """All at once: rows whose key changes have no place in an order."""
    plain = _plain(one, changed)
    for rows in chunked(connection.execute(select(*plain.columns)).all(), AT_ONCE):
        _change(connection, one, changed, change, [row for row in rows if getattr(row, changed.name) is not None])


def _plain(one: Table, changed: Column[Any]) -> TableClause:
    """The key and the column without their types: these remember, at their first use, whether there is a key."""
    named = {each.name: each for each in (*one.primary_key, changed)}
    return table(one.name, *(column(name, _bare(each)) for name, each in named.items()))


def _bare(one: Column[Any]) -> TypeEngine[Any]:
    if isinstance(one.type, LargeBinary | SealedWords):
        return LargeBinary()
    return Text() if isinstance(one.type, Identifier) else one.type


def _pages(connection: Connection, one: Table, changed: Column[Any]) -> Iterator[Sequence[AnyRow]]:
    plain = _plain(one, changed)
    keys: Sequence[Any] = [plain.c[key.name] for key in one.primary_key]
    statement = select(*plain.columns).where(plain.c[changed.name].is_not(None)).order_by(*keys).limit(AT_ONCE)
    rows = connection.execute(statement).all()
    while rows:
        yield rows
        last = [getattr(rows[-1], key.name) for key in keys]
        rows = connection.execute(statement.where(after(keys, last))).all()


def _change(
    connection: Connection, one: Table, changed: Column[Any], change: Callable[[Any], Any], rows: Sequence[AnyRow]
) -> None:
    if not rows:
        return
    plain = _plain(one, changed)
    where = [plain.c[key.name] == bindparam(f"is_{key.name}") for key in one.primary_key]
    statement = update(plain).where(*where).values({changed.name: bindparam(_COLUMN, type_=_bare(changed))})
    connection.execute(statement, [_parameters(one, row, change(getattr(row, changed.name))) for row in rows])


def _parameters(one: Table, row: AnyRow, changed: object) -> Mapping[str, Any]:
    return {_COLUMN: changed, **{f"is_{key.name}": getattr(row, key.name) for key in one.primary_key}}
