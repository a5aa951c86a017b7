"""What of a cycle can be taken back in one lane: each of its changes is held against the target as it is now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from usher.contracts.log import LogEntry
from usher.contracts.store import Owner
from usher.core.errors import OF_ONE_RESOURCE
from usher.core.model.journal import JournalEntry
from usher.core.model.plans import (
    Action,
    Ambiguous,
    Amend,
    Foreign,
    Matched,
    PlannedChange,
    PlannedEdit,
    Refer,
    Replace,
    Unknowable,
    Unmatched,
)
from usher.core.model.resources import (
    AttributePath,
    Fingerprint,
    Holding,
    Link,
    ResourceType,
    SourceId,
    TargetId,
    TargetResource,
)
from usher.core.scim.values import read
from usher.core.sync.journaling import as_values
from usher.core.sync.leaving import Writes
from usher.core.sync.matching import OWNED_BY_OTHER
from usher.core.sync.planning import CREATE_UNKNOWN, IMPORT_SKIPPED, NOT_ALLOWED, as_read, take_image, why_nothing
from usher.core.sync.rules import Reference
from usher.core.sync.undoing import (
    CHANGED_SINCE,
    former_references,
    keys_of,
    merge,
    put_back,
    undo_change,
    undo_create,
    undo_delete,
    undo_references,
)
from usher.core.sync.untouchable import NEVER_TOUCH
from usher.engine.bench import Bench
from usher.engine.concurrency import for_each
from usher.engine.job import Job
from usher.engine.log_lines import LogLines
from usher.engine.reading import read_paths, read_references
from usher.engine.reviving import Reviving
from usher.engine.settling import let_settle

TARGET_GONE: Final = "TargetGone"
NOT_MAPPED: Final = "AttributeNotMapped"
_RELATING: Final = (Action.REMOVE, Action.REFER)
_SKIPPED, _FAILURE = "Skipped", "Failure"
Reborn = Mapping[TargetId, SourceId]
"""Accounts that the cycle deleted, by the ids that they had: whoever referred to one refers to the new one."""


@dataclass(frozen=True, slots=True)
class Gathered:
    """The journal of one lane by resource, the last change first; one change of values is left of several."""

    values: dict[SourceId, JournalEntry] = field(default_factory=dict)
    references: dict[SourceId, list[JournalEntry]] = field(default_factory=dict)

    def add(self, entry: JournalEntry) -> None:
        """The next one, in the order of the journal."""
        if entry.action in _RELATING:
            self.references.setdefault(entry.source_id, []).append(entry)
            return
        later = self.values.get(entry.source_id)
        self.values[entry.source_id] = entry if later is None else merge(later, entry)
        if entry.held:
            held = {path: Amend(remove=as_values(ids)) for path, ids in entry.held.items()}
            self.references.setdefault(entry.source_id, []).append(replace(entry, delta=held))

    @property
    def reborn(self) -> Reborn:
        """Whose accounts were deleted."""
        deleted = (one for one in self.values.values() if one.action is Action.DELETE)
        return {one.target_id: one.source_id for one in deleted if one.target_id is not None}


@dataclass(slots=True)
class Undoing:
    """One lane. `rows` are to be applied; `left` says of whom something stays as it is, and why."""

    bench: Bench
    lane: Job
    reborn: Reborn
    rows: list[PlannedChange] = field(default_factory=list)
    left: list[LogEntry] = field(default_factory=list)
    holdings: dict[SourceId, Holding] = field(default_factory=dict)
    _links: Mapping[SourceId, Link] = field(default_factory=dict)
    _owners: Mapping[TargetId, Owner] = field(default_factory=dict)
    _unfinished: frozenset[SourceId] = frozenset()

    async def plan(self, gathered: Gathered) -> None:
        """Reads every account that the cycle changed. Raises CycleError."""
        store, lane = self.bench.ports.store, self.lane.lane
        ids = list(gathered.values.keys() | gathered.references.keys())
        self._links = await store.links(lane, ids)
        accounts = {entry.target_id for entry in gathered.values.values() if entry.target_id is not None}
        self._owners = await self.lane.owners(store, accounts)
        self.holdings = dict(await store.holdings(lane, list(gathered.references)))
        await self._let_settle(gathered)
        await for_each(gathered.values.values(), self._plan_values, self.lane.concurrency)
        await for_each(gathered.references.values(), self._plan_references, self.lane.concurrency)

    async def _let_settle(self, gathered: Gathered) -> None:
        """An undo that was interrupted may have made an account that no look finds yet."""
        intents = await self.bench.ports.store.intents(self.lane.lane)
        creates = (one.source_id for one in intents.values() if one.action is Action.CREATE)
        self._unfinished = frozenset(one for one in creates if one in gathered.values)
        if self._unfinished:
            await let_settle(self.lane, self.bench.ports, self.bench.control)

    def _leave(self, entry: JournalEntry, reason: str, detail: str, result: str = _SKIPPED) -> None:
        line = LogLines(self.lane, self.bench.ports, self.bench.cycle).of_decision(
            entry.source_id, ("match", "Skip", result, reason, detail)
        )
        self.left.append(replace(line, target_id=entry.target_id))

    # --- values

    async def _plan_values(self, entry: JournalEntry) -> None:
        try:
            if entry.action is Action.DELETE:
                await self._plan_deleted(entry)
            elif entry.target_id is None:
                self._leave(entry, CREATE_UNKNOWN, "the answer to the create was lost: nobody knows what came of it")
            else:
                await self._plan_account(entry, entry.target_id)
        except OF_ONE_RESOURCE as error:
            self._leave(entry, error.reason, error.detail or error.message, _FAILURE)

    async def _plan_account(self, entry: JournalEntry, account: TargetId) -> None:
        link = self._links.get(entry.source_id)
        if link is not None and link.target_id != account:
            self._leave(entry, CHANGED_SINCE, f"is linked to {link.target_id} by now")
            return
        if self._is_taken(entry.source_id, account):
            self._leave(entry, OWNED_BY_OTHER, f"{account} has another owner by now")
            return
        paths = {*entry.delta, *entry.before}
        found = await read_paths(self.bench.session, self.bench.retrier, self.lane, account, paths)
        if found is None:
            self._leave(entry, TARGET_GONE, "the account is there no more")
            return
        seen = as_read(self.lane.mapping, link or _unlinked(entry.source_id, found), found)
        besides = {path: read(path, found.attributes) for path in paths - seen.image.keys()}
        self._decide(entry, replace(seen, image={**besides, **seen.image}))

    def _decide(self, entry: JournalEntry, seen: Link) -> None:
        """What is done with an account that is there, as it is now."""
        mapping = self.lane.mapping
        emptied = mapping.resource_type is ResourceType.GROUP and not seen.enabled
        if mapping.untouchable.covers(seen.image):
            self._leave(entry, NEVER_TOUCH, "the account is one by now that is never written")
        elif emptied and entry.action is not Action.DISABLE:
            self._leave(entry, CHANGED_SINCE, "the group was disabled since")
        elif entry.action is Action.CREATE:
            self._allow(entry, undo_create(mapping, seen))
        else:
            reverse = put_back(mapping, entry, seen.image)
            if reverse.changed:
                self._leave(entry, CHANGED_SINCE, f"somebody has changed {', '.join(sorted(reverse.changed))} since")
            if reverse.delta or emptied:
                self._allow(entry, undo_change(mapping, seen, reverse.delta))

    def _allow(self, entry: JournalEntry, row: PlannedChange | None) -> None:
        if row is None:
            return
        needed = Writes.CREATE if row.action is Action.CREATE else Writes.UPDATE
        if row.delta and needed not in self.lane.mapping.writes:
            self._leave(entry, NOT_ALLOWED, f"the mapping has no action {needed.value}")
            return
        self.rows.append(row)

    async def _plan_deleted(self, entry: JournalEntry) -> None:
        """It is looked for first: somebody may have made it again."""
        mapping, former = self.lane.mapping, entry.before
        if entry.source_id in self._links:
            self._leave(entry, CHANGED_SINCE, "has an account again")
            return
        if not keys_of(mapping, former):
            self._leave(entry, IMPORT_SKIPPED, "no matching attribute had a value: it can't be looked for")
            return
        row = undo_delete(mapping, entry)
        match await Reviving(self.bench, self.lane, self._unfinished).look(entry.source_id, row.keys):
            case Unmatched():
                self._allow(entry, row)
            case Matched(found=found) if mapping.untouchable.covers(take_image(mapping, found)):
                self._leave(entry, NEVER_TOUCH, f"the account {found.id} is there, and is never written")
            case Matched(found=found):
                link = replace(_unlinked(entry.source_id, found), image=take_image(mapping, found))
                self.rows.append(undo_change(mapping, link, {}))
            case Ambiguous() | Foreign() | Unknowable() as situation:
                self._leave(entry, *why_nothing(situation))

    def _is_taken(self, source_id: SourceId, account: TargetId) -> bool:
        owner = self._owners.get(account)
        return owner is not None and (owner.connector, owner.source_id) != (self.lane.connector, source_id)

    # --- references

    async def _plan_references(self, entries: Sequence[JournalEntry]) -> None:
        """Those of one holder; one that was deleted has none of them by now."""
        entry = entries[0]
        link = self._links.get(entry.source_id)
        known = {reference.path for reference in self.lane.mapping.references}
        for path in sorted({path for each in entries for path in each.delta} - known):
            self._leave(entry, NOT_MAPPED, f"{path} holds no references by the mapping any more")
        why = self._keeps_references(entry, link)
        if why is not None:
            self._leave(entry, *why)
            return
        taken: dict[AttributePath, PlannedEdit] = {}
        given: dict[AttributePath, PlannedEdit] = {}
        try:
            for reference in self.lane.mapping.references:
                if any(reference.path in each.delta for each in entries):
                    held = await self._held(reference, link)
                    self._plan_reference(reference, entries, held, (taken, given))
        except OF_ONE_RESOURCE as error:
            self._leave(entry, error.reason, error.detail or error.message, _FAILURE)
            return
        for action, delta in ((Action.REMOVE, taken), (Action.REFER, given)):
            if delta:
                self.rows.append(undo_references(self.lane.mapping, entry.source_id, action, delta))

    def _keeps_references(self, entry: JournalEntry, link: Link | None) -> tuple[str, str] | None:
        """Why nothing is given to a holder, nor taken from it, None where it may be."""
        mapping = self.lane.mapping
        if Writes.UPDATE not in mapping.writes:
            return NOT_ALLOWED, f"the mapping has no action {Writes.UPDATE.value}"
        if entry.target_id in self.reborn:
            return None
        if link is None or link.target_id != entry.target_id:
            return CHANGED_SINCE, "has another account by now, or none"
        if mapping.untouchable.covers(link.image):
            return NEVER_TOUCH, "the account is one by now that is never written"
        return None

    async def _held(self, reference: Reference, link: Link | None) -> Sequence[TargetId]:
        """As it is now, which the apply goes by as well."""
        if link is None:
            return ()
        held = await read_references(self.bench.session, self.bench.retrier, self.lane, link.target_id, reference.path)
        former = self.holdings.get(link.source_id)
        others = former.held if former is not None and former.target_id == link.target_id else {}
        self.holdings[link.source_id] = Holding(link.target_id, {**others, reference.path: held})
        return held

    def _plan_reference(
        self,
        reference: Reference,
        entries: Sequence[JournalEntry],
        held: Sequence[TargetId],
        into: tuple[dict[AttributePath, PlannedEdit], dict[AttributePath, PlannedEdit]],
    ) -> None:
        former, (taken, given) = former_references(entries, reference.path), into
        path, back = reference.path, [one for one, was in former.there.items() if was and one not in held]
        if reference.several:
            if gone := [one for one, was in former.there.items() if not was and one in held]:
                taken[path] = Amend(remove=as_values(gone))
        elif held and held[0] not in (former.written, *(one for one, was in former.there.items() if was)):
            self._leave(entries[0], CHANGED_SINCE, f"somebody has changed {path} since")
            return
        elif not held and former.written is not None:
            self._leave(entries[0], CHANGED_SINCE, f"somebody has taken {path} away since")
            return
        elif held and not any(former.there.values()):
            taken[path] = Replace(None)
        if back:
            given[path] = self._refer(back)

    def _refer(self, accounts: Iterable[TargetId]) -> Refer:
        listed = list(accounts)
        to = tuple(self.reborn[one] for one in listed if one in self.reborn)
        return Refer(to, tuple(one for one in listed if one not in self.reborn))


def _unlinked(source_id: SourceId, found: TargetResource) -> Link:
    return Link(source_id, found.id, found.version, {}, Fingerprint(b""), enabled=True)
