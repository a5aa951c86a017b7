"""`usher release`."""

from __future__ import annotations

from typing import Any

import click

from usher.cli.approve import connector_named
from usher.cli.deeds import tell_deed
from usher.cli.options import cluster_options, output_option
from usher.cli.output import Format


@click.command(
    short_help="Let a deleted connector go at once, with its accounts as they are.",
    epilog="Example: usher release people -n identity",
)
@click.argument("name")
@cluster_options
@output_option
def release(name: str, output: Format, **where: Any) -> None:
    """Let a connector go that was deleted and waits until everybody has left.

    With spec.deletionPolicy Deprovision a finalizer holds the object for that long, or as long as no operator runs.
    This takes it off: no account is touched, and nobody looks after them any more.
    """
    from usher.kube import access, verbs  # noqa: PLC0415 - takes a second, which no other command waits for

    subject = verbs.release(access.Access(**where), connector_named(name, "waits for Usher"))
    tell_deed(subject, "released, its accounts stay as they are", output)
