"""Who an object mapping is for: its filter groups become scoping filters.

Clauses of a group are ANDed, groups are ORed, as ours are. A clause that can't be carried over would, left out, let
others in or keep others out: so without it there is no manifest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from usher.core.model.resources import Json
from usher.core.sync.scoping import ASKS_NOTHING, Operator
from usher.importing.records import Record, plain, said

_MEANINGS: Final = {
    "inputFilterGroups": "who fails the filter is read, and provisioned, all the same",
    "categoryFilterGroups": "who fails the filter is provisioned by this mapping all the same",
}
"""Filters that the service marks as experimental, and that act elsewhere than in the scope."""
_OPERATORS: Final = {
    "&": Operator.EXISTS_IN,
    "!&": Operator.NOT_EXISTS_IN,
    "ENDS WITH": Operator.ENDS_WITH,
    "EQUALS": Operator.EQUALS,
    "GREATER THAN": Operator.GREATER_THAN,
    "GREATER THAN OR EQUALS": Operator.GREATER_THAN_OR_EQUALS,
    "INCLUDES": Operator.INCLUDES,
    "IS FALSE": Operator.IS_FALSE,
    "IS NOT NULL": Operator.IS_NOT_NULL,
    "IS NULL": Operator.IS_NULL,
    "IS TRUE": Operator.IS_TRUE,
    "NOT EQUALS": Operator.NOT_EQUALS,
    "NOT REGEX MATCH": Operator.NOT_REGEX_MATCH,
    "REGEX MATCH": Operator.REGEX_MATCH,
}
_PATTERNS: Final = frozenset({Operator.REGEX_MATCH, Operator.NOT_REGEX_MATCH})


@dataclass(slots=True)
class Scoping:
    """The scoping filters of a mapping, and how many clauses of them are missing."""

    filters: list[Json]
    missing: int = 0


def read_scope(mapping: Record) -> Scoping:
    """The filters of an object mapping. What is not carried over is noted with all that it says."""
    scoping = Scoping([])
    scope = mapping.record("scope")
    if scope is None:
        return scoping
    for group in scope.records("groups"):
        _read_group(group, scoping)
    for kind, meaning in _MEANINGS.items():
        for group in scope.records(kind):
            _tell_group(group, meaning)
    scope.tell_rest()
    return scoping


def _read_group(group: Record, scoping: Scoping) -> None:
    name, clauses = _open(group)
    read = [_read_clause(clause) for clause in clauses]
    scoping.missing += read.count(None)
    found: list[Json] = [clause for clause in read if clause is not None]
    if found:
        scoping.filters.append({**({"name": name} if name else {}), "clauses": found})


def _open(group: Record) -> tuple[str, list[Record]]:
    name = group.text("name")
    group.label = f"filter {said(name)}" if name else "filter"
    clauses = group.records("clauses")
    for clause in clauses:
        clause.label = group.label
    if name and not clauses:
        group.tell("it has no clauses")
    group.tell_rest()
    return name, clauses


def _read_clause(clause: Record) -> dict[str, Json] | None:
    attribute, word, values = _take(clause)
    operator = _OPERATORS.get(word.upper().replace("_", " "))
    needs = operator not in ASKS_NOTHING
    if operator is None or not attribute or len(values) != (1 if needs else 0):
        clause.tell(f"{_said(attribute, word, values)}: Usher has no such clause, so it is not carried over")
        return None
    fields: dict[str, Json] = {"attribute": attribute, "operator": operator.value}
    if not needs:
        return fields
    value = str(values[0])
    if operator in _PATTERNS:
        value = value if value.startswith(".*") and value.endswith(".*") else f".*(?:{value}).*"
    return {**fields, "value": value}


def _tell_group(group: Record, meaning: str) -> None:
    for clause in _open(group)[1]:
        clause.tell(f"{_said(*_take(clause))}: not carried over, Usher filters in the scope only: {meaning}")


def _take(clause: Record) -> tuple[str, str, list[Json]]:
    """Attribute, operator and values; whatever else the clause says is noted."""
    attribute, word = clause.text("sourceOperandName"), clause.text("operatorName")
    operand = clause.record("targetOperand")
    values = None if operand is None else operand.take("values")
    clause.tell_rest()
    if operand is not None:
        operand.label = clause.label
        operand.tell_rest()
    return attribute, word, values if isinstance(values, list) else [] if values is None else [values]


def _said(attribute: str, word: str, values: list[Json]) -> str:
    what = " ".join(part for part in (attribute, word) if part) or "a clause that names nothing"
    return plain(what) + (f" {said(values)}" if values else "")
