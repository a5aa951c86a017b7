"""References: attributes at the target that hold other accounts, such as `manager` and the `members` of a group.

They are sets, of which only differences are sent. What somebody shall refer to is known by source ids; it can be given
once the accounts at both ends are there and active. Whoever else is a member of a group at the target, and is nobody of
ours, stays one: never is anything taken away that we can't know about.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from usher.core.model.plans import Action, Amend, Phase, PlannedChange, PlannedEdit, Refer, Replace
from usher.core.model.resources import (
    AttributePath,
    Fingerprint,
    Holding,
    ResourceType,
    SourceId,
    SourceResource,
    TargetId,
    TargetResource,
)
from usher.core.scim.references import referenced
from usher.core.sync.rules import CompiledMapping, Reference

REFERENCES = "References"
"""The cause of a change that gives or takes references."""
REFERENCES_PENDING = "ReferencesPending"
"""References are not as they shall be, though the accounts at both ends are there."""


@dataclass(frozen=True, slots=True)
class End:
    """The account of a resource that somebody refers to.

    `target_id` is None while it is still to be created; one that is `doomed` is about to be deleted. Of one that is
    `leaving` nobody knows yet whether it has left.
    """

    target_id: TargetId | None
    active: bool
    doomed: bool = False
    leaving: bool = False


@dataclass(frozen=True, slots=True)
class Holder:
    """A resource that refers to others.

    `target_id` is None while its account is still to be created. `wanted` are the resources that the source names, by
    path; `held` the accounts that the target's attribute holds. `active` is False for one that shall have no access:
    a group that is gone has no members. `adopted` is True for an account that the same plan takes over.
    """

    resource_type: ResourceType
    source_id: SourceId
    target_id: TargetId | None
    active: bool
    wanted: Mapping[AttributePath, Sequence[SourceId]]
    held: Mapping[AttributePath, tuple[TargetId, ...]]
    adopted: bool = False

    def change(self, phase: Phase, delta: Mapping[AttributePath, PlannedEdit]) -> PlannedChange:
        """The row of the plan that makes these edits."""
        return PlannedChange(
            resource_type=self.resource_type,
            source_id=self.source_id,
            target_id=self.target_id,
            action=Action.REFER if phase is Phase.REFER else Action.REMOVE,
            phase=phase,
            rank=0,
            delta=delta,
            before={},
            version=None,
            fingerprint=Fingerprint(b""),
            cause=REFERENCES,
        )


@dataclass(slots=True)
class Needs:
    """What one holder needs, by phase; `waiting` is how many of its references have no active account."""

    edits: dict[Phase, dict[AttributePath, PlannedEdit]] = field(default_factory=dict)
    waiting: int = 0

    def add(self, phase: Phase, path: AttributePath, edit: PlannedEdit) -> None:
        """One edit in one phase."""
        self.edits.setdefault(phase, {})[path] = edit


def wanted_by(mapping: CompiledMapping, resource: SourceResource) -> dict[AttributePath, tuple[SourceId, ...]]:
    """The resources to which this one refers, by the path that holds their accounts, each once and in order."""
    wanted = {}
    for reference in mapping.references:
        value = resource.attributes.get(reference.source)
        values = value if isinstance(value, tuple) else () if value is None else (value,)
        wanted[reference.path] = tuple(dict.fromkeys(SourceId(str(one)) for one in values if one != ""))
    return wanted


def referents(wanted: Mapping[AttributePath, Iterable[SourceId]]) -> list[SourceId]:
    """All of them, each once."""
    return list(dict.fromkeys(one for ones in wanted.values() for one in ones))


def read_holding(mapping: CompiledMapping, resource: TargetResource) -> Holding:
    """What a resource that was found or listed tells: references that can hold many are not in it."""
    single = [reference.path for reference in mapping.references if not reference.several]
    held = {path: tuple(map(TargetId, referenced(path, resource.attributes))) for path in single}
    return Holding(resource.id, held)


def holds_nobody(mapping: CompiledMapping, target_id: TargetId) -> Holding:
    """What an account holds that was just created."""
    return Holding(target_id, {reference.path: () for reference in mapping.references})


def plan_references(
    mapping: CompiledMapping, holder: Holder, ends: Mapping[SourceId, End], ours: Mapping[TargetId, bool]
) -> Needs:
    """What is to be done so that the holder refers to whom it shall.

    `ours` are those of the held accounts that this connector links, each with whether it shall have access.
    """
    needs = Needs()
    for reference in mapping.references:
        if reference.several:
            _plan_several(mapping, reference, holder, _Known(ends, ours), needs)
        elif holder.active:
            _plan_one(reference, holder, ends, needs)
    return needs


@dataclass(frozen=True, slots=True)
class _Known:
    ends: Mapping[SourceId, End]
    ours: Mapping[TargetId, bool]


def _plan_several(mapping: CompiledMapping, reference: Reference, holder: Holder, known: _Known, needs: Needs) -> None:
    path = reference.path
    wanted = holder.wanted.get(path, ()) if holder.active else ()
    held = holder.held.get(path, ())
    active = {one: end for one in wanted if (end := known.ends.get(one)) is not None and end.active}
    needs.waiting += len(wanted) - len(active)
    there = set(held)
    if new := tuple(one for one, end in active.items() if end.target_id is None or end.target_id not in there):
        needs.add(Phase.REFER, path, Refer(new))
    if path in mapping.additive or not reference.cleared:
        return
    kept = {end.target_id for end in active.values()}
    gone = [one for one in held if one not in kept and one in known.ours]
    if holder.adopted:
        if gone:
            needs.add(Phase.TRIM, path, Amend(remove=tuple({"value": one} for one in gone)))
        return
    follow = [one for one in gone if not holder.active or not known.ours[one]]
    for phase, ids in ((Phase.FOLLOW, follow), (Phase.REMOVE, [one for one in gone if one not in set(follow)])):
        if ids:
            needs.add(phase, path, Amend(remove=tuple({"value": one} for one in ids)))


def _plan_one(reference: Reference, holder: Holder, ends: Mapping[SourceId, End], needs: Needs) -> None:
    """One account: another one takes its place; it is taken away where the mapping says so."""
    path = reference.path
    wanted, held = holder.wanted.get(path, ())[:1], holder.held.get(path, ())
    end = ends.get(wanted[0]) if wanted else None
    if end is not None and end.active:
        if end.target_id is None or end.target_id not in held:
            needs.add(Phase.REFER, path, Refer(tuple(wanted)))
        return
    needs.waiting += len(wanted)
    if held and reference.cleared:
        needs.add(Phase.REFER, path, Replace(None))
