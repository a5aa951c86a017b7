"""`usher sync`."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import click

from usher.answers.form import time_text
from usher.answers.states import quarantine_line
from usher.assembly.ends import system_runtime
from usher.cli.approvals import Approval, was_approved_before, was_approved_since
from usher.cli.concluding import conclude, held_lines, start
from usher.cli.cycles import Outcome, run_connectors
from usher.cli.exits import Exit, worst
from usher.cli.failures import cycle_failure
from usher.cli.findings import Finding
from usher.cli.options import connector_option, output_option, workspace_options
from usher.cli.output import Block, Format, Heading, Paragraph, Table
from usher.cli.reports import (
    OF_GROUPS,
    assessment_lines,
    comparison_lines,
    counts_data,
    counts_text,
    report_data,
    unresolved_lines,
)
from usher.cli.tasks import Refusal, Task, prepare
from usher.cli.terminal import fail, say
from usher.cli.workspace import Workspace
from usher.contracts.log import LogQuery
from usher.contracts.store import Store
from usher.core.model.escrow import Escrow, Unsettled
from usher.core.model.reports import Counts, CycleReport, CycleResult
from usher.core.model.resources import ConnectorKey, Json, ResourceType
from usher.engine.cycle import run_cycle
from usher.engine.job import Control, Job, Ports
from usher.engine.progress import Progress, Stage
from usher.engine.safety import PLAN_HELD

NAMED: Final = 1_000
"""How many people and groups are named; the others are counted."""
_RECENT: Final = 20
"""So many lines of the log are searched for what is to be said about one person."""


@click.command(epilog="Example: usher sync -f examples/csv")
@workspace_options
@connector_option
@click.option(
    "--approve",
    "approval",
    default="",
    metavar="HASH",
    help="Apply the held plan, or believe the void read, that has this hash.",
)
@output_option
def sync(workspace: Workspace, connectors: Sequence[str], approval: str, output: Format) -> None:
    """Read the sources and bring the apps up to date, once.

    Leavers over the budget of spec.safety are held: shown with a hash, and applied by --approve HASH. The first Ctrl-C
    ends after the requests in flight, the second at once; either way the next run goes on where this one ended.

    Exit codes: 0 all is done; 1 a connector failed, people are left undone, or nothing waits under the hash of
    --approve; 4 something is held.
    """
    manifests, keys = start(workspace.locations, connectors)
    prepared = [prepare(manifests, key, system_runtime()) for key in keys]
    items = [item for item in prepared if not _suspended(item)]
    word = Approval(approval)
    work = partial(_sync, workspace, word)
    outcomes = asyncio.run(run_connectors(items, workspace, word, work))
    code = conclude(workspace, output, outcomes, [] if connectors else manifests.findings)
    word.uncompared = [outcome.key for outcome in outcomes if _failed(outcome)]
    complaint = word.complaint()
    if complaint:
        fail(complaint)
    click.get_current_context().exit(Exit.FAILED if complaint else code)


def _failed(outcome: Outcome[Synced]) -> bool:
    if outcome.value is None:
        return outcome.exit is Exit.FAILED
    return outcome.value.report.result in (CycleResult.FAILED, CycleResult.INTERRUPTED)


def _suspended(item: Task | Refusal) -> bool:
    if isinstance(item, Refusal) or not item.connector.object.spec.suspend:
        return False
    say(f"note: {item.job.connector} is left out: spec.suspend is true")
    return True


@dataclass(frozen=True, slots=True)
class Undone:
    """A person or group for whom something is left to do, and why."""

    resource_type: ResourceType
    unsettled: Unsettled
    detail: str


@dataclass(frozen=True, slots=True)
class Synced:
    """One connector after its cycle; `approve` is the command that applies what is held.

    `unreached` are the changes that an interrupted cycle had not come to.
    """

    key: ConnectorKey
    report: CycleReport
    undone: Sequence[Undone]
    failure: Finding | None
    approve: str
    unreached: int = 0

    @property
    def exit(self) -> Exit:
        """Whoever only waits for an approval is no failure."""
        left = any(reason != PLAN_HELD for reason in self.report.reasons)
        unfinished = self.report.result in (CycleResult.FAILED, CycleResult.INTERRUPTED)
        return worst(
            [
                Exit.FAILED if left or unfinished or self.report.unresolved else Exit.DONE,
                Exit.HELD if self.report.held is not None else Exit.DONE,
            ]
        )

    def data(self) -> dict[str, Json]:
        """The report, and who is left undone."""
        undone: list[Json] = [
            {
                "resourceType": entry.resource_type.value,
                "sourceId": entry.unsettled.source_id,
                "reason": entry.unsettled.reason,
                "attempts": entry.unsettled.attempts,
                "since": time_text(entry.unsettled.since),
                **_escrow_data(entry.unsettled.escrow),
                "detail": entry.detail,
            }
            for entry in self.undone
        ]
        return {
            **report_data(self.report),
            "reasons": dict(self.report.reasons),
            "unreached": self.unreached,
            "undone": undone,
        }

    def blocks(self) -> list[Block]:
        """The counts, what is held, and who is left undone."""
        report = self.report
        blocks: list[Block] = [Heading(f"{self.key}: {report.result.value}")]
        if not _is_blind(report):
            blocks.append(Paragraph(self._figures()))
        if report.held is not None:
            blocks.append(Paragraph(held_lines(report.held, self.approve)))
        if self.undone:
            rows = [(e.resource_type.value, e.unsettled.source_id, e.unsettled.reason, e.detail) for e in self.undone]
            blocks.append(Table(("type", "id", "reason", "detail"), rows))
        if report.pending > len(self.undone):
            blocks.append(Paragraph([f"and {report.pending - len(self.undone)} more"]))
        return blocks

    def _figures(self) -> list[str]:
        report = self.report
        totals = f"{report.in_scope} in scope, {report.linked} linked, {report.pending} left undone"
        if report.result is CycleResult.INTERRUPTED:
            reached = f", {self.unreached} changes were not reached" if self.unreached else ""
            totals = f"interrupted{reached}: run it again to go on"
        observes = "would be " if report.result is CycleResult.PLANNED else ""
        lines = [f"{observes}{counts_text(counts_data(report.counts))}"]
        if report.groups is not None:
            lines.append(f"groups: {observes}{counts_text(counts_data(report.groups), OF_GROUPS)}")
        lines.append(totals)
        if report.waiting_references:
            many = report.waiting_references
            what = "1 reference waits" if many == 1 else f"{many} references wait"
            lines.append(f"{what} for an account at their other end")
        if report.reasons:
            lines.append("left undone: " + ", ".join(f"{count} {reason}" for reason, count in report.reasons.items()))
        lines += [report.describe_escrow()] if report.escrowed else []
        if report.credential is not None and report.completed >= report.credential.told_from:
            lines.append(f"the bearer token {report.credential.describe(report.completed)}")
        lines += [quarantine_line(report.quarantine)] if report.quarantine is not None else []
        lines += [*assessment_lines(report), *comparison_lines(report), *unresolved_lines(report)]
        if report.result is CycleResult.PLANNED:
            lines.append("spec.policy is Observe: nothing was written; usher plan shows what would be")
        if report.stale:
            lines.append(f"{report.stale}; what it said of its attributes before stays in force")
        return lines


def _escrow_data(escrow: Escrow | None) -> dict[str, Json]:
    """Nothing of whoever has not failed, and is looked at in every run."""
    if escrow is None:
        return {}
    return {"givenUp": escrow.due is None, "nextRetry": None if escrow.due is None else time_text(escrow.due)}


def _is_blind(report: CycleReport) -> bool:
    """Whether the cycle failed before it knew anybody: its zeros are no figures."""
    return (
        report.result is CycleResult.FAILED
        and report.counts == Counts()
        and report.groups in (None, Counts())
        and not any((report.in_scope, report.linked, report.pending))
    )


async def _sync(workspace: Workspace, word: Approval, task: Task, ports: Ports, control: Control) -> Synced:
    key, store = task.job.connector, ports.store
    report = await (_run_with_word(word, task, ports, control) if word.word else run_cycle(task.job, ports, control))
    failure = cycle_failure(task, report.error_reason, report.error) if report.error_reason else None
    approve = "" if report.held is None else workspace.command("sync", "--approve", report.held.hash)
    if report.held is not None:
        word.waiting[report.held.hash] = key
    return Synced(
        key, report, await _undone(store, task.job.lanes), failure, approve, _unreached(report, control.progress)
    )


def _unreached(report: CycleReport, progress: Progress) -> int:
    """Whoever waits beside a held plan is in the plan that was begun, and is none of those that could be reached."""
    if report.result is not CycleResult.INTERRUPTED or progress.stage is not Stage.APPLY:
        return 0
    return max(0, progress.total - progress.done - report.reasons.get(PLAN_HELD, 0))


async def _run_with_word(word: Approval, task: Task, ports: Ports, control: Control) -> CycleReport:
    key, store, since = task.job.connector, ports.store, ports.runtime.now()
    before = await was_approved_before(store, key, word.word)
    # A word counts once; given on a command line it is a new act each time, also for a set that is held again.
    await store.approve(key, "")
    report = await run_cycle(task.job, ports, control)
    word.taken |= before or await was_approved_since(store, key, word.word, since)
    return report


async def _undone(store: Store, lanes: Sequence[Job]) -> list[Undone]:
    found: list[Undone] = []
    for job in lanes:
        unsettled = await store.unsettled(job.lane)
        some = sorted(unsettled)[: NAMED - len(found)]
        found += [Undone(job.resource_type, unsettled[i], await _detail(store, job, unsettled[i])) for i in some]
    return found


async def _detail(store: Store, job: Job, unsettled: Unsettled) -> str:
    wanted = (job.resource_type, unsettled.reason)
    entries = await store.log(job.connector, LogQuery(source_id=unsettled.source_id), _RECENT)
    return next((entry.detail for entry in entries if (entry.resource_type, entry.reason) == wanted), "")
