"""What is known, before anything is written, of those who were asked for: whether they are in, and whose account it is.

Every decision in it was made by the functions of a cycle; here it is only told, without a word of who it is about.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from usher.core.errors import ResourceError
from usher.core.model.on_demand import Step, StepName, StepResult
from usher.core.model.plans import Action, PlannedChange, Skip
from usher.core.model.resources import AttributePath, SourceId, SourceResource
from usher.core.scim.comparison import equal
from usher.core.sync.assignments import with_roles
from usher.core.sync.leaving import OUT_OF_SCOPE, SOURCE_DELETED, SOURCE_DISABLED, UNASSIGNED
from usher.core.sync.matching import DUPLICATE_SOURCE, DUPLICATE_TARGET, OWNED_BY_OTHER
from usher.core.sync.planning import CREATE_UNKNOWN, IMPORT_SKIPPED, NOT_ADOPTED
from usher.core.sync.policies import Subject
from usher.core.sync.rules import CompiledMapping
from usher.engine.bench import Bench
from usher.engine.job import Job
from usher.engine.preparing import Prepared, PreparedLane

NOT_REACHED: Final = "NotReached"
IN_SCOPE: Final = "InScope"
_NOT_MATCHED: Final = {
    DUPLICATE_SOURCE: "others of the source claim the same account, or the same matching value",
    DUPLICATE_TARGET: "several accounts of the app have the same matching value",
    OWNED_BY_OTHER: "the account belongs to another connector",
    NOT_ADOPTED: "an account matches that was there before, and spec.adopt is Never",
    CREATE_UNKNOWN: "the answer to an earlier create was lost, and the app can't be asked whether it has the account",
    IMPORT_SKIPPED: "no matching attribute has a value",
}
_CAUSES: Final = {
    SOURCE_DELETED: "the source has it no more",
    SOURCE_DISABLED: "the source, or the mapping, says that the account is disabled",
    UNASSIGNED: "no entry of spec.scope means it",
}
_OF_REFERENCES: Final = (Action.REMOVE, Action.REFER)


@dataclass(frozen=True, slots=True)
class Outlook:
    """One of those who were asked for. `planned` is what a cycle does about the account, None for nothing."""

    scope: Step
    match: Step
    planned: PlannedChange | Skip | None = None


async def foresee(bench: Bench, prepared: Prepared) -> dict[Subject, Outlook]:
    """Of everybody who is meant. Read before the plan is applied: that takes it out of the state."""
    found: dict[Subject, Outlook] = {}
    for lane in prepared.lanes:
        kind, ids = lane.job.resource_type, bench.selection.named(lane.job.resource_type)
        people = await lane.job.people(bench.ports.store, ids)
        links = await bench.ports.store.digests(lane.job.lane, ids)
        planned = await _planned(bench, lane)
        for source_id in ids:
            scope = await _scope(prepared, lane.job, source_id, people.get(source_id))
            row = planned.get(source_id)
            match = _match(lane.job.mapping, scope, row, linked=source_id in links)
            found[kind, source_id] = Outlook(scope, match, row)
    return found


async def _planned(bench: Bench, lane: PreparedLane) -> Mapping[SourceId, PlannedChange | Skip]:
    """What is done about each account itself."""
    planned: dict[SourceId, PlannedChange | Skip] = {skip.source_id: skip for skip in lane.draft.skips}
    async for rows in bench.ports.store.all_changes(lane.job.lane):
        planned |= {row.source_id: row for row in rows if row.action not in _OF_REFERENCES}
    return planned


# --- scope ----------------------------------------------------------------------------------------------------------


async def _scope(prepared: Prepared, job: Job, source_id: SourceId, resource: SourceResource | None) -> Step:
    if resource is None:
        return Step(StepName.SCOPE, StepResult.SKIPPED, SOURCE_DELETED, _CAUSES[SOURCE_DELETED])
    try:
        desired = job.map(resource)
    except ResourceError as error:
        return Step(StepName.SCOPE, StepResult.FAILURE, error.reason, error.message)
    if desired.active:
        entries = [] if prepared.assigning is None else await prepared.assigning.entries_for(job, source_id)
        return Step(StepName.SCOPE, StepResult.SUCCESS, IN_SCOPE, ", ".join(entry.place for entry in entries))
    if desired.cause == OUT_OF_SCOPE:
        return Step(StepName.SCOPE, StepResult.SKIPPED, desired.cause, "; ".join(_denials(job, resource)))
    why = _CAUSES.get(desired.cause, "")
    if desired.cause == UNASSIGNED and not job.whole:
        why += ", and an entry of it is not understood: until then nobody leaves for this"
    return Step(StepName.SCOPE, StepResult.SKIPPED, desired.cause, why)


def _denials(job: Job, resource: SourceResource) -> Iterator[str]:
    """The clauses that don't hold: where they stand and what they ask, without the value they ask for."""
    assigned = job.assigned
    seen = resource if assigned is None else with_roles(resource, assigned.get(resource.id, ()))
    for one in job.mapping.scope.explain(seen.attributes):
        if not one.holds:
            yield f"{one.clause.place}: not {one.clause.attribute} {one.clause.operator.value}"


# --- match ----------------------------------------------------------------------------------------------------------


def _match(mapping: CompiledMapping, scope: Step, planned: PlannedChange | Skip | None, *, linked: bool) -> Step:
    if scope.result is StepResult.FAILURE:
        return Step(StepName.MATCH, StepResult.SKIPPED, NOT_REACHED)
    if isinstance(planned, Skip) and (planned.failed is not None or planned.reason in _NOT_MATCHED):
        return Step(StepName.MATCH, StepResult.FAILURE, planned.reason, _NOT_MATCHED.get(planned.reason, ""))
    if linked:
        return Step(StepName.MATCH, StepResult.SUCCESS, "Linked")
    if isinstance(planned, PlannedChange) and planned.target_id is not None:
        paths = _matched_by(mapping, planned)
        return Step(StepName.MATCH, StepResult.SUCCESS, "Matched", f"by {' and '.join(paths)}" if paths else "")
    if scope.result is StepResult.SKIPPED:
        return Step(StepName.MATCH, StepResult.SKIPPED, NOT_REACHED, "it has no account that we know of")
    return Step(StepName.MATCH, StepResult.SUCCESS, "Unmatched", "the app has no such account")


def _matched_by(mapping: CompiledMapping, row: PlannedChange) -> Sequence[AttributePath]:
    """The attributes of the first key, by precedence, to which the account that was found answers."""
    for key in row.keys:
        if all(equal(mapping.definitions.get(path), value, row.before.get(path)) for path, value in key.conjunction):
            return [path for path, _ in key.conjunction]
    return ()
