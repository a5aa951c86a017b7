"""Who is left undone by one cycle, by what was known of them before it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from usher.core.model.escrow import NEVER_TRIED, Duty, Unsettled
from usher.core.model.plans import PlannedChange
from usher.core.model.resources import Fingerprint, SourceId
from usher.core.sync.escrow import GIVEN_UP_AFTER, duty_of, put_in_escrow, wish_of

_TIME: Final = "%Y-%m-%dT%H:%M:%SZ"


class Undone:
    """`former` are the unsettled of before, `entries` those of this cycle: who is in these is settled by nothing else.

    A person may have an account that could not be changed and a manager that could: one success hides no failure.
    `recovered` counts those whose change had failed, and was done now.
    """

    def __init__(self, former: Mapping[SourceId, Unsettled], now: Callable[[], datetime]) -> None:
        self._former, self._now = former, now
        self.entries: dict[SourceId, Unsettled] = {}
        self.recovered = 0

    def reason_before(self, source_id: SourceId) -> str:
        """Why it was left undone by an earlier cycle, empty where it was not."""
        former = self._former.get(source_id)
        return "" if former is None else former.reason

    def is_settled(self, source_id: SourceId) -> bool:
        """Whether it was undone, and is not any more."""
        return source_id in self._former and source_id not in self.entries

    def succeed(self, change: PlannedChange) -> bool:
        """The same, by this change, which was done: references make up for no account, nor an account for them."""
        former = self._former.get(change.source_id)
        escrow = None if former is None else former.escrow
        same = escrow is None or escrow.duty.of_references is duty_of(change).of_references
        settled = same and self.is_settled(change.source_id)
        self.recovered += settled and escrow is not None
        return settled

    def owes_references(self, source_id: SourceId) -> bool:
        """Whether what an earlier cycle could not do was about references, and no failure of this cycle says more."""
        former = self._former.get(source_id)
        owes = former is not None and former.escrow is not None and former.escrow.duty.of_references
        return owes and source_id not in self.entries

    def wait(self, source_id: SourceId, reason: str) -> Unsettled:
        """It waits for somebody, and nothing has failed."""
        former = self._former.get(source_id)
        since = former.since if former is not None else self._now()
        attempts = (former.attempts if former is not None else 0) + 1
        return self._keep(Unsettled(source_id, reason, attempts, since))

    def fail(self, change: PlannedChange, reason: str) -> Unsettled:
        """The change failed, or may have had no effect."""
        return self.fail_look(change.source_id, reason, duty_of(change), wish_of(change))

    def fail_look(self, source_id: SourceId, reason: str, duty: Duty, tried: Fingerprint = NEVER_TRIED) -> Unsettled:
        """What is owed could not even be tried."""
        former = self._former.get(source_id)
        return self._keep(put_in_escrow(source_id, former, reason, (duty, tried), self._now()))

    def _keep(self, entry: Unsettled) -> Unsettled:
        self.entries[entry.source_id] = entry
        return entry


@dataclass(slots=True)
class LeftUndone:
    """Who is left undone after a cycle, by reason. The fields are as in `CycleReport`."""

    reasons: Counter[str] = field(default_factory=Counter)
    escrowed: int = 0
    given_up: int = 0
    next_retry: datetime | None = None

    def add(self, entries: Iterable[Unsettled], now: datetime) -> None:
        """Those of one lane."""
        for entry in entries:
            self.reasons[entry.reason] += 1
            if entry.escrow is None:
                continue
            self.escrowed += 1
            if entry.escrow.due is None:
                self.given_up += 1
                continue
            due = max(entry.escrow.due, now)
            self.next_retry = due if self.next_retry is None else min(due, self.next_retry)


def told(entry: Unsettled, detail: str) -> str:
    """A line of the log about a failure: what the target said, the how-many-th attempt it was, and what comes next."""
    escrow = entry.escrow
    if escrow is None:
        return detail
    again = f"attempt {entry.attempts}, tried again {when(entry)}"
    if escrow.due is None:
        again = f"attempt {entry.attempts}, given up {GIVEN_UP_AFTER.days} days after the first"
    return f"{detail}; {again}" if detail else again


def when(entry: Unsettled) -> str:
    """When a failure is tried again, as a part of a sentence."""
    escrow = entry.escrow
    if escrow is None or escrow.duty.always:
        return "in the next cycle"
    if escrow.due is None:
        return "when the person, the mapping or the spec changes"
    return f"{escrow.due:{_TIME}}" if escrow.due > entry.since else "in the next cycle"
