"""What every measurement stands on: people, directories that hold them, sinks, and a folder for state files."""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from bench.figures import Pace
from bench.places import work_folder
from bench.processes import python
from bench.sink import Counts, Sink
from bench.workspace import write_csv, write_directory
from directory.entries import Entry
from directory.population import people
from directory.slapd import Slapd

_A_SECOND: Final = 1.1
"""Longer than the resolution of modifyTimestamp."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many people a sync and a large sync have, how many change, how many are mapped without a sync,
    how many are members of one group, and of how many people how many leave at once.

    `pairs` of runs give a ratio.
    """

    people: int = 5_000
    crowd: int = 100_000
    changed: int = 100
    mapped: int = 2_000
    members: int = 20_000
    staff: int = 50_000
    leavers: int = 500
    pairs: int = 7

    @property
    def repeats(self) -> int:
        """How often what takes long is done."""
        return min(self.pairs, 3)


@dataclass(frozen=True, slots=True)
class Sync:
    """One `usher sync` that succeeded: what its process told, and what the sink counted meanwhile."""

    told: Mapping[str, Any]
    counts: Counts
    state: Path


class Ground:
    """Makes what is asked for, once; `with` ends and removes it all. `say` is told what is being done."""

    def __init__(self, sizes: Sizes, say: Callable[[str], None]) -> None:
        self.sizes = sizes
        self.say = say
        self.initial: list[Sync] = []
        self.paces: list[Pace] = []
        self.folder = Path(tempfile.mkdtemp(dir=work_folder()))
        self._numbers = count(1)
        self._stack = ExitStack()
        self._stack.callback(shutil.rmtree, self.folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    # --- people

    @cached_property
    def people(self) -> Sequence[Entry]:
        """Of a sync."""
        return plain_people(self.sizes.people)

    @cached_property
    def crowd(self) -> Sequence[Entry]:
        """Of a large sync."""
        return plain_people(self.sizes.crowd)

    @cached_property
    def staff(self) -> Sequence[Entry]:
        """Of whom some leave."""
        return plain_people(self.sizes.staff)

    @cached_property
    def directory(self) -> Slapd:
        """A directory with the people of a sync."""
        return self._directory("directory", self.people)

    @cached_property
    def crowded_directory(self) -> Slapd:
        """A directory with the people of a large sync."""
        return self._directory("crowded", self.crowd)

    @cached_property
    def staffed_directory(self) -> Slapd:
        """A directory with people of whom some leave."""
        return self._directory("staffed", self.staff)

    def _directory(self, name: str, entries: Sequence[Entry]) -> Slapd:
        self.say(f"loading {len(entries):,} people into a slapd")
        slapd = Slapd(self.folder / name)
        slapd.load(entries)
        self._stack.enter_context(slapd)
        # Directories are not made in the second before they are read: without this, a read of the changes since the
        # newest modifyTimestamp would read everybody who was loaded in that second.
        time.sleep(_A_SECOND)
        slapd.modify(entries[0].dn, {"description": ["touched"]})
        return slapd

    # --- sinks

    @cached_property
    def sink(self) -> Sink:
        """A sink that answers at once."""
        return self._stack.enter_context(Sink())

    @cached_property
    def slow_sink(self) -> Sink:
        """A sink whose answers take 20 ms."""
        return self._stack.enter_context(Sink("20ms"))

    # --- runs of Usher

    def place(self, name: str) -> Path:
        """A path in the folder that nobody has had before."""
        return self.folder / f"{name}-{next(self._numbers)}"

    def directory_workspace(self, directory: Slapd, sink: Sink, changes: str = "ModifyTimestamp") -> Path:
        """Manifests from a directory into a sink."""
        return write_directory(self.place("manifests"), directory.url, sink.url, changes)

    def csv_workspace(self, entries: Sequence[Entry], sink: Sink) -> Path:
        """Manifests from a CSV file into a sink."""
        return write_csv(self.place("manifests"), entries, sink.url)

    def sync(self, workspace: Path, sink: Sink, state: Path, *options: str) -> Sync:
        """One `usher sync`. Raises Broken when it fails."""
        before = sink.counts()
        told = python("usher_sync", workspace, state, *options)
        return Sync(told, sink.counts().since(before), state)

    def sync_from_nothing(self, workspace: Path, sink: Sink, users: int, *options: str) -> Sync:
        """An initial sync into an empty sink. Raises Broken unless the sink holds everybody afterwards."""
        sink.reset()
        done = self.sync(workspace, sink, self.place("state"), *options)
        sink.counts().require(users, "usher sync")
        return done

    def initial_sync(self) -> Sync:
        """An initial sync of the people of the directory; remembered in `initial`."""
        workspace = self.directory_workspace(self.directory, self.sink)
        done = self.sync_from_nothing(workspace, self.sink, self.sizes.people)
        self.initial.append(done)
        return done

    def initial_syncs(self, least: int) -> Sequence[Sync]:
        """Those there were, and more of them until there are enough."""
        while len(self.initial) < least:
            self.say(f"initial sync {len(self.initial) + 1} of {least}")
            self.initial_sync()
        return self.initial

    @cached_property
    def documents(self) -> Sequence[Mapping[str, Any]]:
        """What Usher creates, in the form in which they can be compared."""
        self.initial_sync()
        return comparable(self.sink.documents())

    @cached_property
    def bodies(self) -> Path:
        """A file with the bodies that Usher sends, one a line."""
        self.initial_sync()
        path = self.place("bodies")
        lines = [json.dumps(document, ensure_ascii=False) for document in self.sink.documents()]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path


def plain_people(number: int) -> list[Entry]:
    """So many people without awkward names: a backslash in one DN ends the whole read of a peer."""
    found = [entry for entry in people(number + number // 10 + 10) if entry.dn.startswith("uid=")]
    return found[:number]


def comparable(documents: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Documents in the order of their user names, `schemas` in that of the alphabet."""
    sorted_ = [{**document, "schemas": sorted(document["schemas"])} for document in documents]
    return sorted(sorted_, key=lambda document: str(document["userName"]))
