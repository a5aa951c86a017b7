"""What a vector is: an expression, a person, and what has to come of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from usher.core.model.resources import Value


@dataclass(frozen=True)
class Vector:
    """`expected` for a person with these attributes.

    Or else `error`, the whole message of that person's failure; or `refused`, a part of what is said to whoever wrote
    the expression.
    """

    expression: str
    attributes: Mapping[str, Value] = field(default_factory=dict)
    expected: Value | None = None
    error: str = ""
    refused: str = ""

    def __str__(self) -> str:
        return f"{self.expression} {sorted(self.attributes)}"[:100]
