"""Functions that give something else each time, by the chance they are lent: in production a cryptographic one."""

from __future__ import annotations

import string
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from usher.core.expressions.errors import EvaluationError, ExpressionError
from usher.core.expressions.inputs import Attributes, Evaluate, Input, read_text
from usher.core.expressions.numerals import read_integer
from usher.core.expressions.signatures import Example, Function, Kind, Parameter, Surroundings, Takes
from usher.core.expressions.syntax import Empty
from usher.core.model.resources import Value

MAX_LENGTH: Final = 256
SPECIAL: Final = "~!@#$%^&*_-+='|\\(){}[]:;\"<>,.?/`"
"""The characters that a complex password of Windows may have beside letters and digits (its policy setting's page)."""
_GROUPS: Final[Mapping[str, str]] = {
    "MinimumNumbers": string.digits,
    "MinimumSpecialCharacters": SPECIAL,
    "MinimumCapital": string.ascii_uppercase,
    "MinimumLowerCase": string.ascii_lowercase,
}
_UUID_BITS: Final = 128


class _Impossible(ValueError):
    """No text fulfils the wish; told without its values."""


@dataclass(frozen=True, slots=True)
class _Wish:
    """`minimums` are in the order of the groups, `avoided` the characters that must not come."""

    length: int
    minimums: tuple[int, ...]
    avoided: frozenset[str]

    def draws(self) -> Iterator[tuple[str, int]]:
        """From which characters to draw how many. Raises _Impossible.

        What the minimums leave open is drawn from letters and digits, and from special characters where at least one of
        those is wanted.
        """
        if not 1 <= self.length <= MAX_LENGTH:
            raise _Impossible(f"Length has to be from 1 to {MAX_LENGTH}")
        left = self.length - sum(self.minimums)
        if left < 0:
            raise _Impossible("Length is less than all minimums together")
        open_to_all = ""
        for (name, characters), minimum in zip(_GROUPS.items(), self.minimums, strict=True):
            usable = "".join(sorted(set(characters) - self.avoided))
            if minimum and not usable:
                raise _Impossible(f"CharactersToAvoid leaves nothing for {name}")
            yield usable, minimum
            open_to_all += usable if minimum or characters is not SPECIAL else ""
        if left and not open_to_all:
            raise _Impossible("CharactersToAvoid leaves nothing to draw from")
        yield open_to_all, left


def _build_random_string(arguments: Sequence[Input], surroundings: Surroundings) -> Evaluate:
    """So many random characters, at least so many of each kind, all of them at random places.

    Length is from 1 to 256, and not less than the four minimums together. Special characters are those that Windows
    takes for passwords; without a minimum of at least 1 there are none. CharactersToAvoid may be left empty. A wish
    that nothing fulfils is refused.
    """
    random = surroundings.random
    read = _read_wish(arguments)

    def evaluate(attributes: Attributes) -> Value | None:
        wish = read(attributes)
        try:
            drawn = [random.choice(characters) for characters, count in wish.draws() for _ in range(count)]
        except _Impossible as error:
            raise EvaluationError(arguments[0].function, str(error)) from None
        random.shuffle(drawn)
        return "".join(drawn)

    if all(given.is_constant or isinstance(given.node, Empty) for given in arguments):
        _refuse_impossible(arguments[0], read({}))
    return evaluate


def _read_wish(arguments: Sequence[Input]) -> Callable[[Attributes], _Wish]:
    counts = [read_integer(given, 0) for given in arguments[:-1]]
    avoided = read_text(arguments[-1])

    def read(attributes: Attributes) -> _Wish:
        length, *minimums = (count(attributes) for count in counts)
        return _Wish(length, tuple(minimums), frozenset(avoided(attributes)))

    return read


def _refuse_impossible(given: Input, wish: _Wish) -> None:
    try:
        list(wish.draws())
    except _Impossible as error:
        expected = f"a Length up to {MAX_LENGTH} that has room for all minimums, and characters left for each of them"
        raise ExpressionError(f"{given.function}: {error}", given.node.position, expected=expected) from None


def _build_guid(_: Sequence[Input], surroundings: Surroundings) -> Evaluate:
    """A random UUID (version 4), in lower case with hyphens."""
    random = surroundings.random
    return lambda _: str(UUID(int=random.getrandbits(_UUID_BITS), version=4))


FUNCTIONS: Final = (
    Function(
        "Guid", (), (), _build_guid, Example("Guid()", "f728b4fa-4248-4e3a-8a5d-2f346baa9455", {}), kind=Kind.VOLATILE
    ),
    Function(
        "RandomString",
        (Parameter("Length"), *map(Parameter, _GROUPS), Parameter("CharactersToAvoid", Takes.OPTIONAL)),
        (),
        _build_random_string,
        Example("RandomString(6, 3, 0, 0, 3)", "d8e24y", {}),
        differs="Without a minimum of special characters there are none.",
        kind=Kind.VOLATILE,
    ),
)
