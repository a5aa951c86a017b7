"""A program: looks for the first violation in whatever engine it finds, and prints the words that repeat its run."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Sequence
from typing import Final

from simulation.chance import play_seed
from simulation.exhaustive import cells_of, parts
from simulation.operations import OPERATIONS
from simulation.process import simulate
from simulation.scene import CLASSES
from simulation.states import States
from simulation.trial import Stage

_SEEDS: Final = 100
_STEP: Final = 11
"""Of parts that no mutant names, every so-manieth run."""


async def look(where: str, names: Sequence[str]) -> str:
    """First in the parts that are named; with `all` then in random runs, and in a sample of everything."""
    async with States.open() as states:
        async for told in _exhaustive(states, names, 1):
            return told
        if where == "named":
            return ""
        for seed in range(_SEEDS):
            if (await play_seed(states, seed)).violations:
                return f"--only L2 --random 1 --seed {seed}"
        async for told in _exhaustive(states, ["-".join(one) for one in parts()], _STEP):
            return told
    return ""


async def _exhaustive(states: States, names: Sequence[str], step: int) -> AsyncIterator[str]:
    stage = Stage(states)
    for operation in OPERATIONS:
        for target in [one for one in CLASSES if f"{operation.name}-{one}" in names]:
            found = await stage.boundaries(operation, target)
            for cell in list(cells_of(operation, target, found))[::step]:
                if (await stage.play(cell)).violations:
                    yield f"--cell {cell}"


if __name__ == "__main__":
    noticed = simulate(look(sys.argv[1], sys.argv[2:]))
    print(noticed)
    sys.exit(int(not noticed))
