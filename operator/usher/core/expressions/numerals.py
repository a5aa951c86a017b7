"""Arguments that are numbers, and those that are checked when the expression is compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from usher.core.expressions.errors import EvaluationError, ExpressionError
from usher.core.expressions.inputs import Attributes, Input, read_scalar
from usher.core.expressions.syntax import Empty
from usher.core.expressions.values import number_of

T = TypeVar("T")


def settle(given: Input, read: Callable[[Attributes], T], expected: str) -> Callable[[Attributes], T]:
    """What `read` gives, found out at once where the argument is a constant or was left empty.

    Raises ExpressionError, which says what was expected, where such an argument can't be read.
    """
    if not given.is_constant and not isinstance(given.node, Empty):
        return read
    try:
        fixed = read({})
    except EvaluationError as error:
        raise ExpressionError(error.message, given.node.position, expected=expected) from None
    return lambda _: fixed


def read_number(given: Input) -> Callable[[Attributes], int | float | None]:
    """Reads a number, as one or as its decimal text; null and the empty text are null. Raises ExpressionError."""
    scalar = read_scalar(given)

    def read(attributes: Attributes) -> int | float | None:
        value = scalar(attributes)
        if value is None or value == "":
            return None
        number = number_of(value)
        if number is None:
            raise given.failure("is no number")
        return number

    return settle(given, read, "a number")


def read_whole(given: Input) -> Callable[[Attributes], int | None]:
    """Reads a whole number, as one or as its decimal text; null and the empty text are null. Raises ExpressionError."""
    numeral = read_number(given)

    def read(attributes: Attributes) -> int | None:
        number = numeral(attributes)
        if isinstance(number, float) and not number.is_integer():
            raise given.failure("is no whole number")
        return None if number is None else int(number)

    return settle(given, read, "a whole number")


def read_integer(given: Input, least: int | None = None) -> Callable[[Attributes], int]:
    """As `read_whole`, where null and the empty text are an error, and so is what is less than `least`."""
    whole = read_whole(given)

    def read(attributes: Attributes) -> int:
        number = whole(attributes)
        if number is None:
            raise given.failure("is no whole number")
        if least is not None and number < least:
            raise given.failure(f"is less than {least}")
        return number

    return settle(given, read, "a whole number")
