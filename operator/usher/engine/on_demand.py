"""A few people or groups are provisioned at once, by name: a cycle that is about them, and writes to nobody else.

It works on the snapshot that is published: the source is read by its own key, before, by whoever wants that. The
consumed version, the held plan, the quarantine, and who was in scope when the last cycle ended stay as they are: the
next cycle comes to what it would have come to, and finds these done. Like a cycle it needs the connector for itself:
whoever starts it sees to it that no other cycle of that connector runs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from usher.contracts.log import WHOLE_LOG, LogEntry, LogQuery
from usher.core.errors import CycleError, UsherError
from usher.core.model.on_demand import Step, StepName, StepResult, SubjectReport
from usher.core.model.reports import Counts, CycleKind, CycleReport, CycleResult
from usher.core.model.resources import ResourceType
from usher.core.sync.assignments import Entry
from usher.core.sync.policies import Enforcement, Subject
from usher.engine.bench import Bench
from usher.engine.foreseeing import NOT_REACHED, foresee
from usher.engine.job import ConnectorJob, Control, Ports
from usher.engine.opening import name_cycle, open_bench
from usher.engine.preparing import Prepared, prepare
from usher.engine.reporting import Opened, failed_with, final_counts, make_failure, make_report, planned_counts
from usher.engine.resolving import Resolved, resolve
from usher.engine.safety import PLAN_HELD
from usher.engine.selecting import Chosen
from usher.engine.standing import conclude_rest
from usher.engine.telling_steps import Course, Told, tell
from usher.engine.writing import Writing, apply_plans, learn

MOST_SUBJECTS: Final = 10
_LINES: Final = 100
"""Of one person in one run there are two or three."""
_AFTER_IMPORT: Final = (StepName.SCOPE, StepName.MATCH, StepName.ACTION)
_NOTHING: Final = Told(tuple(Step(name, StepResult.SKIPPED, NOT_REACHED) for name in _AFTER_IMPORT))


async def run_on_demand(job: ConnectorJob, ports: Ports, control: Control, subjects: Sequence[Entry]) -> CycleReport:
    """One run, for at most ten; each is named by an attribute of the source, as an entry of a scope names somebody.

    An approval in `control` is not looked at: it is for a cycle. Reports, and never raises, what an end did.
    """
    started = ports.runtime.now()
    cycle = name_cycle(ports, started)
    resolved: list[Resolved] = []
    told: Mapping[Subject, Told] = {}
    try:
        _refuse(job, subjects)
        resolved = await resolve(job, ports, subjects)
        chosen = frozenset(subject for one in resolved for subject in one.subjects)
        if chosen:
            async with open_bench(job, ports, control, started, cycle) as opened:
                bench = replace(opened.bench, selection=Chosen(chosen))
                report, told = await _run(replace(opened, bench=bench))
        else:
            report = _of_nobody(ports, started)
    except UsherError as error:
        report = replace(make_failure(ports, started, error), kind=CycleKind.ON_DEMAND)
    lines = tuple([_line(index, one, told) for index, one in enumerate(resolved)])
    report = replace(report, subjects=lines, name=cycle)
    if report.result is CycleResult.SUCCEEDED and any(map(_is_undone, lines)):
        report = replace(report, result=CycleResult.PARTIAL)
    await conclude_rest(job, ports, report)
    await ports.store.save_cycle(job.connector, cycle, report)
    return report


def _refuse(job: ConnectorJob, subjects: Sequence[Entry]) -> None:
    if not 0 < len(subjects) <= MOST_SUBJECTS:
        message = f"{len(subjects)} subjects are named: on demand it has to be 1 to {MOST_SUBJECTS}"
        raise CycleError(message, reason="InvalidSpec")
    if job.ending:
        message = "the connector is being deleted: nobody is provisioned by it any more"
        raise CycleError(message, reason="Ending")


async def _run(opened: Opened) -> tuple[CycleReport, Mapping[Subject, Told]]:
    """Raises CycleError where it came to nothing."""
    bench = opened.bench
    if bench.job.anew is not None:
        message = f"{bench.job.anew.words}: nobody is provisioned by name before a cycle has matched all accounts anew"
        raise CycleError(message, reason=PLAN_HELD)
    prepared = await prepare(bench)
    outlooks = await foresee(bench, prepared)
    last = await bench.ports.store.log(bench.job.connector, WHOLE_LOG, 1)
    course, counts = await _carry_out(bench, prepared)
    report = await make_report(opened, prepared, counts, {})
    report = replace(report, kind=CycleKind.ON_DEMAND, result=_result_of(course))
    if course.error is not None:
        report = failed_with(report, course.error)
    waiting = {(kind, source_id) for kind, source_id, _ in prepared.judgement.decision.wait}
    told = {
        subject: tell(course, outlook, await _lines_of(bench, subject, last), waits=subject in waiting)
        for subject, outlook in outlooks.items()
    }
    return report, told


async def _carry_out(bench: Bench, prepared: Prepared) -> tuple[Course, Mapping[ResourceType, Counts]]:
    """The writing half. What a cycle decides for good is left to one: it holds, releases and consumes nothing."""
    lanes = [Writing.of(bench, lane, prepared.judgement) for lane in prepared.lanes]
    observed = bench.job.enforcement is Enforcement.OBSERVE
    error = None
    if not observed and not bench.control.stop.is_set():
        for writing in lanes:
            await learn(bench, writing.prepared)
            await writing.skip()
        error = await apply_plans(bench, lanes)
    counts = {}
    for writing in lanes:
        job, draft = writing.prepared.job, writing.prepared.draft
        await bench.ports.store.clear_plan(job.lane)
        counts[job.resource_type] = planned_counts(draft) if observed else final_counts(draft, writing.recorder)
    course = Course(error, bench.control.stop.is_set(), observed, prepared.judgement.decision.reason)
    return course, counts


def _result_of(course: Course) -> CycleResult:
    if course.error is not None:
        return CycleResult.FAILED
    if course.stopped:
        return CycleResult.INTERRUPTED
    return CycleResult.PLANNED if course.observed else CycleResult.SUCCEEDED


async def _lines_of(bench: Bench, subject: Subject, last: Sequence[LogEntry]) -> Sequence[LogEntry]:
    """What was written into the log about one, after the last line of before; a user and a group may have one id."""
    (kind, source_id), number = subject, max((line.number for line in last), default=0)
    query = LogQuery(source_id=source_id, cycle=bench.cycle, step=StepName.ACTION)
    lines = await bench.ports.store.log(bench.job.connector, query, _LINES)
    return [line for line in lines if line.resource_type is kind and line.number > number]


def _of_nobody(ports: Ports, started: datetime) -> CycleReport:
    """The report of a run in which nobody was found who is meant."""
    now = ports.runtime.now()
    return CycleReport(CycleKind.ON_DEMAND, CycleResult.PARTIAL, started, now, Counts())


def _line(index: int, one: Resolved, told: Mapping[Subject, Told]) -> SubjectReport:
    rest = next((told[subject] for subject in one.subjects if subject in told), _NOTHING)
    return SubjectReport(index, (one.step, *rest.steps), rest.attributes)


def _is_undone(line: SubjectReport) -> bool:
    """Whether something was to be done for one of them, and was not."""
    return any(
        step.result in (StepResult.FAILURE, StepResult.UNKNOWN) or step.reason == PLAN_HELD for step in line.steps
    )
