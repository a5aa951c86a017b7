"""`usher plan`."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final

import click

from usher.assembly.ends import system_runtime
from usher.cli.approvals import Approval
from usher.cli.changes import ShownChange, counts
from usher.cli.concluding import conclude, held_lines, start
from usher.cli.cycles import run_connectors
from usher.cli.exits import Exit
from usher.cli.failures import cycle_failure
from usher.cli.findings import Finding
from usher.cli.options import connector_option, limit_option, output_option, workspace_options
from usher.cli.output import Block, Code, Format, Heading, Paragraph
from usher.cli.reports import report_data, unresolved_lines
from usher.cli.tasks import Task, prepare
from usher.cli.workspace import Workspace
from usher.core.model.plans import Action, PlannedChange, Skip
from usher.core.model.reports import Counts, CycleReport
from usher.core.model.resources import ConnectorKey, Json
from usher.core.sync.policies import subject_of
from usher.engine.cycle import Preview, preview_cycle
from usher.engine.job import Control, Ports

_ORDER: Final = (Action.CREATE, Action.LINK, Action.UPDATE, Action.DISABLE, Action.DELETE, Action.REMOVE, Action.REFER)


@click.command(epilog="Example: usher plan -f examples/csv -o json")
@workspace_options
@connector_option
@limit_option(50, "Show at most so many people of each action. JSON and YAML always show all.")
@output_option
def plan(workspace: Workspace, connectors: Sequence[str], limit: int, output: Format) -> None:
    """Show what `usher sync` would do, without doing it.

    Reads the sources and the apps, and writes to nothing but the state file.

    Exit codes: 0 nothing is to be done; 1 a connector failed; 3 changes are pending, or people can't be provisioned as
    they are; 4 something would be held.
    """
    manifests, keys = start(workspace.locations, connectors)
    items = [prepare(manifests, key, system_runtime()) for key in keys]
    most = None if output.for_programs else limit
    work = partial(_plan, workspace, most)
    outcomes = asyncio.run(run_connectors(items, workspace, Approval(), work))
    code = conclude(workspace, output, outcomes, [] if connectors else manifests.findings)
    click.get_current_context().exit(code)


@dataclass(frozen=True, slots=True)
class _Rows:
    """The changes that are shown, by action, and how many there are in all."""

    shown: dict[Action, list[ShownChange]] = field(default_factory=lambda: {action: [] for action in _ORDER})
    all: Counter[Action] = field(default_factory=Counter)

    def add(self, change: ShownChange, most: int | None) -> None:
        """Counts it, and keeps it where there is room."""
        action = change.change.action
        self.all[action] += 1
        if most is None or len(self.shown[action]) < most:
            self.shown[action].append(change)


@dataclass(frozen=True, slots=True)
class Planned:
    """One connector's plan; `approve` is the command that applies what would be held."""

    key: ConnectorKey
    report: CycleReport
    rows: _Rows
    skips: Sequence[Skip]
    most: int | None
    failure: Finding | None
    approve: str

    @property
    def exit(self) -> Exit:
        """Somebody who can't be provisioned as he is means that the app is not as it should be."""
        if self.failure is not None:
            return Exit.FAILED
        if self.report.held is not None:
            return Exit.HELD
        waiting = any(not skip.settled for skip in self.skips)
        return Exit.PENDING if self.rows.all.total() or waiting or self.report.unresolved else Exit.DONE

    def data(self) -> dict[str, Json]:
        """The report, and every row."""
        changes: list[Json] = [row.data() for action in _ORDER for row in self.rows.shown[action]]
        skips: list[Json] = [
            {"sourceId": skip.source_id, "reason": skip.reason, "detail": skip.detail, "settled": skip.settled}
            for skip in self.skips
        ]
        return {**report_data(self.report), "changes": changes, "skipped": skips}

    def blocks(self) -> list[Block]:
        """The counts, the rows by action, who is skipped or can't be provisioned, and what would be held."""
        if self.failure is not None:
            return [Heading(f"{self.key}: no plan")]
        blocks: list[Block] = [
            Heading(f"{self.key}: {_counts_text(self.report.counts)}"),
            *(self._group(action) for action in _ORDER if self.rows.all[action]),
        ]
        for settled in (True, False):
            lines = [_skip_line(skip) for skip in self.skips if skip.settled is settled]
            if lines:
                blocks.append(Code(_capped(lines, self.most)))
        if self.report.unresolved:
            blocks.append(Paragraph(unresolved_lines(self.report)))
        if self.report.held is not None:
            blocks.append(Paragraph(held_lines(self.report.held, self.approve)))
        return blocks

    def _group(self, action: Action) -> Code:
        shown = self.rows.shown[action]
        lines = [line for row in shown for line in row.lines()]
        more = self.rows.all[action] - len(shown)
        return Code([*lines, f"  ... and {more} more to {action.value.lower()}"] if more else lines)


def _counts_text(figures: Counts) -> str:
    """Only what is to be done, and who can't be helped."""
    named = {
        "create": figures.created,
        "link": figures.linked,
        "update": figures.updated,
        "disable": figures.disabled,
        "delete": figures.deleted,
        "leave alone": figures.failed,
    }
    to_do = ", ".join(f"{count} to {name}" for name, count in named.items() if count) or "nothing to do"
    return f"{to_do}, {figures.skipped} skipped" if figures.skipped else to_do


def _skip_line(skip: Skip) -> str:
    """Who is skipped is as he should be; who is left alone waits for somebody to mend something."""
    what = ". skip" if skip.settled else "! left alone"
    return f"{what} {skip.source_id}: {skip.reason}{f', {skip.detail}' if skip.detail else ''}"


def _capped(lines: list[str], most: int | None) -> list[str]:
    if most is None or len(lines) <= most:
        return lines
    return [*lines[:most], f"  ... and {len(lines) - most} more"]


async def _plan(workspace: Workspace, most: int | None, task: Task, ports: Ports, control: Control) -> Planned:
    key = task.job.connector
    preview = await preview_cycle(task.job, ports, control)
    report, rows = preview.report, _Rows()
    failure = cycle_failure(task, report.error_reason, report.error) if report.error_reason else None
    if failure is None:
        rows = await _collect(ports, preview, most)
        figures = replace(report.counts, linked=rows.all[Action.LINK])
        report = replace(report, counts=figures)
    approve = "" if report.held is None else workspace.command("sync", "--approve", report.held.hash)
    skips = [skip for lane in preview.skips.values() for skip in lane]
    return Planned(key, report, rows, skips, most, failure, approve)


async def _collect(ports: Ports, preview: Preview, most: int | None) -> _Rows:
    rows = _Rows()
    for job in preview.lanes:
        async for page in ports.store.all_changes(job.lane):
            for change in page:
                if counts(change):
                    rows.add(ShownChange(change, job.mapping, _waits(change, preview)), most)
    return rows


def _waits(change: PlannedChange, preview: Preview) -> bool:
    return change.destructive and subject_of(change) in preview.waiting
