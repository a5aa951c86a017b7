"""The blows that kill a sync, and what is to be found after each.

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
from typing import Final, Literal

from integration.cli.folders import Folder
from integration.kill.nursery import Nursery
from integration.kill.people import PEOPLE
from usher.core.model.resources import AttributePath, Json
from usher.core.scim.values import read

REQUESTS: Final = {"GET": 9, "POST": 16, "PATCH": 4}
"""Of a run that nobody kills, in this order: a check, what the server says of itself (3), two lists, three queries."""
POINTS: Final = (3, 5, 6, 7, 9, 10, 11, 12, 13, 14, 16, 18, 20, 22, 24, 25, 26, 27, 28, 29)
MOMENTS: Final[tuple[Literal["before", "after"], ...]] = ("before", "after")
SOURCES: Final = ("file", "directory")
SERVERS: Final = ("scim2_server", "scimmy")
THERE: Final = PEOPLE[::5]
SHOWN: Final = tuple(map(AttributePath, ("userName", "displayName", "active", "emails.value")))


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
    """The server of others that takes this blow."""
    return SERVERS[(POINTS.index(blow.point) // 2 + MOMENTS.index(blow.moment)) % 2]


if os.environ.get("USHER_EXHAUSTIVE"):
    EVERY_POINT: Final = range(1, sum(REQUESTS.values()) + 1)
    BLOWS = [Blow(*each) for each in product(EVERY_POINT, MOMENTS, (False, True), SOURCES)]
    BLOWS_AT_SERVERS = list(product(BLOWS, SERVERS))
else:
    BLOWS = in_turns()
    BLOWS_AT_SERVERS = [(blow, server_in_turn(blow)) for blow in BLOWS]


def stale(name: str) -> dict[str, Json]:
    """The account that somebody of THERE has before the first run."""
    return {"userName": f"{name}@example.com", "displayName": "Before", "active": True}


def kill(pids: list[int]) -> None:
    """The act of a strike at the last of these processes."""
    os.kill(pids[-1], signal.SIGKILL)


def run_killed(folder: Folder, url: str, nursery: Nursery, pids: list[int]) -> None:
    """A run at the app of that address, which puts its pid into the list and does not live to its end."""
    folder.connector("people", url=url)
    assert nursery.run(["sync", "-f", str(folder.path)], pids.append) == -signal.SIGKILL


def run_again(folder: Folder, blow: Blow) -> None:
    """The run after it, which nobody disturbs."""
    if blow.forgotten:
        shutil.rmtree(folder.path / ".usher")
    result = folder.sync()
    assert result.exit_code == 0, result.output


def expect_everybody_once(accounts: Iterable[Mapping[str, Json]]) -> None:
    """Each of PEOPLE has one account, and it is up to date, with one address."""
    found = Counter(str([read(path, account) for path in SHOWN]) for account in accounts)
    assert found == {str([f"{name}@example.com", name.title(), True, [f"{name}@example.com"]]): 1 for name in PEOPLE}
