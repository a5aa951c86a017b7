"""What people, calls, patterns and date formats look like where chance makes them up."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import strategies as st

from usher.core.expressions.datestyles import Style
from usher.core.expressions.functions import FUNCTIONS
from usher.core.expressions.moments import Moment
from usher.core.expressions.signatures import Function, Kind, Parameter, Takes
from usher.core.model.resources import Value

# --- people

NAMES = ("a", "b", "c")
WORDS = st.sampled_from(
    ["", "True", "7", "-1", "0", "1.5", "tr", "yyyy", "d", "2012-03-16-07:00", "yyyy-MM-dd", ",", " ", "ß", "ø", "İ"]
)
PATTERNS = st.sampled_from([r"\d+", "(?<n>.)", "(a)|b", "(?=x)", "[", r"\w*", "$1", "${n}", "n", "1", "^"])
TEXTS = WORDS | PATTERNS | st.text(st.characters(codec="utf-16", exclude_categories=()), max_size=12)
NUMBERS = st.sampled_from([float("inf"), float("nan"), 1e300, 2.0, -1, 0, 1, 2, 10**5000]) | st.integers() | st.floats()
SCALARS = st.one_of(TEXTS, NUMBERS, st.booleans())
VALUES: st.SearchStrategy[Value] = SCALARS | st.lists(SCALARS, max_size=3).map(tuple)
PEOPLE: st.SearchStrategy[Mapping[str, Value]] = st.one_of(
    st.dictionaries(st.sampled_from(NAMES), VALUES), st.fixed_dictionaries(dict.fromkeys(NAMES, SCALARS))
)

# --- calls

CONSTANTS = (WORDS | PATTERNS).map(lambda text: '"' + text.replace("\\", "\\\\") + '"') | st.integers(-3, 300).map(str)
ATTRIBUTES = st.sampled_from([f"[{name}]" for name in NAMES])
OUTERMOST = {name for name, function in FUNCTIONS.items() if function.kind is Kind.OUTERMOST}


def slot(parameter: Parameter, below: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """An argument that the grammar lets stand there."""
    if parameter.takes is Takes.KEYWORD:
        return st.sampled_from(["", *parameter.words])
    if parameter.takes is Takes.OPTIONAL:
        return st.just("") | below
    if parameter.takes is Takes.CONDITION:
        return below | st.tuples(below, st.sampled_from(["=", "<>", "<"]), below).map(" ".join)
    return below


def call_of(function: Function, below: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Calls with arguments for each parameter, and for one to three turns of those that are repeated."""

    def write(turns: int) -> st.SearchStrategy[str]:
        parameters = (*function.parameters, *(function.repeated * (function.least + turns)))
        slots = st.tuples(*(slot(parameter, below) for parameter in parameters))
        return slots.map(lambda arguments: f"{function.name}({', '.join(arguments)})")

    return st.integers(0, 2).flatmap(write)


INNER = st.recursive(
    ATTRIBUTES | CONSTANTS,
    lambda below: st.sampled_from(sorted(set(FUNCTIONS) - OUTERMOST)).flatmap(
        lambda name: call_of(FUNCTIONS[name], below)
    ),
    max_leaves=3,
)
REPLACES = (
    "Replace([a], [b], , , [c], , )",
    "Replace([a], [b], , , , , [c])",
    "Replace([a], , [b], , [c], , )",
    'Replace([a], , [b], "n", [c], , )',
    "Replace([a], , [b], 1, , [c], )",
    r'Replace([a], , "(?<n>\\w)(.)?", , "$1$2${n}", , )',
    r'Replace([a], , "(?<n>\\w)?.", "n", [c], , )',
)
"""Of the many ways to call Replace few make sense, and chance seldom finds them."""
CALLS = st.sampled_from(sorted(FUNCTIONS)).flatmap(lambda name: call_of(FUNCTIONS[name], INNER)) | st.sampled_from(
    REPLACES
)
"""Calls of all functions, some inside others."""

# --- patterns

SIGNS = st.sampled_from([*"ab(){}[]\\?<>:=!|*+^$.,-'1dwsDWSbBkpPQzZ", r"\p{L}", "(?<n>", "(?i)", "[^"])
EXPRESSIONS = st.lists(SIGNS | st.characters(), max_size=12).map("".join)
"""Regular expressions, good ones and others."""

# --- date formats

LAST = 3_155_378_975_999_999_999
"""The ticks of the last moment of the year 9999."""
MOMENTS = st.integers(0, LAST).map(Moment)
FRAGMENTS = st.sampled_from([*"yMdhHmsfFtzKgZ", "GMT", *"'\"\\% .-/"])
FORMATS = st.lists(FRAGMENTS | st.text(max_size=2), max_size=12).map("".join)
STYLES = st.sets(st.sampled_from(list(Style))).map(frozenset)
