"""The functions that an expression can call, and the signatures by which calls are checked.

The docstring of a builder is the documentation of its function. A builder gets the arguments once, when the
expression is compiled, and returns the closure that runs for every resource. Only what is needed is evaluated:
an error in a branch that was not chosen is none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from usher.core.expressions.casing import find_lower
from usher.core.expressions.errors import EvaluationError, ExpressionError
from usher.core.expressions.inputs import Attributes, Evaluate, Input, read_scalar, read_text, read_truth
from usher.core.expressions.syntax import Empty
from usher.core.expressions.values import is_too_long
from usher.core.model.resources import Value


class Takes(StrEnum):
    """What an argument may be. Nothing but an `OPTIONAL` one may be left empty, and only a condition compares."""

    VALUE = "value"
    OPTIONAL = "optional"
    CONDITION = "condition"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One place in a signature."""

    name: str
    takes: Takes = Takes.VALUE


@dataclass(frozen=True, slots=True)
class Function:
    """`parameters`, and after them `repeated` once or more; optional ones at the very end may be left out."""

    name: str
    parameters: tuple[Parameter, ...]
    repeated: tuple[Parameter, ...]
    build: Callable[[Sequence[Input]], Evaluate]

    @property
    def signature(self) -> str:
        """As documentation and messages show it: `Join(separator, source1, source2, ...)`."""
        names = [parameter.name for parameter in self.parameters]
        names += [f"{parameter.name}{turn}" for turn in (1, 2) for parameter in self.repeated]
        return f"{self.name}({', '.join([*names, '...'] if self.repeated else names)})"

    def parameters_for(self, count: int) -> tuple[Parameter, ...] | None:
        """A parameter for each of `count` arguments and for those left out at the end; None for a wrong count."""
        fixed = len(self.parameters)
        if self.repeated:
            turns, rest = divmod(count - fixed, len(self.repeated))
            return self.parameters + self.repeated * turns if turns > 0 and rest == 0 else None
        left_out = self.parameters[count:]
        fits = count <= fixed and all(parameter.takes is Takes.OPTIONAL for parameter in left_out)
        return self.parameters if fits else None


def _build_switch(arguments: Sequence[Input]) -> Evaluate:
    """The value whose key equals the source, compared as texts with regard to case; the first of equal keys wins.

    The key "" matches a source that is null or empty. Without a match the default, which may be left empty: then null.
    Values are passed on as they are, multi-valued ones too; the source and the keys have one value each.
    """
    source, default = read_text(arguments[0]), arguments[1].evaluate
    keys, values = arguments[2::2], [value.evaluate for value in arguments[3::2]]
    if all(key.is_constant for key in keys):
        table = {read_text(key)({}): value for key, value in reversed(list(zip(keys, values, strict=True)))}
        return lambda attributes: table.get(source(attributes), default)(attributes)
    branches = [(read_text(key), value) for key, value in zip(keys, values, strict=True)]

    def evaluate(attributes: Attributes) -> Value | None:
        wanted = source(attributes)
        for key, value in branches:
            if key(attributes) == wanted:
                return value(attributes)
        return default(attributes)

    return evaluate


def _build_not(arguments: Sequence[Input]) -> Evaluate:
    """The opposite of a boolean, or of the texts "True" and "False" in any case; anything else is an error.

    Null and the empty text give null: nothing is known, and an account must not become active because nobody said
    whether its owner left. The mapping's `default` then fills the gap of a new account.
    """
    source = read_truth(arguments[0])

    def evaluate(attributes: Attributes) -> Value | None:
        truth = source(attributes)
        return None if truth is None else not truth

    return evaluate


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


def _build_iif(arguments: Sequence[Input]) -> Evaluate:
    """The second argument if the condition holds, otherwise the third.

    The condition is a comparison, or something that is True or False. It does not hold if a side of the comparison
    that is not a constant is null or empty, whatever the operator; so `IIF([a]="", "x", "y")` is always "y": use
    Switch with the key "" for that. There is no AND and no OR: nest in the second or the third argument instead.
    Comparisons are numerical where both sides are numbers or read as such, except that two texts are equal only as
    texts ("007" is not "7"); otherwise by code point, with regard to case.
    """
    condition, then, otherwise = read_truth(arguments[0]), arguments[1].evaluate, arguments[2].evaluate
    return lambda attributes: (then if condition(attributes) else otherwise)(attributes)


_FUNCTIONS: Final = (
    Function(
        "Switch",
        (Parameter("source"), Parameter("defaultValue", Takes.OPTIONAL)),
        (Parameter("key"), Parameter("value")),
        _build_switch,
    ),
    Function("Not", (Parameter("source"),), (), _build_not),
    Function("Join", (Parameter("separator"),), (Parameter("source"),), _build_join),
    Function("ToLower", (Parameter("source"), Parameter("culture", Takes.OPTIONAL)), (), _build_to_lower),
    Function(
        "IIF",
        (Parameter("condition", Takes.CONDITION), Parameter("valueIfTrue"), Parameter("valueIfFalse")),
        (),
        _build_iif,
    ),
)
FUNCTIONS: Final[Mapping[str, Function]] = {function.name: function for function in _FUNCTIONS}
"""By their names, which are case-sensitive."""
