"""How an expression came to its value."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import JsonValue

from usher.answers.form import Answer
from usher.core.expressions.explain import Step


class StepLine(Answer):
    """One step, and those below it. `problem` is only there where it has no value."""

    text: str
    value: JsonValue
    problem: str = ""
    steps: Sequence[StepLine]


def step_line(step: Step) -> StepLine:
    """One step and those below it as they are told."""
    told = StepLine(text=step.text, value=_json(step), steps=[step_line(below) for below in step.steps])
    return told.model_copy(update={"problem": step.problem}) if step.problem else told


def _json(step: Step) -> JsonValue:
    return list(step.value) if isinstance(step.value, tuple) else step.value
