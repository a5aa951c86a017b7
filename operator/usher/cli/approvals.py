"""The word of `--approve`: whether anything took it, and what waits under another one."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from usher.contracts.log import LogQuery
from usher.contracts.store import Store
from usher.core.model.resources import ConnectorKey

_MOST: Final = 1_000
"""Approvals that are searched for one."""


@dataclass(slots=True)
class Approval:
    """The hash that the user gave, empty for none.

    `taken`: a held plan or a void read had it. `waiting` are the hashes that wait now, with what waits under each.
    `uncompared` are the connectors that failed, so that nobody knows what they would hold.
    """

    word: str = ""
    taken: bool = False
    waiting: dict[str, str] = field(default_factory=dict)
    uncompared: list[str] = field(default_factory=list)

    def complaint(self) -> str:
        """Why the word had no effect; empty where it had one, or none was given."""
        if not self.word or self.taken:
            return ""
        if self.waiting:
            waits = ", ".join(f"{digest} ({what})" for digest, what in self.waiting.items())
            why = f"what waits has the hash {waits}, not this one"
        elif self.uncompared:
            why = f"no set was compared with it, as these failed: {', '.join(self.uncompared)}"
        else:
            why = "nothing waits for an approval"
        return f"--approve {self.word} had no effect: {why}"


async def was_approved_before(store: Store, key: ConnectorKey, word: str) -> bool:
    """Whether an earlier run approved this set and was interrupted: the same word is right once more."""
    hold = await store.hold_of(key)
    return hold is not None and hold.approved and hold.hash == word


async def was_approved_since(store: Store, key: ConnectorKey, word: str, since: datetime) -> bool:
    """Whether the cycle that began then approved the set of this hash: a line of the log says so."""
    approvals = await store.log(key, LogQuery(since=since, action="Approve"), _MOST)
    return any(word in entry.detail.split() for entry in approvals)
