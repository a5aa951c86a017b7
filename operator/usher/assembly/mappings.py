"""From an AttributeMapping to the compiled one, and to all that is wrong with it by itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from usher.api.v1alpha1.mappings import AttributeMappingSpec
from usher.api.v1alpha1.mappings import AttributeRule as RuleSpec
from usher.assembly.ends import SpecErrors
from usher.assembly.filters import Place, compile_filters
from usher.core.errors import ResourceError, SpecError
from usher.core.expressions.compile import UNIQUE, Compiled, compile_expression
from usher.core.expressions.errors import ExpressionError
from usher.core.expressions.outcomes import DROPS_EMPTY
from usher.core.expressions.signatures import Surroundings
from usher.core.model.resources import AttributePath, ResourceType
from usher.core.scim.paths import PathError, parse_path
from usher.core.scim.references import is_reference
from usher.core.scim.schemas import USER_SCHEMA, AttributeDefinition, TargetSchema, convert, core_schema
from usher.core.sync.fingerprints import fingerprint
from usher.core.sync.fitting import why_not_again
from usher.core.sync.flaws import MAPPING_INVALID
from usher.core.sync.flows import Computed, Constant, Direct, Flow, Refers, Unique, Untouched, ignores_null
from usher.core.sync.leaving import Writes
from usher.core.sync.mapping import disables_everybody, yields_active_account
from usher.core.sync.referable import why_not_referring
from usher.core.sync.retyping import as_reference, why_not_flowing, why_not_mapped
from usher.core.sync.rules import Apply, AttributeRule, CompiledMapping, OnDrift, OnNull
from usher.core.sync.scoping import Scope

_DISABLE_PATH: Final = AttributePath("active")
_GRANTS: Final = frozenset({"roles", "entitlements", "members"})
"""What somebody may do is taken away with what gave it, unless the mapping says otherwise."""
_ROLES: Final = "appRoleAssignments"


def compile_mapping(name: str, spec: AttributeMappingSpec, surroundings: Surroundings) -> CompiledMapping:
    """The mapping, compiled once. Raises SpecErrors with every finding that needs neither source nor target."""
    errors: list[SpecError] = []
    rules: list[AttributeRule] = []
    subject, resource_type = f"AttributeMapping/{name}", ResourceType(spec.resource_type)
    for index, rule in enumerate(spec.attributes):
        on_drift = OnDrift(rule.on_drift or spec.on_drift)
        line = _Line(rule, subject, f"spec.attributes[{index}]", surroundings, resource_type, on_drift)
        try:
            rules.append(line.compile())
        except SpecError as error:
            errors.append(error)
    errors.extend(_overlaps(subject, rules))
    errors.extend(_group_errors(subject, spec))
    filters = compile_filters(spec.scope_filters, Place(subject, "spec.scopeFilters", MAPPING_INVALID), errors)
    if errors:
        raise SpecErrors(errors)
    document = spec.model_dump(mode="json", by_alias=True, exclude_none=True, exclude={"enabled"})
    digest = fingerprint((document,)).hex()
    groups = tuple((g.precedence, tuple(map(AttributePath, g.targets))) for g in spec.match_groups)
    disable = _DISABLE_PATH if resource_type is ResourceType.USER else None
    writes = frozenset(Writes) if spec.actions is None else frozenset(map(Writes, spec.actions))
    mapping = CompiledMapping(tuple(rules), disable, digest, groups, b"", Scope(filters), resource_type, writes)
    if yields_active_account(mapping):
        raise _wrong_disable(name, spec, "this keeps the account of somebody who left active")
    if disables_everybody(mapping):
        raise _wrong_disable(name, spec, "this disables everybody, whether they left or not")
    return mapping


def _overlaps(subject: str, rules: Sequence[AttributeRule]) -> Iterator[SpecError]:
    """Lines that write one place: in another spelling, or the whole of an attribute and a part of it."""
    places: dict[tuple[str, str], AttributeRule] = {}
    wholes: dict[str, AttributeRule] = {}
    parts: dict[str, AttributeRule] = {}
    for rule in rules:
        parsed = parse_path(rule.target)
        place, container = (parsed.element, (parsed.sub or "").lower()), parsed.attribute_text.lower()
        whole = parsed.filter is None and parsed.sub is None
        other = places.get(place) or wholes.get(container) or (parts.get(container) if whole else None)
        places.setdefault(place, rule)
        (wholes if whole else parts).setdefault(container, rule)
        if other is not None:
            problem = f"{rule.target} and {other.target} write the same attribute: keep one of the lines"
            path = f"{rule.place.removeprefix(subject).strip()}.target"
            yield SpecError(problem, subject=subject, path=path, reason=MAPPING_INVALID)


def _group_errors(subject: str, spec: AttributeMappingSpec) -> Iterator[SpecError]:
    mapped = {rule.target: rule for rule in spec.attributes}
    for index, group in enumerate(spec.match_groups):
        for place, target in enumerate(group.targets):
            rule = mapped.get(target)
            if rule is None or rule.none is not None:
                problem = f"{target} is not mapped: give it a line in spec.attributes, spelled the same"
            elif group.targets.index(target) != place:
                problem = f"{target} stands here twice"
            else:
                continue
            path = f"spec.matchGroups[{index}].targets[{place}]"
            yield SpecError(problem, subject=subject, path=path, reason=MAPPING_INVALID)


def _wrong_disable(name: str, spec: AttributeMappingSpec, what: str) -> SpecErrors:
    index = next(i for i, rule in enumerate(spec.attributes) if rule.target == _DISABLE_PATH)
    problem = (
        f"{what}. Use "
        '\'Switch([IsSoftDeleted], , "False", "True", "True", "False")\', or leave the attribute out: '
        "then a leaver's account is disabled all the same"
    )
    path = f"spec.attributes[{index}]"
    return SpecErrors([SpecError(problem, subject=f"AttributeMapping/{name}", path=path, reason=MAPPING_INVALID)])


@dataclass(frozen=True, slots=True)
class _Line:
    """One line of a mapping, with where it stands."""

    rule: RuleSpec
    subject: str
    path: str
    surroundings: Surroundings
    resource_type: ResourceType
    on_drift: OnDrift

    @property
    def _schema(self) -> TargetSchema:
        return core_schema(self.resource_type)

    def compile(self) -> AttributeRule:
        """Raises SpecError."""
        rule = self.rule
        target, definition = AttributePath(rule.target), self._definition()
        typing = None if is_reference(self._schema, target) else definition
        flow = as_reference(self._flow(typing), target, self._schema)
        default = None if rule.default is None else self._typed(typing, rule.default, "default")
        compiled = AttributeRule(
            target=target,
            flow=flow,
            definition=definition,
            default=default,
            precedence=rule.match,
            place=f"{self.subject} {self.path}",
            asked=None if rule.apply is None else Apply(rule.apply),
            on_null=self._on_null(flow, definition),
            on_drift=self.on_drift,
        )
        wrong = why_not_referring(compiled, self._schema)
        for field, problem in (*wrong, *why_not_flowing(compiled, definition), *why_not_again(compiled)):
            raise self._error(problem, field)
        return compiled

    def _error(self, problem: str, field: str) -> SpecError:
        return SpecError(problem, subject=self.subject, path=f"{self.path}.{field}", reason=MAPPING_INVALID)

    def _definition(self) -> AttributeDefinition | None:
        target = AttributePath(self.rule.target)
        try:
            parsed = parse_path(target)
        except PathError as error:
            raise self._error(error.problem, "target") from error
        if self.resource_type is ResourceType.GROUP:
            self._refuse_of_users(target)
        if parsed.schema_key == _DISABLE_PATH and target != _DISABLE_PATH:  # budgets know a disable by this path
            raise self._error(
                f"{target} is {_DISABLE_PATH}, the attribute that disables accounts: write it so", "target"
            )
        definition = self._schema.definition(target)
        if is_reference(self._schema, target):
            return definition
        if (problem := why_not_mapped(target, definition)) is not None:
            raise self._error(problem, "target")
        return definition

    def _refuse_of_users(self, target: AttributePath) -> None:
        if parse_path(target).schema_key == _DISABLE_PATH:
            raise self._error(f"no group has {_DISABLE_PATH}, and none can be disabled: leave out the line", "target")
        if USER_SCHEMA.known(target) and not self._schema.known(target):
            known = "a group has displayName, externalId, members, and what the app adds"
            raise self._error(f"{target} is an attribute of users: {known}", "target")

    def _flow(self, definition: AttributeDefinition | None) -> Flow:
        rule = self.rule
        if rule.source is not None:
            return Direct(rule.source)
        if rule.constant is not None:
            return self._typed(definition, rule.constant, "constant")
        if rule.expression is None:
            return Untouched()
        try:
            expression = compile_expression(rule.expression, self.surroundings)
        except ExpressionError as error:
            raise error.located(self.subject, f"{self.path}.expression") from error
        return Computed(expression) if expression.root.name != UNIQUE else self._unique(expression)

    def _unique(self, expression: Compiled) -> Unique:
        if self.rule.match is not None:
            raise self._error(f"{UNIQUE} can't give a matching attribute: nobody would ever be found by it", "match")
        if self.rule.apply not in (None, "OnCreate"):
            raise self._error(f"{UNIQUE} gives a value on creation only: leave out apply", "apply")
        return Unique(expression)

    def _on_null(self, flow: Flow, definition: AttributeDefinition | None) -> OnNull:
        """What grants something is cleared unless the mapping says Keep; what is ignored when null never is."""
        rule, ignores = self.rule, ignores_null(flow)
        if ignores and rule.on_null == "Clear":
            problem = f"{DROPS_EMPTY} leaves the attribute alone when there is no value: remove it, or onNull"
            raise self._error(problem, "onNull")
        if rule.on_null is not None:
            return OnNull(rule.on_null)
        if isinstance(flow, Refers):
            clears = rule.apply in (None, "Always") and definition is not None and definition.multi_valued
            return OnNull.CLEAR if clears else OnNull.KEEP
        if ignores or rule.apply not in (None, "Always") or not isinstance(flow, Direct | Computed):
            return OnNull.KEEP
        attribute = parse_path(AttributePath(rule.target)).attribute.lower()
        reads = {flow.source} if isinstance(flow, Direct) else flow.expression.attributes
        return OnNull.CLEAR if attribute in _GRANTS or _ROLES in reads else OnNull.KEEP

    def _typed(self, definition: AttributeDefinition | None, text: str, field: str) -> Constant:
        try:
            return Constant(text, convert(definition, text))
        except ResourceError as error:
            raise self._error(error.message, field) from error
