"""Who is meant by a mapping and by a connector: scoping filters, clause by clause.

Clauses of one filter are ANDed, filters are ORed, each person is judged alone. A value that is null or an empty text
makes every clause false but `IsNull`; of several values all have to satisfy the clause. Case counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from typing import Final, TypeAlias

from usher.core.errors import ResourceError, SpecError
from usher.core.expressions.dialect import PatternError
from usher.core.expressions.patterns import compile_pattern
from usher.core.expressions.values import number_of, text_of, truth_of
from usher.core.model.resources import Scalar, Value
from usher.core.sync.fingerprints import fingerprint

SCOPE_FAILED: Final = "ScopingFailed"


class Operator(StrEnum):
    """What a clause asks, in the words of the API."""

    EQUALS = "Equals"
    NOT_EQUALS = "NotEquals"
    INCLUDES = "Includes"
    ENDS_WITH = "EndsWith"
    GREATER_THAN = "GreaterThan"
    GREATER_THAN_OR_EQUALS = "GreaterThanOrEquals"
    IS_TRUE = "IsTrue"
    IS_FALSE = "IsFalse"
    IS_NULL = "IsNull"
    IS_NOT_NULL = "IsNotNull"
    REGEX_MATCH = "RegexMatch"
    NOT_REGEX_MATCH = "NotRegexMatch"
    EXISTS_IN = "ExistsIn"
    NOT_EXISTS_IN = "NotExistsIn"


ASKS_NOTHING: Final = frozenset({Operator.IS_TRUE, Operator.IS_FALSE, Operator.IS_NULL, Operator.IS_NOT_NULL})
"""Operators that take no value."""

Test: TypeAlias = Callable[[Scalar], bool]


@dataclass(frozen=True, slots=True)
class Clause:
    """`attribute operator value`; `value` is empty where the operator takes none.

    `place` says where it stands, as that of a rule does.
    """

    attribute: str
    operator: Operator
    value: str = ""
    place: str = field(default="", compare=False)
    _test: Test = field(default=lambda _: False, repr=False, compare=False)

    def holds(self, attributes: Mapping[str, Value]) -> bool:
        """Whether it holds for one person. Raises ResourceError where the value can't be judged."""
        values = _values(attributes.get(self.attribute))
        if self.operator is Operator.IS_NULL:
            return not values
        return bool(values) and all(map(self._test, values))

    def __str__(self) -> str:
        return " ".join(part for part in (self.attribute, self.operator.value, self.value) if part)


@dataclass(frozen=True, slots=True)
class Filter:
    """Clauses that have to hold together. `name` is for people."""

    name: str
    clauses: tuple[Clause, ...]

    def admits(self, attributes: Mapping[str, Value]) -> bool:
        """Whether all clauses hold. Raises ResourceError."""
        return all(clause.holds(attributes) for clause in self.clauses)


@dataclass(frozen=True, slots=True)
class Judgement:
    """One clause and what came of it, for an explanation. `problem` says why it can't be judged, empty where it can."""

    filter: str
    clause: Clause
    holds: bool
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Scope:
    """Whom a mapping means: everybody without filters, else whom one of them admits.

    `within` are the filters of the connector that uses it: where there are any, one of these has to admit as well.
    """

    filters: tuple[Filter, ...] = ()
    within: tuple[Filter, ...] = ()

    @property
    def clauses(self) -> Sequence[Clause]:
        """All of them, the mapping's first."""
        return [clause for each in (*self.filters, *self.within) for clause in each.clauses]

    @property
    def attributes(self) -> frozenset[str]:
        """The source attributes that it looks at."""
        return frozenset(clause.attribute for clause in self.clauses)

    @property
    def digest(self) -> str:
        """Of what the connector adds: another one stands for another scope. Empty where it adds nothing."""
        asked = [[(c.attribute, c.operator, c.value) for c in each.clauses] for each in self.within]
        return fingerprint((asked,)).hex() if asked else ""

    def admits(self, attributes: Mapping[str, Value]) -> bool:
        """Whether somebody with these attributes is in. Raises ResourceError."""
        return _one_admits(self.filters, attributes) and _one_admits(self.within, attributes)

    def explain(self, attributes: Mapping[str, Value]) -> Iterator[Judgement]:
        """Every clause, those included that decide nothing any more. Whose a clause is, its `place` says."""
        for each in (*self.filters, *self.within):
            for clause in each.clauses:
                try:
                    yield Judgement(each.name, clause, clause.holds(attributes))
                except ResourceError as error:
                    yield Judgement(each.name, clause, holds=False, problem=error.message)


def _one_admits(filters: Sequence[Filter], attributes: Mapping[str, Value]) -> bool:
    return not filters or any(each.admits(attributes) for each in filters)


EVERYBODY: Final = Scope()


def compile_clause(attribute: str, operator: Operator, value: str, place: str = "") -> Clause:
    """A clause that can be asked. Raises SpecError where the operator can't work with the value."""
    return Clause(attribute, operator, value, place, _TESTS[operator](value))


def _comparison(operator: Operator, value: str) -> Test:
    """Whole numbers on both sides; a value that is none is not greater than anything."""
    bound = number_of(value)
    if not isinstance(bound, int):
        message = f"{operator.value} needs a whole number"
        raise SpecError(message)
    least = bound if operator is Operator.GREATER_THAN_OR_EQUALS else bound + 1

    def test(held: Scalar) -> bool:
        number = number_of(held)
        return isinstance(number, int) and number >= least

    return test


def _matching(operator: Operator, value: str) -> Test:
    try:
        pattern = compile_pattern(value)
    except PatternError as error:
        message = f"the regular expression {error}"
        raise SpecError(message) from error
    wanted = operator is Operator.REGEX_MATCH

    def test(held: Scalar) -> bool:
        try:
            return pattern.fits(text_of(held)) is wanted
        except PatternError as error:
            message = f"{operator.value}: the value {error}"
            raise ResourceError(message, reason=SCOPE_FAILED) from error

    return test


def _values(value: Value | None) -> Sequence[Scalar]:
    """The values that say something."""
    values = value if isinstance(value, tuple) else () if value is None else (value,)
    return [each for each in values if each != ""]


_TESTS: Final[Mapping[Operator, Callable[[str], Test]]] = {
    Operator.EQUALS: lambda value: lambda held: text_of(held) == value,
    Operator.NOT_EQUALS: lambda value: lambda held: text_of(held) != value,
    Operator.INCLUDES: lambda value: lambda held: value in text_of(held),
    Operator.ENDS_WITH: lambda value: lambda held: text_of(held).endswith(value),
    Operator.EXISTS_IN: lambda value: lambda held: text_of(held) in value,
    Operator.NOT_EXISTS_IN: lambda value: lambda held: text_of(held) not in value,
    Operator.IS_TRUE: lambda _: lambda held: truth_of(held) is True,
    Operator.IS_FALSE: lambda _: lambda held: truth_of(held) is False,
    Operator.IS_NULL: lambda _: lambda _: False,
    Operator.IS_NOT_NULL: lambda _: lambda _: True,
    Operator.GREATER_THAN: partial(_comparison, Operator.GREATER_THAN),
    Operator.GREATER_THAN_OR_EQUALS: partial(_comparison, Operator.GREATER_THAN_OR_EQUALS),
    Operator.REGEX_MATCH: partial(_matching, Operator.REGEX_MATCH),
    Operator.NOT_REGEX_MATCH: partial(_matching, Operator.NOT_REGEX_MATCH),
}
"""By operator what makes a test of the clause's value; that raises SpecError."""
