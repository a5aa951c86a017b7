"""What the engine asks of the store of assignments: what the entries of a scope meant, and who was in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from usher.core.model.resources import ConnectorKey, Lane, SourceId
from usher.core.sync.assignments import Assigned, Roles, Unresolved


@dataclass(frozen=True, slots=True)
class Resolution:
    """What the entries of a scope mean.

    `scope` is the digest of the assignment, `users` and `groups` are the versions of the snapshots that were looked at,
    None for one that was not asked. `pins` says by the name of an entry which resource it means.
    """

    scope: str
    users: int
    groups: int | None
    pins: Mapping[str, SourceId]
    unresolved: tuple[Unresolved, ...] = ()


class AssignmentStore(Protocol):
    """Scopes as they were when the last cycle of a connector was concluded."""

    async def resolution(self, connector: ConnectorKey) -> Resolution | None: ...

    async def save_resolution(self, connector: ConnectorKey, resolution: Resolution | None) -> None:
        """Replaces the former one. None: everybody is in, and nobody who was assigned is remembered in any lane."""

    async def assigned(self, lane: Lane) -> Mapping[SourceId, Roles]:
        """Everybody who was in: loaded whole."""

    async def save_assigned(self, lane: Lane, assigned: Assigned) -> None:
        """Replaces who was in. Only what differs is written."""
