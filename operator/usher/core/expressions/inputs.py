"""The arguments of a function call, compiled: what a function reads its values from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from usher.core.expressions.errors import EvaluationError, ExpressionError
from usher.core.expressions.syntax import Argument, Empty, Number, Text, label
from usher.core.expressions.values import MAX_BYTES, is_too_long, text_of, truth_of
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

    @property
    def is_empty(self) -> bool:
        """Whether nothing stands there."""
        return isinstance(self.node, Empty)

    def mistake(self, explanation: str) -> ExpressionError:
        """The error of the text, told with the place of this argument."""
        return ExpressionError(f"{self.function}: {label(self.node)} {explanation}", self.node.position)

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
    return lambda attributes: single_of(given, evaluate(attributes))


def single_of(given: Input, value: Value | None) -> Scalar | None:
    """A value of this input where it has to be a single one. Raises EvaluationError where it is several."""
    if not isinstance(value, tuple):
        return value
    if value:
        raise given.failure("is multi-valued where a single value is needed")
    return None


def read_text(given: Input) -> Callable[[Attributes], str]:
    """Reads one value as text; null is the empty text."""
    if isinstance(given.node, Text):
        text = given.node.value
        return lambda _: text
    evaluate = given.evaluate

    def read(attributes: Attributes) -> str:
        value = evaluate(attributes)
        if isinstance(value, str):
            return value
        if isinstance(value, bool):
            return "True" if value else "False"
        value = single_of(given, value)
        return "" if value is None else given.write(value)

    return read


def read_truth(given: Input) -> Callable[[Attributes], bool | None]:
    """Reads True or False (as a boolean, or as text in any case); null and the empty text are null."""
    evaluate = given.evaluate

    def read(attributes: Attributes) -> bool | None:
        value = single_of(given, evaluate(attributes))
        if isinstance(value, bool):
            return value
        if value is None or value == "":
            return None
        truth = truth_of(value)
        if truth is None:
            raise given.failure("is neither True nor False")
        return truth

    return read


def read_text_or_null(given: Input) -> Callable[[Attributes], str | None]:
    """Reads one value as text, or null."""
    evaluate = given.evaluate

    def read(attributes: Attributes) -> str | None:
        value = evaluate(attributes)
        if value is None or isinstance(value, str):
            return value
        value = single_of(given, value)
        return None if value is None else given.write(value)

    return read


def map_text(given: Input, change: Callable[[str], str]) -> Evaluate:
    """What becomes of one value as text; null stays null."""
    source = read_text_or_null(given)

    def evaluate(attributes: Attributes) -> Value | None:
        text = source(attributes)
        return None if text is None else change(text)

    return evaluate


def too_long(function: str) -> EvaluationError:
    """The error of a result that exceeds `MAX_BYTES`."""
    return EvaluationError(function, "the result is longer than 64 KiB")


def check_size(function: str, size: int) -> None:
    """Raises EvaluationError where a text of at least `size` bytes must not be built."""
    if size > MAX_BYTES:
        raise too_long(function)


def concatenate(function: str, pieces: Iterable[str]) -> str:
    """The pieces as one text. Raises EvaluationError as soon as they are too long, without having kept more."""
    kept, size = [], 0
    for piece in pieces:
        size += len(piece)
        check_size(function, size)
        kept.append(piece)
    text = "".join(kept)
    if is_too_long(text):
        raise too_long(function)
    return text
