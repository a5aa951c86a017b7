"""What the engine and whoever asks want of the provisioning log: lines behind each other, kept for a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Protocol

from usher.core.model.outcomes import ValueChange
from usher.core.model.resources import AttributePath, ConnectorKey, ResourceType, SourceId, TargetId


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One line of the provisioning log. `detail` may name people; `attributes` are names.

    `values` are what became of them, where the connector wants that to be kept. `duration` is how long a change took,
    with everything that was sent again for it; zero for what is decided without the target. `number` is the store's own
    and higher for each later line, also when earlier ones are gone; zero for one that is not stored.
    """

    time: datetime
    cycle: str
    source_id: SourceId | None
    target_id: TargetId | None
    step: str
    action: str
    result: str
    reason: str
    detail: str = ""
    attributes: tuple[str, ...] = ()
    resource_type: ResourceType = ResourceType.USER
    duration: timedelta = timedelta()
    values: Mapping[AttributePath, ValueChange] = field(default_factory=dict)
    number: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class LogQuery:
    """Which lines are asked for: those to which everything applies. An empty text, or no number, asks for nothing.

    `since` is the first moment that is in, `until` the first that is not. Of the lines below `before` that are left,
    the newest come: the number of the last line of an answer is what the next one begins at.
    """

    source_id: SourceId | None = None
    since: datetime | None = None
    until: datetime | None = None
    cycle: str = ""
    step: str = ""
    action: str = ""
    result: str = ""
    reason: str = ""
    before: int = 0


WHOLE_LOG: Final = LogQuery()
"""Every line."""


class LogStore(Protocol):
    """The provisioning log of each connector."""

    async def log(self, connector: ConnectorKey, query: LogQuery, limit: int) -> Sequence[LogEntry]:
        """The newest lines that are asked for, newest first."""

    async def follow_log(self, after: int, limit: int) -> Sequence[tuple[ConnectorKey, LogEntry]]:
        """The oldest lines of all connectors behind the one of this number, oldest first."""

    async def log_told(self) -> int:
        """The number of the line up to which all were told to whoever follows; that of the last line at first."""

    async def save_log_told(self, number: int) -> None: ...

    async def append_log(self, connector: ConnectorKey, entries: Sequence[LogEntry]) -> None: ...

    async def logged_connectors(self) -> Sequence[ConnectorKey]:
        """All that have lines, also those that are gone."""

    async def trim_log(self, connector: ConnectorKey, before: datetime, keep: int) -> bool:
        """Drops some of the lines that are older than `before`, and of those behind the newest `keep`.

        Returns whether more of them may be left: one call is one short transaction.
        """
