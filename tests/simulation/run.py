"""`make simulate`: everything, or one run again.

Example: make simulate ARGS="--cell create:timeout-after:B:7"
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from functools import partial
from typing import Any, Final

from machine.commit import ROOT, commit
from machine.pages import write_between
from simulation.chance import play_seeds
from simulation.endurance import endure
from simulation.exhaustive import parts, play_cell, play_part
from simulation.mutation import MUTANTS, hunt
from simulation.table import MARKER, Outcome, lines_of
from simulation.trial import Cell

_AT_ONCE: Final = 2
_SEEDS: Final = 50
_LEVELS: Final = ("L1", "L2", "L7", "L8")


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 1: there was a violation, or a planted bug was not noticed."""
    options = _parser().parse_args(arguments)
    if options.cell:
        run = play_cell(Cell.parse(options.cell))
        print("\n".join(map(str, run.violations)) or "no violation")
        return int(bool(run.violations))
    began = time.monotonic()
    outcome = Outcome()
    with ProcessPoolExecutor(_AT_ONCE) as pool:
        work = {pool.submit(call): absorb for call, absorb in _work(options, outcome)}
        _follow(work, outcome, began)
    figures = outcome.figures(commit() or "unknown", time.monotonic() - began)
    if options.only is None:
        (ROOT / "build").mkdir(exist_ok=True)
        (ROOT / "build" / "simulation.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
        write_between(ROOT / "docs" / "simulation.md", MARKER, lines_of(outcome, figures))
    print(json.dumps(figures, indent=1))
    known = {mutant.title for mutant in MUTANTS if mutant.escapes}
    return int(bool(figures["violations"] or set(figures["mutants_escaped"]) - known))


_Absorb = Callable[[Any], None]


def _work(options: argparse.Namespace, outcome: Outcome) -> Iterator[tuple[Callable[[], Any], _Absorb]]:
    """What has to be run, the longest first, and what is done with what came of it."""
    levels = set(options.only or _LEVELS)
    if "L7" in levels:
        yield partial(endure, options.seed, options.years), outcome.add_endured
    if "L1" in levels:
        yield from [(partial(play_part, part, options.share), outcome.add_runs) for part in parts()]
    if "L8" in levels:
        yield from [(partial(hunt, mutant), partial(outcome.add_mutant, mutant.title)) for mutant in MUTANTS]
    if "L2" in levels:
        last = options.seed + options.random
        for first in range(options.seed, last, _SEEDS):
            yield partial(play_seeds, range(first, min(first + _SEEDS, last))), outcome.add_played


def _follow(work: dict[Future[Any], _Absorb], outcome: Outcome, began: float) -> None:
    told = 0
    for number, done in enumerate(as_completed(work), start=1):
        work[done](done.result())
        for failure in outcome.failed[told:]:
            print(f"VIOLATION {failure}", flush=True)
        told = len(outcome.failed)
        print(
            f"{time.monotonic() - began:5.0f} s: {number} of {len(work)} parts, {outcome.exhaustive} exhaustive and"
            f" {outcome.random} random runs, {told} violations",
            file=sys.stderr,
            flush=True,
        )


def _share(text: str) -> tuple[int, int]:
    which, of = map(int, text.split("/"))
    return which % of, of


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="make simulate",
        description="Every fault at every request, random sequences, years of cycles, and planted bugs.",
        epilog='Examples: make simulate; make simulate ARGS="--cell create:timeout-after:B:7"; '
        'make simulate ARGS="--only L2 --seed 4711 --random 1"',
    )
    parser.add_argument("--cell", help="play one exhaustive run again: OPERATION:FAULT:CLASS:BOUNDARY, + for an outage")
    parser.add_argument("--seed", type=int, default=0, help="the first seed of the random runs (0)")
    parser.add_argument("--random", type=int, default=10_000, help="how many random runs (10000)")
    parser.add_argument("--years", type=int, default=3, help="simulated years in one process, the first to warm up (3)")
    parser.add_argument("--share", type=_share, default=(0, 1), help="only every N-th exhaustive run: I/N (all)")
    parser.add_argument("--only", action="append", choices=_LEVELS, help="only this level; repeatable")
    return parser


if __name__ == "__main__":
    sys.exit(main())
