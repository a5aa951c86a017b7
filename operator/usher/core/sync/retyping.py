"""A mapping under another schema than the one it was compiled with: the target's own, once it is known."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from usher.core.errors import CycleError, ResourceError
from usher.core.model.resources import AttributePath
from usher.core.scim.schemas import AttributeDefinition, AttributeType, Mutability, TargetSchema, convert
from usher.core.sync.flows import Constant
from usher.core.sync.rules import Apply, AttributeRule, CompiledMapping, OnNull

MAPPING_INVALID: Final = "MappingInvalid"
MAX_SHOWN: Final = 5


class _Unfit(Exception):
    """A rule that the target's schema does not let be: its field, and why."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(problem)
        self.field = field


def retype(mapping: CompiledMapping, schema: TargetSchema) -> CompiledMapping:
    """The mapping with types, comparisons, constants and defaults as this schema has them.

    Raises CycleError `MappingInvalid`, naming each line that can't be so at this target: a constant or default that
    does not fit its type, an attribute that is read-only, or one that has sub-attributes.
    """
    rules: list[AttributeRule] = []
    problems: list[str] = []
    for rule in mapping.rules:
        try:
            rules.append(_retype_rule(rule, schema))
        except _Unfit as unfit:
            place = f"{rule.place}.{unfit.field}" if rule.place else rule.target
            problems.append(f"{place}: {unfit}")
    if problems:
        raise CycleError("; ".join(problems[:MAX_SHOWN]), reason=MAPPING_INVALID)
    return replace(mapping, rules=tuple(rules))


def _retype_rule(rule: AttributeRule, schema: TargetSchema) -> AttributeRule:
    definition = schema.definition(rule.target)
    if (problem := why_not_mapped(rule.target, definition)) is not None:
        raise _Unfit("target", problem)
    flow, default = rule.flow, rule.default
    if isinstance(flow, Constant):
        flow = _convert_again(flow, definition, "constant")
    if default is not None:
        default = _convert_again(default, definition, "default")
    for field, problem in why_not_flowing(rule, definition):
        raise _Unfit(field, problem)
    return replace(rule, definition=definition, flow=flow, default=default)


def _convert_again(constant: Constant, definition: AttributeDefinition | None, field: str) -> Constant:
    try:
        return Constant(constant.text, convert(definition, constant.text))
    except ResourceError as error:
        raise _Unfit(field, error.message) from error


def why_not_mapped(target: AttributePath, definition: AttributeDefinition | None) -> str | None:
    """Why no mapping may write an attribute that is defined like this, None where it may."""
    if definition is None:
        return None
    if definition.mutability is Mutability.READ_ONLY:
        return f"{target} is read-only at the target: map another attribute"
    if definition.type is AttributeType.COMPLEX and definition.element is None:
        example = 'such as name.givenName or emails[type eq "work"].value'
        return f"{target} has sub-attributes: map one of them, {example}"
    return None


def why_not_flowing(rule: AttributeRule, definition: AttributeDefinition | None) -> Iterator[tuple[str, str]]:
    """What of a rule's flow can't be with an attribute that is defined like this: the field, and why."""
    if definition is None:
        return
    if rule.apply is Apply.ADD_VALUES_ONLY and not definition.multi_valued:
        yield "apply", f"{rule.target} has one value, and AddValuesOnly is for several: use Always or OnCreate"
    if rule.on_null is OnNull.CLEAR and definition.required:
        yield "onNull", f"{rule.target} is required at the target, so it can't be cleared: give it a default instead"
