"""How apps say that no licence is left. SCIM has no word for it (RFC 7644 3.12): it is 402, or a sentence.

What was seen: `License limit has been reached.` (403), `User limit reached (5 max)` (403), `exceeding the team license`
(400), `Seat limit reached` (403). A sentence that only mentions licences says nothing of their number.
"""

from __future__ import annotations

import re
from typing import Final

PAYMENT_REQUIRED: Final = 402
_STATUSES: Final = frozenset({400, 403, 422})
_ONE: Final = r"(?:licen[cs]es?|seats?)"
_FULL: Final = r"(?:reached|exceeded|exhausted|used up|in use|hit)"
_PATTERNS: Final = (
    rf"\b(?:licen[cs]e|seat|user|member|subscription)s? (?:count )?(?:limit|quota|cap|capacity)\b.{{0,40}}\b{_FULL}\b",
    rf"\b(?:no|not enough|insufficient|out of)(?: more| remaining| available| free| unused)* {_ONE}\b",
    rf"\bexceed\w*\b.{{0,30}}\b{_ONE}\b",
    rf"\b{_ONE}\b.{{0,30}}\b{_FULL}\b",
)
_SENTENCES: Final = re.compile("|".join(_PATTERNS), re.IGNORECASE)


def is_used_up(status: int, detail: str) -> bool:
    """Whether a refusal with this status and (scrubbed) detail means that there is no licence left."""
    if status == PAYMENT_REQUIRED:
        return True
    return status in _STATUSES and _SENTENCES.search(detail) is not None
