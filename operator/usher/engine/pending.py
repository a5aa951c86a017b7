"""What came of changes and is not saved yet."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from usher.contracts.log import LogEntry
from usher.contracts.store import Record
from usher.core.model.escrow import Unsettled
from usher.core.model.resources import Holding, Link, SourceId


@dataclass(slots=True)
class Pending:
    """One chunk, while it is collected; `size` counts its outcomes."""

    links: list[Link] = field(default_factory=list)
    unlinked: list[SourceId] = field(default_factory=list)
    finished: list[SourceId] = field(default_factory=list)
    unsettled: list[Unsettled] = field(default_factory=list)
    settled: list[SourceId] = field(default_factory=list)
    log: list[LogEntry] = field(default_factory=list)
    holding: dict[SourceId, Holding] = field(default_factory=dict)
    ripening: dict[SourceId, datetime] = field(default_factory=dict)
    found: list[SourceId] = field(default_factory=list)
    waking: list[SourceId] = field(default_factory=list)
    size: int = 0

    def as_record(self) -> Record:
        """The chunk as the store takes it."""
        listed = self.links, self.unlinked, self.finished, self.unsettled, self.settled, self.log
        return Record(*listed, holding=self.holding, ripening=self.ripening, found=self.found, waking=self.waking)
