"""From a source resource to what the mapping wants at the target.

A mapping is always evaluated on the whole current resource, never on what changed of it. Null never erases: an
attribute whose value is null is left out of the desired values, and stays at the target as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final, TypeAlias

from usher.core.errors import ResourceError
from usher.core.expressions.compile import Compiled
from usher.core.model.plans import Criterion, Desired, MatchKey
from usher.core.model.resources import AttributePath, Json, SourceId, SourceResource, Value
from usher.core.scim.patches import element_path
from usher.core.scim.schemas import AttributeDefinition, convert, fold, takes_any_text
from usher.core.scim.values import Reader, reader
from usher.core.sync.fingerprints import fingerprint

SOFT_DELETED: Final = "IsSoftDeleted"
ACCOUNT_ENABLED: Final = "accountEnabled"
TELLS_WHO_IS_ACTIVE: Final = frozenset({ACCOUNT_ENABLED, SOFT_DELETED})
"""The source attributes that say that somebody's account is disabled."""


@dataclass(frozen=True, slots=True)
class Direct:
    """The value of one source attribute."""

    source: str


@dataclass(frozen=True, slots=True)
class Constant:
    """The same value for everybody: `text` is what the mapping says, `value` the same, typed by the target's schema."""

    text: str
    value: Json


@dataclass(frozen=True, slots=True)
class Computed:
    """The value of an expression."""

    expression: Compiled


@dataclass(frozen=True, slots=True)
class Untouched:
    """The target's own; only its default fills an empty value."""


Flow: TypeAlias = Direct | Constant | Computed | Untouched


@dataclass(frozen=True, slots=True)
class AttributeRule:
    """One line of a mapping. `precedence` is set on matching attributes.

    `place` says where it stands, `AttributeMapping/people spec.attributes[3]`, and is empty where it stands nowhere.
    """

    target: AttributePath
    flow: Flow
    definition: AttributeDefinition | None
    default: Constant | None = None
    precedence: int | None = None
    place: str = ""


@dataclass(frozen=True)
class CompiledMapping:
    """A mapping ready to run. `disable_path` is the target's attribute whose False disables an account, or None."""

    rules: tuple[AttributeRule, ...]
    disable_path: AttributePath | None
    digest: str

    @cached_property
    def matching(self) -> tuple[AttributeRule, ...]:
        """The matching attributes, lowest precedence first."""
        return tuple(sorted((r for r in self.rules if r.precedence is not None), key=lambda r: r.precedence or 0))

    @cached_property
    def evaluations(self) -> tuple[tuple[AttributeRule, Callable[[Mapping[str, Value]], Json]], ...]:
        """Each rule with what gives its typed value for one person, None for null; that raises ResourceError."""
        return tuple((rule, _evaluation(rule)) for rule in self.rules)

    @cached_property
    def readers(self) -> tuple[tuple[AttributePath, Reader], ...]:
        """Each of `paths` with what reads its value in a resource of the target."""
        return tuple((path, reader(path)) for path in self.paths)

    @cached_property
    def disabling(self) -> AttributeRule | None:
        """The rule that writes the target's disable attribute, if the mapping has one."""
        return next((r for r in self.rules if r.target == self.disable_path), None)

    @cached_property
    def paths(self) -> frozenset[AttributePath]:
        """Every path whose value at the target matters.

        The mapped ones, the elements that they are in, the disable attribute.
        """
        paths = {rule.target for rule in self.rules} | ({self.disable_path} if self.disable_path else set())
        elements = {element for path in paths if (element := element_path(path)) is not None}
        return frozenset(paths | elements)

    @cached_property
    def schema(self) -> str:
        """A digest of how the values of the mapped paths are typed and compared.

        Under another one everybody has to be looked at again, though neither mapping nor people have changed.
        """
        return fingerprint((sorted((r.target, *_typing_of(r.definition)) for r in self.rules),)).hex()

    @cached_property
    def definitions(self) -> Mapping[AttributePath, AttributeDefinition | None]:
        """The schema's word on each mapped path."""
        return {r.target: r.definition for r in self.rules}


def _typing_of(definition: AttributeDefinition | None) -> tuple[str, bool, bool]:
    if definition is None:
        return "", False, False
    return definition.type.value, definition.case_exact, definition.multi_valued


def is_active(resource: SourceResource) -> bool:
    """A person is active unless the source says that the account is disabled or soft-deleted."""
    return resource.attributes.get(ACCOUNT_ENABLED) is not False and resource.attributes.get(SOFT_DELETED) is not True


def map_resource(mapping: CompiledMapping, resource: SourceResource) -> Desired:
    """What the mapping wants for this person. Raises ResourceError where an expression or a conversion fails.

    For somebody who is not active, by the source's word or by the value that the mapping gives the disable attribute,
    only that attribute is wanted: whatever else is wrong with the record must not stand in the way of a disable.
    """
    if not is_active(resource):
        return map_departed(mapping, resource.id)
    attributes = {**resource.attributes, SOFT_DELETED: False}
    values: dict[AttributePath, Json] = {}
    on_create: dict[AttributePath, Json] = {}
    fill_empty: dict[AttributePath, Json] = {}
    for rule, evaluate in mapping.evaluations:
        value = evaluate(attributes)
        if value is not None:
            values[rule.target] = value
        elif rule.default is not None:
            (fill_empty if isinstance(rule.flow, Untouched) else on_create)[rule.target] = rule.default.value
    if mapping.disable_path is not None and values.get(mapping.disable_path) is False:
        return map_departed(mapping, resource.id)
    return Desired(
        source_id=resource.id,
        values=values,
        on_create=on_create,
        fill_empty=fill_empty,
        keys=_match_keys(mapping, values),
        fingerprint=fingerprint((values, fill_empty, mapping.schema)),
        active=True,
    )


def map_departed(mapping: CompiledMapping, source_id: SourceId) -> Desired:
    """What is wanted for somebody who is disabled at the source, or gone from it: a disabled account, nothing else."""
    values: dict[AttributePath, Json] = {} if mapping.disable_path is None else {mapping.disable_path: False}
    return Desired(
        source_id=source_id,
        values=values,
        on_create={},
        fill_empty={},
        keys=(),
        fingerprint=fingerprint(values),
        active=False,
    )


def yields_active_account(mapping: CompiledMapping) -> bool:
    """Whether the mapping keeps the account of a soft-deleted person active: such a mapping is refused.

    It is asked with an enabled account (`accountEnabled` true, `IsSoftDeleted` true), as somebody who lost the access
    to the app, but not the job, would be. A mapping without the disable attribute, or one that yields nothing, is fine:
    then a plain False is sent.
    """
    rule = mapping.disabling
    if rule is None:
        return False
    try:
        return _evaluation(rule)({SOFT_DELETED: True, ACCOUNT_ENABLED: True}) is True
    except ResourceError:
        return False


def disables_everybody(mapping: CompiledMapping) -> bool:
    """Whether the disable attribute is False for a person in good standing, whoever it is: such a mapping is refused.

    It can be said only of a constant, and of an expression that asks nothing but whether the person is active.
    """
    rule = mapping.disabling
    if rule is None or isinstance(rule.flow, Direct):
        return False
    if isinstance(rule.flow, Computed) and not rule.flow.expression.attributes <= TELLS_WHO_IS_ACTIVE:
        return False
    try:
        return _evaluation(rule)({SOFT_DELETED: False, ACCOUNT_ENABLED: True}) is False
    except ResourceError:
        return False


def _evaluation(rule: AttributeRule) -> Callable[[Mapping[str, Value]], Json]:
    match rule.flow:
        case Direct(source=name):
            return _direct(name, rule.definition)
        case Computed(expression=expression):
            return _computed(expression, rule.definition)
        case Constant(value=constant):
            return lambda _: constant
        case Untouched():
            return lambda _: None


def _direct(name: str, definition: AttributeDefinition | None) -> Callable[[Mapping[str, Value]], Json]:
    takes_texts = takes_any_text(definition)

    def evaluate(attributes: Mapping[str, Value]) -> Json:
        value = attributes.get(name)
        if value is None or (takes_texts and isinstance(value, str)):
            return value
        return convert(definition, value)

    return evaluate


def _computed(expression: Compiled, definition: AttributeDefinition | None) -> Callable[[Mapping[str, Value]], Json]:
    def evaluate(attributes: Mapping[str, Value]) -> Json:
        value = expression.evaluate(attributes)
        return None if value is None else convert(definition, value)

    return evaluate


def _match_keys(mapping: CompiledMapping, values: Mapping[AttributePath, Json]) -> tuple[MatchKey, ...]:
    keys = []
    for rule in mapping.matching:
        value = values.get(rule.target)
        if rule.precedence is None or not isinstance(value, str | bool | int | float) or value == "":
            continue
        keys.append(
            MatchKey(
                precedence=rule.precedence,
                conjunction=(Criterion(rule.target, value),),
                claim=f"{rule.target}={fold(rule.definition, value)}",
            )
        )
    return tuple(keys)
