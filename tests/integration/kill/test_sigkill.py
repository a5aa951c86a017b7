"""A sync killed at any request and run again gives the same accounts: none twice, none missing.

Each of 20 requests of one run is struck twice: before it has its effect, and after it had it but before the answer is
back. Every second time the state file is gone when the sync is run again. Sixteen people have no account yet, four have
one that has to be found and changed; the requests are the last of what the app says of itself, two lists, three
queries, creates and updates.
"""

from __future__ import annotations

import os
import shutil
import signal
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, Protocol, Self

import httpx
import pytest

from integration.cli.background import Background
from integration.cli.folders import Folder
from integration.kill.nursery import Nursery
from integration.kill.proxy import Strike, running_proxy
from usher.core.model.resources import Json
from usher.testing.faults import Fault, FaultKind, FaultSchedule, request
from usher.testing.hostile_server import HostileSettings, hostile_server
from usher.testing.memory_target import MemorySettings

MOMENTS: Final[tuple[Literal["before", "after"], ...]] = ("before", "after")
PEOPLE = [f"user{n:02}" for n in range(20)]
THERE = PEOPLE[::5]


@dataclass(frozen=True, slots=True)
class Blow:
    """SIGKILL at the `point`-th request, before or after its effect; `forgotten`: the state file is gone afterwards."""

    point: int
    moment: Literal["before", "after"]
    forgotten: bool

    def __str__(self) -> str:
        return f"{self.moment} {self.point}{' without state' if self.forgotten else ''}"


BLOWS = [
    Blow(point, moment, forgotten=(point % 2 == 0) == (moment == "before"))
    for point in range(4, 24)
    for moment in MOMENTS
]


class Peer(Protocol):
    @property
    def url(self) -> str: ...
    @property
    def token(self) -> str: ...


def stale(name: str) -> dict[str, Json]:
    return {"userName": f"{name}@example.com", "displayName": "Before", "active": True}


def kill(pids: list[int]) -> None:
    os.kill(pids[-1], signal.SIGKILL)


def run_killed(folder: Folder, url: str, nursery: Nursery, pids: list[int]) -> None:
    folder.connector("people", url=url)
    folder.people(PEOPLE)
    assert nursery.run(["sync", "-f", str(folder.path)], pids.append) == -signal.SIGKILL


def run_again(folder: Folder, blow: Blow) -> None:
    if blow.forgotten:
        shutil.rmtree(folder.path / ".usher")
    result = folder.sync()
    assert result.exit_code == 0, result.output


def expect_everybody_once(accounts: list[Mapping[str, Json]]) -> None:
    names = Counter(str(account["userName"]) for account in accounts)
    assert names == {f"{name}@example.com": 1 for name in PEOPLE}
    assert {(account["displayName"], account["active"]) for account in accounts} == {
        (name.title(), True) for name in PEOPLE
    }


@pytest.mark.parametrize("blow", BLOWS, ids=str)
def test_killed_at_an_app_without_uniqueness(
    blow: Blow, folder: Folder, nursery: Nursery, background: Background
) -> None:
    pids: list[int] = []
    kind = FaultKind.KILL_BEFORE if blow.moment == "before" else FaultKind.KILL_AFTER
    faults = FaultSchedule([request(blow.point, Fault(kind, kill=lambda: kill(pids)))])
    settings = HostileSettings(app=MemorySettings(unique=None))
    with background.entered(hostile_server(settings, faults)) as server:
        for name in THERE:
            server.app.plant(stale(name))

        run_killed(folder, server.url, nursery, pids)
        faults.heal()
        run_again(folder, blow)

        assert len(faults.injected) == 1
        expect_everybody_once([server.app.document(account) for account in server.app.accounts])
        assert max(server.history.most_accounts_by("userName").values()) == 1


@pytest.mark.parametrize("blow", BLOWS, ids=str)
def test_killed_at_a_server_that_nobody_here_wrote(
    blow: Blow, folder: Folder, nursery: Nursery, background: Background, scim2_server: Peer
) -> None:
    pids: list[int] = []
    origin, _, path = scim2_server.url.rpartition("/")
    with App(scim2_server) as app, background.entered(running_proxy(origin)) as proxy:
        app.reset(THERE)
        proxy.strike = Strike(blow.point, blow.moment, lambda: kill(pids))

        run_killed(folder, f"{proxy.url}/{path}", nursery, pids)
        proxy.strike = None
        run_again(folder, blow)

        expect_everybody_once(app.accounts())


class App:
    """Looks at the server directly, and puts it back to its beginning."""

    def __init__(self, peer: Peer) -> None:
        headers = {"Authorization": f"Bearer {peer.token}", "Content-Type": "application/scim+json"}
        self._client = httpx.Client(base_url=peer.url, headers=headers)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def accounts(self) -> list[Mapping[str, Json]]:
        found: list[Mapping[str, Json]] = self._client.get("/Users").raise_for_status().json().get("Resources", [])
        return found

    def reset(self, there: list[str]) -> None:
        for account in self.accounts():
            self._client.delete(f"/Users/{account['id']}").raise_for_status()
        for name in there:
            body = {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], **stale(name)}
            self._client.post("/Users", json=body).raise_for_status()
