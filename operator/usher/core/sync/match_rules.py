"""By what accounts are found: the matching attributes of a mapping, and the keys that they give people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Protocol

from usher.core.model.plans import Criterion, MatchKey
from usher.core.model.resources import AttributePath, Json, Scalar
from usher.core.scim.comparison import Fold, folding
from usher.core.scim.schemas import AttributeDefinition

_SCALAR: Final = (str, bool, int, float)


class MatchPart(Protocol):
    """An attribute of the target, with what its schema says of it."""

    @property
    def target(self) -> AttributePath: ...
    @property
    def definition(self) -> AttributeDefinition | None: ...


@dataclass(frozen=True)
class MatchRule:
    """By what an account is found: one attribute, or several that have to be equal together."""

    precedence: int
    parts: tuple[MatchPart, ...]

    @cached_property
    def _folds(self) -> tuple[tuple[AttributePath, Fold], ...]:
        return tuple((part.target, folding(part.definition)) for part in self.parts)

    def key(self, values: Mapping[AttributePath, Json]) -> MatchKey | None:
        """The key with the values of one resource, None where one of them is missing or is several."""
        if len(self._folds) == 1:
            ((path, fold),) = self._folds
            value = _alone(values.get(path))
            if not isinstance(value, _SCALAR) or value == "":
                return None
            return MatchKey(self.precedence, (Criterion(path, value),), f"{path}={fold(value)}")
        found = [_alone(values.get(path)) for path, _ in self._folds]
        scalars = [value for value in found if isinstance(value, _SCALAR) and value != ""]
        if len(scalars) < len(found):
            return None
        criteria = tuple(Criterion(part.target, value) for part, value in zip(self.parts, scalars, strict=True))
        return MatchKey(self.precedence, criteria, self.claim(scalars))

    def claim(self, values: Sequence[Scalar]) -> str:
        """The canonical text of these values, one a part: equal values, and only those, have the same."""
        folded = [(path, fold(value)) for (path, fold), value in zip(self._folds, values, strict=True)]
        if len(folded) == 1:
            return f"{folded[0][0]}={folded[0][1]}"
        return "&".join(f"{path}={text!r}" for path, text in folded)


def _alone(value: Json) -> Json:
    """The only value of an attribute that can have several."""
    return value[0] if isinstance(value, list) and len(value) == 1 else value
