"""The state file, for the commands that run no cycle."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from usher.answers.log import LogPage, read_log
from usher.cli.workspace import Workspace, find_connector
from usher.contracts.log import LogQuery
from usher.contracts.store import Store
from usher.core.errors import CycleError
from usher.state.store import open_store

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class FileOrigin:
    """Origin of what a state file answers."""

    workspace: Workspace

    def log(self, name: str, query: LogQuery, limit: int) -> LogPage:
        """As `Origin`."""
        key = find_connector(self.workspace.load(), name)
        return look(self.workspace.state, lambda store: read_log(store, key, query, limit))


def look(state: Path, read: Callable[[Store], Awaitable[T]]) -> T:
    """What `read` gives. Raises CycleError: there is no such file, it can't be used, or a running `sync` has it."""
    if not state.is_file():
        raise CycleError(
            f"there is no state file {state}: name it with --state, or make one with usher sync", reason="StateUnusable"
        )

    async def reading() -> T:
        async with open_store(state) as store:
            return await read(store)

    return asyncio.run(reading())
