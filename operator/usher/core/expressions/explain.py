"""One evaluation told step by step: the same closures, watched."""

from __future__ import annotations

from dataclasses import dataclass

from usher.core.expressions.compile import Compiled, Workshop, assemble
from usher.core.expressions.errors import EvaluationError
from usher.core.expressions.inputs import Attributes, Evaluate
from usher.core.expressions.signatures import Surroundings
from usher.core.expressions.syntax import Argument, render
from usher.core.model.resources import Value


@dataclass(frozen=True, slots=True)
class Step:
    """One attribute, comparison or call that was evaluated, and below it what it asked for, in that order.

    `problem` tells why this very step failed; `value` is None then, and in all steps above. What was not needed has
    no step, nor have constants.
    Values are personal data: for a terminal, never for a log.
    """

    text: str
    value: Value | None
    problem: str
    steps: tuple[Step, ...]


def explain(compiled: Compiled, attributes: Attributes, surroundings: Surroundings) -> Step:
    """The steps of `compiled.evaluate(attributes)`. Never raises: a failure is told by the step where it happened."""
    told: list[list[Step]] = [[]]

    def observe(node: Argument, evaluate: Evaluate) -> Evaluate:
        text = render(node)

        def watched(values: Attributes) -> Value | None:
            told.append([])
            try:
                value = evaluate(values)
            except EvaluationError as error:
                below = tuple(told.pop())
                told[-1].append(Step(text, None, "" if _failed(below) else error.message, below))
                raise
            below = tuple(told.pop())
            told[-1].append(Step(text, value, "", below))
            return value

        return watched

    watched = assemble(compiled.source, compiled.root, Workshop(surroundings, observe))
    told[0].clear()  # building has tried out the calls of constants
    try:
        watched.evaluate(attributes)
    except EvaluationError as error:
        root = told[0][0]
        return root if _failed((root,)) else Step(root.text, None, error.message, root.steps)
    return told[0][0]


def _failed(steps: tuple[Step, ...]) -> bool:
    """Whether the last of them, or one below it, tells of a failure."""
    return bool(steps) and (bool(steps[-1].problem) or _failed(steps[-1].steps))
