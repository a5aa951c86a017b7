"""What the engine asks of the store of discoveries: what targets say of themselves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from usher.core.scim.discovery import Discovery


@dataclass(frozen=True, slots=True)
class StoredDiscovery:
    """What a target said of itself, and when it was asked."""

    discovery: Discovery
    read: datetime


class DiscoveryStore(Protocol):
    """What targets say of themselves, by base address: connectors to one target share it."""

    async def discovery(self, address: str) -> StoredDiscovery | None: ...

    async def save_discovery(self, address: str, stored: StoredDiscovery) -> None:
        """Replaces the former one. `sweep` drops what has not been replaced since the time that it is given."""
