"""What a full comparison finds, on its way into the state: a page at a time, in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from usher.contracts.log import LogEntry
from usher.contracts.store import LinkDigest, Record
from usher.core.model.escrow import Unsettled
from usher.core.model.resources import AttributePath, Holding, Link, SourceId, TargetId
from usher.core.sync.drifting import DRIFTED, Drift, ReferenceDrift
from usher.engine.bench import Bench
from usher.engine.job import Job
from usher.engine.log_lines import LogLines
from usher.engine.recorder import INVALID_ANCHOR
from usher.engine.stowing import Stowed


class Unowned(NamedTuple):
    """An account that nobody links: the claims that it answers to, and what tells whose it was.

    `anchor` is its externalId, which the client that made it gave it (RFC 7643 3.1), empty where the mapping does not
    know it.
    """

    target_id: TargetId
    claims: Sequence[str]
    active: bool
    anchor: str


def _stow_unowned() -> Stowed[Unowned]:
    return Stowed(list, lambda raw: Unowned(*raw))


@dataclass(slots=True)
class Census:
    """What a comparison has found. `listed`: whether all accounts are known, those that nobody links too."""

    compared: int = 0
    drifted: int = 0
    reported: int = 0
    missing: int = 0
    void: str = ""
    listed: bool = True
    unowned: Stowed[Unowned] = field(default_factory=_stow_unowned)

    def begin(self) -> None:
        """The accounts are gone through from the first one on. What was found of them before is in the state."""
        self.compared, self.unowned = 0, _stow_unowned()


@dataclass(slots=True)
class DriftNotes:
    """The findings of one page, counted in the census as they come."""

    bench: Bench
    job: Job
    census: Census
    _links: list[Link] = field(default_factory=list)
    _unlinked: list[SourceId] = field(default_factory=list)
    _unsettled: list[Unsettled] = field(default_factory=list)
    _holding: dict[SourceId, Holding] = field(default_factory=dict)
    _waking: list[SourceId] = field(default_factory=list)
    _log: list[LogEntry] = field(default_factory=list)

    def add(self, link: Link, drift: Drift) -> None:
        """An account. Whoever drifted is looked at in this cycle, and in each until that is put right."""
        if drift.link is not None:
            self._links.append(drift.link)
        if drift.reverted:
            self.census.drifted += 1
            self._look_again(link.source_id, DRIFTED)
        self._tell(link.source_id, link.target_id, drift.reverted, drift.reported)

    def add_references(self, source_id: SourceId, target_id: TargetId, drift: ReferenceDrift) -> None:
        """The references of an account."""
        if drift.holding is not None:
            self._holding[source_id] = drift.holding
        if drift.reverted:
            self.census.drifted += 1
            self._waking.append(source_id)
        self._tell(source_id, target_id, drift.reverted, drift.reported)

    def add_missing(self, link: LinkDigest) -> None:
        """A linked account that is gone: its person is matched again, or gets another one."""
        self.census.missing += 1
        self._unlinked.append(link.source_id)
        self._look_again(link.source_id, INVALID_ANCHOR)
        self._log.append(self._line(link.source_id, link.target_id, INVALID_ANCHOR, ()))

    async def save(self) -> None:
        """Into the state."""
        record = Record(
            links=self._links,
            unlinked=self._unlinked,
            unsettled=self._unsettled,
            log=self._log,
            holding=self._holding,
            waking=self._waking,
        )
        if record != Record():
            await self.bench.ports.store.record(self.job.lane, record)

    def _look_again(self, source_id: SourceId, reason: str) -> None:
        self._unsettled.append(Unsettled(source_id, reason, 0, self.bench.ports.runtime.now()))

    def _tell(
        self,
        source_id: SourceId,
        target_id: TargetId,
        reverted: Sequence[AttributePath],
        reported: Sequence[AttributePath],
    ) -> None:
        if reported:
            self.census.reported += 1
        for policy, paths in (("Revert", reverted), ("Report", reported)):
            if paths:
                self._log.append(self._line(source_id, target_id, f"{DRIFTED}{policy}", paths))

    def _line(self, source_id: SourceId, target_id: TargetId, reason: str, paths: Sequence[AttributePath]) -> LogEntry:
        lines = LogLines(self.job, self.bench.ports, self.bench.cycle)
        return replace(lines.of_comparison(source_id, target_id, reason), attributes=tuple(paths))
