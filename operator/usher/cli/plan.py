"""`usher plan`."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import click

from usher.answers.changes import When, change_line
from usher.assembly.ends import system_runtime
from usher.cli.approvals import Approval
from usher.cli.changes import named
from usher.cli.concluding import conclude, held_lines, start
from usher.cli.cycles import run_connectors
from usher.cli.exits import Exit
from usher.cli.failures import cycle_failure
from usher.cli.findings import Finding
from usher.cli.options import connector_option, limit_option, output_option
from usher.cli.origins import Origin, demand_files, origin_options
from usher.cli.output import Block, Code, Format, Heading, Paragraph
from usher.cli.plan_rows import Rows
from usher.cli.reports import assessment_lines, comparison_lines, report_data, unresolved_lines
from usher.cli.stored_plan import show_stored_plan
from usher.cli.tasks import Task, prepare
from usher.cli.workspace import Workspace
from usher.core.model.plans import Skip
from usher.core.model.reports import Counts, CycleReport
from usher.core.model.resources import ConnectorKey, Json, ResourceType, TargetId
from usher.core.sync.planning import is_shown
from usher.core.sync.policies import step_of
from usher.engine.cycle import Preview, preview_cycle
from usher.engine.job import Control, Ports

_NEITHER: Final = "name a connector of the cluster, or with -f the manifests to plan for"


@click.command(epilog="Examples: usher plan -f examples/csv -o json; usher plan people -n identity")
@click.argument("name", metavar="[NAME]", required=False)
@origin_options
@connector_option
@limit_option(50, "Show at most so many people and groups of each action. JSON and YAML always show all.")
@output_option
def plan(name: str | None, origin: Origin, connectors: Sequence[str], limit: int, output: Format) -> None:
    """Show what `usher sync` would do, without doing it; or, of a connector NAME, what waits or was planned.

    Without NAME the sources and the apps of the manifests of -f are read, and nothing is written but the state file.

    With NAME neither source nor app is asked: it shows what is held until somebody approves it, and what a run of the
    kind Plan, or a cycle with policy Observe, has planned and nothing has applied. The operator of the cluster is
    asked, or with -f the state file.

    Exit codes: 0 nothing is to be done; 1 a connector failed; 3 changes are pending, or people can't be provisioned as
    they are; 4 something is, or would be, held.
    """
    most = None if output.for_programs else limit
    if name is None:
        code = _preview(demand_files(origin, _NEITHER), connectors, most, output)
    elif connectors:
        raise click.UsageError("--connector chooses among the manifests of a new plan: it can't be given with NAME")
    else:
        code = show_stored_plan(origin, name, most, output)
    click.get_current_context().exit(code)


def _preview(workspace: Workspace, connectors: Sequence[str], most: int | None, output: Format) -> Exit:
    manifests, keys = start(workspace.locations, connectors)
    items = [prepare(manifests, key, system_runtime()) for key in keys]
    work = partial(_plan, workspace, most)
    outcomes = asyncio.run(run_connectors(items, workspace, Approval(), work))
    return conclude(workspace, output, outcomes, [] if connectors else manifests.findings)


@dataclass(frozen=True, slots=True)
class Planned:
    """One connector's plan; `approve` is the command that applies what would be held."""

    key: ConnectorKey
    report: CycleReport
    rows: Rows
    skips: Sequence[tuple[ResourceType, Skip]]
    most: int | None
    failure: Finding | None
    approve: str
    orphans: Sequence[tuple[ResourceType, TargetId]] = ()

    @property
    def exit(self) -> Exit:
        """Somebody who can't be provisioned as he is means that the app is not as it should be."""
        if self.failure is not None:
            return Exit.FAILED
        if self.report.held is not None:
            return Exit.HELD
        waiting = any(not skip.settled for _, skip in self.skips)
        report = self.report
        return Exit.PENDING if self.rows.all.total() or waiting or report.unresolved or report.escrowed else Exit.DONE

    def data(self) -> dict[str, Json]:
        """The report, and every row."""
        skips: list[Json] = [
            {
                "resourceType": resource_type.value,
                "sourceId": skip.source_id,
                "reason": skip.reason,
                "detail": skip.detail,
                "settled": skip.settled,
            }
            for resource_type, skip in self.skips
        ]
        orphans: list[Json] = [{"resourceType": kind.value, "targetId": one} for kind, one in self.orphans]
        return {**report_data(self.report), "changes": self.rows.data(), "skipped": skips, "orphans": orphans}

    def blocks(self) -> list[Block]:
        """The counts, the rows by action, who is skipped or can't be provisioned, and what would be held."""
        if self.failure is not None:
            return [Heading(f"{self.key}: no plan")]
        blocks: list[Block] = [
            Heading(f"{self.key}: {self._figures()}"),
            *self.rows.blocks(),
        ]
        for settled in (True, False):
            lines = [_skip_line(kind, skip) for kind, skip in self.skips if skip.settled is settled]
            if lines:
                blocks.append(Code(_capped(lines, self.most)))
        orphans = [f"? orphan {one}: nobody in scope matches this {kind.value.lower()}" for kind, one in self.orphans]
        if orphans:
            blocks.append(Code(_capped(orphans, self.most)))
        looked = [*assessment_lines(self.report), *comparison_lines(self.report)]
        escrow = [self.report.describe_escrow()] if self.report.escrowed else []
        blocks += [Paragraph(lines) for lines in (looked, escrow, unresolved_lines(self.report)) if lines]
        if self.report.held is not None:
            blocks.append(Paragraph(held_lines(self.report.held, self.approve)))
        return blocks

    def _figures(self) -> str:
        groups = self.report.groups
        return _counts_text(self.report.counts) + (
            "" if groups is None else f"; groups: {_counts_text(groups, 'empty')}"
        )


def _counts_text(figures: Counts, disable: str = "disable") -> str:
    """Only what is to be done, and who can't be helped. `disable` is what is done with whoever leaves and stays."""
    verbs = {
        "create": figures.created,
        "link": figures.linked,
        "update": figures.updated,
        disable: figures.disabled,
        "delete": figures.deleted,
        "leave alone": figures.failed,
    }
    parts = [f"{count} to {name}" for name, count in verbs.items() if count]
    if figures.references:
        parts.append(f"{figures.references} with other references")
    to_do = ", ".join(parts) or "nothing to do"
    return f"{to_do}, {figures.skipped} skipped" if figures.skipped else to_do


def _skip_line(resource_type: ResourceType, skip: Skip) -> str:
    """Who is skipped is as he should be; who is left alone waits for somebody to mend something."""
    what = ". skip" if skip.settled else "! left alone"
    return f"{what} {named(resource_type, skip.source_id)}: {skip.reason}{f', {skip.detail}' if skip.detail else ''}"


def _capped(lines: list[str], most: int | None) -> list[str]:
    if most is None or len(lines) <= most:
        return lines
    return [*lines[:most], f"  ... and {len(lines) - most} more"]


async def _plan(workspace: Workspace, most: int | None, task: Task, ports: Ports, control: Control) -> Planned:
    key = task.job.connector
    preview = await preview_cycle(task.job, ports, control)
    report, rows = preview.report, Rows(most)
    failure = cycle_failure(task, report.error_reason, report.error) if report.error_reason else None
    if failure is None:
        await _collect(ports, preview, rows)
        report = _with_figures(report, rows)
    approve = "" if report.held is None else workspace.command("sync", "--approve", report.held.hash)
    skips = [(resource_type, skip) for resource_type, lane in preview.skips.items() for skip in lane]
    orphans = [(resource_type, one) for resource_type, lane in preview.orphans.items() for one in lane]
    return Planned(key, report, rows, skips, most, failure, approve, orphans)


def _with_figures(report: CycleReport, rows: Rows) -> CycleReport:
    """The report with what only the rows tell: which links are new, and who would get other references."""

    def told(figures: Counts, kind: ResourceType) -> Counts:
        return replace(figures, linked=rows.linked[kind], references=rows.references(kind))

    groups = None if report.groups is None else told(report.groups, ResourceType.GROUP)
    return replace(report, counts=told(report.counts, ResourceType.USER), groups=groups)


async def _collect(ports: Ports, preview: Preview, rows: Rows) -> None:
    lanes = {job.resource_type: job for job in preview.lanes}
    for job in preview.lanes:
        async for page in ports.store.all_changes(job.lane):
            for change in page:
                if is_shown(change):
                    how = When.HELD if step_of(change) in preview.waiting else When.DUE
                    rows.add(await change_line(ports.store, lanes, change, how))
