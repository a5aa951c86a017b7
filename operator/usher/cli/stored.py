"""The state file, for the commands that run no cycle."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

import click

from usher.answers.explaining import Explained, Told, explain
from usher.answers.links import LinkPage, OrphansFound, read_links, read_orphans
from usher.answers.log import LogPage, read_log
from usher.answers.plans import PlanPage, read_plan
from usher.assembly.ends import system_runtime
from usher.cli.exits import Exit
from usher.cli.tasks import Refusal, prepare_to_read
from usher.cli.terminal import complain
from usher.cli.workspace import Workspace, find_connector
from usher.contracts.log import LogQuery
from usher.contracts.store import Store
from usher.core.errors import CycleError
from usher.core.model.resources import ConnectorKey
from usher.engine.job import Ports
from usher.state.store import open_store

_PAGE: Final = 500
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class FileOrigin:
    """Origin of what a state file answers."""

    workspace: Workspace

    def log(self, name: str, query: LogQuery, limit: int) -> LogPage:
        """As `Origin`."""
        key = self._find(name)
        return look(self.workspace.state, lambda store: read_log(store, key, query, limit))

    def links(self, name: str, limit: int) -> LinkPage:
        """As `Origin`."""
        key = self._find(name)
        page = look(self.workspace.state, lambda store: read_links(store, key, "", limit))
        return LinkPage(connector=page.connector, total=page.total, links=page.links)

    def orphans(self, name: str) -> OrphansFound:
        """As `Origin`."""
        key = self._find(name)
        return look(self.workspace.state, lambda store: read_orphans(store, key))

    def explain(self, name: str, word: str, lines: int) -> Told:
        """As `Origin`."""
        about = self._prepare(name)
        return look(self.workspace.state, lambda store: explain(about, Ports(store, system_runtime()), word, lines))

    def plan(self, name: str, take: Callable[[PlanPage], None]) -> None:
        """As `Origin`."""
        about = self._prepare(name)

        async def read(store: Store) -> None:
            after: str | None = ""
            while after is not None:
                page = await read_plan(store, about, after, _PAGE)
                take(page)
                after = page.after

        look(self.workspace.state, read)

    def _find(self, name: str) -> ConnectorKey:
        return find_connector(self.workspace.load(), name)

    def _prepare(self, name: str) -> Explained:
        manifests = self.workspace.load()
        task = prepare_to_read(manifests, find_connector(manifests, name), system_runtime())
        if isinstance(task, Refusal):
            for finding in task.findings:
                complain(finding)
            raise click.exceptions.Exit(Exit.FAILED)
        domain = task.source.object.spec.default_domain or ""
        approve = self.workspace.command("sync", "--approve")
        return Explained(task.job, domain, task.connector.object.spec.suspend, approve)


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
