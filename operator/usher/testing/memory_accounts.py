"""Accounts in memory, found by a value as a database would by an index; and who belongs to a group."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from usher.core.model.resources import AttributePath, Json, TargetId
from usher.testing.documents import Document, read_at
from usher.testing.memory_settings import MEMBERS


@dataclass(slots=True)
class Account:
    """One account; its document is replaced, never changed in place. From `visible` on (monotonic) queries show it."""

    document: Document
    revision: int
    visible: float
    created: datetime
    modified: datetime


def members_of(group: Mapping[str, Json]) -> list[str]:
    """The ids of its members, in their order."""
    held = read_at(group, MEMBERS)
    return [str(one["value"]) for one in held if isinstance(one, dict)] if isinstance(held, list) else []


def without_member(group: Mapping[str, Json], member: str) -> Document:
    """The group as it is when that account is gone."""
    kept: list[Json] = [{"value": one} for one in members_of(group) if one != member]
    rest = {name: value for name, value in group.items() if name.lower() != MEMBERS}
    return {**rest, MEMBERS: kept} if kept else rest


class AccountIndex:
    """One index for each path that was ever asked for; values fold without regard to case."""

    def __init__(self) -> None:
        self._indexes: dict[AttributePath, defaultdict[str, set[TargetId]]] = {}

    def find(self, path: AttributePath, value: Json, accounts: Mapping[TargetId, Account]) -> list[TargetId]:
        """Ids of those who may hold the value there; all accounts are looked through once a path."""
        if path not in self._indexes:
            index = self._indexes[path] = defaultdict(set)
            for target_id, account in accounts.items():
                index[_key(account.document, path)].add(target_id)
        return sorted(self._indexes[path][str(value).casefold()])

    def replace(self, target_id: TargetId, before: Document | None, after: Document | None) -> None:
        """An account has this document now instead of that one; None: it is none."""
        for path, index in self._indexes.items():
            if before is not None:
                index[_key(before, path)].discard(target_id)
            if after is not None:
                index[_key(after, path)].add(target_id)


def _key(document: Mapping[str, Json], path: AttributePath) -> str:
    return str(read_at(document, path)).casefold()
