"""What came of people who were provisioned by name: no word in it says who they are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from usher.core.model.reports import CycleReport
from usher.core.model.resources import AttributePath


class StepName(StrEnum):
    """The four steps of everybody, in their order."""

    IMPORT = "import"
    SCOPE = "scope"
    MATCH = "match"
    ACTION = "action"


class StepResult(StrEnum):
    """How a step ended, in the words of the provisioning log. Unknown: a request was sent, and its answer was lost."""

    SUCCESS = "Success"
    FAILURE = "Failure"
    SKIPPED = "Skipped"
    UNKNOWN = "Unknown"


@dataclass(frozen=True, slots=True)
class Step:
    """One step of one of those who were asked for. `reason` is one CamelCase word; `message` names no person."""

    name: StepName
    result: StepResult
    reason: str
    message: str = ""


@dataclass(frozen=True, slots=True)
class SubjectReport:
    """One of those who were asked for, by the place in the list. `attributes` are those that were changed."""

    index: int
    steps: tuple[Step, ...]
    attributes: tuple[AttributePath, ...] = ()


@dataclass(frozen=True, slots=True)
class OnDemandReport:
    """One run: its cycle in figures, and a line for each who was asked for, in their order.

    `cycle` is what the provisioning log calls it. `read` is when the source was read last, before it: what has changed
    there since then is not in it. None where it came to nothing before that was known.
    """

    cycle: str
    report: CycleReport
    subjects: tuple[SubjectReport, ...] = ()
    read: datetime | None = None
