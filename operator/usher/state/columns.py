"""Types of columns."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import BigInteger, Dialect, LargeBinary, Text, TypeDecorator

Words: Final = Text().with_variant(Text(collation="C"), "postgresql")
"""Text that is compared and ordered by its bytes in UTF-8, in every database and whatever its own language is."""

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

    def bind_processor(self, dialect: Dialect) -> None: ...

    def result_processor(self, dialect: Dialect, coltype: object) -> None: ...
