"""From situations to planned changes, and the order in which they are applied."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from usher.core.model.plans import (
    Action,
    Ambiguous,
    Delta,
    Desired,
    Edit,
    Linked,
    Matched,
    Phase,
    PlannedChange,
    Replace,
    Situation,
    Skip,
    Unmatched,
)
from usher.core.model.resources import AttributePath, Json, Link, SourceId, TargetResource
from usher.core.scim.schemas import equal, fold
from usher.core.sync.mapping import CompiledMapping

Image: TypeAlias = Mapping[AttributePath, Json]
Planned: TypeAlias = PlannedChange | Skip | None
"""None: everything is as it should be, and recorded so."""

ADOPTED = "Adopted"
CONFIRMED = "Confirmed"
SOURCE_DISABLED = "SourceDisabled"
SOURCE_DELETED = "SourceDeleted"
IMPORT_SKIPPED = "ImportSkipped"
CANNOT_DISABLE = "TargetCannotDisable"


def take_image(mapping: CompiledMapping, resource: TargetResource) -> dict[AttributePath, Json]:
    """The value of every path that matters, None where the resource has none."""
    attributes = resource.attributes
    return {path: read(attributes) for path, read in mapping.readers}


def make_delta(mapping: CompiledMapping, desired: Desired, image: Image) -> dict[AttributePath, Edit]:
    """The smallest set of edits that makes `image` hold what is desired, compared as the target's schema compares."""
    delta: dict[AttributePath, Edit] = {
        path: Replace(value)
        for path, value in desired.values.items()
        if not equal(mapping.definitions.get(path), value, image.get(path))
    }
    for path, value in desired.fill_empty.items():
        if image.get(path) in (None, "", []):
            delta[path] = Replace(value)
    return delta


def plan_change(mapping: CompiledMapping, desired: Desired, situation: Situation, cause: str = "") -> Planned:
    """What is to be done for one person. `cause` says why somebody who is not active is not."""
    match situation:
        case Ambiguous(reason=reason, rivals=rivals):
            return Skip(desired.source_id, reason, "clashes with " + ", ".join(rivals[:10]), settled=False)
        case Linked(link=link, current=current):
            if desired.active:
                return _plan_update(mapping, desired, link, current)
            return _plan_disable(mapping, desired, link, current, cause)
        case Matched(found=found) if desired.active:
            return _plan_adoption(mapping, desired, found)
        case Unmatched() if desired.active:
            return _plan_create(desired)
        case Matched() | Unmatched():
            return Skip(desired.source_id, SOURCE_DISABLED, "has no account and gets none while disabled", settled=True)


def _plan_create(desired: Desired) -> Planned:
    if not desired.keys:
        return Skip(desired.source_id, IMPORT_SKIPPED, "no matching attribute has a value", settled=False)
    values = {**desired.fill_empty, **desired.on_create, **desired.values}
    return PlannedChange(
        source_id=desired.source_id,
        target_id=None,
        action=Action.CREATE,
        phase=Phase.CREATE,
        rank=0,
        delta={path: Replace(value) for path, value in values.items()},
        before={},
        version=None,
        fingerprint=desired.fingerprint,
        keys=desired.keys,
        create_only=tuple(path for path in values if path not in desired.values),
    )


def _plan_adoption(mapping: CompiledMapping, desired: Desired, found: TargetResource) -> Planned:
    link = Link(
        source_id=desired.source_id,
        target_id=found.id,
        version=found.version,
        image=take_image(mapping, found),
        fingerprint=desired.fingerprint,
        enabled=True,
    )
    delta = make_delta(mapping, desired, link.image)
    return _change_of(mapping, desired, link, delta, ADOPTED)


def _plan_update(mapping: CompiledMapping, desired: Desired, link: Link, current: TargetResource | None) -> Planned:
    if current is None and link.enabled and link.fingerprint == desired.fingerprint:
        return None
    seen = _as_read(mapping, link, current)
    delta = make_delta(mapping, desired, seen.image)
    path = mapping.disable_path
    if path is not None and path not in desired.values and _was_disabled_by_us(path, link, seen, current):
        delta[path] = Replace(value=True)
    return _change_of(mapping, desired, seen, delta, CONFIRMED)


def _was_disabled_by_us(path: AttributePath, link: Link, seen: Link, current: TargetResource | None) -> bool:
    """By a disable that is recorded, or by one whose end was unknown until the account was read again."""
    if not link.enabled:
        return seen.image.get(path) is not True
    return current is not None and seen.image.get(path) is False and link.image.get(path) is not False


def _plan_disable(
    mapping: CompiledMapping, desired: Desired, link: Link, current: TargetResource | None, cause: str
) -> Planned:
    path = mapping.disable_path
    if path is None:
        return Skip(desired.source_id, CANNOT_DISABLE, "the target has no way to disable an account", settled=True)
    if not link.enabled and current is None:
        return None
    seen = _as_read(mapping, link, current)
    delta = {path: Replace(value=False)}
    if current is not None and seen.image.get(path) is False:
        return replace(_change_of(mapping, desired, seen, {}, CONFIRMED), cause=cause or SOURCE_DISABLED)
    change = _change_of(mapping, desired, seen, delta, cause or SOURCE_DISABLED)
    return replace(change, action=Action.DISABLE, phase=Phase.DISABLE)


def _as_read(mapping: CompiledMapping, link: Link, current: TargetResource | None) -> Link:
    if current is None:
        return link
    return replace(link, version=current.version, image=take_image(mapping, current))


def _change_of(mapping: CompiledMapping, desired: Desired, link: Link, delta: Delta, cause: str) -> PlannedChange:
    """An Update with the delta, or a Link: the target holds everything already, only the state has to learn it."""
    frees_key = any(rule.target in delta for rule in mapping.matching)
    return PlannedChange(
        source_id=desired.source_id,
        target_id=link.target_id,
        action=Action.UPDATE if delta else Action.LINK,
        phase=Phase.FREE_KEYS if frees_key else Phase.UPDATE,
        rank=0,
        delta=delta,
        before=link.image,
        version=link.version,
        fingerprint=desired.fingerprint,
        keys=desired.keys,
        create_only=tuple(path for path in desired.fill_empty if path in delta),
        cause=cause,
    )


# --- order ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class KeyMove:
    """An update that gives up some unique values and takes others, as claims."""

    source_id: SourceId
    gives: frozenset[str]
    takes: frozenset[str]


def key_move(mapping: CompiledMapping, change: PlannedChange) -> KeyMove:
    """What a planned update does to the values of the matching attributes."""
    gives: set[str] = set()
    takes: set[str] = set()
    for rule in mapping.matching:
        edit = change.delta.get(rule.target)
        if not isinstance(edit, Replace):
            continue
        for value, claims in ((change.before.get(rule.target), gives), (edit.value, takes)):
            if isinstance(value, str | bool | int | float):
                claims.add(f"{rule.target}={fold(rule.definition, value)}")
    return KeyMove(change.source_id, frozenset(gives), frozenset(takes))


def rank_key_moves(moves: Sequence[KeyMove]) -> dict[SourceId, int]:
    """The rank of each move such that whoever gives a value up goes before whoever takes it.

    People who swap values in a circle can't be put in order: they share a rank, and a target that enforces uniqueness
    refuses them as an error of those resources.
    """
    giver = {claim: move.source_id for move in moves for claim in move.gives}
    waits_for = {
        move.source_id: {giver[claim] for claim in move.takes if claim in giver} - {move.source_id} for move in moves
    }
    ranks: dict[SourceId, int] = {}
    level = 0
    while waits_for:
        ready = [person for person, others in waits_for.items() if others.isdisjoint(waits_for)] or list(waits_for)
        for person in ready:
            ranks[person] = level
            del waits_for[person]
        level += 1
    return ranks
