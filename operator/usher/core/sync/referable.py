"""What a mapping may say of an attribute that holds other accounts: where they come from, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from usher.core.model.resources import AttributePath
from usher.core.scim.paths import parse_path
from usher.core.scim.references import is_reference
from usher.core.scim.schemas import TargetSchema
from usher.core.sync.flows import Computed, Constant, Unique, Untouched
from usher.core.sync.rules import Apply, AttributeRule

_BY_SOURCE: Final = "name the source attribute that has their ids at the source, such as source:"


def why_not_referring(rule: AttributeRule, schema: TargetSchema) -> Iterator[tuple[str, str]]:
    """What of a rule can't be with a reference of this schema: the field, and why. Of other attributes, nothing.

    A part of a reference that holds one account is an attribute as any other: some apps want a user name there.
    """
    whole = _whole_of(rule.target, schema)
    if whole is not None:
        yield "target", f"{whole} holds other accounts: map it as a whole, {_BY_SOURCE} {_usual(whole)}"
    if is_reference(schema, rule.target):
        yield from _of_reference(rule)


def _of_reference(rule: AttributeRule) -> Iterator[tuple[str, str]]:
    match rule.flow:
        case Computed() | Unique():
            yield "expression", f"{rule.target} holds other accounts: {_BY_SOURCE} {_usual(rule.target)}"
        case Constant():
            yield "constant", f"{rule.target} holds other accounts: {_BY_SOURCE} {_usual(rule.target)}"
        case Untouched():
            yield "none", f"{rule.target} holds other accounts, and is left alone by leaving out the line"
        case _:
            yield from _of_source(rule)


def _of_source(rule: AttributeRule) -> Iterator[tuple[str, str]]:
    if rule.default is not None:
        yield "default", f"{rule.target} holds other accounts, for which no text can stand: leave it out"
    if rule.precedence is not None:
        yield "match", f"{rule.target} holds other accounts: nothing is found by it"
    if rule.asked is Apply.ON_CREATE:
        problem = f"{rule.target} is given after the creation, when the other account is there too: leave out apply"
        yield "apply", problem


def _whole_of(path: AttributePath, schema: TargetSchema) -> AttributePath | None:
    """The reference of which the path names a part, where that can hold several accounts."""
    parsed = parse_path(path)
    whole = AttributePath(parsed.attribute_text)
    if parsed.sub is None and parsed.filter is None:
        return None
    several = schema.attributes.get(whole.lower())
    return whole if several is not None and several.multi_valued and is_reference(schema, whole) else None


def _usual(path: AttributePath) -> str:
    return parse_path(path).attribute
