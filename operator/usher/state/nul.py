"""Text with U+0000 in PostgreSQL, which has none: an id that an app or a directory made up must not end a whole cycle.

U+0001 begins an escape: U+0001 U+0001 is U+0000, U+0001 U+0002 is itself. Texts stay apart, and in their order.
"""

from __future__ import annotations

import re
from typing import Final

import psycopg
from psycopg.abc import Buffer
from psycopg.rows import TupleRow
from psycopg.types.string import StrDumperUnknown, TextLoader

_ESCAPE: Final = re.compile("\x01([\x01\x02])")


class _Dumper(StrDumperUnknown):
    def dump(self, obj: str) -> Buffer | None:
        if "\x00" in obj or "\x01" in obj:
            obj = obj.replace("\x01", "\x01\x02").replace("\x00", "\x01\x01")
        return super().dump(obj)


class _Loader(TextLoader):
    def load(self, data: Buffer) -> str | bytes:
        text = super().load(data)
        if isinstance(text, str) and "\x01" in text:
            return _ESCAPE.sub(lambda found: chr(ord(found[1]) - 1), text)
        return text


def allow_nul(raw: psycopg.Connection[TupleRow]) -> None:
    """From here on texts go over this connection, and come back, as they are."""
    raw.adapters.register_dumper(str, _Dumper)
    for name in ("text", "varchar"):
        raw.adapters.register_loader(name, _Loader)
