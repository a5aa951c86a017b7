"""The demo's app: scim2-server, seen through its own SCIM API and through its request log, never through Usher."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

_REQUEST: Final = re.compile(r'"(GET|POST|PUT|PATCH|DELETE) \S+ HTTP/')


@dataclass(frozen=True, slots=True)
class Account:
    """What the demo shows of an account."""

    id: str
    user_name: str
    display_name: str
    title: str
    department: str
    active: bool


@dataclass(frozen=True, slots=True)
class Group:
    """What the demo shows of a group. `members` are ids of accounts."""

    name: str
    members: frozenset[str]


@dataclass(frozen=True, slots=True)
class Requests:
    """How many requests the app has received."""

    reads: int
    writes: int


@dataclass(frozen=True, slots=True)
class App:
    """A running app. `url` is the base of its SCIM API, `log` its request log."""

    url: str
    token: str
    log: Path

    def accounts(self, count: int) -> tuple[int, list[Account]]:
        """How many accounts there are, and the first of them."""
        answer = self._get({"count": str(count)})
        return int(answer["totalResults"]), [_account(found) for found in answer["Resources"]]

    def account(self, user_name: str) -> Account | None:
        """The account with this userName."""
        found = self._get({"filter": f'userName eq "{user_name}"'}).get("Resources") or []
        return _account(found[0]) if found else None

    def groups(self, count: int) -> tuple[int, list[Group]]:
        """How many groups there are, and the first of them."""
        answer = self._get({"count": str(count)}, "Groups")
        return int(answer["totalResults"]), [_group(found) for found in answer["Resources"]]

    def group(self, name: str) -> Group | None:
        """The group with this displayName."""
        found = self._get({"filter": f'displayName eq "{name}"'}, "Groups").get("Resources") or []
        return _group(found[0]) if found else None

    def requests(self) -> Requests:
        """Counted in the log of the app."""
        methods = _REQUEST.findall(self.log.read_text(encoding="utf-8", errors="replace"))
        reads = methods.count("GET")
        return Requests(reads, len(methods) - reads)

    def _get(self, query: dict[str, str], endpoint: str = "Users") -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self.token}"}
        answer = httpx.get(f"{self.url}/{endpoint}", params=query, headers=headers, trust_env=False, timeout=10)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found


def _group(resource: dict[str, Any]) -> Group:
    members = resource.get("members") or []
    return Group(resource["displayName"], frozenset(member["value"] for member in members))


def _account(resource: dict[str, Any]) -> Account:
    enterprise = resource.get("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User", {})
    return Account(
        id=resource["id"],
        user_name=resource["userName"],
        display_name=resource.get("displayName", ""),
        title=resource.get("title", ""),
        department=enterprise.get("department", ""),
        active=bool(resource.get("active")),
    )
