"""When the end of a credential is worth a word."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from usher.core.model.standing import Credential

WARNED_BEFORE: Final = timedelta(days=14)
LAST_PART: Final = 4


def credential_until(expires: datetime, issued: datetime | None) -> Credential:
    """Told of from two weeks before its end, or in the last quarter of a shorter life, where that is known."""
    life = WARNED_BEFORE * LAST_PART if issued is None else expires - issued
    return Credential(expires, expires - min(WARNED_BEFORE, max(life, timedelta()) / LAST_PART))
