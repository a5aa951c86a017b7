"""What really happened at an app: an append-only record of every change, and what a checker asks of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

import orjson

from usher.core.model.resources import Json, TargetId
from usher.testing.documents import Document, read_at
from usher.testing.faults import Operation


class Actor(StrEnum):
    """Who changed an account: the client under test, or somebody at the app itself."""

    CLIENT = "client"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Entry:
    """One write. `before` is None for a create, `after` for a delete; both are equal for a change of nothing."""

    time: datetime
    operation: Operation
    id: TargetId
    before: Mapping[str, Json] | None
    after: Mapping[str, Json] | None
    actor: Actor = Actor.CLIENT


class History:
    """Entries in the order in which they took effect. `sink` gets each entry as it comes."""

    def __init__(self, sink: Callable[[Entry], None] | None = None) -> None:
        self._entries: list[Entry] = []
        self._sink = sink

    def append(self, entry: Entry) -> None:
        """Adds one entry."""
        self._entries.append(entry)
        if self._sink is not None:
            self._sink(entry)

    @property
    def entries(self) -> tuple[Entry, ...]:
        """All of them."""
        return tuple(self._entries)

    @property
    def writes(self) -> tuple[Entry, ...]:
        """What the client did, changes of nothing included."""
        return tuple(entry for entry in self._entries if entry.actor is Actor.CLIENT)

    def writes_of(self, operation: Operation) -> tuple[Entry, ...]:
        """What the client did of that kind."""
        return tuple(entry for entry in self.writes if entry.operation is operation)

    def live_accounts_by(self, path: str) -> dict[str, tuple[TargetId, ...]]:
        """The ids of all accounts that exist in the end, by their value at the path; those without a value under ''."""
        found: defaultdict[str, list[TargetId]] = defaultdict(list)
        for target_id, document in self.accounts().items():
            found[_text(read_at(document, path))].append(target_id)
        return {value: tuple(ids) for value, ids in found.items()}

    def most_accounts_by(self, path: str) -> dict[str, int]:
        """For each value at the path, how many accounts had it at the same time at the worst."""
        most: dict[str, int] = {}
        now: defaultdict[str, int] = defaultdict(int)
        for entry in self._entries:
            if entry.before is not None:
                now[_text(read_at(entry.before, path))] -= 1
            if entry.after is not None:
                value = _text(read_at(entry.after, path))
                now[value] += 1
                most[value] = max(most.get(value, 0), now[value])
        return most

    def values_of(self, target_id: TargetId, path: str) -> tuple[Json, ...]:
        """The values that one account had at the path, in order, without repetitions in a row."""
        values: list[Json] = []
        for entry in self._entries:
            if entry.id == target_id and entry.after is not None:
                value = read_at(entry.after, path)
                if not values or values[-1] != value:
                    values.append(value)
        return tuple(values)

    def accounts(self) -> dict[TargetId, Mapping[str, Json]]:
        """The accounts that exist in the end."""
        accounts: dict[TargetId, Mapping[str, Json]] = {}
        for entry in self._entries:
            if entry.after is None:
                accounts.pop(entry.id, None)
            else:
                accounts[entry.id] = entry.after
        return accounts

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries)


def to_line(entry: Entry) -> bytes:
    """One entry as one line of JSON."""
    return orjson.dumps(entry) + b"\n"


def read_history(file: Path) -> History:
    """The history that a hostile server wrote as lines; a last line cut by a kill is left out."""
    history = History()
    for line in file.read_bytes().splitlines(keepends=True):
        if line.endswith(b"\n"):
            history.append(_entry(orjson.loads(line)))
    return history


def _entry(row: Mapping[str, Document | str | None]) -> Entry:
    before, after = row["before"], row["after"]
    return Entry(
        time=datetime.fromisoformat(str(row["time"])),
        operation=Operation(str(row["operation"])),
        id=TargetId(str(row["id"])),
        before=before if isinstance(before, dict) else None,
        after=after if isinstance(after, dict) else None,
        actor=Actor(str(row["actor"])),
    )


def _text(value: Json) -> str:
    return "" if value is None else str(value)
