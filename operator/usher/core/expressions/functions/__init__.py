"""The functions that an expression can call: `THEMES` has them in the order of the documentation.

`FUNCTIONS` has them by their names, which are case-sensitive.

The docstring of a builder is the documentation of its function. Only what is needed is evaluated: an error in a branch
that was not chosen is none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from usher.core.expressions.functions import (
    chance,
    dates,
    encodings,
    flow,
    letters,
    lists,
    logic,
    numbers,
    presence,
    replacing,
    roles,
    texts,
)
from usher.core.expressions.signatures import Function

THEMES: Final[Mapping[str, tuple[Function, ...]]] = {
    "Texts": texts.FUNCTIONS,
    "Replacing": replacing.FUNCTIONS,
    "Letters": letters.FUNCTIONS,
    "Choices": logic.FUNCTIONS,
    "Whether there is a value": presence.FUNCTIONS,
    "Several values": lists.FUNCTIONS,
    "Numbers and types": numbers.FUNCTIONS,
    "Dates": dates.FUNCTIONS,
    "Encodings": encodings.FUNCTIONS,
    "Roles": roles.FUNCTIONS,
    "How a value flows": flow.FUNCTIONS,
    "Chance": chance.FUNCTIONS,
}
FUNCTIONS: Final[Mapping[str, Function]] = {function.name: function for theme in THEMES.values() for function in theme}
