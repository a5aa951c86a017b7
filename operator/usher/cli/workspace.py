"""The user's files: manifests, and the state that belongs to them."""

from __future__ import annotations

import shlex
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click

from usher.cli.documents import Locations
from usher.cli.manifests import Manifests, load_manifests
from usher.cli.terminal import complain, say
from usher.contracts.store import Store
from usher.core.errors import CycleError
from usher.core.model.resources import ConnectorKey
from usher.state.store import open_store

STATE_FOLDER: Final = ".usher"
STATE_FILE: Final = "state.db"


@dataclass(frozen=True, slots=True)
class Workspace:
    """Where manifests and state are. `given` is the state file that the user named, None for the one beside DIR."""

    locations: Locations
    given: Path | None = None

    @property
    def state(self) -> Path:
        """The state file."""
        return self.given or self.locations.folder / STATE_FOLDER / STATE_FILE

    def load(self) -> Manifests:
        """The manifests, with their findings and notes on stderr."""
        return load_loudly(self.locations)

    @asynccontextmanager
    async def open_state(self) -> AsyncIterator[Store]:
        """The state, made (with its folder beside DIR) where there is none. Raises CycleError if it can't be used."""
        is_new = not self.state.exists()
        if is_new and self.given is None:
            self._make_folder()
        async with open_store(self.state) as store:
            if is_new:
                say(f"new state file {self.state}: it remembers whose account is whose. Keep it, and keep it private")
            yield store

    def _make_folder(self) -> None:
        folder = self.state.parent
        try:
            if not folder.exists():
                folder.mkdir(mode=0o700)
                (folder / ".gitignore").write_text("*\n", encoding="utf-8")
        except OSError as error:
            raise CycleError(f"the folder {folder} can't be made: {error.strerror}", reason="StateUnusable") from error

    def command(self, verb: str, *more: str) -> str:
        """The command line that does the next step with the same files."""
        files = [part for path in self.locations.paths for part in ("-f", str(path))]
        flags = ["-R"] if self.locations.recursive else []
        state = [] if self.given is None else ["--state", str(self.given)]
        return shlex.join(["usher", verb, *files, *flags, *state, *more])


def load_loudly(locations: Locations) -> Manifests:
    """The manifests; what is wrong with them, and what is ignored, is told on stderr."""
    manifests = load_manifests(locations)
    if manifests.note:
        say(f"note: {manifests.note}")
    for finding in manifests.findings:
        complain(finding)
    return manifests


def find_connector(manifests: Manifests, name: str) -> ConnectorKey:
    """The connector that NAME or NAMESPACE/NAME means; a usage error that lists what there is where it means none."""
    return find_among([*manifests.connectors, *manifests.broken_connectors], name, "among the manifests")


def find_among(known: Sequence[str], name: str, where: str) -> ConnectorKey:
    """As `find_connector`, of these connectors; `where` is said of a name that is not there."""
    if name in known:
        return ConnectorKey(name)
    meant = [key for key in known if key.partition("/")[2] == name]
    if len(meant) == 1:
        return ConnectorKey(meant[0])
    listed = ", ".join(sorted(meant or known)) or "none"
    problem = "is in several namespaces" if meant else f"is not {where}"
    raise click.UsageError(f"ProvisioningConnector/{name} {problem}; there is: {listed}")
