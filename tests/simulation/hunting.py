"""A program: looks for the first violation in whatever engine it finds, and prints the words that repeat its run."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Sequence
from typing import Final

from simulation.chance import play_seed
from simulation.exhaustive import cells_of, parts
from simulation.operations import OPERATIONS
from simulation.process import simulate
from simulation.states import States
from simulation.trial import Stage

_SEEDS: Final = 100
_STEP: Final = 11
"""Of parts that no mutant names, every so-manieth run."""


async def look(where: str, names: Sequence[str]) -> str:
    """First in the runs that are named; with `all` then in random runs, and in a sample of everything.

    A name is `operation:fault:class`, without a fault all of them.
    """
    async with States.open() as states:
        stage = Stage(states)
        for name in names:
            operation, fault, target = name.split(":")
            async for told in _broken(stage, (operation, target), fault, 1):
                return told
        if where == "named":
            return ""
        for seed in range(_SEEDS):
            if (await play_seed(states, seed)).violations:
                return f"--only L2 --random 1 --seed {seed}"
        for part in parts():
            async for told in _broken(stage, part, "", _STEP):
                return told
    return ""


async def _broken(stage: Stage, part: tuple[str, str], fault: str, step: int) -> AsyncIterator[str]:
    operation = next(one for one in OPERATIONS if one.name == part[0])
    found = await stage.boundaries(operation, part[1])
    cells = [cell for cell in cells_of(operation, part[1], found) if not fault or cell.fault == fault]
    for cell in cells[::step]:
        if (await stage.play(cell)).violations:
            yield f"--cell {cell}"


if __name__ == "__main__":
    noticed = simulate(look(sys.argv[1], sys.argv[2:]))
    print(noticed)
    sys.exit(int(not noticed))
