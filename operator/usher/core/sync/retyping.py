"""A mapping under another schema than the one it was compiled with: the target's own, once it is known."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from usher.core.errors import ResourceError
from usher.core.model.resources import AttributePath
from usher.core.scim.references import is_reference
from usher.core.scim.schemas import AttributeDefinition, AttributeType, Mutability, TargetSchema, convert
from usher.core.sync.flaws import Flaw
from usher.core.sync.flows import Constant, Direct, Flow, Refers
from usher.core.sync.referable import why_not_referring
from usher.core.sync.rules import Apply, AttributeRule, CompiledMapping, OnNull


@dataclass(frozen=True, slots=True)
class Retyped:
    """The mapping with the types of a schema. A rule that the schema does not let be is as before, and is a flaw."""

    mapping: CompiledMapping
    flaws: tuple[Flaw, ...]


class _Unfit(Exception):
    """A rule that the target's schema does not let be: its field, and why."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(problem)
        self.field = field


def retype(mapping: CompiledMapping, schema: TargetSchema) -> Retyped:
    """The mapping with types, comparisons, constants and defaults as this schema has them.

    A flaw is a constant or default that does not fit its type, an attribute that is read-only, and one that has
    sub-attributes.
    """
    rules: list[AttributeRule] = []
    flaws: list[Flaw] = []
    for rule in mapping.rules:
        try:
            rules.append(_retype_rule(rule, schema))
        except _Unfit as unfit:
            rules.append(rule)
            flaws.append(Flaw(place_of(rule, unfit.field), str(unfit)))
    untouchable = mapping.untouchable.typed(schema, mapping.resource_type)
    return Retyped(replace(mapping, rules=tuple(rules), untouchable=untouchable), tuple(flaws))


def place_of(rule: AttributeRule, field: str) -> str:
    """Where a field of the rule stands; of a rule that stands nowhere, its target."""
    return f"{rule.place}.{field}" if rule.place else rule.target


def _retype_rule(rule: AttributeRule, schema: TargetSchema) -> AttributeRule:
    definition = schema.definition(rule.target)
    flow, default = as_reference(rule.flow, rule.target, schema), rule.default
    for field, wrong in why_not_referring(replace(rule, flow=flow), schema):
        raise _Unfit(field, wrong)
    if not isinstance(flow, Refers) and (problem := why_not_mapped(rule.target, definition)) is not None:
        raise _Unfit("target", problem)
    if isinstance(flow, Constant):
        flow = _convert_again(flow, definition, "constant")
    if default is not None:
        default = _convert_again(default, definition, "default")
    retyped = replace(rule, definition=definition, flow=flow, default=default)
    for field, problem in why_not_flowing(retyped, definition):
        raise _Unfit(field, problem)
    return retyped


def _convert_again(constant: Constant, definition: AttributeDefinition | None, field: str) -> Constant:
    try:
        return Constant(constant.text, convert(definition, constant.text))
    except ResourceError as error:
        raise _Unfit(field, error.message) from error


def as_reference(flow: Flow, target: AttributePath, schema: TargetSchema) -> Flow:
    """The flow, which is a reference where a source attribute is copied into an attribute that holds resources."""
    return Refers(flow.source) if isinstance(flow, Direct) and is_reference(schema, target) else flow


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
