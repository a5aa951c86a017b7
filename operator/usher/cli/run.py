"""`usher run`, `usher restart` and `usher test-connection`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias, get_args

import click

from usher.api.v1alpha1.durations import parse_duration
from usher.api.v1alpha1.provisioning_runs import UNDO, RestartScope, RunType
from usher.cli.approve import connector_named
from usher.cli.exits import Exit
from usher.cli.options import cluster_options, output_option
from usher.cli.output import Block, Format, Paragraph, Result, show
from usher.cli.run_subjects import is_undone, lines_of, subjects_of, subjects_option
from usher.cli.terminal import say

if TYPE_CHECKING:
    from usher.kube.access import Access
    from usher.kube.run_verbs import Asked, Ended

TYPES: Final[tuple[str, ...]] = get_args(RunType)
SCOPES: Final[tuple[str, ...]] = get_args(RestartScope)
Command: TypeAlias = Callable[..., None]


def _duration(_context: click.Context, _option: click.Parameter, value: str) -> timedelta:
    try:
        return parse_duration(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


_TIMEOUT: Final = click.option(
    "--timeout", default="10m", show_default=True, callback=_duration, metavar="DURATION", help="How long to wait."
)


@click.command(
    short_help="Ask a connector for a cycle, a comparison or a plan.",
    epilog="Examples: usher run people --wait; usher run people --type FullComparison -n identity; "
    "usher run people --type OnDemand --subject userPrincipalName=alice@example.com --wait; "
    "usher run people --type Undo --cycle 20260101T120000Z-0a1b --wait",
)
@click.argument("name")
@click.option("--type", "kind", type=click.Choice(TYPES), default="Incremental", show_default=True, help="For what.")
@subjects_option
@click.option("--cycle", metavar="CYCLE", help=f"What {UNDO} takes back; a name in status.history, or of usher logs.")
@click.option("--wait", is_flag=True, help="Wait for its end, and tell how it went.")
@_TIMEOUT
@cluster_options
@output_option
def run(name: str, kind: str, wait: Any, timeout: timedelta, output: Format, **more: Any) -> None:
    """Create a ProvisioningRun of a connector in a cluster.

    It runs when no other cycle of the connector does. Without --wait its name is printed:
    kubectl wait --for=condition=Complete prun/NAME.

    Exit codes with --wait: 0 done; 1 it failed, or somebody who was named was not provisioned.
    """
    subjects, cycle = more.pop("subjects"), more.pop("cycle")
    access, asked = _ask(name, {"type": kind, **subjects_of(kind, subjects), **_cycle_of(kind, cycle)}, **more)
    if not wait:
        _show(asked, {}, [Paragraph([f"{asked.subject}: created"])], output)
        return
    _follow(access, asked, timeout, output, subjects)


def _cycle_of(kind: str, cycle: str | None) -> Mapping[str, str]:
    """What it adds to the spec of a run of this type. Raises UsageError."""
    if (kind == UNDO) != bool(cycle):
        message = (
            f"--cycle is for --type {UNDO}, which needs it: a name in status.history of the connector, or of usher logs"
        )
        raise click.UsageError(message)
    return {"undoCycle": cycle} if cycle else {}


@click.command(
    short_help="Let a connector begin again with what it has learnt put aside.",
    epilog="Examples: usher restart people --wait, usher restart people --scope Links -n identity",
)
@click.argument("name")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    type=click.Choice(SCOPES),
    help="What is put aside; may be given several times. Escrows, Watermark and Quarantine when absent.",
)
@click.option("--wait", is_flag=True, help="Wait for the end of the cycle, and tell how it went.")
@_TIMEOUT
@cluster_options
@output_option
def restart(name: str, scopes: tuple[str, ...], wait: Any, timeout: timedelta, output: Format, **where: Any) -> None:
    """Create a ProvisioningRun that restarts a connector in a cluster.

    Nobody is touched by it, and no account is made twice. With --scope Links everybody is matched anew, and the whole
    plan waits for an approval: usher approve NAME HASH.
    """
    access, asked = _ask(name, {"type": "Restart", **({"restart": list(scopes)} if scopes else {})}, **where)
    if not wait:
        _show(asked, {}, [Paragraph([f"{asked.subject}: created"])], output)
        return
    _follow(access, asked, timeout, output)


@click.command(
    name="test-connection",
    short_help="Ask the operator whether both ends of a connector answer.",
    epilog="Example: usher test-connection people -n identity",
)
@click.argument("name")
@_TIMEOUT
@cluster_options
@output_option
def test_connection(name: str, timeout: timedelta, output: Format, **where: Any) -> None:
    """Let the operator try both ends of a connector, from its own network, and wait for what it says.

    Nothing is written to the app, and nobody is read into the state. It works while the connector is suspended.
    """
    access, asked = _ask(name, {"type": "TestConnection", "ttlAfterFinished": "1h"}, **where)
    _follow(access, asked, timeout, output)


def _ask(
    name: str, spec: Mapping[str, Any], kubeconfig: Path | None, context: str | None, namespace: str | None
) -> tuple[Access, Asked]:
    from usher.kube import access as cluster  # noqa: PLC0415 - takes a second, which no other command waits for
    from usher.kube import run_verbs  # noqa: PLC0415 - takes a second, which no other command waits for

    connector = connector_named(name, "runs")
    access = cluster.Access(kubeconfig, context, namespace)
    return access, run_verbs.ask(access, connector, spec)


def _follow(access: Access, asked: Asked, timeout: timedelta, output: Format, subjects: Sequence[str] = ()) -> None:
    from usher.kube import run_verbs  # noqa: PLC0415 - the same second

    ended: Ended = run_verbs.follow(access, asked.name, timeout.total_seconds(), say)
    told = Paragraph([f"{asked.subject}: {ended.message}"])
    _show(asked, ended.status, [told, *lines_of(subjects, ended.status)], output)
    if not ended.done or is_undone(ended.status):
        raise SystemExit(Exit.FAILED)


def _show(asked: Asked, status: Mapping[str, Any], blocks: Sequence[Block], output: Format) -> None:
    show(Result({"name": asked.name, "status": dict(status)}, list(blocks)), output)
