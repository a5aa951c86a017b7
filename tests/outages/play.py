"""One cell: all is well, a connection is spoilt, a day passes at the company, the connection is well again."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cluster.fixtures import Namespace
from outages.catalogue import Cell
from outages.pod import Operator
from outages.world import World, open_world

PEOPLE: Final = 40
_LATEST_STRIKE: Final = 8.0
"""Seconds after which a cycle is no longer waited for: the directory is read every five."""


@dataclass(frozen=True, slots=True)
class Played:
    """What came of it. `seconds` from the end of the fault until everything was right; `exits` of the operator."""

    cell: Cell
    seconds: float
    exits: tuple[int, ...]
    violations: tuple[str, ...]


@contextmanager
def settled_world(namespace: Namespace, folder: Path) -> Iterator[tuple[World, Operator]]:
    """A small company, all of whom have their accounts, and the operator that made them."""
    with open_world(namespace, folder, PEOPLE) as world:
        operator = world.operator("operator")
        operator.start()
        try:
            _, wrong = world.converge("", operator)
            assert wrong == [], (wrong, operator.last_words())
            yield world, operator
        finally:
            operator.end()


def play(cell: Cell, world: World, operator: Operator) -> Played:
    """Plays it in a world in which everything is right, and leaves it so unless it was violated."""
    proxy, witness = world.proxies[cell.end], world.witness
    known, told, exits = len(witness.violations), len(world.connector.said), len(operator.exits)
    word = f"day-{world.company.days + 1}"
    if not cell.in_the_middle:
        proxy.spoil(cell.toxic)
    try:
        witness.right_at = None
        requests = witness.requests
        world.company.pass_a_day()
        world.ask(word)
        if cell.in_the_middle:
            _await_request(world, requests)
            proxy.spoil(cell.toxic)
        _let_pass(cell.seconds, world, operator)
    finally:
        proxy.heal()
    seconds, wrong = world.converge(word, operator)
    wrong = [*witness.violations[known:], *wrong, *world.false_claims(told)]
    return Played(cell, seconds, tuple(operator.exits[exits:]), tuple(wrong))


def _await_request(world: World, before: int) -> None:
    deadline = time.monotonic() + _LATEST_STRIKE
    while world.witness.requests == before and time.monotonic() < deadline:
        time.sleep(0.01)
        world.witness.look()


def _let_pass(seconds: float, world: World, operator: Operator) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        operator.attend()
        world.witness.look()
        time.sleep(0.1)


def worst(played: Sequence[Played]) -> float:
    """The longest that one of them took."""
    return max((one.seconds for one in played), default=0.0)
