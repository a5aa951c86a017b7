"""The lines of a mapping, ready to run: where each value comes from, when it flows, and by which accounts are found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from hashlib import blake2b
from typing import Final, NamedTuple

import orjson

from usher.core.model.resources import AttributePath, Json, ResourceType
from usher.core.scim.patches import element_path
from usher.core.scim.paths import parse_path
from usher.core.scim.schemas import AttributeDefinition, Mutability, takes_any_text
from usher.core.scim.values import Reader, reader
from usher.core.sync.fingerprints import fingerprint
from usher.core.sync.flows import Computed, Constant, Direct, Evaluation, Flow, Refers, Unique, Untouched, evaluation
from usher.core.sync.leaving import Writes
from usher.core.sync.match_rules import MatchRule
from usher.core.sync.scoping import EVERYBODY, Scope
from usher.core.sync.untouchable import NONE_SPARED, Untouchable

REDACT: Final = "Redact"
"""The function whose value no plan and no log shows."""


class Apply(StrEnum):
    """When a value is written, in the words of the API."""

    ALWAYS = "Always"
    ON_CREATE = "OnCreate"
    ADD_VALUES_ONLY = "AddValuesOnly"


class OnNull(StrEnum):
    """What a null value does to the target's, in the words of the API."""

    KEEP = "Keep"
    CLEAR = "Clear"


class OnDrift(StrEnum):
    """What a full comparison does about a value that somebody changed at the target, in the words of the API.

    Report leaves it as Ignore does, and says so.
    """

    REVERT = "Revert"
    IGNORE = "Ignore"
    REPORT = "Report"


@dataclass(frozen=True, slots=True)
class AttributeRule:
    """One line of a mapping. `precedence` is set where the attribute alone finds an account.

    `place` says where it stands, `AttributeMapping/people spec.attributes[3]`, and is empty where it stands nowhere.
    `asked` is when the mapping wants it written, None where it does not say.
    """

    target: AttributePath
    flow: Flow
    definition: AttributeDefinition | None
    default: Constant | None = None
    precedence: int | None = None
    place: str = ""
    asked: Apply | None = None
    on_null: OnNull = OnNull.KEEP
    on_drift: OnDrift = OnDrift.REVERT

    @property
    def apply(self) -> Apply:
        """When it is written. What the target never returns could not be kept up by comparing: unless asked, once."""
        if self.asked is not None:
            return self.asked
        return Apply.ON_CREATE if self.withheld or isinstance(self.flow, Unique) else Apply.ALWAYS

    @property
    def reads(self) -> frozenset[str]:
        """The source attributes that its value can depend on."""
        match self.flow:
            case Direct(source=name) | Refers(source=name):
                return frozenset((name,))
            case Computed(expression=expression) | Unique(expression=expression):
                return expression.attributes
            case Constant() | Untouched():
                return frozenset()

    @property
    def withheld(self) -> bool:
        """Whether the target never returns the attribute (RFC 7643 7): then its value stands in no plan."""
        return self.definition is not None and self.definition.mutability is Mutability.WRITE_ONLY

    @property
    def plain(self) -> bool:
        """Whether there is nothing to it but a value that is always written, and left alone when it is null."""
        kept = self.apply is Apply.ALWAYS and self.on_null is OnNull.KEEP and self.default is None
        return kept and not self.withheld and not isinstance(self.flow, Unique | Untouched | Refers)

    @property
    def hidden(self) -> bool:
        """Whether nobody is shown its value."""
        redacted = isinstance(self.flow, Computed | Unique) and REDACT in self.flow.expression.calls
        return redacted or self.withheld


class Reference(NamedTuple):
    """An attribute of the target that holds other accounts, and the source attribute that says which."""

    path: AttributePath
    source: str
    rule: AttributeRule

    @property
    def several(self) -> bool:
        """Whether it can hold more than one, as the members of a group do."""
        return self.rule.definition is not None and self.rule.definition.multi_valued

    @property
    def cleared(self) -> bool:
        """Whether it is emptied when there is nobody (any more) to refer to."""
        return self.rule.on_null is OnNull.CLEAR


@dataclass(frozen=True)
class CompiledMapping:
    """A mapping ready to run. `disable_path` is the target's attribute whose False disables an account, or None.

    `groups` are the paths that find an account together, with their precedence. `key` is that of the state: withheld
    values are compared by what it makes of them. `scope` says whom the mapping means, `writes` what may be done.
    """

    rules: tuple[AttributeRule, ...]
    disable_path: AttributePath | None
    digest: str
    groups: tuple[tuple[int, tuple[AttributePath, ...]], ...] = ()
    key: bytes = b""
    scope: Scope = EVERYBODY
    resource_type: ResourceType = ResourceType.USER
    writes: frozenset[Writes] = frozenset(Writes)
    untouchable: Untouchable = NONE_SPARED

    @cached_property
    def matching(self) -> tuple[MatchRule, ...]:
        """By what accounts are found, lowest precedence first."""
        by_path = {rule.target: rule for rule in self.rules}
        single = [MatchRule(rule.precedence, (rule,)) for rule in self.rules if rule.precedence is not None]
        grouped = [MatchRule(precedence, tuple(by_path[path] for path in paths)) for precedence, paths in self.groups]
        return tuple(sorted([*single, *grouped], key=lambda rule: rule.precedence))

    @cached_property
    def copies(self) -> tuple[tuple[AttributePath, str, Evaluation], ...]:
        """The plain rules that copy a text as it is: path, source attribute, and what gives any other value."""
        return tuple(
            (r.target, r.flow.source, evaluation(r.flow, r.definition))
            for r in self.rules
            if r.plain and isinstance(r.flow, Direct) and takes_any_text(r.definition)
        )

    @cached_property
    def plain(self) -> tuple[tuple[AttributePath, Evaluation], ...]:
        """The other rules that say nothing but where a value comes from: path, and what gives the value."""
        copied = {path for path, _, _ in self.copies}
        rules = [rule for rule in self.rules if rule.plain and rule.target not in copied]
        return tuple((rule.target, evaluation(rule.flow, rule.definition)) for rule in rules)

    @cached_property
    def special(self) -> tuple[tuple[AttributeRule, Evaluation], ...]:
        """The other rules, each with what gives its value."""
        rules = [rule for rule in self.rules if not (rule.plain or isinstance(rule.flow, Refers))]
        return tuple((rule, evaluation(rule.flow, rule.definition)) for rule in rules)

    @cached_property
    def references(self) -> tuple[Reference, ...]:
        """The attributes that hold other accounts."""
        return tuple(Reference(r.target, r.flow.source, r) for r in self.rules if isinstance(r.flow, Refers))

    @cached_property
    def kept_up(self) -> frozenset[AttributePath]:
        """The withheld paths that are sent again when their value changes at the source."""
        return frozenset(rule.target for rule in self.rules if rule.withheld and rule.apply is not Apply.ON_CREATE)

    @cached_property
    def readers(self) -> tuple[tuple[AttributePath, Reader], ...]:
        """Each of `paths` with what reads its value in a resource of the target; references are read apart."""
        referring = {reference.path for reference in self.references}
        return tuple((path, reader(path)) for path in self.paths if path not in referring)

    @cached_property
    def disabling(self) -> AttributeRule | None:
        """The rule that writes the target's disable attribute, if the mapping has one."""
        return next((r for r in self.rules if r.target == self.disable_path), None)

    @cached_property
    def withheld(self) -> frozenset[AttributePath]:
        """The paths whose value the target takes and never returns."""
        return frozenset(rule.target for rule in self.rules if rule.withheld)

    @cached_property
    def hidden(self) -> frozenset[AttributePath]:
        """The paths whose value nobody is shown."""
        return frozenset(rule.target for rule in self.rules if rule.hidden)

    @cached_property
    def additive(self) -> frozenset[AttributePath]:
        """The paths to which values are added and from which none is removed."""
        return frozenset(rule.target for rule in self.rules if rule.apply is Apply.ADD_VALUES_ONLY)

    @cached_property
    def tolerated(self) -> frozenset[AttributePath]:
        """The paths that keep what somebody else writes to them, until the source says something new."""
        return frozenset(rule.target for rule in self.rules if rule.on_drift is not OnDrift.REVERT)

    @cached_property
    def reported(self) -> frozenset[AttributePath]:
        """Those of them of which it is told."""
        return frozenset(rule.target for rule in self.rules if rule.on_drift is OnDrift.REPORT)

    @cached_property
    def required(self) -> tuple[AttributePath, ...]:
        """The mapped attributes without which the target creates nothing.

        A sub-attribute is required only where the attribute around it has a value (RFC 7643 7), so those are not here.
        """
        return tuple(r.target for r in self.rules if r.definition is not None and r.definition.required and is_whole(r))

    @cached_property
    def primaries(self) -> tuple[tuple[AttributePath, ...], ...]:
        """Paths that say of several values of one attribute whether each is the primary one, by attribute."""
        found: dict[str, list[AttributePath]] = {}
        for rule in self.rules:
            parsed = parse_path(rule.target)
            if parsed.filter is not None and (parsed.sub or "").lower() == "primary":
                found.setdefault(parsed.attribute_text.lower(), []).append(rule.target)
        return tuple(tuple(paths) for paths in found.values() if len(paths) > 1)

    @cached_property
    def paths(self) -> frozenset[AttributePath]:
        """Every path whose value at the target matters.

        The mapped ones that can be read, the elements that they are in, the disable attribute. References that can hold
        many accounts are read apart: a group may have tens of thousands of members.
        """
        paths = {rule.target for rule in self.rules if not (rule.withheld or isinstance(rule.flow, Refers))}
        paths |= {reference.path for reference in self.references if not reference.several}
        paths |= {self.disable_path} if self.disable_path else set()
        elements = {element for path in paths if (element := element_path(path)) is not None}
        return frozenset(paths | elements | self.untouchable.paths)

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

    def seal(self, value: Json) -> str:
        """What is kept of a withheld value: equal values, and only those, have the same; it can't be turned back."""
        return blake2b(orjson.dumps(value, option=orjson.OPT_SORT_KEYS), key=self.key, digest_size=16).hexdigest()


def is_whole(rule: AttributeRule) -> bool:
    """Whether it writes an attribute as a whole, and no part of one."""
    parsed = parse_path(rule.target)
    return parsed.sub is None and parsed.filter is None


def _typing_of(definition: AttributeDefinition | None) -> tuple[str, bool, bool, str]:
    if definition is None:
        return "", False, False, ""
    element = "" if definition.element is None else definition.element.value
    return definition.type.value, definition.case_exact, definition.multi_valued, element
