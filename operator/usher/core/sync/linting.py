"""What is wrong with a mapping at its ends: against what the target says of itself, and what the source has.

An unknown path is an error where the app has told its schemas. Where it has not, RFC 7643 is all that is known: then,
and of an extension that nobody described, it is a warning, or a connector would stop, leavers and all, for an app that
is only silent. For the same reason what an app demands and nobody maps is a warning: creates alone can fail of it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from typing import Final

from usher.core.model.resources import AttributePath, ResourceType
from usher.core.scim.discovery import Discovery, Types
from usher.core.scim.paths import ENTERPRISE_URN, ParsedPath, parse_path
from usher.core.scim.schemas import AttributeDefinition, AttributeType, Mutability, TargetSchema
from usher.core.sync.doubts import find_doubts
from usher.core.sync.fitting import find_misfits
from usher.core.sync.flaws import Flaw, Severity, refuse_errors
from usher.core.sync.retyping import Retyped, place_of, retype
from usher.core.sync.rules import AttributeRule, CompiledMapping

_NAMED: Final = 20
"""So many attributes of the source are listed where none is near."""
_OF_THE_PROTOCOL: Final = frozenset({"schemas", "id", "meta"})
"""Never mapped: sent by us, or given by the target."""
_SPELLED: Final = {
    word.lower(): word
    for word in (
        *("userName", "displayName", "nickName", "profileUrl", "userType", "preferredLanguage", "externalId"),
        *("familyName", "givenName", "middleName", "honorificPrefix", "honorificSuffix", "phoneNumbers"),
        *("x509Certificates", "streetAddress", "postalCode", "employeeNumber", "costCenter"),
    )
}
"""Words of RFC 7643 as they are usually written; in a path their case does not matter."""


def lint(mapping: CompiledMapping, target: Discovery) -> tuple[Flaw, ...]:
    """Everything that is wrong with the mapping at this target, and what is perhaps not meant."""
    retyped = retype(mapping, target.schema(mapping.resource_type))
    return (*_find_flaws(retyped, target), *find_doubts(retyped.mapping))


def fit(mapping: CompiledMapping, target: Discovery) -> CompiledMapping:
    """The mapping with the types of this target.

    Raises CycleError `MappingInvalid` that names each line that can't be so there, at most five.
    """
    retyped = retype(mapping, target.schema(mapping.resource_type))
    refuse_errors(_find_flaws(retyped, target))
    return retyped.mapping


def find_unknown_attributes(requires: Mapping[str, str], known: Collection[str], source: str) -> Iterator[Flaw]:
    """The attributes that a mapping reads, each with its place, and that the source has not: an error each.

    `source` is how messages call it, `IdentitySource/corp`.
    """
    folded = {name.lower(): name for name in known}
    for name, place in requires.items():
        if name not in known:
            near = get_close_matches(name.lower(), folded, n=1)
            hint = f"; did you mean {folded[near[0]]}?" if near else f". It has: {', '.join(sorted(known)[:_NAMED])}"
            yield Flaw(place, f"{source} has no attribute {name}{hint}")


def _find_flaws(retyped: Retyped, target: Discovery) -> Iterator[Flaw]:
    yield from retyped.flaws
    vocabulary = _Vocabulary(target, retyped.mapping.resource_type)
    for rule in retyped.mapping.rules:
        yield from vocabulary.unknown(rule.target, place_of(rule, "target"))
        yield from find_misfits(rule)
    parts = dict.fromkeys(part.target for rule in retyped.mapping.matching for part in rule.parts)
    for rule in retyped.mapping.rules:
        if rule.target in parts:
            yield from _unfilterable(rule)
    yield from _missing(retyped.mapping, vocabulary.schema)
    yield from _find_unreadable(retyped.mapping, target, vocabulary)


def _find_unreadable(mapping: CompiledMapping, target: Discovery, vocabulary: _Vocabulary) -> Iterator[Flaw]:
    """The attributes by which no account can be told to be one that is never written. Said once, of the users."""
    if mapping.resource_type is not ResourceType.USER:
        return
    groups = target.schema(ResourceType.GROUP)
    for each in mapping.untouchable.spared:
        place = f"{each.place}.attribute"
        if groups.definition(each.path) is None:
            yield from vocabulary.unknown(each.path, place)
        if each.definition is not None and each.definition.mutability is Mutability.WRITE_ONLY:
            yield Flaw(place, f"the app never returns {each.path}: no account can be known by it")


# --- paths ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Vocabulary:
    """The paths that a target knows."""

    target: Discovery
    resource_type: ResourceType

    @cached_property
    def schema(self) -> TargetSchema:
        """What the target says, with RFC 7643 where it says nothing."""
        return self.target.schema(self.resource_type)

    @property
    def owner(self) -> str:
        """Whose schema it is, for messages."""
        return "the app's schema" if self.target.types is Types.DISCOVERED else "RFC 7643"

    def unknown(self, path: AttributePath, place: str) -> Iterator[Flaw]:
        """What is unknown of a path that stands there: its extension, its attribute, or a part of it."""
        parsed = parse_path(path)
        container = parsed.attribute_text.lower()
        filtered = [f"{container}.{name.lower()}" for name, _ in parsed.filter or ()]
        unknown = [key for key in (parsed.schema_key, *filtered) if key not in self.schema.attributes]
        if unknown:
            yield Flaw(place, *self._judge(path, parsed, unknown[0]))

    def _judge(self, path: AttributePath, parsed: ParsedPath, key: str) -> tuple[str, Severity]:
        container = parsed.attribute_text.lower()
        if parsed.urn is not None and not self._describes(f"{parsed.urn.lower()}:"):
            return self._judge_extension(path, parsed.urn)
        if container in self.schema.attributes and self._is_blank(container):
            return f"{self.owner} does not say what {parsed.attribute_text} consists of", Severity.WARNING
        severity = Severity.ERROR if self.target.types is Types.DISCOVERED else Severity.WARNING
        return f"{path} is not in {self.owner}{self._hint(parsed, key)}", severity

    def _judge_extension(self, path: AttributePath, urn: str) -> tuple[str, Severity]:
        named = {each.lower() for each in self.target.schemas}
        if self.target.types is Types.RFC_7643 or urn.lower() in named:
            return f"the extension {urn} is described nowhere: only the app can say whether {path} is right", (
                Severity.WARNING
            )
        near = get_close_matches(urn, {*self.target.schemas, ENTERPRISE_URN}, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        return f"{self.owner} has no extension {urn}{hint}", Severity.ERROR

    def _describes(self, prefix: str) -> bool:
        return any(key.startswith(prefix) for key in self.schema.attributes)

    def _is_blank(self, container: str) -> bool:
        """Whether an attribute that has sub-attributes names none of them."""
        kind = self.schema.attributes[container].type
        return kind is AttributeType.COMPLEX and not self._describes(f"{container}.")

    def _hint(self, parsed: ParsedPath, key: str) -> str:
        prefix = f"{parsed.urn.lower()}:" if parsed.urn else ""
        names = [each.removeprefix(prefix) for each in self.schema.attributes if each.startswith(prefix)]
        near = get_close_matches(key.removeprefix(prefix), [name for name in names if ":" not in name], n=1)
        if not near:
            return ""
        spelled = ".".join(_SPELLED.get(word, word) for word in near[0].split("."))
        return f"; did you mean {f'{parsed.urn}:' if parsed.urn else ''}{spelled}?"


# --- matching, and what is demanded ---------------------------------------------------------------------------------


def _unfilterable(rule: AttributeRule) -> Iterator[Flaw]:
    definition = rule.definition
    if definition is None:
        return
    place = place_of(rule, "target" if rule.precedence is None else "match")
    if definition.mutability is Mutability.WRITE_ONLY:
        yield Flaw(place, f"the app never returns {rule.target}: no account can be found by it")
    if definition.type is AttributeType.COMPLEX:
        yield Flaw(place, f"{rule.target} has sub-attributes: an account can be found by one of them only")
    if definition.type is AttributeType.BINARY and definition.multi_valued:
        yield Flaw(place, f"{rule.target} is binary and has several values: no account can be found by it")


def _missing(mapping: CompiledMapping, schema: TargetSchema) -> Iterator[Flaw]:
    """The attributes that the target demands and that no rule writes.

    One of an extension is demanded where something of that extension is mapped, a sub-attribute where something of its
    attribute is (RFC 7643 2.2, 3.3).
    """
    written = {key for rule in mapping.rules for key in _written(rule)}
    for key, definition in schema.attributes.items():
        if _is_demanded(key, definition) and not _covered(key, written) and _in_use(key, written):
            place = mapping.rules[0].place.rpartition("[")[0] if mapping.rules else ""
            name = ".".join(_SPELLED.get(word, word) for word in key.split("."))
            yield Flaw(place, f"the app demands {name}, which is not mapped: map it", Severity.WARNING)


def _written(rule: AttributeRule) -> Iterable[str]:
    """The keys of what the rule writes: the path, and what its filter writes into the element."""
    parsed = parse_path(rule.target)
    container = parsed.attribute_text.lower()
    return (parsed.schema_key, *(f"{container}.{name.lower()}" for name, _ in parsed.filter or ()))


def _is_demanded(key: str, definition: AttributeDefinition) -> bool:
    return definition.required and definition.mutability is not Mutability.READ_ONLY and key not in _OF_THE_PROTOCOL


def _covered(key: str, written: Collection[str]) -> bool:
    return any(each == key or each.startswith(f"{key}.") for each in written)


def _in_use(key: str, written: Collection[str]) -> bool:
    """Whether what the attribute belongs to is written at all: its extension, or the attribute that it is a part of."""
    urn, colon, name = key.rpartition(":")
    if "." in name:
        return _covered(f"{urn}{colon}{name.partition('.')[0]}", written)
    return not urn or any(each.startswith(f"{urn}:") for each in written)
