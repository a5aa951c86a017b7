"""Years of cycles with drift and faults, in one process: what it needs of memory has to stay what it was."""

from __future__ import annotations

import gc
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Final

from simulation.chance import striking
from simulation.checker import Violation, check
from simulation.process import Process, simulate
from simulation.scene import CANARY, CLASSES, INTERVAL, Moment, Plot, Scene
from simulation.states import States
from usher.testing.faults import Operation
from usher.testing.history import Actor, Entry
from usher.testing.memory_app import MemoryApp

CYCLES_A_YEAR: Final = int(365 * 86_400 / INTERVAL)
_CHAPTER: Final = 146
"""Cycles after which everything is checked, and what the simulation itself remembers begins anew."""
_RETENTION: Final = timedelta(days=30)
_RATE: Final = 0.01
_PAGE: Final = 4096


@dataclass(frozen=True, slots=True)
class Endured:
    """`memory` is the resident size in bytes at the end of each year, the first of which fills the caches."""

    cycles: int
    faults: int
    violations: tuple[Violation, ...]
    memory: tuple[int, ...]

    @property
    def growth(self) -> float:
        """Percent a year, from the end of the first to the end of the last."""
        years = len(self.memory) - 1
        return 0.0 if years < 1 else (self.memory[-1] / self.memory[0] - 1) * 100 / years


def endure(seed: int, years: int, cycles: int = CYCLES_A_YEAR) -> Endured:
    """So many years of so many cycles."""
    return simulate(_endure(Random(seed), years, cycles))


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * _PAGE


async def _endure(chance: Random, years: int, cycles: int) -> Endured:
    memory, violations, faults = [], list[Violation](), 0
    async with States.open() as states:
        scene = _begin(states)
        for _ in range(years):
            for number in range(cycles):
                _drift(scene, chance)
                cycle = await scene.sync(Process(striking(chance, "A", _RATE)))
                faults += len(cycle.process.struck)
                scene.clock.advance(INTERVAL)
                if number % _CHAPTER == 0 and scene.stopped is None:
                    violations += check(scene)
                    await states.store.sweep(scene.clock.now() - _RETENTION)
                    scene = _forget(scene, states)
            gc.collect()
            memory.append(_resident())
        violations += check(scene)
    return Endured(years * cycles, faults, tuple(violations), tuple(memory))


def _begin(states: States) -> Scene:
    scene = Scene(states, CLASSES["A"], Plot())
    for number in range(8):
        scene.put(number)
    return scene


def _drift(scene: Scene, chance: Random) -> None:
    """Now and then somebody changes at the source."""
    if chance.random() < 0.1:
        number = chance.randrange(8)
        scene.put(number, jobTitle=f"{CANARY} {chance.randrange(50)}", accountEnabled=chance.random() > 0.1)


def _forget(scene: Scene, states: States) -> Scene:
    """The same world, whose past is no longer than one entry an account."""
    moment = scene.moment()
    groups = scene.app.groups
    assert groups is not None
    entries = _first_entries(scene.app), _first_entries(groups)
    news: Moment = replace(moment, entries=entries, versions=moment.versions[-1:], feed=(*moment.feed[:2], []))
    fresh = Scene(states, scene.target, scene.plot)
    fresh.go_to(news)
    fresh.source.journal = list(moment.feed[2])
    return fresh


def _first_entries(app: MemoryApp) -> list[Entry]:
    now = app.runtime.now()
    return [Entry(now, Operation.CREATE, i, None, app.document(i), Actor.ADMIN) for i in app.accounts]
