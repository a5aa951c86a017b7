"""What an expression can give, as far as its text says: branch by branch, without a resource."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from usher.core.expressions.syntax import Argument, Attribute, Call, Comparison, Empty, Keyword, Number, Text

DROPS_EMPTY: Final = "IgnoreFlowIfNullOrEmpty"
SWITCH: Final = "Switch"
_FIRST_VALUE: Final = "Coalesce"
_PASS_ON: Final = frozenset({_FIRST_VALUE, DROPS_EMPTY, "SelectUniqueValue", "Redact"})
"""Functions that give one of their arguments, whichever."""
_ALWAYS: Final = frozenset({"Count", "Guid", "IsNull", "IsNullOrEmpty", "IsPresent", "IsString", "Now", "RandomString"})
"""Functions that give a value for everybody."""


def branches(node: Argument) -> Iterator[Argument]:
    """The parts one of which is what the node gives: constants, attributes, empty places, and calls of the others."""
    choices = _choices(node)
    if not choices:
        yield node
    for choice in choices:
        yield from branches(choice)


def always_has_value(node: Argument) -> bool:
    """Whether it can be said that the node is null for nobody. The empty text is a value."""
    choices = _choices(node)
    match node:
        case Text() | Number():
            return True
        case Call(name=name) if name == _FIRST_VALUE:
            return any(map(always_has_value, choices))
        case Call(name=name):
            return name in _ALWAYS or (bool(choices) and all(map(always_has_value, choices)))
        case Attribute() | Keyword() | Comparison() | Empty():
            return False


def _choices(node: Argument) -> Sequence[Argument]:
    """The arguments one of which a function gives as it is; none where it makes something of them."""
    match node:
        case Call(name=name, arguments=(_, default, *pairs)) if name == SWITCH:
            return (default, *pairs[1::2])
        case Call(name="IIF", arguments=(_, *both)):
            return both
        case Call(name=name, arguments=arguments) if name in _PASS_ON:
            return arguments
        case _:
            return ()
