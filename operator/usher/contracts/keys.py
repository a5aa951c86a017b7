"""What the engine asks of the store of secrets that are its own."""

from __future__ import annotations

from typing import Protocol


class KeyStore(Protocol):
    """A secret of this state alone."""

    async def seal_key(self, fresh: bytes) -> bytes:
        """The key with which values are sealed that must not stand in the state; `fresh` where there is none yet."""
