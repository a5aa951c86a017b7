"""What is measured, what it has to reach, and how a figure comes out of runs."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

from bench.broken import Broken


@dataclass(frozen=True, slots=True)
class Goal:
    """A figure's name and what it has to reach: at least `limit` for a ratio of rates, at most `limit` for a cost."""

    name: str
    limit: float

    @property
    def is_ratio(self) -> bool:
        return self.name.startswith("vs_")

    def met_by(self, value: float) -> bool:
        """Whether the value reaches it."""
        return value >= self.limit if self.is_ratio else value <= self.limit

    @property
    def text(self) -> str:
        """As in `>= 0.3`."""
        return f"{'>=' if self.is_ratio else '<='} {_number(self.limit)}"


GOALS: Final = (
    Goal("vs_bare_loop", 0.3),
    Goal("vs_bare_loop_20ms", 0.85),
    Goal("vs_scim2_client", 4),
    Goal("vs_connid", 4),
    Goal("requests_per_created_user", 1.02),
    Goal("requests_per_changed_user", 1.05),
    Goal("writes_second_cycle", 0),
    Goal("cpu_ms_per_created_user", 0.8),
    Goal("zero_change_cpu_s_100k", 12),
    Goal("incremental_cpu_s_100_of_100k", 1.0),
    Goal("rss_mb_100k", 80),
    Goal("loop_lag_p99_ms", 50),
    Goal("mapping_vs_python", 2.5),
    Goal("mapping_us_per_user", 30),
    Goal("leaver_p99_s", 5),
    Goal("group_20k_initial_requests", 205),
    Goal("group_20k_change_requests", 2),
)
"""In the order of the table."""
NAMES: Final = tuple(goal.name for goal in GOALS)


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure: the values of its runs, in their order. Raises Broken for none, and for what is no number."""

    name: str
    values: Sequence[float]

    def __post_init__(self) -> None:
        if not self.values or not all(map(math.isfinite, self.values)):
            raise Broken(f"{self.name} came to {list(self.values)}")

    @property
    def value(self) -> float:
        """The median, to four significant digits."""
        return _rounded(median(self.values))

    @property
    def spread(self) -> str:
        """The smallest and the largest."""
        return f"{_number(min(self.values))}..{_number(max(self.values))}"


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast somebody was in a race: the `seconds` and the `cpu` seconds of runs of so many people."""

    name: str
    people: int
    runs: Sequence[Mapping[str, float]]

    @property
    def row(self) -> tuple[str, ...]:
        """Users a second, and CPU milliseconds a user, which say something on a busy machine too."""
        rates = [self.people / run["seconds"] for run in self.runs]
        cpu = median(1000 * run["cpu"] / self.people for run in self.runs)
        return (self.name, _number(median(rates)), f"{_number(min(rates))}..{_number(max(rates))}", f"{cpu:.2f}")


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> list[float]:
    """How many times as fast we were, pair by pair, from the seconds that both took for the same work."""
    return [their / our for our, their in zip(ours, theirs, strict=True)]


def percentile(values: Sequence[float], share: int) -> float:
    """The smallest value that at least `share` percent of them do not exceed."""
    return sorted(values)[math.ceil(len(values) * share / 100) - 1]


def table(figures: Mapping[str, Figure]) -> list[str]:
    """The lines of the table, in the order of GOALS."""
    rows = [("figure", "value", "goal", "", "min..max", "runs")]
    for goal in GOALS:
        figure = figures.get(goal.name)
        if figure is not None:
            verdict = "met" if goal.met_by(figure.value) else "MISSED"
            shown = _number(figure.value)
            rows.append((goal.name, shown, goal.text, verdict, figure.spread, str(len(figure.values))))
    return aligned(rows)


def paces_table(paces: Sequence[Pace]) -> list[str]:
    """The lines about those who raced."""
    return aligned([("race", "users/s", "min..max", "CPU ms a user"), *(pace.row for pace in paces)])


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows as lines: the first column to the left, the others to the right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  ".join(
            [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        )
        for row in rows
    ]


def save(figures: Iterable[Figure], path: Path) -> None:
    """Writes the medians as one flat object, name to number; a reader never sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = path.with_suffix(".part")
    whole.write_text(json.dumps({figure.name: figure.value for figure in figures}, indent=2) + "\n", encoding="utf-8")
    whole.replace(path)


def _rounded(value: float) -> float:
    return float(f"{value:.4g}")


def _number(value: float) -> str:
    return f"{value:.4g}" if abs(value) < 1000 else f"{value:,.0f}"
