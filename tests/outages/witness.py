"""Sees everything that the app was asked, in order, and what it made of it; knows nothing of Usher."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from outages.company import TEAM, Company

_READS = ("GET", "HEAD")


@dataclass(slots=True)
class Witness:
    """Reads the record of the app from its beginning. `violations` are words, each once.

    `right_at` is where in the record everything was as the company has it for the first time since it was set to None.
    """

    record: Path
    company: Company
    accounts: dict[str, dict[str, Any]] = field(default_factory=dict)
    groups: dict[str, dict[str, Any]] = field(default_factory=dict)
    violations: list[str] = field(default_factory=list)
    requests: int = 0
    writes: int = 0
    created: int = 0
    right_at: int | None = None
    _read: int = 0

    def look(self) -> None:
        """Takes in what was written since the last look."""
        if not self.record.exists():
            return
        with self.record.open("rb") as file:
            file.seek(self._read)
            for line in file:
                if not line.endswith(b"\n"):
                    break
                self._read += len(line)
                self._take(json.loads(line))
                if self.right_at is None and not self.undone():
                    self.right_at = self._read

    def _take(self, line: dict[str, Any]) -> None:
        self.requests += 1
        if line["method"] in _READS:
            return
        self.writes += 1
        if not 200 <= line["status"] < 300:
            return
        collection, _, target_id = line["path"].removeprefix("/v2/").partition("/")
        if line["method"] == "DELETE":
            self._note(f"{collection} {self._name(target_id)} was deleted")
            return
        resource = line["resource"]
        if collection == "Groups":
            self.groups[resource["id"]] = resource
        elif collection == "Users":
            self._take_account(resource)

    def _take_account(self, resource: dict[str, Any]) -> None:
        name, before = resource["userName"], self.accounts.get(resource["id"])
        if before is None:
            self.created += 1
            if any(one["userName"] == name for one in self.accounts.values()):
                self._note(f"{name} has two accounts")
            if name not in self.company.ever:
                self._note(f"{name} was made, and never was in scope")
        if not resource.get("active", True) and name not in self.company.left:
            self._note(f"{name} was disabled, and has not left")
        if before is not None and resource.get("active", True) and not before.get("active", True):
            self._note(f"{name} was enabled again")
        self.accounts[resource["id"]] = resource

    def _name(self, target_id: str) -> str:
        return str((self.accounts | self.groups).get(target_id, {}).get("userName", target_id))

    def _note(self, words: str) -> None:
        if words not in self.violations:
            self.violations.append(words)

    def undone(self) -> list[str]:
        """What is not yet at the app as the company has it; nothing once it has converged."""
        found: list[str] = []
        by_name = {one["userName"]: one for one in self.accounts.values()}
        for uid, title in self.company.inside.items():
            account = by_name.get(uid)
            if account is None or not account.get("active", True):
                found.append(f"{uid} has no account that is active")
            elif title and account.get("title") != title:
                found.append(f"{uid} is {account.get('title')} and not {title}")
        gone = self.company.left & by_name.keys()
        found += [f"{uid} has left and is active" for uid in gone if by_name[uid].get("active", True)]
        ids = {member["value"] for one in self._team() for member in one.get("members") or ()}
        wanted = {by_name[uid]["id"] for uid in self.company.members if uid in by_name}
        if ids != wanted:
            found.append(f"the team has {len(ids - wanted)} members too many and lacks {len(wanted - ids)}")
        return found

    def _team(self) -> list[dict[str, Any]]:
        return [one for one in self.groups.values() if one["displayName"] == TEAM]
