"""Those who were asked for by name, in the report of a cycle."""

from __future__ import annotations

from typing import Any

from usher.core.model.on_demand import Step, StepName, StepResult, SubjectReport
from usher.core.model.resources import AttributePath


def decode_subject(raw: dict[str, Any]) -> SubjectReport:
    """From its fields by their names."""
    steps = [Step(StepName(s["name"]), StepResult(s["result"]), s["reason"], s["message"]) for s in raw["steps"]]
    return SubjectReport(raw["index"], tuple(steps), tuple(map(AttributePath, raw["attributes"])))
