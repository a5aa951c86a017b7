"""The watermarks of a directory, as text.

By modifyTimestamp, which has a resolution of one second and the directory's clock: the newest time that any read saw
lies before the next read begins, so that read saw every change up to it, and the one after may begin there. The newest
time of the read that has just ended is no such place: its pages were read one after the other, and what changed behind
the reader's back has an earlier time than what it saw last. So two times are kept, and no clock of ours is asked.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import orjson

from usher.contracts.source import Watermark
from usher.core.errors import WatermarkExpired

_TIME: Final = re.compile(rb"\d{14}(?:[.,]\d+)?Z")


@dataclass(frozen=True, slots=True)
class Times:
    """`begin` is where the next read of changes begins, empty where it can't yet; `newest` the newest time seen."""

    begin: str
    newest: str


def write_times(scope: str, times: Times) -> Watermark:
    """`scope` is a digest of what was read."""
    return Watermark(orjson.dumps({"scope": scope, "begin": times.begin, "newest": times.newest}).decode())


def write_cookie(scope: str, cookie: str) -> Watermark:
    """The same for a directory that gives out cookies (RFC 4533)."""
    return Watermark(orjson.dumps({"scope": scope, "cookie": cookie}).decode())


def read_times(watermark: Watermark | None, scope: str) -> Times:
    """Empty times where the watermark is none of this scope."""
    found = _read(watermark, scope)
    return Times(found.get("begin", ""), found.get("newest", ""))


def read_cookie(watermark: Watermark, scope: str) -> str:
    """Raises WatermarkExpired where the watermark is none of this scope."""
    cookie = _read(watermark, scope).get("cookie", "")
    if not cookie:
        raise WatermarkExpired("something else was read before")
    return cookie


def _read(watermark: Watermark | None, scope: str) -> dict[str, str]:
    found: dict[str, str] = {} if watermark is None else orjson.loads(watermark)
    return found if found.get("scope") == scope else {}


def newest_of(values: Sequence[bytes], former: str) -> str:
    """The later one of an entry's modifyTimestamp (RFC 4517 3.3.13, in UTC) and `former`; to the second.

    A time of another form is left out of account: such an entry is found by whole reads only.
    """
    if not values or not _TIME.fullmatch(values[0]):
        return former
    return max(f"{values[0][:14].decode()}Z", former)


def searched_time(newest: str) -> str:
    """The time as a filter has to name it.

    Active Directory writes times with a fraction (its syntax String(Generalized-Time)), and to Samba a time without one
    lies before all others. RFC 4517 3.3.13 allows both forms.
    """
    return f"{newest.removesuffix('Z')}.0Z"
