"""The functions that an expression can call, by theme; `FUNCTIONS` has them by their names, which are case-sensitive.

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

_THEMES: Final = (chance, dates, encodings, flow, letters, lists, logic, numbers, presence, replacing, roles, texts)
FUNCTIONS: Final[Mapping[str, Function]] = {
    function.name: function for theme in _THEMES for function in theme.FUNCTIONS
}
