"""How `plan` and `sync` begin and end: the connectors that are meant, and what is said when all were run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import click

from usher.cli.cycles import Outcome
from usher.cli.documents import Locations
from usher.cli.exits import Exit, worst
from usher.cli.findings import Finding, unique
from usher.cli.manifests import Manifests
from usher.cli.output import Block, Format, Heading, Paragraph, Result, show
from usher.cli.tasks import choose
from usher.cli.terminal import complain
from usher.cli.workspace import Workspace, load_loudly
from usher.core.model.reports import HeldPlan
from usher.core.model.resources import ConnectorKey, Json


class Conclusion(Protocol):
    """What came of one connector, ready to be shown."""

    @property
    def failure(self) -> Finding | None:
        """Why it failed as a whole."""

    @property
    def exit(self) -> Exit:
        """What it means for the exit code."""

    def data(self) -> dict[str, Json]:
        """For programs."""

    def blocks(self) -> list[Block]:
        """For people."""


def start(locations: Locations, names: Sequence[str]) -> tuple[Manifests, Sequence[ConnectorKey]]:
    """The manifests and the connectors that are meant; ends the command where there are none."""
    manifests = load_loudly(locations)
    keys = choose(manifests, names)
    if not keys:
        if any(finding.is_error for finding in manifests.findings):
            raise click.exceptions.Exit(Exit.FAILED)
        raise click.UsageError("there is no ProvisioningConnector among the manifests")
    return manifests, keys


def conclude(
    workspace: Workspace, output: Format, outcomes: Sequence[Outcome[Conclusion]], unusable: Sequence[Finding]
) -> Exit:
    """Shows everything; returns the exit code. `unusable` are the errors of manifests that nobody could choose."""
    failures = [finding for outcome in outcomes for finding in _findings(outcome)]
    for finding in unique(failures):
        complain(finding)
    data: list[Json] = [_data(outcome) for outcome in outcomes]
    blocks = [block for outcome in outcomes for block in _blocks(workspace, outcome)]
    show(Result({"connectors": data}, blocks), output)
    broken = [Exit.FAILED] if any(finding.is_error for finding in unusable) else []
    return worst([*broken, *(_exit(outcome) for outcome in outcomes)])


def _blocks(workspace: Workspace, outcome: Outcome[Conclusion]) -> list[Block]:
    if outcome.value is not None:
        return outcome.value.blocks()
    if not outcome.void:
        return []
    lines = [
        "the read of its source is void, and waits for an approval; nobody was touched",
        "to believe exactly this read:",
        f"  {workspace.command('sync', '--approve', outcome.void)}",
    ]
    return [Heading(f"{outcome.key}: not run"), Paragraph(lines)]


def _findings(outcome: Outcome[Conclusion]) -> list[Finding]:
    failure = None if outcome.value is None else outcome.value.failure
    return [*outcome.findings, *([failure] if failure is not None else [])]


def _exit(outcome: Outcome[Conclusion]) -> Exit:
    return outcome.exit if outcome.value is None else outcome.value.exit


def _data(outcome: Outcome[Conclusion]) -> dict[str, Json]:
    errors: list[Json] = [str(finding) for finding in _findings(outcome)]
    shown = {} if outcome.value is None else outcome.value.data()
    return {"connector": outcome.key, "exitCode": int(_exit(outcome)), "errors": errors, **shown}


def held_lines(held: HeldPlan, command: str) -> list[str]:
    """What is held, until when, and what applies it."""
    expires = held.expires.strftime("%Y-%m-%d %H:%M UTC")
    waits = "1 change waits" if held.count == 1 else f"{held.count} changes wait"
    return [
        f"held ({held.reason}): {held.summary}; {waits} until {expires}, and nothing of it was done",
        "to apply exactly this set:",
        f"  {command}",
    ]
