"""What happens in a directory, and what an app has to hold because of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple, TypeAlias

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from usher.core.model.resources import Value
from usher.testing.faults import FaultKind

PEOPLE: Final = 6
GROUPS: Final = 3
ANCHOR: Final = "anchor"
"""A person who is always there, and a group that always has this one member: a source is never empty."""

Happening: TypeAlias = tuple[str, int, int, int]
"""What, to whom (a number), with whom, and which variant of it."""
FaultAt: TypeAlias = tuple[FaultKind, int]
"""A fault, and at which request."""


class Step(NamedTuple):
    """What happens between two cycles, and the fault of the second."""

    happenings: Sequence[Happening]
    fault: FaultAt | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody in the directory. `manager` is a number, of somebody who need not be there."""

    login: str
    name: str
    enabled: bool = True
    manager: int | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """A group with the keys of its members (`id-1`, `group-2`), who need not be there."""

    name: str
    members: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Held:
    """What an app holds: of active accounts by login the name and the manager's login, of groups who is in them."""

    people: Mapping[str, tuple[str, str | None]]
    groups: Mapping[str, frozenset[str]]


@dataclass(slots=True)
class Directory:
    """The truth: people and groups by number.

    Who leaves and comes back is the same to a source, unless the entry was ended in between: then somebody else has the
    number, under another id and with another login, since nobody gets the account of a person who left.
    """

    people: dict[int, Person] = field(default_factory=dict)
    groups: dict[int, Group] = field(default_factory=dict)
    ended: dict[str, int] = field(default_factory=dict)
    """How many entries of a key have come to their end."""

    def apply(self, change: Happening) -> None:
        """One thing that happens; what can't happen now does not."""
        what, one, other, variant = change
        if what == "end":
            self._end(one % PEOPLE, other % GROUPS, variant)
        elif what in ("found", "dissolve", "move", "nest"):
            self._change_groups(what, one % GROUPS, other, variant)
        else:
            self._change_people(what, one % PEOPLE, other, variant)

    def id_of(self, key: str) -> str:
        """The id of the entry that a key stands for, or stood for last."""
        ended = self.ended.get(key, 0)
        return f"{key}-{ended}" if ended else key

    def _login(self, number: int) -> str:
        return self.id_of(person_key(number)).removeprefix("id-")

    def _end(self, person: int, group: int, variant: int) -> None:
        """Two times in three of a person. The next `join` is somebody else's, in the same step even."""
        if variant:
            self.people.pop(person, None)
        else:
            self.groups.pop(group, None)
        key = person_key(person) if variant else group_key(group)
        self.ended[key] = self.ended.get(key, 0) + 1

    def _change_people(self, what: str, number: int, other: int, variant: int) -> None:
        person = self.people.get(number)
        if what == "join":
            self.people[number] = Person(self._login(number), f"Person {variant}")
        elif what == "leave":
            self.people.pop(number, None)
        elif person is not None:
            news = {
                "disable": Person(person.login, person.name, enabled=False, manager=person.manager),
                "rename": Person(f"{self._login(number)}.{variant}", person.name, person.enabled, person.manager),
                "manage": Person(person.login, person.name, person.enabled, other % PEOPLE),
                "unmanage": Person(person.login, person.name, person.enabled),
            }
            self.people[number] = news[what]

    def _change_groups(self, what: str, number: int, other: int, variant: int) -> None:
        group = self.groups.get(number)
        if what == "found":
            name = f"{self.id_of(group_key(number))} variant {variant}"
            self.groups[number] = Group(name, group.members if group else frozenset())
        elif what == "dissolve":
            self.groups.pop(number, None)
        elif group is not None:
            member = person_key(other % PEOPLE) if what == "move" else group_key(other % GROUPS)
            self.groups[number] = Group(group.name, group.members ^ {member})

    def expected(self) -> Held:
        """What the app has to hold; it may hold groups that are gone as well, without members."""
        logins = {number: person.login for number, person in self.people.items() if person.enabled}
        names = {person_key(number): login for number, login in logins.items()}
        names |= {group_key(number): group.name for number, group in self.groups.items()}
        people = {
            login: (self.people[number].name, logins.get(_number(self.people[number].manager)))
            for number, login in logins.items()
        }
        groups = {
            group.name: frozenset(names[key] for key in group.members if key in names) for group in self.groups.values()
        }
        return Held(people | {ANCHOR: ("Anchor", None)}, groups | {"anchors": frozenset({ANCHOR})})


def person_key(number: int) -> str:
    """Who has this number, whatever the entry."""
    return f"id-{number}"


def group_key(number: int) -> str:
    """The group of this number, whatever the entry."""
    return f"group-{number}"


def attributes_of(person: Person) -> dict[str, Value]:
    """A person as a source gives one, without the manager."""
    return {"userPrincipalName": person.login, "displayName": person.name, "accountEnabled": person.enabled}


def _number(manager: int | None) -> int:
    return -1 if manager is None else manager


_OF_PEOPLE: Final = ["join", "join", "leave", "leave", "disable", "rename", "manage", "manage", "unmanage"]
_OF_GROUPS: Final = ["found", "dissolve", "move", "move", "move"]
_OF_BOTH: Final = ["nest", "end"]
_OPENING: Final = Step(
    [
        *(("join", number, 0, 0) for number in range(PEOPLE)),
        *(("manage", number, number // 2, 0) for number in range(1, PEOPLE)),
        *(("found", number, 0, 0) for number in range(GROUPS)),
        *(("move", number % GROUPS, number, 0) for number in range(PEOPLE)),
    ]
)
"""Everybody is there, with a manager and in a group: most of what happens afterwards happens to somebody."""
_OPENINGS: Final[list[list[Step]]] = [[], [_OPENING], [_OPENING]]

FAULTS: Final = st.tuples(
    st.sampled_from([kind for kind in FaultKind if kind is not FaultKind.IGNORED_CHANGE]), st.integers(1, 30)
)


def scripts(faults: SearchStrategy[FaultAt] | None = None) -> SearchStrategy[list[Step]]:
    """Sequences of joins, moves, leaves, come-backs, ends, renames, managers and nesting, cycles between them.

    With `faults` a third of the cycles suffers one.
    """
    happenings = st.tuples(
        st.sampled_from([*_OF_PEOPLE, *_OF_GROUPS, *_OF_BOTH]), st.integers(0, 5), st.integers(0, 5), st.integers(0, 2)
    )
    fault: SearchStrategy[FaultAt | None] = st.none() if faults is None else st.one_of(st.none(), st.none(), faults)
    steps = st.lists(st.builds(Step, st.lists(happenings, min_size=3, max_size=8), fault), min_size=1, max_size=5)
    return st.tuples(st.sampled_from(_OPENINGS), steps).map(lambda parts: [*parts[0], *parts[1]])
