"""`usher suspend` and `usher resume`."""

from __future__ import annotations

from typing import Any

import click

from usher.cli.approve import connector_named
from usher.cli.deeds import tell_deed
from usher.cli.options import cluster_options, output_option
from usher.cli.output import Format


@click.command(
    short_help="Let a connector rest: no cycle starts any more.", epilog="Example: usher suspend people -n identity"
)
@click.argument("name")
@cluster_options
@output_option
def suspend(name: str, output: Format, **where: Any) -> None:
    """Set spec.suspend of a connector in a cluster.

    A cycle that runs ends after its requests in flight. What is known is kept, and nobody is touched.
    """
    from usher.kube import access, verbs  # noqa: PLC0415 - takes a second, which no other command waits for

    subject = verbs.suspend(access.Access(**where), connector_named(name, "is suspended"))
    tell_deed(subject, "suspended", output)


@click.command(short_help="Let a connector run again.", epilog="Example: usher resume people -n identity")
@click.argument("name")
@cluster_options
@output_option
def resume(name: str, output: Format, **where: Any) -> None:
    """Take spec.suspend of a connector in a cluster away.

    Where a manifest in Git says suspend: true, take it out there as well: it would be applied again.
    """
    from usher.kube import access, verbs  # noqa: PLC0415 - takes a second, which no other command waits for

    subject = verbs.resume(access.Access(**where), connector_named(name, "is suspended"))
    tell_deed(subject, "resumed", output)
