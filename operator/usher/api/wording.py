"""Pydantic's findings in the words of a user: a YAML path, and what would be right there. No value is ever repeated."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from pydantic_core import ErrorDetails

from usher.api.schemas import Schema
from usher.api.v1alpha1.rules import RULE_ERROR


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong in a manifest: where (`spec.attributes[3].expression`) and what would be right."""

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


def yaml_path(steps: Iterable[str | int]) -> str:
    """`spec.attributes[3].expression` from its steps."""
    path = ""
    for step in steps:
        path += f"[{step}]" if isinstance(step, int) else f".{step}"
    return path.removeprefix(".")


def problem_of(error: ErrorDetails, schema: Schema) -> Problem:
    """One finding of pydantic, for a manifest of this schema."""
    steps = error["loc"]
    if error["type"] == "extra_forbidden":
        return Problem(yaml_path(steps), _unknown(str(steps[-1]), _fields(schema, steps[:-1])))
    context = dict(error.get("ctx", {}))
    if error["type"] == "literal_error":
        context["expected"] = context["expected"].replace("'", "").replace(" or ", ", ")
    return Problem(yaml_path(steps), _WORDS.get(error["type"], "can't be read").format(**context))


def _fields(schema: Schema, steps: Sequence[str | int]) -> list[str]:
    """The fields that the object at this place has."""
    here = schema
    for step in steps:
        here = here["items"] if isinstance(step, int) else here["properties"][step]
    return sorted(here.get("properties", {}))


def _unknown(name: str, known: Sequence[str]) -> str:
    """What to say of a field that does not exist here."""
    lowered = {field.lower(): field for field in known}
    near = get_close_matches(name.lower(), lowered, n=1)
    if near:
        return f"unknown field; did you mean {lowered[near[0]]}?"
    return f"unknown field; known here: {', '.join(known)}" if known else "unknown field; nothing is known here"


_WORDS: Final[Mapping[str, str]] = {
    RULE_ERROR: "{message}",
    "missing": "required",
    "literal_error": "must be one of {expected}",
    "string_type": "must be text (in quotes, where YAML would read something else)",
    "bool_type": "must be true or false",
    "int_type": "must be a whole number",
    "int_parsing_size": "must be a whole number",
    "tuple_type": "must be a list",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "string_too_short": "must not be empty",
    "string_too_long": "too long: at most {max_length} characters",
    "too_short": "too few items: at least {min_length}",
    "too_long": "too many items: at most {max_length}",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
}
"""By the type of pydantic's finding, with what its context offers."""
