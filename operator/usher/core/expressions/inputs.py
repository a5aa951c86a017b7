"""The arguments of a function call, compiled: what a function reads its values from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from usher.core.expressions.errors import EvaluationError
from usher.core.expressions.syntax import Argument, Number, Text, label
from usher.core.expressions.values import text_of, truth_of
from usher.core.model.resources import Scalar, Value

Attributes: TypeAlias = Mapping[str, Value]
Evaluate: TypeAlias = Callable[[Attributes], Value | None]


@dataclass(frozen=True, slots=True)
class Input:
    """One argument of a call of `function`. `evaluate` gives its value, null where it was left empty."""

    function: str
    node: Argument
    evaluate: Evaluate

    @property
    def is_constant(self) -> bool:
        """Whether it is a text or a number as written, the same for everybody."""
        return isinstance(self.node, Text | Number)

    def failure(self, explanation: str) -> EvaluationError:
        """The error that names the function and this argument."""
        return EvaluationError(self.function, f"{label(self.node)} {explanation}")

    def write(self, value: Scalar) -> str:
        """The value as text. Raises EvaluationError for an integer of thousands of digits."""
        try:
            return text_of(value)
        except ValueError:
            raise self.failure("is a number too long to be written") from None


def read_scalar(given: Input) -> Callable[[Attributes], Scalar | None]:
    """Reads one value or null: multi-valued without a value is null, with values it is an EvaluationError."""
    evaluate = given.evaluate

    def read(attributes: Attributes) -> Scalar | None:
        value = evaluate(attributes)
        if not isinstance(value, tuple):
            return value
        if value:
            raise given.failure("is multi-valued where a single value is needed")
        return None

    return read


def read_text(given: Input) -> Callable[[Attributes], str]:
    """Reads one value as text; null is the empty text."""
    scalar = read_scalar(given)

    def read(attributes: Attributes) -> str:
        value = scalar(attributes)
        if isinstance(value, str):
            return value
        return "" if value is None else given.write(value)

    return read


def read_truth(given: Input) -> Callable[[Attributes], bool | None]:
    """Reads True or False (as a boolean, or as text in any case); null and the empty text are null."""
    scalar = read_scalar(given)

    def read(attributes: Attributes) -> bool | None:
        value = scalar(attributes)
        if value is None or value == "":
            return None
        truth = truth_of(value)
        if truth is None:
            raise given.failure("is neither True nor False")
        return truth

    return read
