"""A sync killed at any request and run again gives the same accounts: none twice, none missing.

Each of 20 requests of one run is struck twice: before it has its effect, and after it had it but before the answer is
back. Every second time the state file is gone when the sync is run again. Sixteen people have no account yet, four have
one that has to be found and changed.

Sources take turns, and servers of others do: each pair of them meets both moments, with its state and without. With
USHER_EXHAUSTIVE in the environment each pair takes every blow, at every request, both ways.
"""

from __future__ import annotations

import os
import shutil
import signal
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Final, Literal

import pytest

from directory.slapd import Slapd
from integration.cli.background import Background
from integration.cli.folders import Folder
from integration.kill.nursery import Nursery
from integration.kill.people import PEOPLE, come_from_a_directory, come_from_a_file
from integration.proxy import Strike, running_proxy
from integration.servers import Server
from usher.core.model.resources import Json
from usher.testing.faults import Fault, FaultKind, FaultSchedule, request
from usher.testing.hostile_server import HostileSettings, hostile_server
from usher.testing.memory_target import MemorySettings

REQUESTS: Final = {"GET": 9, "POST": 16, "PATCH": 4}
"""Of a run that nobody kills, in this order: a check, what the server says of itself (3), two lists, three queries."""
POINTS: Final = (3, 5, 6, 7, 9, 10, 11, 12, 13, 14, 16, 18, 20, 22, 24, 25, 26, 27, 28, 29)
MOMENTS: Final[tuple[Literal["before", "after"], ...]] = ("before", "after")
SOURCES: Final = ("file", "directory")
SERVERS: Final = ("scim2_server", "scimmy")
THERE: Final = PEOPLE[::5]


@dataclass(frozen=True, slots=True)
class Blow:
    """SIGKILL at the `point`-th request, before or after its effect; `forgotten`: the state file is gone afterwards."""

    point: int
    moment: Literal["before", "after"]
    forgotten: bool
    source: str

    def __str__(self) -> str:
        return f"{self.moment} {self.point} of a {self.source}{' without state' if self.forgotten else ''}"


def in_turns() -> list[Blow]:
    """Each blow once: the state changes from point to point, the server below with every second, the source fourth."""
    return [
        Blow(point, moment, (place + turn) % 2 == 0, SOURCES[place // 4 % 2])
        for place, point in enumerate(POINTS)
        for turn, moment in enumerate(MOMENTS)
    ]


def server_in_turn(blow: Blow) -> str:
    return SERVERS[(POINTS.index(blow.point) // 2 + MOMENTS.index(blow.moment)) % 2]


if os.environ.get("USHER_EXHAUSTIVE"):
    EVERY_POINT = range(1, sum(REQUESTS.values()) + 1)
    BLOWS = [Blow(*each) for each in product(EVERY_POINT, MOMENTS, (False, True), SOURCES)]
    BLOWS_AT_SERVERS = list(product(BLOWS, SERVERS))
else:
    BLOWS = in_turns()
    BLOWS_AT_SERVERS = [(blow, server_in_turn(blow)) for blow in BLOWS]


@pytest.fixture
def folder(folder: Folder, blow: Blow, people_directory: Slapd) -> Folder:
    """With the source that the blow names."""
    if blow.source == "directory":
        come_from_a_directory(folder, people_directory.url)
    else:
        come_from_a_file(folder)
    return folder


@pytest.fixture
def server(request: pytest.FixtureRequest) -> Server:
    """The one that is named, without accounts."""
    found: Server = request.getfixturevalue(request.param)
    found.empty()
    return found


def stale(name: str) -> dict[str, Json]:
    return {"userName": f"{name}@example.com", "displayName": "Before", "active": True}


def kill(pids: list[int]) -> None:
    os.kill(pids[-1], signal.SIGKILL)


def run_killed(folder: Folder, url: str, nursery: Nursery, pids: list[int]) -> None:
    folder.connector("people", url=url)
    assert nursery.run(["sync", "-f", str(folder.path)], pids.append) == -signal.SIGKILL


def run_again(folder: Folder, blow: Blow) -> None:
    if blow.forgotten:
        shutil.rmtree(folder.path / ".usher")
    result = folder.sync()
    assert result.exit_code == 0, result.output


def expect_everybody_once(accounts: Iterable[Mapping[str, Json]]) -> None:
    found = list(accounts)
    assert Counter(str(account["userName"]) for account in found) == {f"{name}@example.com": 1 for name in PEOPLE}
    assert {(account["displayName"], account["active"]) for account in found} == {
        (name.title(), True) for name in PEOPLE
    }


def test_in_turns_each_pair_of_ends_meets_each_moment_with_and_without_its_state() -> None:
    met = {(blow.moment, blow.forgotten, blow.source, server_in_turn(blow)) for blow in in_turns()}

    assert met == set(product(MOMENTS, (False, True), SOURCES, SERVERS))


def test_the_last_request_that_is_struck_is_the_last_of_a_run(tmp_path: Path, background: Background) -> None:
    folder = Folder(tmp_path / "manifests", "http://127.0.0.1:1")
    come_from_a_file(folder)
    with background.entered(hostile_server()) as app:
        for name in THERE:
            app.app.plant(stale(name))
        folder.connector("people", url=app.url)

        assert folder.sync().exit_code == 0
        assert dict(app.requests) == REQUESTS
    assert max(POINTS) == sum(REQUESTS.values())


@pytest.mark.parametrize("blow", BLOWS, ids=str)
def test_killed_at_an_app_without_uniqueness(
    blow: Blow, folder: Folder, nursery: Nursery, background: Background
) -> None:
    pids: list[int] = []
    kind = FaultKind.KILL_BEFORE if blow.moment == "before" else FaultKind.KILL_AFTER
    faults = FaultSchedule([request(blow.point, Fault(kind, kill=lambda: kill(pids)))])
    settings = HostileSettings(app=MemorySettings(unique=None))
    with background.entered(hostile_server(settings, faults)) as app:
        for name in THERE:
            app.app.plant(stale(name))

        run_killed(folder, app.url, nursery, pids)
        faults.heal()
        run_again(folder, blow)

        assert len(faults.injected) == 1
        expect_everybody_once(app.app.document(account) for account in app.app.accounts)
        assert max(app.history.most_accounts_by("userName").values()) == 1


@pytest.mark.parametrize(("blow", "server"), BLOWS_AT_SERVERS, ids=str, indirect=["server"])
def test_killed_at_a_server_that_nobody_here_wrote(
    blow: Blow, server: Server, folder: Folder, nursery: Nursery, background: Background
) -> None:
    pids: list[int] = []
    origin, _, path = server.url.rpartition("/")
    with background.entered(running_proxy(origin)) as proxy:
        for name in THERE:
            server.plant(stale(name))
        proxy.strike = Strike(blow.point, blow.moment, lambda: kill(pids))

        run_killed(folder, f"{proxy.url}/{path}", nursery, pids)
        proxy.strike = None
        run_again(folder, blow)

        expect_everybody_once(server.accounts())
