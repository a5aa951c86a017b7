"""Where a page begins, in words that only these answers understand."""

from __future__ import annotations

from usher.core.errors import UsherError


class MarkUnknown(UsherError):
    """It was not taken from an answer. The word is not repeated: it may name somebody."""

    def __init__(self) -> None:
        super().__init__("after: it has to be what an answer gave", reason="BadRequest")
