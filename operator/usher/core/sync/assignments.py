"""Who is assigned: single users, and the members of groups, each with the app roles that come with it.

An entry of the scope finds its resource by one attribute, and is pinned to the source id that it found: a rename
changes nothing after that, and whoever gets the value later gets nothing by it. Values are compared as SCIM compares a
userName (RFC 7643 4.1.1): as a whole, without regard to case.

An absence is evidence only where every entry is understood (SEMANTICS 0.14): while one of them is not, everybody who
was in stays in.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final, NamedTuple, TypeAlias

from usher.core.expressions.values import text_of
from usher.core.model.plans import Desired
from usher.core.model.resources import ResourceType, SourceId, SourceResource, Value
from usher.core.sync.fingerprints import fingerprint
from usher.core.sync.leaving import SOURCE_DISABLED, UNASSIGNED
from usher.core.sync.mapping import is_active, map_departed, map_resource
from usher.core.sync.rules import CompiledMapping

APP_ROLES: Final = "appRoleAssignments"
"""The source attribute in which a mapping finds the app roles of a person: given by the scope, not by the source."""

Roles: TypeAlias = tuple[str, ...]
Assigned: TypeAlias = Mapping[SourceId, Roles]
"""Everybody who is assigned, with their app roles in the order of the spec, each once."""


class Nested(StrEnum):
    """What a group that is a member of an assigned group stands for, in the words of the API."""

    IGNORE = "Ignore"
    FLATTEN = "Flatten"


@dataclass(frozen=True, slots=True)
class Entry:
    """One user or group that the scope names by an attribute. `place` is where, `spec.scope.users[3]`."""

    resource_type: ResourceType
    attribute: str
    value: str
    role: str = ""
    place: str = ""

    @property
    def name(self) -> str:
        """By what the state knows it: another attribute or value is another entry."""
        return fingerprint((self.resource_type, self.attribute, self.value.casefold())).hex()


class Unresolved(NamedTuple):
    """An entry that is not understood, and why, without a word of its value."""

    place: str
    why: str

    def __str__(self) -> str:
        return f"{self.place}: {self.why}"


@dataclass(frozen=True, slots=True)
class Assignment:
    """What a scope assigns."""

    entries: tuple[Entry, ...]
    nested: Nested = Nested.IGNORE

    def of(self, resource_type: ResourceType) -> tuple[Entry, ...]:
        """The entries that name a resource of that type."""
        return tuple(entry for entry in self.entries if entry.resource_type is resource_type)

    @property
    def digest(self) -> str:
        """Another one stands for another scope."""
        return fingerprint((self.nested, *((entry.name, entry.role) for entry in self.entries))).hex()


# --- from entries to ids --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Search:
    """Looks for what entries of one type mean, resource by resource. `hits` are by the entries' names."""

    entries: Collection[Entry]
    hits: dict[str, list[SourceId]] = field(default_factory=dict)
    _wanted: dict[str, dict[str, str]] = field(default_factory=dict)
    _met: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        for entry in self.entries:
            self._wanted.setdefault(entry.attribute, {})[entry.value.casefold()] = entry.name

    def look_at(self, resource: SourceResource) -> None:
        """Notes which entries mean this resource."""
        for attribute, names in self._wanted.items():
            if attribute in resource.attributes:
                self._met.add(attribute)
            for value in dict.fromkeys(_folded(resource.attributes.get(attribute))):
                if (name := names.get(value)) is not None:
                    self.hits.setdefault(name, []).append(resource.id)

    def pins(self) -> dict[str, SourceId]:
        """Those that mean exactly one."""
        return {name: ids[0] for name, ids in self.hits.items() if len(ids) == 1}

    def unresolved(self) -> Iterator[Unresolved]:
        """The others."""
        for entry in self.entries:
            many, kind = len(self.hits.get(entry.name, ())), entry.resource_type.lower()
            if many == 0:
                what = f"this {entry.attribute}" if entry.attribute in self._met else f"an attribute {entry.attribute}"
                yield Unresolved(entry.place, f"no {kind} of the source has {what}")
            elif many > 1:
                yield Unresolved(entry.place, f"{many} {kind}s of the source have this {entry.attribute}")


def _folded(value: Value | None) -> Iterator[str]:
    for each in value if isinstance(value, tuple) else () if value is None else (value,):
        yield text_of(each).casefold()


# --- from ids to everybody ------------------------------------------------------------------------------------------


def reach(group: SourceId, members: Mapping[SourceId, Sequence[SourceId]], nested: Nested) -> Iterator[SourceId]:
    """The group, and with Flatten every group inside it, each once however they contain each other."""
    seen, waiting = {group}, [group]
    while waiting:
        one = waiting.pop()
        yield one
        inner = members.get(one, ()) if nested is Nested.FLATTEN else ()
        fresh = [each for each in dict.fromkeys(inner) if each in members and each not in seen]
        seen.update(fresh)
        waiting.extend(fresh)


def assign_users(
    assignment: Assignment, pins: Mapping[str, SourceId], members: Mapping[SourceId, Sequence[SourceId]]
) -> dict[SourceId, Roles]:
    """Users who are assigned, themselves or as members. `members` has each group that matters, and no other id."""
    found: dict[SourceId, dict[str, None]] = {}
    for entry in assignment.entries:
        pinned = pins.get(entry.name)
        if pinned is None:
            continue
        for source_id in _users_of(entry, pinned, members, assignment.nested):
            roles = found.setdefault(source_id, {})
            if entry.role:
                roles[entry.role] = None
    return {source_id: tuple(roles) for source_id, roles in found.items()}


def _users_of(
    entry: Entry, pinned: SourceId, members: Mapping[SourceId, Sequence[SourceId]], nested: Nested
) -> Iterator[SourceId]:
    if entry.resource_type is ResourceType.USER:
        yield pinned
        return
    for group in reach(pinned, members, nested):
        yield from members.get(group, ())


def assign_groups(
    assignment: Assignment, pins: Mapping[str, SourceId], members: Mapping[SourceId, Sequence[SourceId]]
) -> dict[SourceId, Roles]:
    """Groups that are assigned, with Flatten the ones inside them too. A role is for people: groups have none."""
    pinned = [pins[entry.name] for entry in assignment.of(ResourceType.GROUP) if entry.name in pins]
    return {group: () for one in pinned for group in reach(one, members, assignment.nested)}


def entries_for(
    assignment: Assignment,
    pins: Mapping[str, SourceId],
    members: Mapping[SourceId, Sequence[SourceId]],
    subject: tuple[ResourceType, SourceId],
) -> Iterator[Entry]:
    """The entries by which one resource is assigned, for an explanation. `members` as for `assign_users`."""
    kind, source_id = subject
    for entry in assignment.entries if kind is ResourceType.USER else assignment.of(ResourceType.GROUP):
        pinned = pins.get(entry.name)
        if pinned is None:
            continue
        if kind is ResourceType.USER:
            meant = _users_of(entry, pinned, members, assignment.nested)
        else:
            meant = reach(pinned, members, assignment.nested)
        if source_id in meant:
            yield entry


def keep_remembered(
    found: Assigned, remembered: Assigned, assignment: Assignment, unresolved: Iterable[Unresolved]
) -> dict[SourceId, Roles]:
    """While an entry is not understood nobody leaves: whoever was in stays, with the roles that it may stand for."""
    places = {each.place for each in unresolved}
    open_roles = {entry.role for entry in assignment.entries if entry.place in places and entry.role}
    order = {role: index for index, role in enumerate(dict.fromkeys(entry.role for entry in assignment.entries))}
    kept = dict(found)
    for source_id, former in remembered.items():
        present = kept.get(source_id)
        if present is None:
            kept[source_id] = former
        elif more := [role for role in former if role in open_roles and role not in present]:
            kept[source_id] = tuple(sorted((*present, *more), key=lambda role: order.get(role, len(order))))
    return kept


# --- from a resource to what is wanted for it -----------------------------------------------------------------------


def map_assigned(mapping: CompiledMapping, assigned: Assigned | None, resource: SourceResource) -> Desired:
    """What the mapping wants for a resource; None as `assigned` stands for everybody. Raises ResourceError.

    Of whoever is not assigned only an account's disable is wanted. The source's own word that somebody is disabled goes
    first: it is evidence of its own.
    """
    if assigned is None:
        return map_resource(mapping, resource)
    roles = assigned.get(resource.id)
    if roles is None:
        return map_departed(mapping, resource.id, UNASSIGNED if is_active(resource) else SOURCE_DISABLED)
    return map_resource(mapping, with_roles(resource, roles))


def with_roles(resource: SourceResource, roles: Roles) -> SourceResource:
    """The resource as a mapping sees it: its app roles are those of the scope, whatever the source calls so."""
    attributes = {name: value for name, value in resource.attributes.items() if name != APP_ROLES}
    if roles:
        attributes[APP_ROLES] = roles
    return replace(resource, attributes=attributes)
