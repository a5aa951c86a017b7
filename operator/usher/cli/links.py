"""`usher links`."""

from __future__ import annotations

from typing import Final, TypeAlias

import click

from usher.cli.no_account import NoAccount, say_no_account
from usher.cli.options import limit_option, output_option
from usher.cli.origins import Origin, demand_files, origin_options
from usher.cli.orphans import Orphans, show_orphans
from usher.cli.output import Block, Format, Heading, Result, Table, show
from usher.cli.transfer import Handing, handing_options, transfer
from usher.cli.workspace import find_connector

Asked: TypeAlias = Handing | Orphans | NoAccount
_CHANGES: Final = "--transfer and --no-account need -f: they change a state file, and an operator's is its own"


@click.command(epilog="Examples: usher links people -n identity --orphans; usher links people -f examples/csv")
@click.argument("name", metavar="NAME")
@handing_options
@origin_options
@limit_option(100, "Show at most so many links. JSON and YAML show all of a transfer.")
@output_option
def links(name: str, asked: Asked | None, origin: Origin, limit: int, output: Format) -> None:
    """Show whose account is whose, by the id of the person or group at the source.

    With -f those of the state file beside the manifests; without, the operator of the cluster is asked. What changes
    links needs -f.

    With --orphans the accounts of the app that nobody links and nobody in scope matches, as the last full comparison
    found them (spec.schedule.fullInterval).

    With --transfer OTHER the connector OTHER, of the same source and app, gets the links of NAME: all of those whom it
    has in its scope, or of these only the IDs. Without --yes it is only shown who would be handed over.

    With --no-account the IDs have no account at the app, as you have seen there: a create of which nobody knows the end
    (CreateOutcomeUnknown) is made again. Exit code 1: one of them has no such create.

    Exit codes of --transfer: 0 all is done; 1 one of the IDs, or nothing, can be handed over; 3 links would
    be handed over.
    """
    match asked:
        case Orphans():
            show_orphans(origin.orphans(name), limit, output)
            return
        case NoAccount():
            workspace = demand_files(origin, _CHANGES)
            key = find_connector(workspace.load(), name)
            click.get_current_context().exit(say_no_account(key, asked, workspace, output))
        case Handing():
            workspace = demand_files(origin, _CHANGES)
            code = transfer(name, asked, workspace, None if output.for_programs else limit, output)
            click.get_current_context().exit(code)
        case None:
            _show_links(origin, name, limit, output)


def _show_links(origin: Origin, name: str, limit: int, output: Format) -> None:
    page = origin.links(name, limit)
    rows = [
        (one.resource_type.value, one.source_id, one.target_id, "yes" if one.enabled else "no") for one in page.links
    ]
    shown = f"{len(rows)} of {page.total} links" if len(rows) < page.total else f"{page.total} links"
    blocks: list[Block] = [Heading(f"{page.connector}: {shown}"), Table(("type", "id", "account", "enabled"), rows)]
    show(Result(page.data(), blocks), output)
