"""From situations to planned changes, and the order in which they are applied."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeAlias

from usher.core.model.plans import (
    Action,
    Ambiguous,
    Amend,
    Desired,
    Foreign,
    Linked,
    Matched,
    Phase,
    PlannedChange,
    PlannedDelta,
    PlannedEdit,
    Replace,
    Situation,
    Skip,
    Unknowable,
    Unmatched,
    Withheld,
)
from usher.core.model.resources import AttributePath, Fingerprint, Json, Link, ResourceType, TargetResource
from usher.core.scim.comparison import equal, lacking
from usher.core.sync.leaving import Policy, Writes
from usher.core.sync.rules import CompiledMapping

Image: TypeAlias = Mapping[AttributePath, Json]
Planned: TypeAlias = PlannedChange | Skip | None
"""None: everything is as it should be, and recorded so."""

ADOPTED = "Adopted"
CONFIRMED = "Confirmed"
UNDONE = "Undone"
"""A change takes back what an earlier cycle did."""
IMPORT_SKIPPED = "ImportSkipped"
CANNOT_DISABLE = "TargetCannotDisable"
CREATE_UNKNOWN = "CreateOutcomeUnknown"
NOBODY_KNOWS = "the answer to a create was lost, and the app can't be asked whether it has the account"
NO_ACCOUNT = "has no account, and gets none"
FIELDS_MISSING = "MandatoryFieldsMissing"
NOT_ADOPTED = "AdoptionRefused"
NOT_ALLOWED = "ActionNotAllowed"
KEPT = "the account stays as it is: the policy for this cause is Keep"


def take_image(mapping: CompiledMapping, resource: TargetResource) -> dict[AttributePath, Json]:
    """The value of every path that matters, None where the resource has none."""
    attributes = resource.attributes
    return {path: read(attributes) for path, read in mapping.readers}


def make_delta(mapping: CompiledMapping, desired: Desired, image: Image) -> dict[AttributePath, PlannedEdit]:
    """The smallest set of edits that makes `image` hold what is desired, compared as the target's schema compares."""
    delta: dict[AttributePath, PlannedEdit] = {}
    for path, value in desired.values.items():
        definition, held = mapping.definitions.get(path), image.get(path)
        if path in mapping.additive:
            if missing := lacking(definition, value, held):
                delta[path] = Amend(add=missing)
        elif not equal(definition, value, held):
            delta[path] = Replace(value)
    for path, value in desired.besides.fill_empty.items():
        if is_empty(image.get(path)):
            delta[path] = Replace(value)
    delta.update({path: Replace(None) for path in desired.besides.cleared if not is_empty(image.get(path))})
    delta.update({path: Withheld(seal) for path, seal in desired.besides.seals.items() if image.get(path) != seal})
    return delta


def still_due(mapping: CompiledMapping, change: PlannedChange, image: Image) -> dict[AttributePath, PlannedEdit]:
    """The edits of a change that a resource with this image still needs; what only a create may send is left out."""
    delta: dict[AttributePath, PlannedEdit] = {}
    for path, edit in change.delta.items():
        definition, held = mapping.definitions.get(path), image.get(path)
        match edit:
            case Replace(value=value) if equal(definition, value, held):
                continue
            case Amend(add=add, remove=remove) if not lacking(definition, list(add), held) and not remove:
                continue
            case _:
                if not (path in change.create_only and not is_empty(held)):
                    delta[path] = edit
    return delta


def is_shown(change: PlannedChange) -> bool:
    """Whether anybody would see it: a link that is only confirmed changes nothing."""
    return change.action is not Action.LINK or change.cause == ADOPTED


def is_empty(value: Json) -> bool:
    """Whether the target's attribute has nothing in it."""
    return value is None or value in ("", [])


def plan_change(
    mapping: CompiledMapping, desired: Desired, situation: Situation, leaver: Policy = Policy.DISABLE
) -> Planned:
    """What is to be done for one person; `leaver` is what is done with the account of one who shall have no access."""
    match situation:
        case Ambiguous() | Unknowable():
            return _plan_nothing(desired, situation)
        case Matched() | Foreign() | Unmatched() if not desired.active:
            return Skip(desired.source_id, desired.cause, NO_ACCOUNT, settled=True)
        case Linked():
            return _plan_linked(mapping, desired, situation, leaver)
        case Matched(found=found):
            return _plan_adoption(mapping, desired, found)
        case Foreign():
            return _plan_nothing(desired, situation)
        case Unmatched():
            return _plan_create(mapping, desired)


def _plan_nothing(desired: Desired, situation: Ambiguous | Foreign | Unknowable) -> Skip:
    reason, detail = why_nothing(situation)
    return Skip(desired.source_id, reason, detail, settled=False)


def why_nothing(situation: Ambiguous | Foreign | Unknowable) -> tuple[str, str]:
    """Reason and detail of a situation in which nothing can be done."""
    match situation:
        case Ambiguous(reason=reason, rivals=rivals):
            return reason, "clashes with " + ", ".join(rivals[:10])
        case Foreign(found=found):
            return NOT_ADOPTED, f"the account {found.id} matches, and adopt: Never leaves it to whoever made it"
        case Unknowable():
            return CREATE_UNKNOWN, NOBODY_KNOWS


def _plan_create(mapping: CompiledMapping, desired: Desired) -> Planned:
    if Writes.CREATE not in mapping.writes:
        return Skip(desired.source_id, NOT_ALLOWED, "the mapping has no action Create", settled=True)
    if not desired.keys:
        return Skip(desired.source_id, IMPORT_SKIPPED, "no matching attribute has a value", settled=False)
    values = {**desired.besides.fill_empty, **desired.besides.on_create, **desired.values}
    given = values.keys() | desired.besides.choices.keys() | desired.besides.withheld.keys()
    if missing := [path for path in mapping.required if path not in given]:
        detail = f"the target requires {', '.join(missing)}, and neither the source nor a default gives it a value"
        return Skip(desired.source_id, FIELDS_MISSING, detail, settled=False)
    delta: dict[AttributePath, PlannedEdit] = {path: Replace(value) for path, value in values.items()}
    delta.update({path: Withheld(desired.besides.seals.get(path, "")) for path in desired.besides.withheld})
    return PlannedChange(
        resource_type=mapping.resource_type,
        source_id=desired.source_id,
        target_id=None,
        action=Action.CREATE,
        phase=Phase.CREATE,
        rank=0,
        delta=delta,
        before={},
        version=None,
        fingerprint=desired.fingerprint,
        keys=desired.keys,
        create_only=tuple(path for path in delta if path not in desired.values and path not in desired.besides.seals),
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
    if delta and Writes.UPDATE not in mapping.writes:
        unknown = desired._replace(fingerprint=Fingerprint(b""))
        return _change_of(mapping, unknown, link, {}, ADOPTED)
    return _change_of(mapping, desired, link, delta, ADOPTED)


def _plan_update(mapping: CompiledMapping, desired: Desired, link: Link, current: TargetResource | None) -> Planned:
    if current is None and link.enabled and link.fingerprint == desired.fingerprint:
        return None
    seen = as_read(mapping, link, current)
    delta = make_delta(mapping, desired, seen.image)
    path = mapping.disable_path
    if path is not None and path not in desired.values and _was_disabled_by_us(path, link, seen, current):
        delta[path] = Replace(value=True)
    if delta and Writes.UPDATE not in mapping.writes:
        return Skip(desired.source_id, NOT_ALLOWED, "the mapping has no action Update", settled=True)
    return _change_of(mapping, desired, seen, delta, CONFIRMED)


def _was_disabled_by_us(path: AttributePath, link: Link, seen: Link, current: TargetResource | None) -> bool:
    """By a disable that is recorded, or by one whose end was unknown until the account was read again."""
    if not link.enabled:
        return seen.image.get(path) is not True
    return current is not None and seen.image.get(path) is False and link.image.get(path) is not False


def _plan_linked(mapping: CompiledMapping, desired: Desired, linked: Linked, leaver: Policy) -> Planned:
    if desired.active:
        return _plan_update(mapping, desired, linked.link, linked.current)
    current = linked.current
    seen = as_read(mapping, linked.link, current)
    match leaver:
        case Policy.KEEP:
            return Skip(desired.source_id, desired.cause, KEPT, settled=True)
        case Policy.DELETE:
            change = _change_of(mapping, desired, seen, {}, desired.cause)
            return replace(change, action=Action.DELETE, phase=Phase.DELETE)
        case Policy.DISABLE if Writes.UPDATE not in mapping.writes:
            return Skip(desired.source_id, NOT_ALLOWED, "the mapping has no action Update", settled=True)
        case Policy.DISABLE:
            return _plan_disable(mapping, desired, seen, current)


def _plan_disable(mapping: CompiledMapping, desired: Desired, link: Link, current: TargetResource | None) -> Planned:
    path = mapping.disable_path
    if mapping.resource_type is ResourceType.GROUP:
        return _plan_emptying(mapping, desired, link)
    if path is None:
        return Skip(desired.source_id, CANNOT_DISABLE, "the target has no way to disable an account", settled=True)
    if not link.enabled and current is None:
        return None
    seen = link
    delta = {path: Replace(value=False)}
    if current is not None and seen.image.get(path) is False:
        return replace(_change_of(mapping, desired, seen, {}, CONFIRMED), cause=desired.cause)
    change = _change_of(mapping, desired, seen, delta, desired.cause)
    return replace(change, action=Action.DISABLE, phase=Phase.DISABLE)


def _plan_emptying(mapping: CompiledMapping, desired: Desired, link: Link) -> Planned:
    """A group has no access of its own: disabled, it stays with its name, and its members are taken out of it."""
    if not link.enabled:
        return None
    change = _change_of(mapping, desired, link, {}, desired.cause)
    return replace(change, action=Action.DISABLE, phase=Phase.DISABLE)


def as_read(mapping: CompiledMapping, link: Link, current: TargetResource | None) -> Link:
    """The link with what was read of its account, and of what is never returned what was sent last."""
    if current is None:
        return link
    kept = {path: link.image[path] for path in mapping.withheld if path in link.image}
    return replace(link, version=current.version, image={**take_image(mapping, current), **kept})


def _change_of(
    mapping: CompiledMapping, desired: Desired, link: Link, delta: PlannedDelta, cause: str
) -> PlannedChange:
    """An Update with the delta, or a Link: the target holds everything already, only the state has to learn it."""
    frees_key = any(part.target in delta for rule in mapping.matching for part in rule.parts)
    return PlannedChange(
        resource_type=mapping.resource_type,
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
        create_only=tuple(path for path in desired.besides.fill_empty if path in delta),
        cause=cause,
    )
