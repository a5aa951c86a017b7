"""What the state costs: one cycle of 5,000 people in each kind of it.

    PYTHONPATH=operator:tests .venv/bin/python tests/bench/state.py

The app is in the same process, so that what is measured is Usher, and not a network. CPU time of this process, and the
time that passed; the server's own work is in the latter alone. The least of several runs.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from database.keys import make_keys
from database.postgres import Postgres
from usher.state.places import Place, Server
from usher.state.store import open_store
from usher.testing.memory_target import MemoryTarget
from usher.testing.world import World, new_world, person

PEOPLE: Final = 5000
RUNS: Final = 3
Spent = tuple[float, float]


async def measure(place: Place, keys: Path | None) -> tuple[Spent, Spent]:
    """Seconds (CPU, passed) of the initial cycle, and of one in which everybody has another title."""
    async with open_store(place, keys) as store:
        world = new_world(store, MemoryTarget())
        first = await _timed(world, "Engineer")
        return first, await _timed(world, "Director")


async def _timed(world: World, title: str) -> Spent:
    for number in range(PEOPLE):
        world.source.put(f"id-{number}", **person(f"user{number}", jobTitle=title))
    cpu, passed = time.process_time(), time.perf_counter()
    await world.sync()
    return time.process_time() - cpu, time.perf_counter() - passed


def main() -> None:
    """Prints a line for each kind."""
    with ExitStack() as held:
        folder = Path(held.enter_context(TemporaryDirectory(dir=Path(__file__).parent)))
        postgres = held.enter_context(Postgres())
        keys = make_keys(folder / "keys", "1")
        kinds: dict[str, tuple[Callable[[int], Place], Path | None]] = {
            "file": (lambda run: folder / f"plain{run}.db", None),
            "file, encrypted": (lambda run: folder / f"sealed{run}.db", keys),
            "PostgreSQL": (lambda _: _new(folder, postgres), None),
            "PostgreSQL, encrypted": (lambda _: _new(folder, postgres), keys),
        }
        for name, (place, key) in kinds.items():
            runs = [asyncio.run(measure(place(run), key)) for run in range(RUNS)]
            (cpu, passed), (cpu_again, passed_again) = (
                tuple(min(times) for times in zip(*(run[which] for run in runs), strict=True)) for which in (0, 1)
            )
            print(f"{name:24} create {cpu:6.2f} {passed:6.2f}   update {cpu_again:6.2f} {passed_again:6.2f}")  # noqa: T201 - the result


def _new(folder: Path, postgres: Postgres) -> Server:
    name = postgres.create()
    file = folder / f"{name}.url"
    file.write_text(postgres.url(name), encoding="utf-8")
    return Server(file)


if __name__ == "__main__":
    main()
