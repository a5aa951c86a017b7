"""The writing half of a cycle in one lane: its plan is applied, and what references became possible by it is done."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final

from usher.contracts.store import Record
from usher.core.errors import CycleError
from usher.core.model.plans import Phase, PlannedChange, Skip
from usher.core.model.reports import HeldPlan
from usher.core.sync.policies import HoldEvent, Step, step_of
from usher.engine.apply import Applier
from usher.engine.bench import Bench
from usher.engine.expecting import Expecting
from usher.engine.preparing import PreparedLane
from usher.engine.progress import Stage
from usher.engine.ranks import apply_rank
from usher.engine.recorder import Recorder
from usher.engine.referring import Referring, references_tried, refers, settle_references
from usher.engine.relating import Relating
from usher.engine.safety import PLAN_HELD, Judgement
from usher.engine.selecting import Chosen

_LOOKS: Final = 2
"""So often references are looked at after the apply: to do what became possible, and to see that it is done."""

_OVER: Final = "over the budget, beside a held plan"
_APPROVED: Final = "needs an approval of its own, beside a held plan"
_NOT_BY_NAME: Final = "not by name: it waits for a cycle, or for an approval"


@dataclass(frozen=True, slots=True)
class Writing:
    """One lane of a cycle that writes. The changes of `waiting` are left out.

    `whole`: nothing that is not in the plan is done either.
    """

    bench: Bench
    prepared: PreparedLane
    applier: Applier
    recorder: Recorder
    waiting: frozenset[Step]
    whole: bool
    newly_held: Sequence[PlannedChange] = ()

    @classmethod
    def of(cls, bench: Bench, lane: PreparedLane, judgement: Judgement) -> Writing:
        """With all that is needed to write."""
        resource_type = lane.job.resource_type
        mine = [row for row in judgement.rows if row.resource_type is resource_type]
        held = {(row.source_id, row.phase) for row in mine}
        expecting = Expecting(bench.job, lane.job, bench.ports, bench.session, bench.retrier)
        relating = Relating(lane.job, bench.session, bench.retrier, expecting)
        return cls(
            bench=bench,
            prepared=lane,
            applier=Applier(lane.job, bench.ports, bench.session, bench.retrier, relating, bench.licences),
            recorder=Recorder(lane.job, bench.ports, bench.cycle, lane.former, held),
            waiting=frozenset(step for step in judgement.decision.wait if step[0] is resource_type),
            whole=judgement.whole,
            newly_held=mine if judgement.decision.event is HoldEvent.HELD else (),
        )

    async def skip(self) -> None:
        """Records for whom nothing is done."""
        draft = self.prepared.draft
        detail = _NOT_BY_NAME if isinstance(self.bench.selection, Chosen) else _APPROVED if self.whole else _OVER
        waits = (Skip(i, PLAN_HELD, detail, settled=False) for i in sorted({step[1] for step in self.waiting}))
        await self.recorder.add_skips([*draft.skips, *waits], draft.settled, draft.closed)

    async def tell_held(self, held: HeldPlan | None) -> None:
        """Who is in a plan that waits since this cycle: once, however many cycles it waits."""
        if held is not None:
            await self.recorder.add_held(self.newly_held, (PLAN_HELD, f"in the held plan {held.hash} ({held.reason})"))

    async def apply(self, phase: Phase, rank: int) -> None:
        """The rows that may run together. What came of them is in the state when it returns."""
        chunks = self.bench.ports.store.changes_of(self.prepared.job.lane, phase, rank)
        due = ([row for row in rows if not self._waits(row)] async for rows in chunks)
        await apply_rank(self.applier, self.recorder, self.bench.control, due)
        await self.recorder.flush()

    def _waits(self, row: PlannedChange) -> bool:
        return step_of(row) in self.waiting

    async def settle_references(self) -> None:
        """What accounts that came and went in this cycle make possible, and impossible."""
        bench, lane = self.bench, self.prepared.job
        for look in range(_LOOKS)[-1 if self.whole else 0 :]:
            if bench.control.stop.is_set() or not refers(lane):
                return
            last, did = look == _LOOKS - 1, False
            waiting = references_tried(lane, {**self.prepared.waiting, **self.recorder.undone.entries})
            referring = Referring(bench, waiting=waiting)
            async with aclosing(settle_references(referring, lane)) as looks:
                async for referrals in looks:
                    await self.recorder.add_unread(referrals.failed)
                    self.recorder.settle_references(referrals.settled)
                    if referrals.rows and not last:
                        await self._apply_references(referrals.rows)
                        did = True
            if not did:
                return

    async def _apply_references(self, rows: Sequence[PlannedChange]) -> None:
        for phase in sorted({row.phase for row in rows}):
            mine = [row for row in rows if row.phase is phase]
            await apply_rank(self.applier, self.recorder, self.bench.control, _one_chunk(mine))
        await self.recorder.flush()


async def _one_chunk(rows: Sequence[PlannedChange]) -> AsyncIterator[Sequence[PlannedChange]]:
    yield rows


async def learn(bench: Bench, lane: PreparedLane) -> None:
    """What the state learns of a plan before it is applied."""
    draft, now = lane.draft, bench.ports.runtime.now()
    record = Record(
        links=draft.adopted,
        found=[link.source_id for link in draft.adopted],
        unlinked=draft.lost,
        holding=draft.holding,
        ripening=dict.fromkeys(draft.ripening, now),
        spared=draft.spared,
    )
    await bench.ports.store.record(lane.job.lane, record)


async def apply_plans(bench: Bench, lanes: Sequence[Writing]) -> CycleError | None:
    """Applies the running plans in their order. Returns the error that ended it before its end, if one did."""
    store, control = bench.ports.store, bench.control
    steps: list[tuple[Phase, int, int]] = []
    total = 0
    for index, writing in enumerate(lanes):
        lane = writing.prepared.job.lane
        steps += [(phase, index, rank) for phase, rank in await store.ranks(lane)]
        total += sum((await store.count_changes(lane)).values())
    control.progress.enter(Stage.APPLY, total)
    try:
        for phase, index, rank in sorted(steps):
            if control.stop.is_set():
                return None
            await lanes[index].apply(phase, rank)
        for writing in lanes:
            await writing.settle_references()
    except CycleError as error:
        return error
    finally:
        for writing in lanes:
            await writing.recorder.flush()
    return None
