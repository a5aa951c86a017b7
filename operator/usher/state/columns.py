"""Types of columns."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final, TypeAlias

from sqlalchemy import BigInteger, Dialect, LargeBinary, Text, TypeDecorator
from sqlalchemy.types import TypeEngine

from usher.state.vault import vault_of

Words: Final = Text().with_variant(Text(collation="C"), "postgresql")
"""Text that is compared and ordered by its bytes in UTF-8, in every database and whatever its own language is."""

Processor: TypeAlias = Callable[[bytes | None], bytes | None] | None
TextProcessor: TypeAlias = Callable[[str | None], str | None] | None

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


class Instant(TypeDecorator[datetime]):
    """An aware time as whole microseconds since 1970: exact, ordered, and the same in every database."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> int | None:
        return None if value is None else (value - _EPOCH) // _MICROSECOND

    def process_result_value(self, value: int | None, _dialect: Dialect) -> datetime | None:
        return None if value is None else _EPOCH + value * _MICROSECOND


class Content(LargeBinary):
    """Bytes in, bytes out. SQLAlchemy's own type copies each value on its way, in case a driver has another class."""

    def bind_processor(self, dialect: Dialect) -> Processor: ...

    def result_processor(self, dialect: Dialect, coltype: object) -> Processor: ...


class Sealed(Content):
    """Content that is personal: encrypted in a state that has a key."""

    def bind_processor(self, dialect: Dialect) -> Processor:
        vault = vault_of(dialect)
        return None if vault is None else lambda value: None if value is None else vault.seal(value)

    def result_processor(self, dialect: Dialect, coltype: object) -> Processor:  # noqa: ARG002 - SQLAlchemy's signature
        vault = vault_of(dialect)
        return None if vault is None else lambda value: None if value is None else vault.open(value)


class SealedWords(TypeDecorator[str]):
    """Text that is personal, and that no statement looks for."""

    impl = Sealed
    cache_ok = True

    def process_bind_param(self, value: str | None, _dialect: Dialect) -> bytes | None:
        return None if value is None else value.encode("utf-8", "surrogatepass")

    def process_result_value(self, value: bytes | None, _dialect: Dialect) -> str | None:
        return None if value is None else value.decode("utf-8", "surrogatepass")


class Identifier(TypeDecorator[str]):
    """The id of a resource at its source or its target: text like `Words`, which may be personal as well.

    In a state that has a key it is encrypted so that equal ids stay equal: rows are found by it, and come in an order,
    though not in that of the ids.
    """

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[str]:
        # Not adapted to the dialect: psycopg's would be called VARCHAR in a new table, and TEXT in the steps.
        return Text(collation="C") if dialect.name == "postgresql" else Text()

    def bind_processor(self, dialect: Dialect) -> TextProcessor:
        vault = vault_of(dialect)
        return None if vault is None else lambda value: None if value is None else vault.seal_id(value)

    def result_processor(self, dialect: Dialect, coltype: object) -> TextProcessor:  # noqa: ARG002 - SQLAlchemy's signature
        vault = vault_of(dialect)
        return None if vault is None else lambda value: None if value is None else vault.open_id(value)
