"""`usher links NAME --transfer OTHER`: accounts change the connector that looks after them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any, Final

import click

from usher.assembly.ends import system_runtime
from usher.assembly.scopes import subject_of
from usher.cli.exits import Exit
from usher.cli.findings import Finding
from usher.cli.no_account import NoAccount
from usher.cli.options import Command
from usher.cli.orphans import Orphans
from usher.cli.output import Block, Format, Heading, Paragraph, Result, Table, show
from usher.cli.stored import look
from usher.cli.terminal import complain
from usher.cli.workspace import Workspace, find_among, find_connector
from usher.contracts.store import Consumption, Store
from usher.contracts.transfers import Handover, Obstacle, Transfer
from usher.core.model.resources import ConnectorKey, Json, Lane, ResourceType, SourceId

_WHY: Final = {
    Obstacle.NO_LINK: "stays: {former} links nobody of this id",
    Obstacle.OPEN_INTENT: "stays: nobody knows yet what came of a request; run a cycle of both connectors first",
    Obstacle.LINKED_BY_HEIR: "stays: {heir} links another account of the same id",
    Obstacle.NOT_IN_SCOPE: "stays: not in the scope of {heir}, which would take it for a leaver",
}


@dataclass(frozen=True, slots=True)
class Handing:
    """What is to be handed over: to whom, the links of which ids (none: all), and whether it is only shown."""

    other: str
    ids: Collection[SourceId]
    dry: bool


def handing_options(command: Command) -> Command:
    """`[ID]...`, `--transfer`, `--yes`, `--no-account` and `--orphans`, as `asked`: None without any of them."""

    @click.argument("ids", nargs=-1, metavar="[ID]...")
    @click.option("--transfer", "other", metavar="OTHER", help="Hand the links over to this connector.")
    @click.option("--yes", is_flag=True, help="With --transfer: do it, after it was shown.")
    @click.option("--orphans", is_flag=True, help="Show accounts that nobody links and nobody in scope matches.")
    @click.option("--no-account", "none", is_flag=True, help="The IDs have no account: you have looked at the app.")
    @wraps(command)
    def gathered(ids: tuple[str, ...], other: str | None, none: Any, orphans: Any, **others: Any) -> None:
        yes = others.pop("yes")
        if none:
            command(asked=_no_account(ids, other or orphans or yes), **others)
            return
        if other is None and (ids or yes):
            message = "IDs are for --transfer OTHER and --no-account, --yes is for --transfer OTHER"
            raise click.UsageError(message)
        if other is not None and orphans:
            message = "--orphans shows, and --transfer hands over: give one of them"
            raise click.UsageError(message)
        handing = None if other is None else Handing(other, tuple(map(SourceId, ids)), dry=not yes)
        command(asked=Orphans() if orphans else handing, **others)

    return gathered


def _no_account(ids: Sequence[str], beside: object) -> NoAccount:
    if beside or not ids:
        message = "--no-account takes IDs, and stands alone"
        raise click.UsageError(message)
    return NoAccount(tuple(map(SourceId, ids)))


class _RefusedError(Exception):
    """These two can't hand anything over to each other."""

    def __init__(self, connector: ConnectorKey, path: str, problem: str) -> None:
        super().__init__(problem)
        self.connector, self.path, self.problem = connector, path, problem


@dataclass(frozen=True, slots=True)
class _Shown:
    """What was handed over, or would be."""

    transfer: Transfer
    handing: Handing
    rows: Sequence[Handover]

    @property
    def moving(self) -> Sequence[Handover]:
        """Nothing stands in their way."""
        return [row for row in self.rows if row.obstacle is None]

    @property
    def exit(self) -> Exit:
        """Whoever is out of the other's scope stays as a matter of course, unless he was named."""
        usual = () if self.handing.ids else (Obstacle.NOT_IN_SCOPE,)
        failed = any(row.obstacle is not None and row.obstacle not in usual for row in self.rows)
        if failed or (self.rows and not self.moving):
            return Exit.FAILED
        return Exit.PENDING if self.handing.dry and self.moving else Exit.DONE


def transfer(name: str, handing: Handing, workspace: Workspace, most: int | None, output: Format) -> Exit:
    """Hands the links over, or shows what that would do. Raises CycleError as `look` does: nobody else has the state.

    NAME may be a connector that only the state knows any more: its manifest is gone, and its accounts are still its.
    """
    manifests = workspace.load()
    heir = find_connector(manifests, handing.other)

    async def hand_over(store: Store) -> _Shown:
        known = [*manifests.connectors, *manifests.broken_connectors, *await store.active_connectors()]
        former = find_among(list(dict.fromkeys(known)), name, "among the manifests, nor in the state")
        if former == heir:
            message = f"--transfer {handing.other}: that is the connector itself"
            raise click.UsageError(message)
        _compare(former, await _consumption(store, former), heir, await _consumption(store, heir))
        wanted = Transfer(former, heir, frozenset(handing.ids) or None)
        if handing.dry:
            return _Shown(wanted, handing, await store.transferable(wanted))
        return _Shown(wanted, handing, await store.transfer(wanted, system_runtime().now()))

    try:
        shown = look(workspace.state, hand_over)
    except _RefusedError as error:
        placed = manifests.connectors.get(error.connector)
        file = "" if placed is None else str(placed.file)
        subject = subject_of(error.connector)
        complain(Finding.error(error.problem, file=file, subject=subject, path=error.path))
        return Exit.FAILED
    show(Result(_data(shown), _blocks(shown, workspace, most)), output)
    return shown.exit


async def _consumption(store: Store, connector: ConnectorKey) -> Consumption | None:
    """Every connector has users; where it has groups as well, they have the same ends."""
    return await store.consumption(Lane(connector, ResourceType.USER))


def _compare(former: ConnectorKey, mine: Consumption | None, heir: ConnectorKey, others: Consumption | None) -> None:
    """Raises _RefusedError unless an id, of a person and of an account, means the same to both."""
    if mine is None:
        raise _RefusedError(former, "", "has no links: the state does not know it")
    if mine.retired:
        problem = f"was deleted, so its links own nothing any more: {heir} takes the accounts over in its next cycle"
        raise _RefusedError(former, "", problem)
    if others is None or others.retired:
        problem = "has never run, so nobody knows whom it means: run usher plan with --connector first"
        raise _RefusedError(heir, "", problem)
    if (mine.source, mine.identity) != (others.source, others.identity):
        problem = (
            f"reads {others.source} ({others.identity}), and the links of {former} are by the ids of {mine.source} "
            f"({mine.identity}): only a connector with the same sourceRef can take them over"
        )
        raise _RefusedError(heir, "spec.sourceRef", problem)
    if mine.address != others.address:
        problem = (
            f"is another app than that of {former}: {others.address}, not {mine.address}. Only a connector with the "
            "same URL can take its accounts over"
        )
        raise _RefusedError(heir, "spec.target.scim.url", problem)


def _data(shown: _Shown) -> dict[str, Json]:
    rows: list[Json] = [
        {
            "resourceType": row.resource_type.value,
            "sourceId": row.source_id,
            "targetId": row.target_id,
            "moves": row.obstacle is None,
            "obstacle": None if row.obstacle is None else row.obstacle.value,
            "stillInScope": row.still_meant,
        }
        for row in shown.rows
    ]
    return {
        "connector": shown.transfer.former,
        "to": shown.transfer.heir,
        "done": not shown.handing.dry,
        "links": rows,
    }


def _blocks(shown: _Shown, workspace: Workspace, most: int | None) -> list[Block]:
    former, heir, count = shown.transfer.former, shown.transfer.heir, len(shown.moving)
    what = "1 link" if count == 1 else f"{count} links"
    told = f"{what} would go to {heir}" if shown.handing.dry else f"{what} handed over to {heir}"
    blocks: list[Block] = [Heading(f"{former}: {told}, {len(shown.rows) - count} stay")]
    cells = [_cells(row, shown) for row in shown.rows]
    if cells:
        blocks.append(Table(("type", "id", "account", "what"), cells[:most]))
    lines = [f"and {len(cells) - most} more"] if most is not None and len(cells) > most else []
    lines += _advice(shown)
    if shown.handing.dry and count:
        ids = sorted(shown.handing.ids)
        command = workspace.command("links", former, *ids, "--transfer", heir, "--yes")
        lines += ["nothing was handed over yet; to do it:", f"  {command}"]
    if lines:
        blocks.append(Paragraph(lines))
    return blocks


def _advice(shown: _Shown) -> list[str]:
    """What is left to do at the former connector."""
    former, still = shown.transfer.former, sum(row.still_meant for row in shown.moving)
    if not still:
        return []
    who = "1 of them is" if still == 1 else f"{still} of them are"
    when = "will report" if shown.handing.dry else "reports"
    return [
        f"{who} in the scope of {former} too, which {when} OwnedByOtherConnector for that:",
        f"take them out of its spec.scope, or out by a filter, after the transfer: before it, {former} disables them",
    ]


def _cells(row: Handover, shown: _Shown) -> Sequence[str]:
    if row.obstacle is not None:
        what = _WHY[row.obstacle].format(former=shown.transfer.former, heir=shown.transfer.heir)
    else:
        what = "goes" if shown.handing.dry else "handed over"
    return row.resource_type.value, row.source_id, row.target_id or "", what
