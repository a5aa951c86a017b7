"""Rows of the plan that may run together: their intents first, then their requests, then what came of them.

With an intent goes what its change is about to take the place of, into the journal.

An intent is open while nobody knows what came of its request. It is closed with the outcome, or given back.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from usher.contracts.store import Intent, Record
from usher.core.errors import CycleError, OutcomeUnknown, UniquenessTaken
from usher.core.model.plans import Action, PlannedChange
from usher.core.model.resources import SourceId
from usher.engine.apply import Applier
from usher.engine.concurrency import for_each_of_chunks
from usher.engine.job import Control
from usher.engine.recorder import Recorder


async def apply_rank(
    applier: Applier, recorder: Recorder, control: Control, chunks: AsyncIterator[Sequence[PlannedChange]]
) -> None:
    """Each chunk's intents, then its requests, each outcome handed to the recorder.

    Rows that nobody came to, because the cycle was stopped or ended, give their intents back, and so does the one whose
    request was refused in a way that ended it.
    """
    rank = _Rank(applier, recorder, control)
    try:
        await for_each_of_chunks(rank.announced(chunks), rank.carry_out, applier.job.concurrency)
    finally:
        if rank.waiting:
            journal = recorder.journaling.give_back(rank.waiting)
            await applier.ports.store.record(applier.job.lane, Record(finished=sorted(rank.waiting), journal=journal))


@dataclass(frozen=True, slots=True)
class _Rank:
    """`waiting` are those whose intent is in the store, and of whose request it is certain that it had no effect."""

    applier: Applier
    recorder: Recorder
    control: Control
    waiting: set[SourceId] = field(default_factory=set)

    async def announced(
        self, chunks: AsyncIterator[Sequence[PlannedChange]]
    ) -> AsyncGenerator[Sequence[PlannedChange], None]:
        async for rows in chunks:
            if self.control.stop.is_set():
                return
            expecting = self.applier.relating.expecting
            due = await expecting.expect(rows)
            intents = [Intent(row.source_id, row.action, row.keys) for row in due if row.action is not Action.LINK]
            self.waiting.update(intent.source_id for intent in intents)
            journal = await self.recorder.journaling.announce(due, expecting)
            await self.applier.ports.store.write_intents(self.applier.job.lane, intents, journal)
            yield due

    async def carry_out(self, row: PlannedChange) -> None:
        if self.control.stop.is_set():
            return
        self.waiting.discard(row.source_id)
        clock = self.applier.ports.runtime
        began = clock.monotonic()
        try:
            outcome = await self.applier.apply(row)
        except CycleError as error:
            if not _may_have_had_effect(error):
                self.waiting.add(row.source_id)
            raise
        await self.recorder.add(outcome, timedelta(seconds=clock.monotonic() - began))
        self.control.progress.advance(1)


def _may_have_had_effect(error: BaseException) -> bool:
    """Whether a request led to this error that has an unknown end, or was refused for what it may have made itself."""
    former: BaseException | None = error
    while former is not None:
        if isinstance(former, OutcomeUnknown | UniquenessTaken):
            return True
        former = former.__cause__ or former.__context__
    return False
