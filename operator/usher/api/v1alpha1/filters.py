"""Scoping filters: whom a mapping means, and whom a connector does."""

from __future__ import annotations

from typing import ClassVar, Final, Literal

from pydantic import Field

from usher.api.v1alpha1.rules import Rule, Strict

MAX_TEXT: Final = 4096
MAX_FILTERS: Final = 20
MAX_CLAUSES: Final = 20
_ASKS_NOTHING: Final = frozenset({"IsTrue", "IsFalse", "IsNull", "IsNotNull"})


class ScopeClause(Strict):
    """One question about one attribute of a person."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "(self.operator in ['IsTrue', 'IsFalse', 'IsNull', 'IsNotNull']) != has(self.value)",
            "value is what the operator compares with: IsTrue, IsFalse, IsNull and IsNotNull have none, all others need"
            " one",
            lambda clause: (clause.operator in _ASKS_NOTHING) is (clause.value is None),
        ),
    )

    attribute: str = Field(min_length=1, max_length=256, description="Attribute of the source.")
    operator: Literal[
        "Equals",
        "NotEquals",
        "Includes",
        "EndsWith",
        "GreaterThan",
        "GreaterThanOrEquals",
        "IsTrue",
        "IsFalse",
        "IsNull",
        "IsNotNull",
        "RegexMatch",
        "NotRegexMatch",
        "ExistsIn",
        "NotExistsIn",
    ] = Field(
        description=(
            "What is asked of the value. Upper and lower case count. A value that is null or empty answers nothing but"
            " IsNull; of several values all have to. A regular expression matches the whole value. ExistsIn: the"
            " attribute's value is a part of this text."
        )
    )
    value: str | None = Field(
        default=None, min_length=1, max_length=MAX_TEXT, description="What the attribute's value is compared with."
    )


class ScopeFilter(Strict):
    """Questions that all have to be answered with yes."""

    name: str | None = Field(default=None, min_length=1, max_length=128, description="What people call the filter.")
    clauses: tuple[ScopeClause, ...] = Field(
        min_length=1, max_length=MAX_CLAUSES, description="All of them have to hold."
    )
