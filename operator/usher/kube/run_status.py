"""What the status of a ProvisioningRun says, as a function of what is known."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from usher.api.conditions import Condition, ConditionType, Finding, Reason, Verdict, settle
from usher.api.v1alpha1.connector_status import PlanStatus, TargetStatus
from usher.api.v1alpha1.provisioning_runs import (
    MAX_ATTRIBUTES,
    MAX_MESSAGE,
    ProvisioningRunStatus,
    SubjectStatus,
    SubjectStep,
)
from usher.core.errors import UsherError
from usher.core.model.reports import CycleKind, CycleReport, CycleResult
from usher.kube.cycle_summaries import summarize
from usher.kube.errands import Outcome, RunSubject


def waiting(subject: RunSubject, why: Finding, begun: datetime | None, now: datetime) -> ProvisioningRunStatus:
    """It has not ended: `why` says what it waits for, or that it runs."""
    generation = subject.generation
    verdicts = [
        Verdict(ConditionType.COMPLETE, "False", why.reason, why.message, generation),
        Verdict(ConditionType.RECONCILING, "True", why.reason, why.message, generation),
    ]
    return ProvisioningRunStatus(
        observed_generation=generation,
        conditions=settle(verdicts, subject.former.conditions, now),
        start_time=begun,
    )


def refused(subject: RunSubject, why: Finding, now: datetime) -> ProvisioningRunStatus:
    """It failed before it began."""
    return ProvisioningRunStatus(
        observed_generation=subject.generation,
        conditions=_failed(subject, why, now),
        completion_time=now.replace(microsecond=0),
    )


def ended(subject: RunSubject, outcome: Outcome, begun: datetime | None) -> ProvisioningRunStatus:
    """It came to this."""
    came, now, target = outcome.came, outcome.ended, outcome.target
    if isinstance(came, UsherError):
        return refused(subject, Finding(came.reason, came.message), now).model_copy(update={"start_time": begun})
    failed = came.result is CycleResult.FAILED
    why = Finding(came.error_reason, came.error)
    held = came.held
    return ProvisioningRunStatus(
        observed_generation=subject.generation,
        conditions=_failed(subject, why, now) if failed else _complete(subject, _told(subject, came, target), now),
        start_time=begun or came.started,
        completion_time=now.replace(microsecond=0),
        cycle=None if target is not None else summarize(came),
        plan=None if held is None else PlanStatus(hash=held.hash, summary=held.summary[:256], expires=held.expires),
        target=target,
        subjects=_subjects(came) if came.kind is CycleKind.ON_DEMAND else None,
    )


def _subjects(came: CycleReport) -> tuple[SubjectStatus, ...]:
    """A line for each, by the place in the spec."""
    return tuple(
        SubjectStatus(
            index=one.index,
            steps=tuple(
                SubjectStep(
                    step=step.name.value,
                    result=step.result.value,
                    reason=step.reason[:64],
                    message=step.message[:MAX_MESSAGE] or None,
                )
                for step in one.steps
            ),
            attributes=one.attributes[:MAX_ATTRIBUTES] or None,
        )
        for one in came.subjects
    )


def _told(subject: RunSubject, came: CycleReport, target: TargetStatus | None) -> Finding:
    if target is not None:
        return Finding("Answered", f"source and app answer; guarantee of the app: {target.guarantee}")
    held = "" if came.held is None else f"; waits for an approval: {came.held.summary}"
    if came.kind is CycleKind.ON_DEMAND:
        return Finding(came.result.value, "status.subjects says what came of each")
    if came.kind is CycleKind.UNDO:
        left = f"; {came.pending} left as they are, or failed: usher logs says why" if came.pending else ""
        return Finding(came.result.value, f"what the cycle did was taken back{left}")
    if came.result is CycleResult.PLANNED:
        return Finding(came.result.value, f"this is what a cycle would do; usher plan names whom{held}")
    undone = f"; {came.pending} left undone" if came.pending else ""
    return Finding(came.result.value, f"the cycle ran to its end{undone}{held}{_not_compared(subject, came)}")


def _not_compared(subject: RunSubject, came: CycleReport) -> str:
    """A comparison is with what earlier cycles left: where the whole is evaluated anew there is nothing to compare."""
    run = subject.manifest
    wanted = not isinstance(run, Finding) and run.spec.type == CycleKind.FULL_COMPARISON.value
    if not wanted or came.kind is not CycleKind.INITIAL:
        return ""
    return "; it evaluated everybody anew, and no account was compared: ask once more"


def _complete(subject: RunSubject, why: Finding, now: datetime) -> tuple[Condition, ...]:
    verdict = Verdict(ConditionType.COMPLETE, "True", why.reason, why.message, subject.generation)
    return settle([verdict], subject.former.conditions, now)


def _failed(subject: RunSubject, why: Finding, now: datetime) -> tuple[Condition, ...]:
    reason = why.reason or Reason.TARGET_UNREACHABLE
    verdicts: Sequence[Verdict] = [
        Verdict(ConditionType.COMPLETE, "False", reason, why.message, subject.generation),
        Verdict(ConditionType.FAILED, "True", reason, why.message, subject.generation),
        Verdict(ConditionType.STALLED, "True", reason, why.message, subject.generation),
    ]
    return settle(verdicts, subject.former.conditions, now)
