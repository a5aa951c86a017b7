"""From an AttributeMapping to the compiled one, and to all that is wrong with it by itself."""

from __future__ import annotations

from usher.api.v1alpha1.mappings import AttributeMappingSpec
from usher.api.v1alpha1.mappings import AttributeRule as RuleSpec
from usher.assembly.ends import SpecErrors
from usher.core.errors import ResourceError, SpecError
from usher.core.expressions.compile import compile_expression
from usher.core.expressions.errors import ExpressionError
from usher.core.expressions.signatures import Surroundings
from usher.core.model.resources import AttributePath
from usher.core.scim.paths import PathError, parse_path
from usher.core.scim.schemas import USER_SCHEMA, AttributeDefinition, convert
from usher.core.sync.fingerprints import fingerprint
from usher.core.sync.mapping import (
    AttributeRule,
    CompiledMapping,
    Computed,
    Constant,
    Direct,
    Flow,
    Untouched,
    disables_everybody,
    yields_active_account,
)
from usher.core.sync.retyping import MAPPING_INVALID, why_not_mapped

_DISABLE_PATH = AttributePath("active")


def compile_mapping(name: str, spec: AttributeMappingSpec, surroundings: Surroundings) -> CompiledMapping:
    """The mapping, compiled once. Raises SpecErrors with every finding that needs neither source nor target."""
    errors: list[SpecError] = []
    rules: list[AttributeRule] = []
    for index, rule in enumerate(spec.attributes):
        try:
            rules.append(_compile_rule(rule, f"AttributeMapping/{name}", f"spec.attributes[{index}]", surroundings))
        except SpecError as error:
            errors.append(error)
    if errors:
        raise SpecErrors(errors)
    digest = fingerprint((spec.model_dump(mode="json", by_alias=True, exclude_none=True),)).hex()
    mapping = CompiledMapping(tuple(rules), _DISABLE_PATH, digest)
    if yields_active_account(mapping):
        raise _wrong_disable(name, spec, "this keeps the account of somebody who left active")
    if disables_everybody(mapping):
        raise _wrong_disable(name, spec, "this disables everybody, whether they left or not")
    return mapping


def _wrong_disable(name: str, spec: AttributeMappingSpec, what: str) -> SpecErrors:
    index = next(i for i, rule in enumerate(spec.attributes) if rule.target == _DISABLE_PATH)
    problem = (
        f"{what}. Use "
        '\'Switch([IsSoftDeleted], , "False", "True", "True", "False")\', or leave the attribute out: '
        "then a leaver's account is disabled all the same"
    )
    path = f"spec.attributes[{index}]"
    return SpecErrors([SpecError(problem, subject=f"AttributeMapping/{name}", path=path, reason=MAPPING_INVALID)])


def _compile_rule(rule: RuleSpec, subject: str, path: str, surroundings: Surroundings) -> AttributeRule:
    target = AttributePath(rule.target)
    definition = _definition_of(target, subject, path)
    default = rule.default
    return AttributeRule(
        target=target,
        flow=_flow_of(rule, definition, surroundings, subject, path),
        definition=definition,
        default=None if default is None else _typed(definition, default, subject, f"{path}.default"),
        precedence=rule.match,
        place=f"{subject} {path}",
    )


def _definition_of(target: AttributePath, subject: str, path: str) -> AttributeDefinition | None:
    try:
        parse_path(target)
    except PathError as error:
        raise SpecError(error.problem, subject=subject, path=f"{path}.target", reason=MAPPING_INVALID) from error
    definition = USER_SCHEMA.definition(target)
    if (problem := why_not_mapped(target, definition)) is not None:
        raise SpecError(problem, subject=subject, path=f"{path}.target", reason=MAPPING_INVALID)
    return definition


def _flow_of(
    rule: RuleSpec, definition: AttributeDefinition | None, surroundings: Surroundings, subject: str, path: str
) -> Flow:
    if rule.source is not None:
        return Direct(rule.source)
    if rule.constant is not None:
        return _typed(definition, rule.constant, subject, f"{path}.constant")
    if rule.expression is None:
        return Untouched()
    try:
        return Computed(compile_expression(rule.expression, surroundings))
    except ExpressionError as error:
        raise error.located(subject, f"{path}.expression") from error


def _typed(definition: AttributeDefinition | None, text: str, subject: str, path: str) -> Constant:
    try:
        return Constant(text, convert(definition, text))
    except ResourceError as error:
        raise SpecError(error.message, subject=subject, path=path, reason=MAPPING_INVALID) from error
