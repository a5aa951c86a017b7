"""Somebody is away for half a minute in the middle of the initial cycle."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from cluster.fixtures import Namespace
from outages.catalogue import End
from outages.pod import Operator
from outages.toxiproxy import DOWN
from outages.world import PATIENCE, World, open_world

PEOPLE: Final = 625
"""Of whom about 500 are in scope."""
SECONDS: Final = 30.0


class Away(StrEnum):
    """Who is away, and how: nobody answers at its address, or the process itself has ended."""

    APP = "app"
    DIRECTORY = "directory"
    DATABASE = "database"
    CLUSTER = "API server"
    DIRECTORY_STOPPED = "directory, stopped and started"
    DATABASE_STOPPED = "database, killed and started"


@dataclass(frozen=True, slots=True)
class Outage:
    """`made` accounts when it began and `made_meanwhile` when it ended, of `people`; `seconds` from then on."""

    away: Away
    people: int
    made: int
    made_meanwhile: int
    seconds: float
    exits: tuple[int, ...]
    violations: tuple[str, ...]


def take_away(away: Away, namespace: Namespace, folder: Path, count: int, seconds: float) -> Outage:
    """The whole run, in a world of its own."""
    with open_world(namespace, folder, count) as world:
        operator = world.operator("operator")
        operator.start()
        try:
            until_made(world, len(world.company.inside) // 4, operator)
            made = world.witness.created
            back = _leave(away, world)
            try:
                _let_pass(seconds, operator)
                world.witness.look()
                meanwhile = world.witness.created
            finally:
                back()
            took, wrong = world.converge("", operator)
            wrong = [*world.witness.violations, *wrong, *world.false_claims(0)]
            people, exits = len(world.company.inside), tuple(operator.exits)
        finally:
            operator.end()
    return Outage(away, people, made, meanwhile, took, exits, tuple(wrong))


def until_made(world: World, count: int, operator: Operator) -> None:
    """Until the app has so many accounts: the initial cycle is under way, and not at its end."""
    deadline = time.monotonic() + PATIENCE
    while world.witness.created < count:
        assert time.monotonic() < deadline, operator.last_words()
        assert operator.exit_code is None, operator.last_words()
        time.sleep(0.02)
        world.witness.look()


def _leave(away: Away, world: World) -> Callable[[], None]:
    """What brings it back."""
    match away:
        case Away.DIRECTORY_STOPPED:
            world.company.slapd.stop()
            return world.company.slapd.start
        case Away.DATABASE_STOPPED:
            world.postgres.stop()
            return world.postgres.start
        case _:
            proxy = world.proxies[End[away.name]]
            proxy.spoil(DOWN)
            return proxy.heal


def _let_pass(seconds: float, operator: Operator) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        operator.attend()
        time.sleep(0.1)
