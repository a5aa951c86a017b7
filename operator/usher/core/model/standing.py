"""How a connector stands with its target: in quarantine, or asked to stay away for a while."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Quarantine:
    """So much fails since then that cycles run less and less often. `count` is how many did since it began, itself too.

    `reason` is one of the reference's words. It holds only for this `spec`, a digest.
    """

    reason: str
    since: datetime
    count: int = 1
    spec: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """`spec` is a digest of that under which the last cycle ran to its end: under another one nobody waits in escrow.

    The target asked to be left alone until `rests_until`, None where it did not.
    """

    spec: str = ""
    quarantine: Quarantine | None = None
    rests_until: datetime | None = None
