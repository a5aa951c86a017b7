"""`make outages`: everything, or one run again.

Example: make outages ARGS="--cell SCIM:limit_data:3"
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, TypeVar
from uuid import uuid4

from cluster.fixtures import Cluster, Namespace, install_crds
from cluster.lifecycle import used
from machine.commit import ROOT, commit
from machine.pages import write_between
from outages.away import PEOPLE, SECONDS, Away, take_away
from outages.catalogue import Cell, every_cell
from outages.paused import Moment, pause
from outages.play import Played, play, settled_world
from outages.table import MARKER, Outcome, lines_of

T = TypeVar("T")
_WORLDS: Final = 2
"""Beside each other: much of the time is waiting."""


@dataclass(frozen=True, slots=True)
class Ground:
    """Where worlds are made: each has a namespace and a folder of its own."""

    cluster: Cluster
    folder: Path

    @contextmanager
    def place(self) -> Iterator[tuple[Namespace, Path]]:
        """One, which is removed afterwards."""
        name = f"outages-{uuid4().hex[:12]}"
        folder = self.folder / name
        folder.mkdir()
        self.cluster.kubectl("create", "namespace", name)
        try:
            yield Namespace(name, self.cluster), folder
        finally:
            self.cluster.kubectl("delete", "namespace", name, "--wait=false")
            shutil.rmtree(folder)

    def play(self, cells: Sequence[Cell]) -> list[Played]:
        """All of them, in one world until something is wrong in it, and then in another one."""
        played: list[Played] = []
        while len(played) < len(cells):
            with self.place() as (namespace, folder), settled_world(namespace, folder) as (world, operator):
                for cell in cells[len(played) :]:
                    played.append(_told(play(cell, world, operator)))
                    if played[-1].violations:
                        break
        return played


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 1: there was a violation."""
    options = _parser().parse_args(arguments)
    began, outcome, some = time.monotonic(), Outcome(), options.cell or options.away or options.pause
    cells = options.cell or ([] if some else list(every_cell()))
    memory = Path(tempfile.mkdtemp(prefix="usher-outages-"))
    try:
        with used("test") as kubeconfig:
            ground = Ground(Cluster(kubeconfig, memory), memory)
            install_crds(ground.cluster)
            worlds = min(_WORLDS, len(cells))
            with ThreadPoolExecutor(_WORLDS) as pool:
                for played in pool.map(ground.play, [cells[world::worlds] for world in range(worlds)]):
                    outcome.played += played
            for away in options.away or ([] if some else Away):
                outcome.outages.append(_in_a_place(ground, partial(take_away, away, count=PEOPLE, seconds=SECONDS)))
            for moment in options.pause or ([] if some else Moment):
                outcome.pauses.append(_in_a_place(ground, partial(pause, moment, count=PEOPLE)))
    finally:
        shutil.rmtree(memory)
    figures = outcome.figures(commit() or "unknown", time.monotonic() - began)
    if not some:
        (ROOT / "build").mkdir(exist_ok=True)
        (ROOT / "build" / "outages.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
        write_between(ROOT / "docs" / "outages.md", MARKER, lines_of(outcome, figures))
    print(json.dumps(figures, indent=1))
    return int(bool(figures["violations"]))


def _in_a_place(ground: Ground, run: Callable[[Namespace, Path], T]) -> T:
    with ground.place() as place:
        return _told(run(*place))


def _told(one: T) -> T:
    print(one, file=sys.stderr, flush=True)
    return one


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="make outages",
        description="Spoilt connections, whoever is away for half a minute, and an operator that is stopped.",
        epilog='Examples: make outages; make outages ARGS="--cell SCIM:limit_data:3"; '
        'make outages ARGS="--pause anywhere"',
    )
    parser.add_argument("--cell", type=Cell.parse, action="append", help="END:TOXIC:STRENGTH; repeatable")
    parser.add_argument("--away", type=Away, action="append", help=f"{', '.join(Away)}; repeatable")
    parser.add_argument("--pause", type=Moment, action="append", help=f"{', '.join(Moment)}; repeatable")
    return parser


if __name__ == "__main__":
    sys.exit(main())
