"""What came of it, as figures and as tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from outages.away import SECONDS, Outage
from outages.catalogue import TOXICS, End
from outages.paused import Pause
from outages.play import Played

MARKER: Final = "played"
"""Between which comments of the page it stands."""


@dataclass(slots=True)
class Outcome:
    """Everything that ran."""

    played: list[Played] = field(default_factory=list)
    outages: list[Outage] = field(default_factory=list)
    pauses: list[Pause] = field(default_factory=list)

    @property
    def failed(self) -> list[str]:
        """The words that repeat a run, each with what was wrong."""
        found = [(f"--cell {one.cell}", one.violations) for one in self.played]
        found += [(f'--away "{one.away}"', one.violations) for one in self.outages]
        found += [(f'--pause "{one.moment}"', one.violations) for one in self.pauses]
        return [f"{words} | {'; '.join(violations)}" for words, violations in found if violations]

    def figures(self, commit: str, seconds: float) -> dict[str, Any]:
        """For a program."""
        exits = [one.exits for one in self.played] + [one.exits for one in self.outages]
        return {
            "commit": commit,
            "cells": len(self.played),
            "outages": len(self.outages),
            "pauses": len(self.pauses),
            "violations": len(self.failed),
            "failed": self.failed,
            "slowest_seconds_to_converge": round(max((one.seconds for one in self.played), default=0.0), 1),
            "operator_restarts": sum(map(len, exits)),
            "seconds": round(seconds),
        }


def lines_of(outcome: Outcome, figures: dict[str, Any]) -> Iterator[str]:
    """As a page has it."""
    yield (
        f"At commit `{figures['commit'][:12]}`: {figures['cells']} cells, {figures['outages']} outages and"
        f" {figures['pauses']} pauses; {figures['violations']} violations. At the slowest everything was right"
        f" {figures['slowest_seconds_to_converge']} seconds after the end of a cell's fault. The operator ended and was"
        f" started again {figures['operator_restarts']} times."
    )
    yield ""
    yield "Cells of each toxic (rows) at each connection (columns), and the slowest of them in seconds; violations in"
    yield "brackets."
    yield ""
    yield "| toxic | " + " | ".join(End) + " |"
    yield "|---" * (len(End) + 1) + "|"
    for kind in TOXICS:
        squares = [[one for one in outcome.played if (one.cell.kind, one.cell.end) == (kind, end)] for end in End]
        yield f"| {kind} | " + " | ".join(map(_shown, squares)) + " |"
    yield ""
    yield f"Away for {SECONDS:.0f} seconds in the middle of the initial cycle:"
    yield ""
    yield "| away | people | accounts when it began | when it ended | all right after | violations |"
    yield "|---|---|---|---|---|---|"
    for one in outcome.outages:
        figures_of_it = f"{one.people} | {one.made} | {one.made_meanwhile} | {one.seconds:.1f} s"
        yield f"| {one.away} | {figures_of_it} | {len(one.violations)} |"
    yield ""
    yield "An operator that is stopped (`SIGSTOP`) until another one has finished its work, and goes on then:"
    yield ""
    yield "| stopped | people | accounts by then | writes after it went on | violations |"
    yield "|---|---|---|---|---|"
    for stop in outcome.pauses:
        yield f"| {stop.moment} | {stop.people} | {stop.made} | {stop.writes} | {len(stop.violations)} |"


def _shown(square: Sequence[Played]) -> str:
    if not square:
        return "–"
    violated = len([one for one in square if one.violations])
    bracket = f" ({violated})" if violated else ""
    return f"{len(square)}{bracket}, {max(one.seconds for one in square):.1f} s"
