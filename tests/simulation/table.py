"""What came of a simulation, as figures and as a table."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from simulation.catalogue import ELSEWHERE, FAULTS, NOT_IN, NOT_ON
from simulation.chance import Played
from simulation.endurance import Endured
from simulation.mutation import MUTANTS
from simulation.operations import OPERATIONS
from simulation.trial import Run

MARKER: Final = "simulated"
"""Between which comments of the page it stands."""


@dataclass(slots=True)
class Square:
    """All runs of one fault with one operation, on all classes. `requests` is what was sent to repair."""

    runs: int = 0
    violations: int = 0
    cycles: int = 0
    requests: int = 0

    def add(self, run: Run) -> None:
        """One more."""
        self.runs += 1
        self.violations += bool(run.violations)
        self.cycles = max(self.cycles, run.cycles)
        self.requests += run.requests


@dataclass(slots=True)
class Outcome:
    """Everything that ran. `failed` are the words that repeat a run, each with what was wrong."""

    squares: defaultdict[tuple[str, str], Square] = field(default_factory=lambda: defaultdict(Square))
    exhaustive: int = 0
    random: int = 0
    random_faults: int = 0
    failed: list[str] = field(default_factory=list)
    endured: Endured | None = None
    mutants: dict[str, str] = field(default_factory=dict)
    """By the title of a mutant, what caught it; empty for one that escaped."""

    def add_runs(self, runs: Sequence[Run]) -> None:
        """Exhaustive ones."""
        for run in runs:
            self.exhaustive += 1
            self.squares[run.cell.fault, run.cell.operation].add(run)
            if run.violations:
                self.failed.append(f"--cell {run.cell} | {run.violations[0]}")

    def add_played(self, played: Sequence[Played]) -> None:
        """Random ones."""
        for one in played:
            self.random += 1
            self.random_faults += one.faults
            if one.violations:
                self.failed.append(f"--seed {one.seed} --random 1 | {one.violations[0]}")

    def add_endured(self, endured: Endured) -> None:
        """Years of cycles."""
        self.endured = endured

    def add_mutant(self, title: str, caught: str) -> None:
        """A planted bug, with the words of the run that noticed it."""
        self.mutants[title] = caught

    @property
    def caught_here_alone(self) -> list[str]:
        """Of the planted bugs that were noticed those that pass the unit tests."""
        quiet = {mutant.title for mutant in MUTANTS if not mutant.unit_test}
        return [title for title, caught in self.mutants.items() if caught and title in quiet]

    def figures(self, commit: str, seconds: float) -> dict[str, Any]:
        """For a program."""
        endured = self.endured
        return {
            "commit": commit,
            "exhaustive_runs": self.exhaustive,
            "random_runs": self.random,
            "random_faults": self.random_faults,
            "violations": len(self.failed) + (len(endured.violations) if endured else 0),
            "failed": self.failed,
            "worst_cycles_to_converge": max((one.cycles for one in self.squares.values()), default=0),
            "simulated_cycles": endured.cycles if endured else 0,
            "memory_growth_percent_a_year": round(endured.growth, 2) if endured else None,
            "mutants_planted": len(self.mutants),
            "mutants_caught": sum(1 for caught in self.mutants.values() if caught),
            "mutants_caught_here_alone": len(self.caught_here_alone),
            "mutants_escaped": [title for title, caught in self.mutants.items() if not caught],
            "seconds": round(seconds),
        }


def lines_of(outcome: Outcome, figures: dict[str, Any]) -> Iterator[str]:
    """As a page has it."""
    yield (
        f"At commit `{figures['commit'][:12]}`: {figures['exhaustive_runs']:,} runs with one fault each,"
        f" {figures['random_runs']:,} random ones with {figures['random_faults']:,} faults, and"
        f" {figures['simulated_cycles']:,} cycles in one process; {figures['violations']} violations. At the worst"
        f" {figures['worst_cycles_to_converge']} cycles after a fault still had something to do. Memory grew by"
        f" {figures['memory_growth_percent_a_year']} percent a simulated year. {figures['mutants_caught']} of"
        f" {figures['mutants_planted']} planted bugs were noticed;"
        f" {figures['mutants_caught_here_alone']} of these pass the unit tests."
    )
    yield ""
    yield "Runs of each fault (rows) with each operation (columns), on all four classes; violations in brackets."
    yield "A dash: the cycle of that operation asks for nothing that the fault could strike."
    yield ""
    columns = [one for one in OPERATIONS if not one.elsewhere]
    yield "| fault | " + " | ".join(one.name for one in columns) + " | worst | requests |"
    yield "|---" * (len(columns) + 3) + "|"
    for fault in FAULTS:
        squares = [outcome.squares.get((fault.name, one.name)) for one in columns]
        there = [one for one in squares if one is not None]
        worst = max((one.cycles for one in there), default=0)
        runs = sum(one.runs for one in there)
        mean = sum(one.requests for one in there) / runs if runs else 0.0
        yield f"| {fault.name} | " + " | ".join(map(_shown, squares)) + f" | {worst} | {mean:.1f} |"
    yield ""
    yield "Worst: cycles after the one with the fault that still had something to do. Requests: what they all sent, on"
    yield "average, the last one, which has nothing to do, included."
    yield from _elsewhere()
    yield from _mutants(outcome)


def _shown(square: Square | None) -> str:
    if square is None:
        return "–"
    return f"{square.runs} ({square.violations})" if square.violations else str(square.runs)


def _elsewhere() -> Iterator[str]:
    yield ""
    yield "What does not apply, and why:"
    yield ""
    for operation in OPERATIONS:
        if operation.elsewhere:
            yield f"- operation {operation.name}: {operation.elsewhere}"
    for (fault, target), reason in NOT_ON.items():
        yield f"- {fault} on class {target}: {reason}"
    for (fault, target, name), reason in NOT_IN.items():
        yield f"- {fault} on class {target} with {name}: {reason}"
    for one in ELSEWHERE:
        yield f"- {one.name}: {one.reason}"


def _mutants(outcome: Outcome) -> Iterator[str]:
    if not outcome.mutants:
        return
    yield ""
    known = {mutant.title: mutant.escapes for mutant in MUTANTS}
    yield "Bugs that were planted in the engine, and the run that noticed each first. With a star: the unit tests pass."
    yield ""
    alone = set(outcome.caught_here_alone)
    for title, caught in outcome.mutants.items():
        escaped = f"escaped: {known[title]}" if known[title] else "**escaped**"
        star = " *" if title in alone else ""
        yield f"- {title}{star}: {f'`{caught}`' if caught else escaped}"
