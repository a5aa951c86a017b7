"""What the engine asks of the store about how connectors stand with their targets."""

from __future__ import annotations

from typing import Protocol

from usher.core.model.resources import ConnectorKey
from usher.core.model.standing import Standing


class StandingStore(Protocol):
    """One standing for each connector, which outlives the process."""

    async def standing(self, connector: ConnectorKey) -> Standing:
        """That of a connector that is not known is the default."""

    async def save_standing(self, connector: ConnectorKey, standing: Standing) -> None: ...
