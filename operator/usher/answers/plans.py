"""What waits for an approval, and what is planned besides."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from enum import StrEnum
from itertools import dropwhile
from typing import Final, NamedTuple

from usher.answers.changes import ChangeLine, When, change_line
from usher.answers.explaining import Explained
from usher.answers.form import Answer, time_text
from usher.answers.marks import MarkUnknown
from usher.contracts.store import PlanPlace, Store, StoredHold
from usher.core.model.plans import Phase, PlannedChange
from usher.core.model.resources import ConnectorKey, Lane, ResourceType, SourceId
from usher.core.sync.planning import is_shown
from usher.engine.explaining import fitted


class HeldLine(Answer):
    """A held set; `approved` once somebody approved it, `approve` is the command that does."""

    hash: str
    reason: str
    summary: str
    created: str
    expires: str
    approved: bool
    approve: str


class PlanPage(Answer):
    """Changes in the order of their application; `after` is what asks for those behind them, if any are.

    First the held ones, then what a look has planned that has not been applied, or not yet: that of a run of the kind
    Plan, of a cycle under `policy: Observe`, or of the cycle that runs.
    """

    connector: str
    held: HeldLine | None
    changes: Sequence[ChangeLine]
    after: str | None = None


_RANKS: Final = 2**31


class _Part(StrEnum):
    HELD = "held"
    PLANNED = "planned"
    PLANNED_ANEW = "anew"


class _Mark(NamedTuple):
    """Where a page begins: in this part, lane and place; before all of the lane without a place."""

    part: _Part
    resource_type: ResourceType
    place: PlanPlace | None

    def __str__(self) -> str:
        behind = "" if self.place is None else f"{self.place.phase:d}.{self.place.rank}.{self.place.source_id}"
        return f"{self.part}.{self.resource_type}.{behind}"

    @classmethod
    def read(cls, text: str) -> _Mark:
        """Raises MarkUnknown."""
        if not text:
            return cls(_Part.HELD, ResourceType.USER, None)
        try:
            part, kind, phase, rank, source_id = text.split(".", 4)
            place = PlanPlace(Phase(int(phase)), int(rank) % _RANKS, SourceId(source_id))
            return cls(_Part(part), ResourceType(kind), place)
        except ValueError as error:
            raise MarkUnknown from error


async def read_plan(store: Store, about: Explained, after: str, limit: int) -> PlanPage:
    """At most so many changes, from the beginning with an empty `after`. Raises MarkUnknown, CycleError."""
    lanes = {lane.resource_type: await fitted(lane, store) for lane in about.job.lanes}
    hold, found = await store.hold_of(about.key), list[ChangeLine]()
    last, more = _Mark.read(after), False
    async for mark, change in _changes(store, about.key, last, hold):
        if change.resource_type not in lanes or not is_shown(change):
            continue
        more = len(found) >= limit
        if more:
            break
        how = When.HELD if mark.part is _Part.HELD else When.DUE
        found.append(await change_line(store, lanes, change, how))
        last = mark
    held = None if hold is None else _held_line(hold, about.approve)
    return PlanPage(connector=about.key, held=held, changes=found, after=str(last) if more else None)


async def _changes(
    store: Store, connector: ConnectorKey, start: _Mark, hold: StoredHold | None
) -> AsyncIterator[tuple[_Mark, PlannedChange]]:
    for mark in _lanes_from(start):
        lane = Lane(connector, mark.resource_type, _is_anew(mark.part, hold))
        read = store.held_changes if mark.part is _Part.HELD else store.all_changes
        async for page in read(lane, mark.place):
            waiting = await _waiting(store, connector, mark, hold, page)
            for change in page:
                place = PlanPlace(change.phase, change.rank, change.source_id)
                if (change.source_id, change.phase) not in waiting:
                    yield mark._replace(place=place), change


async def _waiting(
    store: Store, connector: ConnectorKey, mark: _Mark, hold: StoredHold | None, page: Sequence[PlannedChange]
) -> Collection[tuple[SourceId, Phase]]:
    """Which of these were planned once more, and are shown as held already."""
    if hold is None or mark.part is _Part.HELD:
        return ()
    lane = Lane(connector, mark.resource_type, hold.anew)
    return await store.held_among(lane, [change.source_id for change in page])


def _is_anew(part: _Part, hold: StoredHold | None) -> bool:
    return part is _Part.PLANNED_ANEW or (part is _Part.HELD and hold is not None and hold.anew)


def _lanes_from(start: _Mark) -> Iterator[_Mark]:
    places = [_Mark(part, kind, None) for part in _Part for kind in ResourceType]
    first = start._replace(place=None)
    for mark in dropwhile(lambda one: one != first, places):
        yield start if mark == first else mark


def _held_line(hold: StoredHold, approve: str) -> HeldLine:
    return HeldLine(
        hash=hold.hash,
        reason=hold.reason,
        summary=hold.summary,
        created=time_text(hold.created),
        expires=time_text(hold.expires),
        approved=hold.approved,
        approve=f"{approve} {hold.hash}",
    )
