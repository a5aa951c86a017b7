"""`usher links NAME ID --no-account`: somebody has looked at the app, and says that a create came to nothing."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from usher.cli.exits import Exit
from usher.cli.output import Block, Format, Heading, Result, Table, show
from usher.cli.stored import look
from usher.cli.workspace import Workspace
from usher.contracts.store import Record, Store
from usher.core.model.plans import Action
from usher.core.model.resources import ConnectorKey, Json, Lane, ResourceType, SourceId


@dataclass(frozen=True, slots=True)
class NoAccount:
    """Whose account is not at the app."""

    ids: Collection[SourceId]


def say_no_account(key: ConnectorKey, asked: NoAccount, workspace: Workspace, output: Format) -> Exit:
    """Closes their open creates; FAILED where one of them has none."""

    async def close(store: Store) -> list[SourceId]:
        closed: list[SourceId] = []
        for resource_type in ResourceType:
            lane = Lane(key, resource_type)
            intents = await store.intents(lane)
            mine = [i for i in asked.ids if i in intents and intents[i].action is Action.CREATE]
            await store.record(lane, Record(finished=mine))
            closed += mine
        return closed

    closed = look(workspace.state, close)
    rows = [(i, "closed: the next cycle makes the account" if i in closed else "no open create") for i in asked.ids]
    data: list[Json] = [{"sourceId": i, "closed": i in closed} for i in asked.ids]
    blocks: list[Block] = [Heading(f"{key}: {len(closed)} of {len(rows)} creates closed"), Table(("id", ""), rows)]
    show(Result({"connector": key, "creates": data}, blocks), output)
    return Exit.DONE if len(closed) == len(rows) else Exit.FAILED
