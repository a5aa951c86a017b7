"""From a source resource to what the mapping wants at the target.

A mapping is always evaluated on the whole current resource, never on what changed of it. Null does not erase, unless
the mapping says so (`onNull: Clear`): otherwise the attribute stays at the target as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from usher.core.errors import ResourceError
from usher.core.expressions.compile import Compiled
from usher.core.model.plans import NOTHING_BESIDES, Besides, Desired, MatchKey
from usher.core.model.resources import AttributePath, Fingerprint, Json, SourceId, SourceResource, Value
from usher.core.scim.schemas import AttributeDefinition, convert
from usher.core.sync.fingerprints import fingerprint
from usher.core.sync.flows import Computed, Direct, Refers, Unique, Untouched, evaluation, ignores_null
from usher.core.sync.leaving import OUT_OF_SCOPE, SOURCE_DISABLED
from usher.core.sync.rules import Apply, AttributeRule, CompiledMapping, OnNull

SOFT_DELETED: Final = "IsSoftDeleted"
ACCOUNT_ENABLED: Final = "accountEnabled"
TELLS_WHO_IS_ACTIVE: Final = frozenset({ACCOUNT_ENABLED, SOFT_DELETED})
"""The source attributes that say that somebody's account is disabled."""
TWO_PRIMARIES: Final = "SchemaPropertyCanOnlyAcceptValue"


def is_active(resource: SourceResource) -> bool:
    """A person is active unless the source says that the account is disabled or soft-deleted."""
    return resource.attributes.get(ACCOUNT_ENABLED) is not False and resource.attributes.get(SOFT_DELETED) is not True


class _Special:
    """What comes of the rules that say more than where a value comes from, for one person."""

    __slots__ = ("choices", "cleared", "fill_empty", "found", "on_create", "values", "withheld")

    def __init__(self) -> None:
        self.found: dict[AttributePath, Json] = {}
        self.values: dict[AttributePath, Json] = {}
        self.on_create: dict[AttributePath, Json] = {}
        self.fill_empty: dict[AttributePath, Json] = {}
        self.withheld: dict[AttributePath, Json] = {}
        self.choices: dict[AttributePath, tuple[Json, ...]] = {}
        self.cleared: list[AttributePath] = []

    def lack(self, rule: AttributeRule) -> None:
        """The source gives no value."""
        if rule.on_null is OnNull.CLEAR:
            self.cleared.append(rule.target)
        if rule.default is None or ignores_null(rule.flow):
            return
        if isinstance(rule.flow, Untouched):
            self.fill_empty[rule.target] = rule.default.value
        elif rule.withheld:
            self.withheld[rule.target] = rule.default.value
        else:
            self.on_create[rule.target] = rule.default.value

    def want(self, rule: AttributeRule, value: Json) -> None:
        """The source gives this value."""
        self.found[rule.target] = value
        if rule.withheld:
            self.withheld[rule.target] = value
        elif rule.apply is Apply.ON_CREATE:
            self.on_create[rule.target] = value
        else:
            self.values[rule.target] = value

    def besides(self, mapping: CompiledMapping) -> Besides:
        """All of it but the values that are always written."""
        seals = {path: mapping.seal(value) for path, value in self.withheld.items() if path in mapping.kept_up}
        return Besides(self.on_create, self.fill_empty, self.choices, tuple(self.cleared), self.withheld, seals)


def map_resource(mapping: CompiledMapping, resource: SourceResource) -> Desired:
    """What the mapping wants for this person. Raises ResourceError where an expression or a conversion fails.

    For somebody who is not active, by the source's word or by the value that the mapping gives the disable attribute,
    and for somebody whom no scoping filter admits, only that attribute is wanted: whatever else is wrong with the
    record must not stand in the way of a disable.
    """
    if not is_active(resource):
        return map_departed(mapping, resource.id, SOURCE_DISABLED)
    if not mapping.scope.admits(resource.attributes):
        return map_departed(mapping, resource.id, OUT_OF_SCOPE)
    attributes = {**resource.attributes, SOFT_DELETED: False}
    values = _map_plain(mapping, attributes)
    found, besides = values, NOTHING_BESIDES
    if mapping.special:
        special = _map_special(mapping, attributes)
        found, besides = {**values, **special.found}, special.besides(mapping)
        values.update(special.values)
    if mapping.disable_path is not None and found.get(mapping.disable_path) is False:
        return map_departed(mapping, resource.id, SOURCE_DISABLED)
    if mapping.primaries:
        _refuse_two_primaries(mapping, found)
    keys = tuple([key for rule in mapping.matching if (key := rule.key(found)) is not None])
    print_ = _fingerprint(mapping, values, besides)
    return Desired(resource.id, values, keys, print_, active=True, besides=besides)


def _map_plain(mapping: CompiledMapping, attributes: Mapping[str, Value]) -> dict[AttributePath, Json]:
    values: dict[AttributePath, Json] = {}
    for path, name, evaluate in mapping.copies:
        text = attributes.get(name)
        if isinstance(text, str):
            values[path] = text
        elif text is not None and (value := evaluate(attributes)) is not None:
            values[path] = value
    for path, evaluate in mapping.plain:
        value = evaluate(attributes)
        if value is not None:
            values[path] = value
    return values


def _fingerprint(mapping: CompiledMapping, values: Mapping[AttributePath, Json], besides: Besides) -> Fingerprint:
    """Of all that is kept up: what only a create sends plays no part."""
    if besides is NOTHING_BESIDES:
        return fingerprint((values, mapping.schema))
    return fingerprint((values, besides.fill_empty, besides.cleared, besides.seals, mapping.schema))


def _map_special(mapping: CompiledMapping, attributes: Mapping[str, Value]) -> _Special:
    special = _Special()
    for rule, evaluate in mapping.special:
        if isinstance(rule.flow, Unique):
            choices = _choices(rule.flow.expression, rule.definition, attributes)
            if choices:
                special.choices[rule.target] = choices
                continue
        value = evaluate(attributes)
        if value is None:
            special.lack(rule)
        else:
            special.want(rule, value)
    return special


def _choices(
    expression: Compiled, definition: AttributeDefinition | None, attributes: Mapping[str, Value]
) -> tuple[Json, ...]:
    return tuple(convert(definition, value) for value in expression.candidates(attributes))


def _refuse_two_primaries(mapping: CompiledMapping, found: Mapping[AttributePath, Json]) -> None:
    """Of the values of one attribute at most one is the primary one (RFC 7643 2.4)."""
    for paths in mapping.primaries:
        if sum(found.get(path) is True for path in paths) > 1:
            raise ResourceError(f"more than one of {', '.join(paths)} would be true", reason=TWO_PRIMARIES)


class LineValue(NamedTuple):
    """What one line of a mapping gives somebody, for an explanation: of `choices` a create takes the first free one.

    `problem` says why the line has no value, empty where nothing went wrong.
    """

    rule: AttributeRule
    value: Json = None
    choices: tuple[Json, ...] = ()
    problem: str = ""


def attributes_for_lines(resource: SourceResource) -> dict[str, Value]:
    """What the lines see, for an explanation: of somebody who is not active, what they would give."""
    return {**resource.attributes, SOFT_DELETED: not is_active(resource)}


def explain_lines(mapping: CompiledMapping, resource: SourceResource) -> Iterator[LineValue]:
    """Each line by itself, but those that refer to others; what fails doesn't hide the lines behind it."""
    attributes = attributes_for_lines(resource)
    for rule in mapping.rules:
        if isinstance(rule.flow, Refers):
            continue
        try:
            choices = (
                _choices(rule.flow.expression, rule.definition, attributes) if isinstance(rule.flow, Unique) else ()
            )
            yield LineValue(rule, evaluation(rule.flow, rule.definition)(attributes), choices)
        except ResourceError as error:
            yield LineValue(rule, problem=error.detail or error.message)


def keys_of(mapping: CompiledMapping, resource: SourceResource) -> tuple[MatchKey, ...]:
    """By what the account of a person is found, whether or not the person shall have one.

    A matching attribute that can't be evaluated is as one without a value.
    """
    attributes = {**resource.attributes, SOFT_DELETED: False}
    wanted = {part.target for rule in mapping.matching for part in rule.parts}
    values: dict[AttributePath, Json] = {}
    for rule in mapping.rules:
        if rule.target in wanted:
            try:
                values[rule.target] = evaluation(rule.flow, rule.definition)(attributes)
            except ResourceError:
                continue
    return tuple([key for rule in mapping.matching if (key := rule.key(values)) is not None])


def map_departed(mapping: CompiledMapping, source_id: SourceId, cause: str) -> Desired:
    """What is wanted for somebody who has left, for that cause: a disabled account, nothing else."""
    values: dict[AttributePath, Json] = {} if mapping.disable_path is None else {mapping.disable_path: False}
    return Desired(
        source_id=source_id,
        values=values,
        keys=(),
        fingerprint=fingerprint(values),
        active=False,
        cause=cause,
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
        return evaluation(rule.flow, rule.definition)({SOFT_DELETED: True, ACCOUNT_ENABLED: True}) is True
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
        return evaluation(rule.flow, rule.definition)({SOFT_DELETED: False, ACCOUNT_ENABLED: True}) is False
    except ResourceError:
        return False
