"""What was done for each of those who were asked for: told from the lines that the cycle has left in the log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from usher.contracts.log import LogEntry
from usher.core.errors import CycleError
from usher.core.model.on_demand import Step, StepName, StepResult
from usher.core.model.plans import Action, PlannedChange, Skip
from usher.core.model.resources import AttributePath
from usher.core.sync.policies import APPROVAL_REQUIRED, EMPTY_SOURCE, GUARDED, OVER_BUDGET
from usher.engine.foreseeing import NOT_REACHED, Outlook
from usher.engine.lookup import INTERRUPTED
from usher.engine.safety import PLAN_HELD

OBSERVING: Final = "Observing"
UNCHANGED: Final = "Unchanged"
_DONE: Final = {
    Action.CREATE: "Created",
    Action.LINK: "Linked",
    Action.UPDATE: "Updated",
    Action.DISABLE: "Disabled",
    Action.DELETE: "Deleted",
    Action.REMOVE: "Updated",
    Action.REFER: "Updated",
}
_WAITS: Final = {
    "": "it is in the held plan: approve that",
    OVER_BUDGET: "so many are to lose something that a cycle holds them all: it is not done by name",
    EMPTY_SOURCE: "the source is empty, and nothing is taken away by name while it is",
    APPROVAL_REQUIRED: "spec.safety.approval is Always: it is in the plan of the next cycle, which has to be approved",
    GUARDED: "mapping, scope or state is new: a cycle has to judge first what that takes away",
}
_ACTION: Final = StepName.ACTION


@dataclass(frozen=True, slots=True)
class Course:
    """How the run went, as far as that is the same for everybody.

    `error` is what ended it before its end, None where nothing did; `observed`: nothing was to be written; `why` is the
    reason for which those wait from whom nothing was taken away, empty where they are held already.
    """

    error: CycleError | None
    stopped: bool
    observed: bool
    why: str


@dataclass(frozen=True, slots=True)
class Told:
    """The steps of one after the first, and which attributes were changed."""

    steps: tuple[Step, ...]
    attributes: tuple[AttributePath, ...] = ()


def tell(course: Course, outlook: Outlook, lines: Sequence[LogEntry], *, waits: bool) -> Told:
    """Of one of those who were asked for; `waits`: what was to be taken away was not. `lines` in any order."""
    done = [line for line in lines if line.result == StepResult.SUCCESS]
    changed = tuple(sorted({AttributePath(name) for line in done for name in line.attributes}))
    return Told((outlook.scope, outlook.match, _action(course, outlook, lines, waits=waits)), changed)


def _action(course: Course, outlook: Outlook, lines: Sequence[LogEntry], *, waits: bool) -> Step:
    """The worst that happened: a failure hides behind no success."""
    for result in (StepResult.FAILURE, StepResult.UNKNOWN):
        for line in lines:
            if line.result == result:
                return Step(_ACTION, result, line.reason, f"{line.action}: the provisioning log has what the app said")
    if waits:
        return Step(_ACTION, StepResult.SKIPPED, PLAN_HELD, _WAITS.get(course.why, ""))
    done = [Action(line.action) for line in lines if line.result == StepResult.SUCCESS]
    if done:
        return Step(_ACTION, StepResult.SUCCESS, _DONE[min(done, key=list(_DONE).index)])
    return _not_done(course, outlook)


def _not_done(course: Course, outlook: Outlook) -> Step:
    """Why nothing was done."""
    if StepResult.FAILURE in (outlook.scope.result, outlook.match.result):
        return Step(_ACTION, StepResult.SKIPPED, NOT_REACHED)
    match outlook.planned:
        case Skip() as skip:
            return _skipped(skip)
        case PlannedChange() as change if course.error is not None or course.stopped or course.observed:
            return _undone(course, change)
        case _ if outlook.match.result is StepResult.SKIPPED:
            return Step(_ACTION, StepResult.SKIPPED, outlook.scope.reason, "there is nothing to do")
        case _:
            return Step(_ACTION, StepResult.SUCCESS, UNCHANGED)


def _skipped(skip: Skip) -> Step:
    if skip.settled:
        return Step(_ACTION, StepResult.SKIPPED, skip.reason, "nothing is done, and that is right")
    if skip.reason == INTERRUPTED:
        return Step(_ACTION, StepResult.SKIPPED, INTERRUPTED)
    return Step(_ACTION, StepResult.FAILURE, skip.reason, "nothing can be done: the provisioning log says more")


def _undone(course: Course, change: PlannedChange) -> Step:
    if course.observed:
        message = f"{change.action}: spec.policy is Observe, nothing is written"
        return Step(_ACTION, StepResult.SKIPPED, OBSERVING, message)
    if course.error is not None:
        return Step(_ACTION, StepResult.FAILURE, course.error.reason)
    return Step(_ACTION, StepResult.SKIPPED, INTERRUPTED)
