"""`usher logs`."""

from __future__ import annotations

from collections.abc import Sequence

import click

from usher.cli.log_filters import filter_options
from usher.cli.log_lines import COLUMNS, line_data, line_row
from usher.cli.options import limit_option, output_option, workspace_options
from usher.cli.output import Block, Format, Heading, Paragraph, Result, Table, show
from usher.cli.stored import look
from usher.cli.workspace import Workspace, find_connector
from usher.contracts.log import LogEntry, LogQuery
from usher.contracts.store import Store
from usher.core.model.resources import Json


@click.command(epilog="Example: usher logs people -f examples/csv --user 1007 --since 24h")
@click.argument("name", metavar="NAME")
@filter_options
@workspace_options
@limit_option(100, "Show at most so many lines.")
@output_option
def logs(name: str, query: LogQuery, workspace: Workspace, limit: int, output: Format) -> None:
    """Show the provisioning log of a connector, newest first.

    It tells each change, and of everybody for whom nothing is done why: by source id, account, step (scope, match,
    action), action, result and reason. Filters are combined: a line is shown if all of them apply.

    The names of the changed attributes are always told, their values only with spec.provisioningLog.attributeValues:
    Full. Lines are kept for spec.provisioningLog.retention (720h).
    """
    key = find_connector(workspace.load(), name)

    async def read(store: Store) -> Sequence[LogEntry]:
        return await store.log(key, query, limit + 1)

    found = look(workspace.state, read)
    entries, more = found[:limit], len(found) > limit > 0
    last = entries[-1].number if more else None
    data: list[Json] = [line_data(entry) for entry in entries]
    blocks: list[Block] = [Heading(f"{key}: {len(entries)} lines")]
    blocks.append(Table(COLUMNS, [line_row(entry) for entry in entries]))
    if last is not None:
        blocks.append(Paragraph([f"there are older lines: add --before {last}"]))
    show(Result({"connector": key, "entries": data, "before": last}, blocks), output)
