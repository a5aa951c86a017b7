"""`usher suspend` and `usher resume`."""

from __future__ import annotations

from pathlib import Path

import click

from usher.cli.approve import connector_named
from usher.cli.options import cluster_options


@click.command(
    short_help="Let a connector rest: no cycle starts any more.", epilog="Example: usher suspend people -n identity"
)
@click.argument("name")
@cluster_options
def suspend(name: str, kubeconfig: Path | None, context: str | None, namespace: str | None) -> None:
    """Set spec.suspend of a connector in a cluster.

    A cycle that runs ends after its requests in flight. What is known is kept, and nobody is touched.
    """
    from usher.kube import access, verbs  # noqa: PLC0415 - takes a second, which no other command waits for

    subject = verbs.suspend(access.Access(kubeconfig, context, namespace), connector_named(name, "is suspended"))
    click.echo(f"{subject}: suspended")


@click.command(short_help="Let a connector run again.", epilog="Example: usher resume people -n identity")
@click.argument("name")
@cluster_options
def resume(name: str, kubeconfig: Path | None, context: str | None, namespace: str | None) -> None:
    """Take spec.suspend of a connector in a cluster away.

    Where a manifest in Git says suspend: true, take it out there as well: it would be applied again.
    """
    from usher.kube import access, verbs  # noqa: PLC0415 - takes a second, which no other command waits for

    subject = verbs.resume(access.Access(kubeconfig, context, namespace), connector_named(name, "is suspended"))
    click.echo(f"{subject}: resumed")
