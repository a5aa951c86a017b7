"""The two ways in which an expression fails: when it is written, and for one resource."""

from __future__ import annotations

from dataclasses import dataclass

from usher.core.errors import ResourceError, SpecError


@dataclass(frozen=True, slots=True)
class Position:
    """Where a part of an expression starts; both count from 1, the column in characters."""

    line: int
    column: int

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column}"


class ExpressionError(SpecError):
    """The text is not an expression that can be run. `expected` says what could have stood at `position`."""

    def __init__(
        self, explanation: str, position: Position, *, expected: str = "", subject: str = "", path: str = ""
    ) -> None:
        where = f"{position}: expected {expected}" if expected else str(position)
        super().__init__(f"{explanation} ({where})", subject=subject, path=path, reason="ExpressionInvalid")
        self.explanation = explanation
        self.position = position
        self.expected = expected

    def located(self, subject: str, path: str) -> ExpressionError:
        """The same error, told with the object (`AttributeMapping/x`) and the YAML path in which the text stands."""
        return ExpressionError(self.explanation, self.position, expected=self.expected, subject=subject, path=path)


class EvaluationError(ResourceError):
    """An expression has no value for this one resource. The message names functions and attributes, never values."""

    def __init__(self, function: str, explanation: str) -> None:
        super().__init__(f"{function}: {explanation}", reason="ExpressionFailed")
        self.function = function


class DomainMissing(EvaluationError):
    """The source names no default domain: neither the text nor the person is to blame, so compiling passes over it."""

    def __init__(self, function: str) -> None:
        super().__init__(function, "the identity source has no defaultDomain")
