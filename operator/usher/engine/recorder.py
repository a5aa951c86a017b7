"""From outcomes to the state, in chunks, while the apply runs."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Final

from usher.core.errors import UsherError
from usher.core.model.escrow import Duty, Unsettled
from usher.core.model.outcomes import Deleted, Done, Failed, Instead, Outcome, Partly, Unsure
from usher.core.model.plans import Action, Phase, PlannedChange, Skip
from usher.core.model.reports import Counts
from usher.core.model.resources import Link, SourceId
from usher.core.sync.leaving import CAUSES, Policy
from usher.core.sync.matching import OWNED_BY_OTHER
from usher.core.sync.planning import ADOPTED, UNDONE
from usher.core.sync.references import holds_nobody
from usher.engine.concurrency import in_chunks
from usher.engine.job import Job, Ports
from usher.engine.journaling import Journaling
from usher.engine.log_lines import LogLines
from usher.engine.lookup import INTERRUPTED
from usher.engine.pending import Pending
from usher.engine.undone import Undone, told

CHUNK: Final = 128
"""Outcomes that are worth a transaction; a power of two, as the store writes so many rows in one statement."""
_MOST: Final = 5 * CHUNK
"""Outcomes that may be waiting for the chunk before them."""
INVALID_ANCHOR: Final = "InvalidAnchor"


@dataclass(slots=True)
class Tally:
    """What came of a cycle so far; `applied` are the held changes that were approved and are confirmed."""

    done: Counter[str] = field(default_factory=Counter)
    failed: int = 0
    applied: set[tuple[SourceId, Phase]] = field(default_factory=set)


class Recorder:
    """Collects the outcomes of one cycle and saves them, a chunk a transaction, while the next is collected.

    One chunk is saved at a time, in their order. Nobody waits for it, unless so many outcomes have come in meanwhile
    that the database is what everybody has to wait for.
    """

    def __init__(
        self,
        job: Job,
        ports: Ports,
        cycle: str,
        former: Mapping[SourceId, Unsettled],
        held: Collection[tuple[SourceId, Phase]],
    ) -> None:
        self._job, self._ports, self._held = job, ports, held
        self._lines = LogLines(job, ports, cycle)
        self.journaling = Journaling(job, ports, cycle)
        self.undone = Undone(former, ports.runtime.now)
        self._pending = Pending()
        self._saving: asyncio.Task[bool] | None = None
        self._unsure: set[SourceId] = set()
        self.tally = Tally()

    async def add(self, outcome: Outcome, took: timedelta) -> None:
        """One outcome, and how long it took to come to it; returns when it is collected.

        Raises what became of the chunk that was saved before.
        """
        logged = len(self._pending.log)
        self._collect(outcome)
        lines = self._pending.log
        lines[logged:] = [replace(line, duration=took) for line in lines[logged:]]
        self._pending.size += 1
        size = self._pending.size
        if size >= CHUNK and (self._saving is None or self._saving.done() or size >= _MOST):
            await self._saved()
            if self._saving is None:
                self._saving = asyncio.create_task(self._save())

    async def add_skips(self, skips: Sequence[Skip], settled: Sequence[SourceId], closed: Sequence[SourceId]) -> None:
        """People for whom nothing is done, and people who are well: the latter leave no line in the log.

        `closed` are those whose open intent was looked into and came to nothing.
        """
        for skip in skips:
            self._skip(skip)
        for source_id in settled:
            self._settle(source_id)
        self._pending.finished.extend(closed)
        await self.flush()

    async def add_held(self, rows: Sequence[PlannedChange], why: tuple[str, str]) -> None:
        """Changes that wait from now on; reason and detail are the same for all."""
        for chunk in in_chunks(rows, CHUNK):
            for row in chunk:
                self._log_change(row, None, ("Skipped", *why))
            await self.flush()

    async def add_unread(self, failures: Mapping[SourceId, UsherError]) -> None:
        """Holders whose references could not be read: somebody may have to be taken out of them, or they are gone."""
        for source_id, error in failures.items():
            self.tally.failed += 1
            if error.reason == INVALID_ANCHOR:
                self._pending.unlinked.append(source_id)
            detail = self._unsettle(self.undone.fail_look(source_id, error.reason, Duty.REMOVE), _said(error))
            self._log(source_id, ("action", Action.REFER, "Failure", error.reason, detail))

    def settle_references(self, holders: Collection[SourceId]) -> None:
        """Their references are as they can be, by whatever that came."""
        self._pending.settled.extend(filter(self.undone.owes_references, holders))

    async def flush(self) -> None:
        """Saves what is pending. A link that the store refuses, because the account has another owner, is a failure."""
        await self._saved()
        while await self._save():
            pass

    async def _saved(self) -> None:
        """Waits until the chunk that is being saved is saved."""
        saving = self._saving
        if saving is None:
            return
        await asyncio.wait([saving])  # not awaited itself: whoever is cancelled here must not cancel it
        if self._saving is saving:
            self._saving = None
            saving.result()

    async def _save(self) -> bool:
        """Whether saving gave rise to more to save."""
        pending, self._pending = self._pending, Pending()
        record = replace(pending.as_record(), journal=self.journaling.take())
        refused = await self._ports.store.record(self._job.lane, record)
        for source_id in refused:
            self.tally.failed += 1
            self._unsettle(self.undone.wait(source_id, OWNED_BY_OTHER))
            self._log(source_id, ("action", "Link", "Failure", OWNED_BY_OTHER, "the account has another owner"))
        return bool(refused)

    def counts(self, unchanged: int, skipped: int, failed: int) -> Counts:
        """The counts of the cycle; the arguments come from the passes before the apply."""
        done = self.tally.done
        return Counts(
            created=done["created"],
            linked=done["linked"],
            updated=done["updated"],
            disabled=done["disabled"],
            deleted=done["deleted"],
            references=done["references"],
            unchanged=unchanged + done["unchanged"],
            skipped=skipped,
            failed=failed + self.tally.failed,
        )

    # --- outcomes

    def _collect(self, outcome: Outcome) -> None:
        self.journaling.note(outcome)
        match outcome:
            case Done():
                self._add_done(outcome)
            case Failed():
                self._add_failed(outcome)
            case Deleted():
                self._add_deleted(outcome.change)
            case Instead(done=done, failed=failed):
                self._add_done(done)
                self._add_failed(failed)
            case Partly():
                self._pending.links.append(outcome.link)
                self._pending.holding[outcome.change.source_id] = outcome.holding
                self._add_failed(Failed(outcome.change, outcome.reason, outcome.detail))
            case Unsure():
                self._add_unsure(outcome)

    def _add_done(self, outcome: Done) -> None:
        change = outcome.change
        self.tally.done[_counted_as(change)] += 1
        self._note_applied(change)
        self._pending.links.append(outcome.link)
        if change.cause == ADOPTED:
            self._pending.found.append(change.source_id)
        leaves = not outcome.link.enabled and change.cause in CAUSES
        if leaves and self._job.deprovisioning.of(change.cause) is Policy.DELETE:
            self._pending.ripening[change.source_id] = self._ports.runtime.now()
        if outcome.holding is not None:
            self._pending.holding[change.source_id] = outcome.holding
            if change.action is Action.REMOVE:  # whoever was taken out may not have left yet
                self._pending.waking.append(change.source_id)
        elif change.action is Action.CREATE and self._job.mapping.references:
            self._pending.holding[change.source_id] = holds_nobody(self._job.mapping, outcome.link.target_id)
        self._finish(change.source_id)
        if self.undone.succeed(change):
            self._pending.settled.append(change.source_id)
        if _counted_as(change) != "unchanged":
            self._log_change(change, outcome.link, ("Success", change.cause, ""))

    def _add_deleted(self, change: PlannedChange) -> None:
        self.tally.done["deleted"] += 1
        self._note_applied(change)
        self._pending.unlinked.append(change.source_id)
        self._finish(change.source_id)
        self.undone.succeed(change)
        self._settle(change.source_id)
        self._log_change(change, None, ("Success", change.cause, ""))

    def _add_failed(self, outcome: Failed) -> None:
        change = outcome.change
        self._finish(change.source_id)
        if outcome.reason == INVALID_ANCHOR:
            self._pending.unlinked.append(change.source_id)
        if outcome.reason == INVALID_ANCHOR and change.action is Action.DISABLE:
            self._note_applied(change)
            self.tally.done["disabled"] += 1
            self._settle(change.source_id)
            self._log_change(change, None, ("Success", "TargetGone", "the account is gone already"))
            return
        self.tally.failed += 1
        detail = self._unsettle(self.undone.fail(change, outcome.reason), outcome.detail)
        self._log_change(change, None, ("Failure", outcome.reason, detail))

    def _add_unsure(self, outcome: Unsure) -> None:
        self.tally.failed += 1
        self._unsure.add(outcome.change.source_id)
        detail = self._unsettle(self.undone.fail(outcome.change, outcome.reason), outcome.detail)
        self._log_change(outcome.change, None, ("Unknown", outcome.reason, detail))

    def _finish(self, source_id: SourceId) -> None:
        """The intent is closed, unless another change of the same resource in this cycle has an unknown end."""
        if source_id not in self._unsure:
            self._pending.finished.append(source_id)

    def _note_applied(self, change: PlannedChange) -> None:
        """While members are to be taken out of a group, others may come into it: that is another phase."""
        if (change.source_id, change.phase) in self._held:
            self.tally.applied.add((change.source_id, change.phase))

    def _settle(self, source_id: SourceId) -> None:
        if self.undone.is_settled(source_id):
            self._pending.settled.append(source_id)

    def _unsettle(self, entry: Unsettled, detail: str = "") -> str:
        """Keeps the entry; returns what the log says of it."""
        self._pending.unsettled.append(entry)
        return told(entry, detail)

    def _skip(self, skip: Skip) -> None:
        source_id, before = skip.source_id, self.undone.reason_before(skip.source_id)
        if skip.settled:
            self._settle(source_id)
            self._log(source_id, ("scope", "Skip", "Skipped", skip.reason, skip.detail))
        elif skip.failed is not None:
            detail = self._unsettle(self.undone.fail_look(source_id, skip.reason, skip.failed), skip.detail)
            self._log(source_id, ("match", "Skip", "Skipped", skip.reason, detail))
        elif not (skip.reason == INTERRUPTED and before):  # nobody came to it: what was known of it holds
            self._unsettle(self.undone.wait(source_id, skip.reason))
            if skip.reason != before:
                self._log(source_id, ("match", "Skip", "Skipped", skip.reason, skip.detail))

    # --- log

    def _log_change(self, change: PlannedChange, link: Link | None, result: tuple[str, str, str]) -> None:
        self._pending.log.append(self._lines.of_change(change, link, result))

    def _log(self, source_id: SourceId, what: tuple[str, str, str, str, str]) -> None:
        self._pending.log.append(self._lines.of_decision(source_id, what))


def _said(error: UsherError) -> str:
    return error.detail or error.message


def _counted_as(change: PlannedChange) -> str:
    match change.action:
        case Action.CREATE:
            return "created"
        case Action.UPDATE:
            return "updated"
        case Action.DISABLE:
            return "disabled"
        case Action.DELETE:
            return "deleted"
        case Action.REMOVE | Action.REFER:
            return "references"
        case Action.LINK:
            return "linked" if change.cause in (ADOPTED, UNDONE) else "unchanged"
