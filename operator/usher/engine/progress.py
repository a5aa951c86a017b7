"""How far a cycle is, for a status and a progress bar. Written by the cycle, read by whoever shows it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Stage(StrEnum):
    """The stages of a cycle that take time."""

    SNAPSHOT = "Snapshot"
    COMPARE = "Compare"
    EVALUATE = "Evaluate"
    MATCH = "Match"
    PLAN = "Plan"
    APPLY = "Apply"


@dataclass(slots=True)
class Progress:
    """`done` of `total` resources of the stage; total 0 where it is not known."""

    stage: Stage = Stage.SNAPSHOT
    done: int = 0
    total: int = 0

    def enter(self, stage: Stage, total: int = 0) -> None:
        """A new stage begins."""
        self.stage, self.done, self.total = stage, 0, total

    def advance(self, count: int) -> None:
        """So many more are done."""
        self.done += count
