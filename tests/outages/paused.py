"""An operator is stopped in the middle of its work, another one takes over, and the first one goes on."""

from __future__ import annotations

import signal
import time
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from cluster.fixtures import Namespace
from outages.away import until_made
from outages.pod import Operator
from outages.world import PATIENCE, World, open_world

END: Final = "another process has taken the state over"
"""With what the first one has to end."""


class Moment(StrEnum):
    """When it is stopped: anywhere, or when the app has made an account and has not said so."""

    ANYWHERE = "anywhere"
    BEFORE_AN_ANSWER = "before an answer"


@dataclass(frozen=True, slots=True)
class Pause:
    """`made` accounts when it was stopped, of `people`; `writes` of the first operator after it went on."""

    moment: Moment
    people: int
    made: int
    writes: int
    violations: tuple[str, ...]


def pause(moment: Moment, namespace: Namespace, folder: Path, count: int, *options: str) -> Pause:
    """The whole run, in a world of its own; `options` are those of `World.operator`."""
    with open_world(namespace, folder, count) as world:
        first, second = world.operator("first", *options), world.operator("second", *options)
        try:
            first.start()
            made = _stop(moment, world, first)
            second.start()
            _, wrong = world.converge("", second)
            world.witness.look()
            before, told = world.witness.writes, len(world.connector.said)
            first.send(signal.SIGCONT)
            wrong += _await_end(first)
            world.witness.look()
            writes = world.witness.writes - before
            wrong += [f"{writes} writes after it went on"] if writes else []
            later = world.connector.said[told:]
            wrong += ["it spoilt the status"] if any(not one.is_true("InSync") for one in later) else []
            wrong += [] if second.exit_code is None else ["the second one ended"]
            wrong += [*world.witness.violations, *world.undone("")]
            people = len(world.company.inside)
        finally:
            first.end()
            second.end()
    return Pause(moment, people, made, writes, tuple(wrong))


def _stop(moment: Moment, world: World, first: Operator) -> int:
    """Stops it once a quarter of the accounts is there; how many were there then."""
    quarter = len(world.company.inside) // 4
    match moment:
        case Moment.ANYWHERE:
            until_made(world, quarter, first)
            first.send(signal.SIGSTOP)
        case Moment.BEFORE_AN_ANSWER:
            stop = world.witness.record.with_suffix(".record.stop")
            stop.write_text(f"{quarter} {first.pid}", encoding="ascii")
            deadline = time.monotonic() + PATIENCE
            while stop.exists():
                assert time.monotonic() < deadline, first.last_words()
                time.sleep(0.02)
            world.witness.look()
    return world.witness.created


def _await_end(first: Operator) -> list[str]:
    """What is wrong with how it ended."""
    deadline = time.monotonic() + PATIENCE
    while first.exit_code is None:
        if time.monotonic() > deadline:
            return ["it did not end"]
        time.sleep(0.1)
    found = [] if first.exit_code == 1 else [f"it ended with {first.exit_code}"]
    return found if END in first.last_words() else [*found, f"its last words are {first.last_words()[-300:]}"]
