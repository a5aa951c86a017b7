"""What is asked of the store when the links of a connector are found again.

That is done beside those in force, until somebody approves it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Protocol

from usher.core.model.resources import ConnectorKey, ResourceType, SourceId


class AnchoringStore(Protocol):
    """Lanes that are `anew` beside those in force."""

    async def anchor(self, connector: ConnectorKey, kept: Mapping[ResourceType, Collection[SourceId]]) -> None:
        """The lanes that are anew take the place of those in force, with the held set; what these knew is gone.

        In one transaction. Of the types in `kept` ids at both ends mean what they meant: these links stay, with the
        time since which they wait to be deleted, and so does every open intent of a create.
        """

    async def drop_anew(self, connector: ConnectorKey) -> None:
        """Nothing is found again: those lanes are gone, with a set that is held in them."""
