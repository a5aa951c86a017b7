"""`usher links`."""

from __future__ import annotations

from itertools import islice

import click

from usher.cli.options import limit_option, output_option, workspace_options
from usher.cli.output import Block, Format, Heading, Result, Table, show
from usher.cli.stored import look
from usher.cli.workspace import Workspace, find_connector
from usher.contracts.store import LinkDigest, Store
from usher.core.model.resources import Json, Lane, ResourceType


@click.command(epilog="Example: usher links people -f examples/csv")
@click.argument("name", metavar="NAME")
@workspace_options
@limit_option(100, "Show at most so many links.")
@output_option
def links(name: str, workspace: Workspace, limit: int, output: Format) -> None:
    """Show whose account is whose, by the id of the person."""
    key = find_connector(workspace.load(), name)

    async def read(store: Store) -> tuple[int, list[LinkDigest]]:
        lane = Lane(key, ResourceType.USER)
        total, _ = await store.count_links(lane)
        return total, await _first(store, lane, limit)

    total, found = look(workspace.state, read)
    data: list[Json] = [
        {"sourceId": link.source_id, "targetId": link.target_id, "enabled": link.enabled} for link in found
    ]
    rows = [(link.source_id, link.target_id, "yes" if link.enabled else "no") for link in found]
    shown = f"{len(rows)} of {total} links" if len(rows) < total else f"{total} links"
    blocks: list[Block] = [Heading(f"{key}: {shown}"), Table(("person", "account", "enabled"), rows)]
    show(Result({"connector": key, "total": total, "links": data}, blocks), output)


async def _first(store: Store, lane: Lane, limit: int) -> list[LinkDigest]:
    found: list[LinkDigest] = []
    async for page in store.link_digests(lane):
        found.extend(islice(page, limit - len(found)))
        if len(found) >= limit:
            break
    return found
