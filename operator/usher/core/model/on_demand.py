"""What came of people who were provisioned by name: no word in it says who they are."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

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
