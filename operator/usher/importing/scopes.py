"""Who an object mapping is for. The API has no scoping filters yet, so each of them is told."""

from __future__ import annotations

from usher.importing.records import Record, plain, said

_MEANINGS = {
    "groups": "who fails the filter is provisioned all the same",
    "inputFilterGroups": "who fails the filter is read, and provisioned, all the same",
    "categoryFilterGroups": "who fails the filter is provisioned by this mapping all the same",
}


def tell_scope(mapping: Record) -> None:
    """Notes each clause of the scope with what it says. Clauses of a group are ANDed, groups are ORed."""
    scope = mapping.record("scope")
    if scope is None:
        return
    for kind, meaning in _MEANINGS.items():
        for group in scope.records(kind):
            _tell_group(group, meaning)
    scope.tell_rest()


def _tell_group(group: Record, meaning: str) -> None:
    name = group.text("name")
    group.label = f"filter {said(name)}" if name else "filter"
    clauses = group.records("clauses")
    for clause in clauses:
        clause.label = group.label
        _tell_clause(clause, meaning)
    if name and not clauses:
        group.tell("it has no clauses")
    group.tell_rest()


def _tell_clause(clause: Record, meaning: str) -> None:
    attribute, operator = clause.text("sourceOperandName"), clause.text("operatorName")
    operand = clause.record("targetOperand")
    values = None if operand is None else operand.take("values")
    what = " ".join(part for part in (attribute, operator) if part) or "a clause that names nothing"
    what = plain(what) + (f" {said(values)}" if values else "")
    clause.tell(f"{what}: scoping filters are no part of the API yet, so this is not carried over: {meaning}")
    clause.tell_rest()
    if operand is not None:
        operand.label = clause.label
        operand.tell_rest()
