"""`usher logs`."""

from __future__ import annotations

import click

from usher.cli.log_filters import filter_options
from usher.cli.log_lines import COLUMNS, line_row
from usher.cli.options import limit_option, output_option
from usher.cli.origins import Origin, origin_options
from usher.cli.output import Block, Format, Heading, Paragraph, Result, Table, show
from usher.contracts.log import LogQuery


@click.command(epilog="Examples: usher logs people -n identity --user 1007; usher logs people -f examples/csv")
@click.argument("name", metavar="NAME")
@filter_options
@origin_options
@limit_option(100, "Show at most so many lines.")
@output_option
def logs(name: str, query: LogQuery, origin: Origin, limit: int, output: Format) -> None:
    """Show the provisioning log of a connector, newest first.

    With -f that of the state file beside the manifests; without, the operator of the cluster is asked.

    It tells each change, and of everybody for whom nothing is done why: by source id, account, step (scope, match,
    action), action, result and reason. Filters are combined: a line is shown if all of them apply.

    The names of the changed attributes are always told, their values only with spec.provisioningLog.attributeValues:
    Full. Lines are kept for spec.provisioningLog.retention (720h).
    """
    page = origin.log(name, query, limit)
    blocks: list[Block] = [Heading(f"{page.connector}: {len(page.entries)} lines")]
    blocks.append(Table(COLUMNS, [line_row(entry) for entry in page.entries]))
    if query.source_id is not None and not page.entries:
        blocks.append(
            Paragraph(["--user takes the id of the source: usher explain finds people by their names as well"])
        )
    if page.before is not None:
        blocks.append(Paragraph([f"there are older lines: add --before {page.before}"]))
    show(Result(page.data(), blocks), output)
