"""What can be called, and with what: the signatures by which calls are checked and the reference page is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from inspect import cleandoc
from typing import Any, Protocol, TypeAlias, TypeVar

from usher.core.expressions.inputs import Evaluate, Input
from usher.core.model.resources import Value

T = TypeVar("T")


class Chance(Protocol):
    """What expressions need of a `random.Random`; a cryptographic one in production."""

    def getrandbits(self, k: int, /) -> int: ...
    def choice(self, seq: Sequence[T], /) -> T: ...
    def shuffle(self, x: list[Any], /) -> None: ...


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What an expression may ask beside the resource: the time (UTC), chance, and the domain of the source.

    `default_domain` is empty where the source names none.
    """

    now: Callable[[], datetime]
    random: Chance
    default_domain: str = ""


class Takes(StrEnum):
    """What an argument may be.

    Nothing but an `OPTIONAL` one, or a `KEYWORD`, may be left empty, and only a condition compares.
    """

    VALUE = "value"
    OPTIONAL = "optional"
    CONDITION = "condition"
    KEYWORD = "keyword"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One place in a signature. `words` are the bare words that a `KEYWORD` may be."""

    name: str
    takes: Takes = Takes.VALUE
    words: tuple[str, ...] = ()

    @property
    def may_be_empty(self) -> bool:
        """Whether nothing needs to stand there."""
        return self.takes in {Takes.OPTIONAL, Takes.KEYWORD}


class Kind(StrEnum):
    """Where a function may stand.

    A `VOLATILE` one gives something else each time, so its attribute is written on creation only. An `OUTERMOST` one
    says how the attribute flows, so it is the whole expression.
    """

    PURE = "pure"
    VOLATILE = "volatile"
    OUTERMOST = "outermost"


@dataclass(frozen=True, slots=True)
class Example:
    """What an expression gives for a person with these attributes."""

    expression: str
    value: Value | None
    attributes: Mapping[str, Value]


Builder: TypeAlias = Callable[[Sequence[Input], Surroundings], Evaluate]


@dataclass(frozen=True, slots=True)
class Function:
    """`parameters`, and after them `repeated` once or more; those at the very end that may be empty may be left out.

    `build` gets the arguments once, when the expression is compiled, and returns the closure that runs for every
    resource; its docstring is the documentation of the function. `differs` says where it gives something else than
    the function of that name of the reference service, empty where it does not. `least` is how many turns of
    `repeated` there are at least.
    """

    name: str
    parameters: tuple[Parameter, ...]
    repeated: tuple[Parameter, ...]
    build: Builder
    example: Example
    differs: str = ""
    kind: Kind = Kind.PURE
    least: int = 1

    @property
    def signature(self) -> str:
        """As documentation and messages show it: `Join(separator, source1, source2, ...)`, `ToLower(source, culture?)`.

        What has a question mark may be left empty.
        """
        names = [_show(parameter) for parameter in self.parameters]
        names += [_show(parameter, str(turn)) for turn in (1, 2) for parameter in self.repeated]
        return f"{self.name}({', '.join([*names, '...'] if self.repeated else names)})"

    @property
    def meaning(self) -> str:
        """What it does, for people."""
        return cleandoc(self.build.__doc__ or "")

    def parameters_for(self, count: int) -> tuple[Parameter, ...] | None:
        """A parameter for each of `count` arguments and for those left out at the end; None for a wrong count."""
        fixed = len(self.parameters)
        if self.repeated:
            turns, rest = divmod(count - fixed, len(self.repeated))
            return self.parameters + self.repeated * turns if turns >= self.least and rest == 0 else None
        left_out = self.parameters[count:]
        fits = count <= fixed and all(parameter.may_be_empty for parameter in left_out)
        return self.parameters if fits else None


def _show(parameter: Parameter, turn: str = "") -> str:
    return f"{parameter.name}{turn}{'?' if parameter.may_be_empty else ''}"


def alone(build: Callable[[Sequence[Input]], Evaluate]) -> Builder:
    """The builder of a function that asks for nothing but its arguments."""

    def build_alone(arguments: Sequence[Input], _: Surroundings) -> Evaluate:
        return build(arguments)

    build_alone.__doc__ = build.__doc__
    return build_alone
