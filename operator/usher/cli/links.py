"""`usher links`."""

from __future__ import annotations

from itertools import islice
from typing import NamedTuple, TypeAlias

import click

from usher.cli.no_account import NoAccount, say_no_account
from usher.cli.options import limit_option, output_option, workspace_options
from usher.cli.orphans import Orphans, show_orphans
from usher.cli.output import Block, Format, Heading, Result, Table, show
from usher.cli.stored import look
from usher.cli.transfer import Handing, handing_options, transfer
from usher.cli.workspace import Workspace, find_connector
from usher.contracts.store import LinkDigest, Store
from usher.core.model.resources import ConnectorKey, Json, Lane, ResourceType

Asked: TypeAlias = Handing | Orphans | NoAccount


@click.command(epilog="Example: usher links people -f examples/csv")
@click.argument("name", metavar="NAME")
@handing_options
@workspace_options
@limit_option(100, "Show at most so many links. JSON and YAML show all of a transfer.")
@output_option
def links(name: str, asked: Asked | None, workspace: Workspace, limit: int, output: Format) -> None:
    """Show whose account is whose, by the id of the person or group at the source.

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
            show_orphans(find_connector(workspace.load(), name), workspace, limit, output)
            return
        case NoAccount():
            key = find_connector(workspace.load(), name)
            click.get_current_context().exit(say_no_account(key, asked, workspace, output))
        case Handing():
            code = transfer(name, asked, workspace, None if output.for_programs else limit, output)
            click.get_current_context().exit(code)
        case None:
            _show_links(find_connector(workspace.load(), name), workspace, limit, output)


def _show_links(key: ConnectorKey, workspace: Workspace, limit: int, output: Format) -> None:
    async def read(store: Store) -> tuple[int, list[_Shown]]:
        total, found = 0, list[_Shown]()
        for resource_type in ResourceType:
            lane = Lane(key, resource_type)
            total += (await store.count_links(lane))[0]
            found += [_Shown(resource_type, link) for link in await _first(store, lane, limit - len(found))]
        return total, found

    total, found = look(workspace.state, read)
    data: list[Json] = [
        {
            "resourceType": resource_type.value,
            "sourceId": link.source_id,
            "targetId": link.target_id,
            "enabled": link.enabled,
        }
        for resource_type, link in found
    ]
    rows = [(kind.value, link.source_id, link.target_id, "yes" if link.enabled else "no") for kind, link in found]
    shown = f"{len(rows)} of {total} links" if len(rows) < total else f"{total} links"
    blocks: list[Block] = [Heading(f"{key}: {shown}"), Table(("type", "id", "account", "enabled"), rows)]
    show(Result({"connector": key, "total": total, "links": data}, blocks), output)


class _Shown(NamedTuple):
    resource_type: ResourceType
    link: LinkDigest


async def _first(store: Store, lane: Lane, limit: int) -> list[LinkDigest]:
    found: list[LinkDigest] = []
    if limit <= 0:
        return found
    async for page in store.link_digests(lane):
        found.extend(islice(page, limit - len(found)))
        if len(found) >= limit:
            break
    return found
