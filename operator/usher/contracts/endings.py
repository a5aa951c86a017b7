"""What the store keeps for the day on which a connector is deleted, and what it was made of may be gone by then."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from usher.core.model.resources import ConnectorKey, Json


class EndingStore(Protocol):
    """One document for each connector, which only its writer understands."""

    async def keep_parts(self, connector: ConnectorKey, parts: Mapping[str, Json]) -> None:
        """Replaces what was kept before."""

    async def kept_parts(self, connector: ConnectorKey) -> Mapping[str, Json] | None: ...
