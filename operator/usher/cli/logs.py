"""`usher logs`."""

from __future__ import annotations

import re
from collections.abc import Sequence

import click

from usher.cli.options import limit_option, output_option, workspace_options
from usher.cli.output import Format, Heading, Result, Table, show
from usher.cli.reports import time_text
from usher.cli.stored import look
from usher.cli.workspace import Workspace, find_connector
from usher.contracts.store import LogEntry, Store
from usher.core.model.resources import Json, SourceId

_COLUMNS = ("time", "type", "id", "account", "step", "action", "result", "reason", "detail", "attributes")
_SCHEMA = re.compile(r"urn:[^\[\]]*:")
"""What a path of an extension begins with; what stands in a filter is none of it."""


@click.command(epilog="Example: usher logs people -f examples/csv --person 1007")
@click.argument("name", metavar="NAME")
@workspace_options
@click.option("--person", metavar="ID", help="Only this person or group, by the id that the source has.")
@limit_option(100, "Show at most so many lines.")
@output_option
def logs(name: str, workspace: Workspace, person: str | None, limit: int, output: Format) -> None:
    """Show the provisioning log of a connector, newest first."""
    key = find_connector(workspace.load(), name)

    async def read(store: Store) -> Sequence[LogEntry]:
        return await store.log(key, None if person is None else SourceId(person), limit)

    entries = look(workspace.state, read)
    data: list[Json] = [_data(entry) for entry in entries]
    table = Table(_COLUMNS, [_row(entry) for entry in entries])
    show(Result({"connector": key, "entries": data}, [Heading(f"{key}: {len(entries)} lines"), table]), output)


def _data(entry: LogEntry) -> dict[str, Json]:
    return {
        "time": time_text(entry.time),
        "cycle": entry.cycle,
        "resourceType": entry.resource_type.value,
        "sourceId": entry.source_id,
        "targetId": entry.target_id,
        "step": entry.step,
        "action": entry.action,
        "result": entry.result,
        "reason": entry.reason,
        "attributes": list(entry.attributes),
        "detail": entry.detail,
    }


def _row(entry: LogEntry) -> Sequence[str]:
    return (
        time_text(entry.time),
        "" if entry.source_id is None else entry.resource_type.value,
        entry.source_id or "",
        entry.target_id or "",
        entry.step,
        entry.action,
        entry.result,
        entry.reason,
        entry.detail,
        ", ".join(_SCHEMA.sub("", path, count=1) for path in entry.attributes),
    )
