"""How values become text, truth and numbers. Everything here is total for the scalars of the model."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from typing import Final

from usher.core.expressions.syntax import Operator
from usher.core.model.resources import Scalar, Value

MAX_BYTES: Final = 64 * 1024
"""UTF-8 length of what an expression gives, all values of a multi-valued result together."""
CERTAINLY_SHORT: Final = MAX_BYTES // 4
_NUMBER: Final = re.compile(r"-?[0-9]{1,32}(?:\.[0-9]{1,32})?")
_COMPARE: Final[dict[Operator, Callable[[Scalar, Scalar], bool]]] = {
    Operator.EQUAL: operator.eq,
    Operator.NOT_EQUAL: operator.ne,
    Operator.GREATER: operator.gt,
    Operator.GREATER_OR_EQUAL: operator.ge,
    Operator.LESS: operator.lt,
    Operator.LESS_OR_EQUAL: operator.le,
}
IDENTITY: Final = frozenset({Operator.EQUAL, Operator.NOT_EQUAL})


def text_of(value: Scalar) -> str:
    """`True`/`False`, integers in decimal, floats in the shortest form that reads back the same (1.0 as `1`).

    Raises ValueError for an integer of thousands of digits, which Python refuses to write.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return repr(value).removesuffix(".0")
    return str(value)


def truth_of(value: Scalar) -> bool | None:
    """Of a boolean, or of the texts True and False in any case; None for everything else."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.lower()) if len(value) <= len("false") else None
    return None


def compare(left: Scalar, symbol: Operator, right: Scalar) -> bool:
    """Compares as numbers where both sides are numbers or texts that read as one, otherwise as texts by code point.

    Equality of two texts is always that of texts: the ids `007` and `7` are different.
    """
    if not (symbol in IDENTITY and isinstance(left, str) and isinstance(right, str)):
        first, second = number_of(left), number_of(right)
        if first is not None and second is not None:
            return _COMPARE[symbol](first, second)
    return _COMPARE[symbol](text_of(left), text_of(right))


def number_of(value: Scalar) -> int | float | None:
    """The number that a value is or reads as; None for everything else, booleans too."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        if not _NUMBER.fullmatch(value):
            return None
        return float(value) if "." in value else int(value)
    return value


def is_too_long(value: Value | None) -> bool:
    """Whether it exceeds `MAX_BYTES`. Numbers and booleans weigh nothing here."""
    if isinstance(value, str):
        return len(value) > CERTAINLY_SHORT and len(value.encode("utf-8", "surrogatepass")) > MAX_BYTES
    if isinstance(value, tuple):
        texts = (item for item in value if isinstance(item, str))
        return sum(len(text.encode("utf-8", "surrogatepass")) for text in texts) > MAX_BYTES
    return False
