"""One run: what happens, the cycle that a fault strikes, and the cycles after it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from simulation.catalogue import BY_NAME, place_of
from simulation.checker import Violation, bounded, check
from simulation.expectation import Held, expected_of, held_by, missed, undone
from simulation.operations import OPERATIONS, Operation
from simulation.process import CONFIRM, WRITE, Process
from simulation.scene import CLASSES, INTERVAL, Cycle, Moment, Scene, Version
from simulation.states import States
from usher.core.errors import UsherError
from usher.core.model.reports import CycleResult
from usher.core.sync.planning import CREATE_UNKNOWN

RESTART: Final = 10.0
AFTER_A_FAULT: Final = 2
"""Cycles without a fault after which everything is as it has to be."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One fault at one boundary: `create:timeout-after:A:7`, or `create:refused:A:7+` for an outage from there on."""

    operation: str
    fault: str
    target: str
    boundary: int
    lasts: bool = False

    def __str__(self) -> str:
        return f"{self.operation}:{self.fault}:{self.target}:{self.boundary}{'+' if self.lasts else ''}"

    @classmethod
    def parse(cls, text: str) -> Cell:
        """Raises ValueError."""
        operation, fault, target, boundary = text.split(":")
        return cls(operation, fault, target, int(boundary.removesuffix("+")), boundary.endswith("+"))


@dataclass(frozen=True, slots=True)
class Run:
    """What came of one. `cycles` after the fault still had something to do, `requests` is what all of them sent."""

    cell: Cell
    struck: bool
    violations: Sequence[Violation]
    cycles: int
    requests: int


@dataclass(frozen=True, slots=True)
class Boundaries:
    """What the cycle of an operation asks for where nothing strikes it."""

    requests: Sequence[str]
    apart: Mapping[str, int]


class Stage:
    """Runs on one database. What is the same in many runs is kept."""

    def __init__(self, states: States) -> None:
        self._states = states
        self._moments: dict[tuple[str, str], Moment] = {}
        self._boundaries: dict[tuple[str, str], Boundaries] = {}

    async def boundaries(self, operation: Operation, target: str) -> Boundaries:
        """Where a fault can strike."""
        key = operation.name, target
        if key not in self._boundaries:
            scene = await self._begin(operation, target)
            cycle = await scene.sync(Process())
            apart = {WRITE: cycle.process.writes, CONFIRM: cycle.process.confirms}
            self._boundaries[key] = Boundaries(cycle.process.asked, apart)
        return self._boundaries[key]

    async def play(self, cell: Cell) -> Run:
        """One run."""
        operation = next(one for one in OPERATIONS if one.name == cell.operation)
        usual = await self.boundaries(operation, cell.target)
        scene = await self._begin(operation, cell.target)
        before = held_by(scene)
        first = await scene.sync(Process(pick_of(cell)))
        operation.then(scene)
        late, requests = await self._recover(scene, operation, before)
        violations = [*check(scene), *late, *bounded(len(first.process.asked), len(usual.requests))]
        return Run(cell, bool(first.process.struck), violations, len(scene.cycles) - 2, requests)

    async def _begin(self, operation: Operation, target: str) -> Scene:
        """The scene as it is when the cycle begins."""
        key = operation.name, target
        scene = Scene(self._states, CLASSES[target], operation.plot())
        if key not in self._moments:
            operation.begin(scene)
            if scene.source.people:
                for _ in range(2):
                    await scene.sync(Process())
                    scene.clock.advance(INTERVAL)
            self._moments[key] = scene.moment()
            scene = Scene(self._states, CLASSES[target], operation.plot())
        scene.go_to(self._moments[key])
        operation.happens(scene)
        return scene

    async def _recover(self, scene: Scene, operation: Operation, before: Held) -> tuple[list[Violation], int]:
        """Cycles without a fault, until one has nothing to do; what is wrong with that, and what they asked for."""
        sent = len(scene.network.sent)
        problems, late = [], list[Violation]()
        for turn in range(AFTER_A_FAULT + operation.cycles):
            scene.clock.advance(INTERVAL if scene.cycles[-1].came is not None else RESTART)
            cycle = await scene.sync(Process())
            problems = [*unrest(scene, cycle, operation), *wrong(scene, operation, before)]
            if turn == 0 and not operation.held:
                late += [Violation("I4", one) for one in missed(scene, expected_of(scene, now_at_source(scene)))]
            if not problems:
                break
        late += [Violation("I6", problem) for problem in problems]
        return late, len(scene.network.sent) - sent


def pick_of(cell: Cell) -> Callable[[str, int], str | None]:
    """Which fault strikes which boundary."""
    strikes = BY_NAME[cell.fault].strikes
    place = place_of(strikes)

    def pick(kind: str, ordinal: int) -> str | None:
        if place_of((kind,)) != place:
            return None
        hit = ordinal >= cell.boundary if cell.lasts else ordinal == cell.boundary
        return cell.fault if hit and kind in strikes else None

    return pick


def unrest(scene: Scene, cycle: Cycle, operation: Operation) -> list[str]:
    """Why a cycle is none that has nothing to do."""
    came = cycle.came
    wrote = [one for one in scene.network.sent[cycle.sent :] if one.method != "GET"]
    told = [f"a cycle that has nothing to do sends {one.method}" for one in wrote]
    if operation.held:
        return told
    if isinstance(came, UsherError) or came is None:
        return [*told, f"a cycle without a fault came to {came!r}"]
    settled = came.result is CycleResult.SUCCEEDED or dict(came.reasons) == {CREATE_UNKNOWN: len(scene.doubted)}
    if not settled:
        told.append(f"a cycle without a fault is {came.result}: {dict(came.reasons)} {came.error} {came.held}")
    return told


def now_at_source(scene: Scene) -> Version:
    """What a read of the source would bring."""
    return Version(0.0, scene.source.people, scene.source.groups)


def wrong(scene: Scene, operation: Operation, before: Held) -> list[str]:
    """How the app differs from what the source, as it is now, asks for."""
    expected = before if operation.held else expected_of(scene, now_at_source(scene))
    return undone(scene, expected)
