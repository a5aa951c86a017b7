"""Taking back what a cycle did: the reverse of each of its changes, held against the target as it is now.

What is not as the cycle left it belongs to whoever changed it since, and stays.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from usher.core.model.journal import JournalEntry
from usher.core.model.plans import (
    Action,
    Amend,
    Edit,
    MatchKey,
    Phase,
    PlannedChange,
    PlannedDelta,
    PlannedEdit,
    Replace,
)
from usher.core.model.resources import AttributePath, Fingerprint, Json, Link, ResourceType, SourceId, TargetId
from usher.core.scim.comparison import equal, lacking
from usher.core.scim.patches import element_path
from usher.core.scim.paths import parse_path
from usher.core.sync.journaling import ids_of
from usher.core.sync.planning import UNDONE
from usher.core.sync.rules import CompiledMapping

CHANGED_SINCE: Final = "ChangedSince"
_UNKNOWN: Final = Fingerprint(b"")
"""What is undone is not what the mapping wants: the next cycle looks at it again."""


@dataclass(frozen=True, slots=True)
class Reverse:
    """The edits that put values back, and the paths that somebody has changed since."""

    delta: Mapping[AttributePath, Edit] = field(default_factory=dict)
    changed: tuple[AttributePath, ...] = ()


@dataclass(frozen=True, slots=True)
class FormerReferences:
    """What one reference attribute held before: of several, each account that came or went and whether it was there."""

    there: Mapping[TargetId, bool]
    written: TargetId | None = None


def merge(later: JournalEntry, earlier: JournalEntry) -> JournalEntry:
    """Two changes of the values of one account as one."""
    action = Action.DELETE if later.action is Action.DELETE else earlier.action
    delta, before = {**earlier.delta, **later.delta}, {**later.before, **earlier.before}
    return replace(later, action=action, delta=delta, before=before, held={**earlier.held, **later.held})


def put_back(mapping: CompiledMapping, entry: JournalEntry, now: Mapping[AttributePath, Json]) -> Reverse:
    """Of an account that holds `now`: each value returns where the account still has what the cycle wrote."""
    delta: dict[AttributePath, Edit] = {}
    changed: list[AttributePath] = []
    for path, edit in entry.delta.items():
        definition, held = mapping.definitions.get(path), now.get(path)
        if isinstance(edit, Amend):
            there = tuple(one for one in edit.add if not lacking(definition, [one], held))
            back = lacking(definition, list(edit.remove), held)
            if there or back:
                delta[path] = Amend(add=back, remove=there)
            if len(there) < len(edit.add):
                changed.append(path)
            continue
        former = _former(mapping, entry, path, edit)
        if equal(definition, held, former):
            continue
        if equal(definition, held, edit.value):
            delta[path] = Replace(former)
        else:
            changed.append(path)
    return Reverse({**delta, **_emptied(entry, delta, now)}, tuple(changed))


def _former(mapping: CompiledMapping, entry: JournalEntry, path: AttributePath, edit: Replace) -> Json:
    """An account of which the target never said that it is active was so, before it was disabled."""
    former = entry.before.get(path)
    return True if former is None and path == mapping.disable_path and edit.value is False else former


def _emptied(
    entry: JournalEntry, delta: Mapping[AttributePath, Edit], now: Mapping[AttributePath, Json]
) -> dict[AttributePath, Edit]:
    """Elements that the cycle made, and in which nobody has put anything since, go as a whole."""
    subs: dict[AttributePath, set[str]] = {}
    for path in delta:
        element = element_path(path)
        if element is not None and element in entry.before and entry.before[element] is None:
            subs.setdefault(element, set()).add((parse_path(path).sub or "").lower())
    found: dict[AttributePath, Edit] = {}
    for element, ours in subs.items():
        held, filtered = now.get(element), dict(parse_path(element).filter or ())
        if isinstance(held, dict) and {name.lower() for name in held} <= ours | {name.lower() for name in filtered}:
            found[element] = Replace(None)
    return found


def former_references(entries: Iterable[JournalEntry], path: AttributePath) -> FormerReferences:
    """What the attribute held before these changes of one cycle, of which the last comes first."""
    there: dict[TargetId, bool] = {}
    written: list[TargetId | None] = []
    for entry in entries:
        match entry.delta.get(path):
            case Amend(add=added, remove=removed):
                there |= dict.fromkeys(ids_of(added), False) | dict.fromkeys(ids_of(removed), True)
            case Replace(value=value):
                written.append(next(iter(ids_of([value])), None))
                there = dict.fromkeys(ids_of([entry.before.get(path)]), True)
            case _:
                continue
    return FormerReferences(there, written[0] if written else None)


def keys_of(mapping: CompiledMapping, image: Mapping[AttributePath, Json]) -> tuple[MatchKey, ...]:
    """By what an account with these values is found."""
    found = (rule.key({part.target: image.get(part.target) for part in rule.parts}) for rule in mapping.matching)
    return tuple(key for key in found if key is not None)


def undo_change(mapping: CompiledMapping, link: Link, delta: Mapping[AttributePath, Edit]) -> PlannedChange:
    """These edits of an account as it is now. To disable it takes something away, whoever does it."""
    disables = mapping.disable_path is not None and delta.get(mapping.disable_path) == Replace(value=False)
    frees_key = any(part.target in delta for rule in mapping.matching for part in rule.parts)
    change = _row(mapping, link.source_id, Action.UPDATE if delta else Action.LINK, Phase.UPDATE)
    if disables:
        change = replace(change, action=Action.DISABLE, phase=Phase.DISABLE)
    elif frees_key:
        change = replace(change, phase=Phase.FREE_KEYS)
    return replace(change, target_id=link.target_id, delta=delta, before=link.image, version=link.version)


def undo_create(mapping: CompiledMapping, link: Link) -> PlannedChange | None:
    """Who was created is disabled, never deleted; a group is left, without the members that it got.

    None where that is so already, or can't be.
    """
    path = mapping.disable_path
    if mapping.resource_type is ResourceType.GROUP:
        return replace(undo_change(mapping, link, {}), action=Action.DISABLE, phase=Phase.DISABLE)
    if path is None or link.image.get(path) is False:
        return None
    return undo_change(mapping, link, {path: Replace(value=False)})


def undo_delete(mapping: CompiledMapping, entry: JournalEntry) -> PlannedChange:
    """The account once more, with all that it held."""
    values = {path: value for path, value in entry.before.items() if value is not None and _is_written(mapping, path)}
    change = _row(mapping, entry.source_id, Action.CREATE, Phase.CREATE)
    delta = {path: Replace(value) for path, value in values.items()}
    return replace(change, delta=delta, keys=keys_of(mapping, entry.before))


def _is_written(mapping: CompiledMapping, path: AttributePath) -> bool:
    """Values are written by their own paths, and not by those of the elements that they are in."""
    return path in mapping.definitions or path == mapping.disable_path


def undo_references(
    mapping: CompiledMapping, source_id: SourceId, action: Action, delta: PlannedDelta
) -> PlannedChange:
    """References of one account that are taken (`REMOVE`) or given (`REFER`) again."""
    phase = Phase.REMOVE if action is Action.REMOVE else Phase.REFER
    return replace(_row(mapping, source_id, action, phase), delta=delta)


def set_apart(rows: Sequence[PlannedChange], disabled: Collection[TargetId]) -> list[PlannedChange]:
    """The rows of one lane, with what follows from a disable of the same undo in rows of their own.

    That an account which is disabled is a member no more, and that a group which is disabled has no members, is counted
    by no budget a second time.
    """
    emptied = {row.source_id for row in rows if row.action is Action.DISABLE}
    return [part for row in rows for part in _parts(row, disabled, emptied)]


def _parts(
    row: PlannedChange, disabled: Collection[TargetId], emptied: Collection[SourceId]
) -> Iterator[PlannedChange]:
    follows: dict[AttributePath, PlannedEdit] = {}
    others: dict[AttributePath, PlannedEdit] = {}
    for path, edit in row.delta.items():
        if row.action is Action.REMOVE and isinstance(edit, Amend):
            gone = [row.source_id in emptied or one in disabled for one in ids_of(edit.remove)]
            pairs = list(zip(edit.remove, gone, strict=True))
            if any(gone):
                follows[path] = Amend(remove=tuple(one for one, leaves in pairs if leaves))
            if not all(gone):
                others[path] = Amend(remove=tuple(one for one, leaves in pairs if not leaves))
        else:
            others[path] = edit
    if follows:
        yield replace(row, phase=Phase.FOLLOW, delta=follows)
    if others or not follows:
        yield replace(row, delta=others)


def _row(mapping: CompiledMapping, source_id: SourceId, action: Action, phase: Phase) -> PlannedChange:
    return PlannedChange(
        resource_type=mapping.resource_type,
        source_id=source_id,
        target_id=None,
        action=action,
        phase=phase,
        rank=0,
        delta={},
        before={},
        version=None,
        fingerprint=_UNKNOWN,
        cause=UNDONE,
    )
