"""What is personal in the rows, encrypted at rest: which database has a key, for the types of its columns."""

from __future__ import annotations

from typing import Final, Protocol
from weakref import WeakKeyDictionary

from sqlalchemy import Dialect


class Vault(Protocol):
    """Seals and opens values with the key of one state."""

    def seal(self, value: bytes) -> bytes:
        """Another one each time."""

    def open(self, sealed: bytes) -> bytes:
        """Raises UnfitError where it is not what was sealed with this key."""

    def seal_id(self, value: str) -> str:
        """The same for the same text."""

    def open_id(self, sealed: str) -> str:
        """Raises UnfitError as `open`."""

    def digest(self, digest: bytes) -> bytes:
        """A digest of a digest, that nobody can make who has not the key: so older rows can be given theirs."""


_VAULTS: Final[WeakKeyDictionary[Dialect, Vault]] = WeakKeyDictionary()


def give(dialect: Dialect, vault: Vault) -> None:
    """From here on what is personal is sealed in this one database. Before any statement about it: types remember."""
    _VAULTS[dialect] = vault


def vault_of(dialect: Dialect) -> Vault | None:
    """None where values are stored as they are."""
    return _VAULTS.get(dialect)


def keyed(dialect: Dialect, digest: bytes) -> bytes:
    """The digest that stands in the rows of that database."""
    vault = vault_of(dialect)
    return digest if vault is None else vault.digest(digest)
