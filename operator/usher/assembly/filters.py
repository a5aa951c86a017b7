"""From the scoping filters of a mapping or a connector to compiled ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from usher.api.v1alpha1.filters import ScopeFilter
from usher.core.errors import SpecError
from usher.core.sync.scoping import Clause, Filter, Operator, compile_clause


class Place(NamedTuple):
    """Where filters stand: in which object, at which YAML path; and the reason for what is wrong there."""

    subject: str
    path: str
    reason: str


def compile_filters(specs: Sequence[ScopeFilter], place: Place, errors: list[SpecError]) -> tuple[Filter, ...]:
    """The filters. What is wrong with a clause is added to the errors."""
    filters: list[Filter] = []
    for number, each in enumerate(specs):
        clauses: list[Clause] = []
        for index, clause in enumerate(each.clauses):
            path = f"{place.path}[{number}].clauses[{index}]"
            operator, value = Operator(clause.operator), clause.value or ""
            try:
                clauses.append(compile_clause(clause.attribute, operator, value, f"{place.subject} {path}"))
            except SpecError as error:
                errors.append(
                    SpecError(error.problem, subject=place.subject, path=f"{path}.value", reason=place.reason)
                )
        filters.append(Filter(each.name or f"filter {number + 1}", tuple(clauses)))
    return tuple(filters)
