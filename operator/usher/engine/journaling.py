"""The journal of one cycle in one lane: announced with the intents, corrected with the outcomes.

An entry is there before its request leaves, in the transaction of its intent, and goes only when it is certain that the
request had no effect: a process may die at any moment. What is undone later is held against the target anyway.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from usher.contracts.journal import Journal, JournalPart
from usher.core.model.journal import JournalEntry
from usher.core.model.outcomes import Deleted, Done, Failed, Instead, Outcome, Partly, Unsure
from usher.core.model.plans import Action, PlannedChange, Refer
from usher.core.model.resources import AttributePath, SourceId, TargetId
from usher.core.sync.journaling import confirm, entry_of, entry_of_references
from usher.engine.expecting import Expecting
from usher.engine.job import Job, Ports

_RELATING = (Action.REMOVE, Action.REFER)


class Journaling:
    """Makes the entries. Of each resource at most one change is under way at a time."""

    def __init__(self, job: Job, ports: Ports, cycle: str) -> None:
        self._mapping, self._lane, self._store = job.mapping, job.lane, ports.store
        self._journal = Journal(cycle, ports.runtime.now(), job.address)
        self._number = 0
        self._open: dict[SourceId, JournalEntry] = {}
        self._entries: list[JournalEntry] = []
        self._dropped: list[int] = []

    async def announce(self, rows: Sequence[PlannedChange], expecting: Expecting) -> JournalPart:
        """The entries of changes that come next."""
        if not self._number:
            self._number = await self._store.last_entry(self._lane, self._journal.cycle)
        entries = []
        for row in rows:
            entry = self._foresee(row, expecting)
            if entry is not None:
                self._open[row.source_id] = entry
                entries.append(entry)
        return JournalPart(self._journal, entries)

    def give_back(self, ids: Iterable[SourceId]) -> JournalPart:
        """Of changes that were announced and not begun."""
        return JournalPart(self._journal, dropped=[self._open.pop(one).number for one in ids if one in self._open])

    def note(self, outcome: Outcome) -> None:
        """What is known better by an outcome, for `take`."""
        match outcome:
            case Instead(done=done):
                self._note_done(done)
            case Done():
                self._note_done(outcome)
            case Failed(change=change):
                self._drop(self._open.pop(change.source_id, None))
            case Unsure(change=change):
                self._note_other(change)
            case Deleted(change=change) | Partly(change=change):
                self._open.pop(change.source_id, None)

    def take(self) -> JournalPart | None:
        """What came of outcomes since the last time, None where that is nothing."""
        if not (self._entries or self._dropped):
            return None
        part = JournalPart(self._journal, self._entries, self._dropped)
        self._entries, self._dropped = [], []
        return part

    def _foresee(self, row: PlannedChange, expecting: Expecting) -> JournalEntry | None:
        known = expecting.known(row)
        self._number += 1
        if row.action in _RELATING:
            if known is None:
                return None
            given: Mapping[AttributePath, Sequence[TargetId]] = {
                path: known.accounts(edit) for path, edit in row.delta.items() if isinstance(edit, Refer)
            }
            known_row = replace(row, target_id=known.link.target_id)
            return entry_of_references(self._mapping, self._number, known_row, given, known.held)
        return entry_of(self._mapping, self._number, row, {} if known is None else known.held)

    def _note_done(self, outcome: Done) -> None:
        """References are given and taken as announced, whatever else the request said."""
        change = outcome.change
        entry = self._open.get(change.source_id)
        if entry is None or change.action is not entry.action:
            self._note_other(change)
            return
        del self._open[change.source_id]
        sure = replace(entry, target_id=outcome.link.target_id)
        if change.action not in (Action.CREATE, *_RELATING):
            sure = confirm(self._mapping, sure, change)
        if sure != entry:
            self._entries.append(sure)

    def _note_other(self, change: PlannedChange) -> None:
        """What was done, or perhaps was, is another change than the one that was announced."""
        entry = self._open.pop(change.source_id, None)
        if entry is None or change.action is entry.action:
            return
        other = entry_of(self._mapping, entry.number, change, {})
        if other is None:
            self._drop(entry)
        else:
            self._entries.append(other)

    def _drop(self, entry: JournalEntry | None) -> None:
        if entry is not None:
            self._dropped.append(entry.number)
