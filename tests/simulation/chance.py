"""Sequences by chance: what happens at the source, and faults at a rate, cycle after cycle, all from one seed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from simulation.catalogue import FAULTS, NOT_ON
from simulation.checker import Violation, check
from simulation.expectation import Held, expected_of, missed
from simulation.operations import OPERATIONS
from simulation.process import Process, simulate
from simulation.scene import CANARY, CLASSES, INTERVAL, Cycle, Plot, Scene
from simulation.states import States
from simulation.trial import RESTART, now_at_source, unrest, wrong
from usher.core.model.reports import CycleKind, CycleReport
from usher.core.model.resources import ResourceType
from usher.core.sync.assignments import Entry
from usher.core.sync.policies import Budget

PEOPLE: Final = 6
GROUPS: Final = 2
BY_NAME: Final = 0.3
"""Before so many of all cycles some are provisioned by name."""
CYCLES: Final = 6
"""Cycles with faults in one run."""
QUIET: Final = 4
"""Cycles without a fault after which everything is as it has to be: what failed twice in a row waits for one more."""
_CALM: Final = next(one for one in OPERATIONS if one.name == "incremental")


@dataclass(frozen=True, slots=True)
class Played:
    """What came of one seed. `faults` is how many struck."""

    seed: int
    target: str
    faults: int
    violations: tuple[Violation, ...]

    def __str__(self) -> str:
        return f"L2 seed {self.seed} ({self.target})"


def play_seeds(seeds: range) -> list[Played]:
    """These runs, one after the other."""
    return simulate(_play(seeds))


async def _play(seeds: range) -> list[Played]:
    async with States.open() as states:
        return [await play_seed(states, seed) for seed in seeds]


async def play_seed(states: States, seed: int) -> Played:
    """Everything of it follows from the seed."""
    chance = Random(seed)
    target = chance.choice(sorted(CLASSES))
    rate = chance.uniform(0.01, 0.3)
    unbounded = Budget(max_count=1000, max_percent=100)
    scene = Scene(states, CLASSES[target], Plot(with_groups=True, budget=unbounded, min_retained=0), seed)
    _begin(scene)
    faults = 0
    for _ in range(CYCLES):
        for _ in range(chance.randint(0, 3)):
            _happen(scene, chance)
        for named in (_some(chance), ()) if chance.random() < BY_NAME else ((),):
            scene.clock.advance(RESTART if scene.cycles and scene.cycles[-1].came is None else INTERVAL)
            cycle = await scene.sync(Process(striking(chance, target, rate)), named)
            faults += len(cycle.process.struck)
    late = await _calm_down(scene)
    return Played(seed, target, faults, (*check(scene), *late))


async def _calm_down(scene: Scene) -> list[Violation]:
    problems, late = [], list[Violation]()
    for turn in range(QUIET):
        scene.clock.advance(INTERVAL)
        compares = turn < 2 and any(map(_took_a_deletion_along, scene.cycles))  # an initial cycle compares nothing
        cycle = await scene.sync(Process(), (), CycleKind.FULL_COMPARISON if compares else None)
        problems = [*unrest(scene, cycle, _CALM), *wrong(scene, _CALM, Held({}, {}))]
        if turn == 0:
            late += [Violation("I4", one) for one in missed(scene, expected_of(scene, now_at_source(scene)))]
        if not problems:
            break
    return late + [Violation("I6", problem) for problem in problems]


def _took_a_deletion_along(cycle: Cycle) -> bool:
    """Whether a cycle may have been told that an admin has deleted an account, and ended before it could keep that.

    Nobody is told a second time: it is for the full comparison to find.
    """
    ended = isinstance(cycle.came, CycleReport) and not cycle.came.error_reason
    return "404-gone" in cycle.process.struck and not ended


def striking(chance: Random, target: str, rate: float) -> Callable[[str, int], str | None]:
    """At each boundary a fault that can strike there, at that rate. The state is lost once in a while only."""
    by_kind: dict[str, list[str]] = {}
    for fault in FAULTS:
        if (fault.name, target) not in NOT_ON and fault.name not in _NOT_AMONG_OTHERS:
            for kind in fault.strikes:
                by_kind.setdefault(kind, []).append(fault.name)

    def pick(kind: str, ordinal: int) -> str | None:
        del ordinal
        return chance.choice(by_kind[kind]) if chance.random() < rate else None

    return pick


_NOT_AMONG_OTHERS: Final = frozenset({"clock-ahead", "clock-behind"})
"""What can't be borne twice at a time by any client: two lies about one account are believed."""


def _begin(scene: Scene) -> None:
    for number in range(PEOPLE):
        scene.put(number)
    scene.put(0, jobTitle=f"{CANARY} anchor")
    for group in range(GROUPS):
        scene.put_group(group, 0, group + 1)


def _some(chance: Random) -> Sequence[Entry]:
    """One to three people and groups, who need not be there."""
    users = [Entry(ResourceType.USER, "objectId", f"id-{number}") for number in range(PEOPLE + 2)]
    groups = [Entry(ResourceType.GROUP, "objectId", f"group-{number}") for number in range(GROUPS)]
    return chance.sample([*users, *groups], chance.randint(1, 3))


def _happen(scene: Scene, chance: Random) -> None:
    """One thing happens. The first person and the first group stay, so that no read is empty."""
    number = chance.randrange(1, PEOPLE + 2)
    what = chance.choice(("title", "name", "rename", "disable", "enable", "manager", "join", "leave", "members"))
    if what == "members":
        members = [one for one in range(1, PEOPLE + 2) if chance.random() < 0.5]
        scene.put_group(chance.randrange(GROUPS), 0, *members)
    elif what == "leave" and f"id-{number}" in scene.source.people:
        scene.source.bury(f"id-{number}")
    elif what == "join" or f"id-{number}" in scene.source.people:
        scene.put(number, **_news(what, number, chance))


def _news(what: str, number: int, chance: Random) -> dict[str, str | bool]:
    """What is new about somebody; nothing of whoever joins."""
    word = f"{CANARY}{number}.{chance.randrange(1000)}"
    news: dict[str, dict[str, str | bool]] = {
        "title": {"jobTitle": word},
        "name": {"displayName": word},
        "rename": {"userPrincipalName": f"{word}@example.com", "mail": f"{word}@example.com"},
        "disable": {"accountEnabled": False},
        "enable": {"accountEnabled": True},
        "manager": {"manager": f"id-{chance.randrange(PEOPLE)}"},
    }
    return news.get(what, {})
