"""What the journal keeps of a change: enough to take it back, and nothing that the target never returns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from usher.core.model.journal import JournalEntry
from usher.core.model.plans import Action, Amend, Delta, Edit, PlannedChange, PlannedEdit, Refer, Replace
from usher.core.model.resources import AttributePath, Json, ResourceType, TargetId
from usher.core.scim.comparison import equal
from usher.core.scim.patches import element_path
from usher.core.sync.rules import CompiledMapping

Held = Mapping[AttributePath, Sequence[TargetId]]


def entry_of(mapping: CompiledMapping, number: int, change: PlannedChange, held: Held) -> JournalEntry | None:
    """The entry of a change of an account; None of one that takes the place of nothing.

    `held` are the accounts to which one that is deleted refers.
    """
    entry = JournalEntry(number, change.source_id, change.target_id, change.action)
    match change.action:
        case Action.CREATE:
            return entry
        case Action.DELETE:
            kept = {path: value for path, value in change.before.items() if value is not None}
            image = {path: value for path, value in kept.items() if path not in mapping.withheld}
            return replace(entry, before=image, held={path: tuple(ids) for path, ids in held.items() if ids})
        case Action.REMOVE | Action.REFER:
            message = "an entry about references is made of accounts, and not of a plan"
            raise ValueError(message)
        case Action.LINK | Action.UPDATE | Action.DISABLE:
            delta = {path: edit for path, edit in change.delta.items() if isinstance(edit, Replace | Amend)}
            empties = change.action is Action.DISABLE and change.resource_type is ResourceType.GROUP
            if not (delta or empties):
                return None
            before = {path: change.before.get(path) for path in _around(delta)}
            return replace(entry, delta=delta, before=before)


def entry_of_references(
    mapping: CompiledMapping, number: int, change: PlannedChange, given: Held, held: Held
) -> JournalEntry | None:
    """That of a change of references: of those that it gives, the accounts are `given`; `held` are those of before."""
    delta: dict[AttributePath, Edit] = {}
    before: dict[AttributePath, Json] = {}
    for reference in mapping.references:
        path, edit = reference.path, change.delta.get(reference.path)
        if edit is None or path not in held:
            continue
        if reference.several:
            there = held[path]
            add = [one for one in given.get(path, ()) if one not in there]
            remove = [one for one in _removed(edit) if one in there]
            if add or remove:
                delta[path] = Amend(add=as_values(add), remove=as_values(remove))
            continue
        former, next_ = as_values(held[path][:1]), as_values(given.get(path, ())[:1])
        if former != next_ and not (isinstance(edit, Refer) and not next_):
            delta[path] = Replace(next_[0] if next_ else None)
            before[path] = former[0] if former else None
    if not delta:
        return None
    return JournalEntry(number, change.source_id, change.target_id, change.action, delta, before)


def confirm(mapping: CompiledMapping, entry: JournalEntry, change: PlannedChange) -> JournalEntry:
    """The entry of a change of values that was done; the account may have been read again meanwhile.

    What it then held is what was really there before, unless that is what the change itself had written: of a request
    whose answer was lost.
    """
    before = dict(entry.before)
    for path in entry.delta:
        edit, now = entry.delta[path], change.before.get(path)
        written = isinstance(edit, Replace) and equal(mapping.definitions.get(path), now, edit.value)
        if path in change.delta and not written:
            before |= {each: change.before.get(each) for each in _around({path: edit})}
    return replace(entry, before=before)


def as_values(accounts: Sequence[TargetId]) -> tuple[Json, ...]:
    """Accounts as the values of a reference attribute."""
    return tuple({"value": one} for one in accounts)


def ids_of(values: Sequence[Json]) -> tuple[TargetId, ...]:
    """The other way round."""
    return tuple(TargetId(str(one["value"])) for one in values if isinstance(one, dict) and "value" in one)


def _removed(edit: PlannedEdit) -> Sequence[TargetId]:
    return ids_of(edit.remove) if isinstance(edit, Amend) else ()


def _around(delta: Delta) -> list[AttributePath]:
    """The paths, and those of the elements that they are in: an element may be there for other values too."""
    elements = [element for path in delta if (element := element_path(path)) is not None]
    return list(dict.fromkeys((*delta, *elements)))
