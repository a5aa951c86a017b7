"""Functions from texts to texts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from usher.core.expressions.casing import find_lower
from usher.core.expressions.errors import EvaluationError, ExpressionError
from usher.core.expressions.inputs import Attributes, Evaluate, Input, read_scalar, read_text
from usher.core.expressions.signatures import Example, Function, Parameter, Takes, alone
from usher.core.expressions.syntax import Empty
from usher.core.expressions.values import is_too_long
from usher.core.model.resources import Value


def _build_join(arguments: Sequence[Input]) -> Evaluate:
    """All values of all sources as one text, the separator between them.

    Sources and single values that are null or empty are skipped. Null when nothing is left to join.
    """
    separator = read_text(arguments[0])
    sources = tuple(arguments[1:])

    def evaluate(attributes: Attributes) -> Value | None:
        parts = [text for source in sources for text in _texts(source, attributes) if text]
        if not parts:
            return None
        joined = separator(attributes).join(parts)
        if is_too_long(joined):
            raise EvaluationError("Join", "the result is longer than 64 KiB")
        return joined

    return evaluate


def _texts(source: Input, attributes: Attributes) -> list[str]:
    value = source.evaluate(attributes)
    if isinstance(value, str):
        return [value]
    if isinstance(value, tuple):
        return [source.write(item) for item in value]
    return [] if value is None else [source.write(value)]


def _build_to_lower(arguments: Sequence[Input]) -> Evaluate:
    """The source in lower case; null stays null.

    Without a culture the result is the same everywhere. The culture is a language tag ("tr-TR"): Turkish and
    Azerbaijani pair I with a dotless i, all others give the same as none.
    """
    given, culture = arguments
    source, find = read_scalar(given), _culture(culture)

    def evaluate(attributes: Attributes) -> Value | None:
        value = source(attributes)
        return None if value is None else find(attributes)(given.write(value))

    return evaluate


def _culture(culture: Input) -> Callable[[Attributes], Callable[[str], str]]:
    read = read_text(culture)
    if culture.is_constant or isinstance(culture.node, Empty):
        fixed = find_lower(read({}))
        if fixed is None:
            raise ExpressionError("the culture is no language tag", culture.node.position, expected='one like "tr-TR"')
        return lambda _: fixed

    def find(attributes: Attributes) -> Callable[[str], str]:
        lower = find_lower(read(attributes))
        if lower is None:
            raise culture.failure("is no language tag")
        return lower

    return find


FUNCTIONS: Final = (
    Function(
        "Join",
        (Parameter("separator"),),
        (Parameter("source"),),
        alone(_build_join),
        Example('Join(", ", "", [surname], [givenName])', "Doe, John", {"surname": "Doe", "givenName": "John"}),
    ),
    Function(
        "ToLower",
        (Parameter("source"), Parameter("culture", Takes.OPTIONAL)),
        (),
        alone(_build_to_lower),
        Example("ToLower([mail])", "ada@example.com", {"mail": "Ada@Example.COM"}),
    ),
)
