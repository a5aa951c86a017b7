"""What is left undone, and when it is looked at again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from usher.core.model.resources import Fingerprint, SourceId

NEVER_TRIED: Final = Fingerprint(b"")
"""Of a failure before it was known what is wanted: the look for the account failed, or the mapping."""


class Duty(StrEnum):
    """What failed. LEAVE and REMOVE take something away from somebody: they are tried in every cycle."""

    ACCOUNT = "Account"
    LEAVE = "Leave"
    REFER = "Refer"
    REMOVE = "Remove"

    @property
    def always(self) -> bool:
        """Whether nobody waits with it."""
        return self in (Duty.LEAVE, Duty.REMOVE)

    @property
    def of_references(self) -> bool:
        """Whether it is about references, such as the members of a group, and not about the account itself."""
        return self in (Duty.REFER, Duty.REMOVE)


@dataclass(frozen=True, slots=True)
class Escrow:
    """A failure. It is tried again in the first cycle at or after `due`, None where it was given up.

    In the next cycle whatever the clock says, where that is when it failed first.

    `tried` is a digest of what was wanted: another wish does not wait.
    """

    duty: Duty
    due: datetime | None
    tried: Fingerprint = NEVER_TRIED


@dataclass(frozen=True, slots=True)
class Unsettled:
    """A resource with something undone since then, and why. Without an escrow nothing failed.

    It waits for a decision or for another resource then, and is looked at again in every cycle.
    """

    source_id: SourceId
    reason: str
    attempts: int
    since: datetime
    escrow: Escrow | None = None

    def waits(self, now: datetime) -> bool:
        """Whether it is left alone in a cycle that begins now, unless something about it has changed."""
        escrow = self.escrow
        return escrow is not None and (escrow.due is None or escrow.due > max(now, self.since))
