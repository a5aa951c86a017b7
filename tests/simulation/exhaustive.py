"""Every boundary of every operation, under every fault that can strike it there."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence

from simulation.catalogue import FAULTS, NOT_IN, NOT_ON, Fault, place_of
from simulation.operations import OPERATIONS, Operation
from simulation.process import simulate
from simulation.scene import CLASSES
from simulation.states import States
from simulation.trial import Boundaries, Cell, Run, Stage


def parts() -> Iterator[tuple[str, str]]:
    """Operation and target class: what is shared out among processes."""
    for operation in OPERATIONS:
        if not operation.elsewhere:
            for target in CLASSES:
                yield operation.name, target


def cells_of(operation: Operation, target: str, found: Boundaries) -> Iterator[Cell]:
    """All cells of one operation on one class."""
    for fault in FAULTS:
        if (fault.name, target) in NOT_ON or (fault.name, target, operation.name) in NOT_IN:
            continue
        for boundary in _boundaries_of(fault, found):
            yield Cell(operation.name, fault.name, target, boundary)
            if fault.lasts:
                yield Cell(operation.name, fault.name, target, boundary, lasts=True)


def _boundaries_of(fault: Fault, found: Boundaries) -> Iterator[int]:
    if not fault.strikes:
        yield 0
    if place := place_of(fault.strikes):
        yield from range(1, found.apart[place] + 1)
        return
    for boundary, kind in enumerate(found.requests, start=1):
        if kind in fault.strikes:
            yield boundary


def play_part(part: tuple[str, str], share: tuple[int, int] = (0, 1)) -> list[Run]:
    """All runs of a part, or every so-manieth of them: `share` is (which, of how many)."""
    return simulate(_play(part, share))


def play_cell(cell: Cell) -> Run:
    """One run again."""
    return simulate(_play_cell(cell))


async def _play_cell(cell: Cell) -> Run:
    async with States.open() as states:
        return await Stage(states).play(cell)


async def _play(part: tuple[str, str], share: tuple[int, int]) -> list[Run]:
    async with States.open() as states:
        return [run async for run in _runs(Stage(states), part, share)]


async def _runs(stage: Stage, part: tuple[str, str], share: tuple[int, int]) -> AsyncIterator[Run]:
    operation = next(one for one in OPERATIONS if one.name == part[0])
    found = await stage.boundaries(operation, part[1])
    which, of = share
    cells: Sequence[Cell] = list(cells_of(operation, part[1], found))[which::of]
    for cell in cells:
        yield await stage.play(cell)
