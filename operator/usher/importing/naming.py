"""Names of the export as names of Kubernetes."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

MAX_NAME: Final = 63
"""Of a DNS label (RFC 1123), the narrower of the two rules: such a name is good everywhere."""
_ROOM: Final = 8
"""Characters kept free for a number."""
_OTHER: Final = re.compile(r"[^a-z0-9]+")


def name_of(text: str, taken: set[str]) -> str:
    """A name made of the text, `imported-users` where nothing of it can be used; not among `taken`, and added there."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    stem = _OTHER.sub("-", plain)[: MAX_NAME - _ROOM].strip("-") or "imported-users"
    name, number = stem, 1
    while name in taken:
        number += 1
        name = f"{stem}-{number}"
    taken.add(name)
    return name
