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
class Credential:
    """It says that it is good until `expires`; from `told_from` on that is worth a word."""

    expires: datetime
    told_from: datetime

    def describe(self, now: datetime) -> str:
        """`expires on 2026-12-03 (7 days left)`."""
        if now >= self.expires:
            return f"expired on {self.expires:%Y-%m-%d}"
        days = (self.expires - now).days
        left = "less than a day" if not days else "1 day" if days == 1 else f"{days} days"
        return f"expires on {self.expires:%Y-%m-%d} ({left} left)"


@dataclass(frozen=True, slots=True)
class Standing:
    """`spec` is a digest of that under which the last cycle ran to its end: under another one nobody waits in escrow.

    The target asked to be left alone until `rests_until`, None where it did not. `credential` is what the last cycle
    used, None where that does not say when it expires.
    """

    spec: str = ""
    quarantine: Quarantine | None = None
    rests_until: datetime | None = None
    credential: Credential | None = None
