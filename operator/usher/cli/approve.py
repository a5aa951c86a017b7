"""`usher approve`."""

from __future__ import annotations

from typing import Any, Final

import click

from usher.cli.deeds import tell_deed
from usher.cli.options import cluster_options, output_option
from usher.cli.output import Format

_SOURCES: Final = frozenset({"idsrc", "identitysource", "identitysources"})
CONNECTORS: Final = frozenset({"pconn", "provisioningconnector", "provisioningconnectors"})
"""How kubectl calls a connector."""


def connector_named(name: str, role: str) -> str:
    """The name in `NAME` or `pconn/NAME`. Raises click.UsageError: another kind is none `that <role>`."""
    kind, slash, rest = name.rpartition("/")
    if slash and kind.lower() not in CONNECTORS:
        message = f"{kind} is no kind that {role}: write NAME, or pconn/NAME"
        raise click.UsageError(message)
    return rest


@click.command(
    short_help="Approve a held plan or a void read in a cluster.",
    epilog="Examples: usher approve people 1f0c..., usher approve idsrc/corp 77ab...",
)
@click.argument("name", metavar="[idsrc/]NAME")
@click.argument("digest", metavar="HASH")
@cluster_options
@output_option
def approve(name: str, digest: str, output: Format, **where: Any) -> None:
    """Approve what a connector holds, or a void read of an identity source, in a cluster.

    The hash is in the object's status (plan.hash, pending.hash). Exactly that set is applied, once. Without a cluster:
    usher sync --approve HASH.
    """
    from usher.kube import access, verbs  # noqa: PLC0415 - takes a second, which no other command waits for

    kind, slash, rest = name.rpartition("/")
    if slash and kind.lower() not in _SOURCES | CONNECTORS:
        raise click.UsageError(f"{kind} is no kind that waits for approvals: write NAME, or idsrc/NAME")
    what = verbs.Approvable.READ if kind.lower() in _SOURCES else verbs.Approvable.PLAN
    subject = verbs.approve(access.Access(**where), what, rest, digest)
    tell_deed(subject, f"approved {digest}", output)
