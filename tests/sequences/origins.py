"""Sources that are made to hold what a directory of `sequences.truth` does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Protocol

from directory.configuration import GROUPS, PEOPLE, SUFFIX
from directory.slapd import Slapd
from directory.sources import Source
from sequences.truth import ANCHOR, Directory, attributes_of, group_key, person_key
from usher.contracts.source import SourceOpener
from usher.sources.ldap.settings import Changes
from usher.testing.memory_source import MemorySource

FORMER: Final = f"ou=former,{SUFFIX}"
_NOBODY: Final = f"cn=nobody,{SUFFIX}"
"""A member of every group, as `groupOfNames` needs one: it is no entry, and refers to nobody."""
_ENABLED: Final = {True: "512", False: "514"}

Entries = dict[str, tuple[str, Mapping[str, list[str]]]]
"""DN and attributes, those that change, by the key of a person or a group."""


class Origin(Protocol):
    """Where people come from."""

    @property
    def open(self) -> SourceOpener:
        """What the engine reads."""

    def follow(self, directory: Directory) -> None:
        """Makes it hold what the directory does, and the anchor."""


class MemoryOrigin:
    """A source in memory, read whole."""

    def __init__(self) -> None:
        self._source = MemorySource(attributes=("manager", "accountEnabled"))

    @property
    def open(self) -> SourceOpener:
        """Always the same."""
        return self._source.open

    def follow(self, directory: Directory) -> None:
        """Everybody anew."""
        source = self._source
        source.people = {}
        for number, person in directory.people.items():
            manager = {} if person.manager is None else {"manager": directory.id_of(person_key(person.manager))}
            source.put(directory.id_of(person_key(number)), **attributes_of(person), **manager)
        source.put(ANCHOR, userPrincipalName=ANCHOR, displayName="Anchor", accountEnabled=True)
        source.groups.clear()
        source.put_group("anchors", displayName="anchors", members=(ANCHOR,))
        for number, group in directory.groups.items():
            members = tuple(sorted(map(directory.id_of, group.members)))
            source.put_group(directory.id_of(group_key(number)), displayName=group.name, members=members)


class SlapdOrigin:
    """A slapd of its own.

    An entry is named after what it is called, so who is renamed gets another DN; managers and members follow, as where
    an overlay keeps references whole. Who leaves is moved out of the base, and moved back on return: the same entry.
    Only what has ended is deleted.
    """

    def __init__(self, slapd: Slapd, changes: Changes) -> None:
        self._slapd = slapd
        self._source = Source.of(slapd, changes=changes)
        self._there: Entries = {}
        self._ended: dict[str, int] = {}
        slapd.add(FORMER, {"objectClass": ["organizationalUnit"], "ou": ["former"]})
        # it says that it is enabled, since a read in which nobody says so any more is void
        anchor = {"uid": [ANCHOR], "displayName": ["Anchor"], "userAccountControl": [_ENABLED[True]]}
        self._add(ANCHOR, f"cn={ANCHOR},{PEOPLE}", anchor)
        self._add("anchors", f"cn=anchors,{GROUPS}", {"member": [f"cn={ANCHOR},{PEOPLE}"]})

    @property
    def open(self) -> SourceOpener:
        """What reads the directory."""
        return self._source.open

    def follow(self, directory: Directory) -> None:
        """Entries come, go and move first; then each gets its attributes."""
        wanted = _entries(directory)
        self._delete(directory.ended)
        for key, (dn, _) in list(self._there.items()):
            if key not in wanted and not dn.endswith(FORMER) and key not in (ANCHOR, "anchors"):
                self._move(key, f"{dn.partition(',')[0]},{FORMER}")
        for key, (dn, attributes) in wanted.items():
            if key not in self._there:
                self._add(key, dn, {name: values for name, values in attributes.items() if name != "manager"})
            elif self._there[key][0] != dn:
                self._move(key, dn)
        for key, (dn, attributes) in wanted.items():
            known = self._there[key][1]
            changed = {name: values for name, values in attributes.items() if known.get(name, []) != values}
            if changed:
                self._slapd.modify(dn, changed)
                self._there[key] = dn, {**known, **changed}

    def _delete(self, ended: Mapping[str, int]) -> None:
        for key in [one for one, times in ended.items() if times != self._ended.get(one, 0) and one in self._there]:
            self._slapd.delete(self._there.pop(key)[0])
        self._ended = dict(ended)

    def _add(self, key: str, dn: str, attributes: Mapping[str, list[str]]) -> None:
        name = dn.partition(",")[0].removeprefix("cn=")
        if dn.endswith(PEOPLE):
            classes = {"objectClass": ["inetOrgPerson", "activeDirectoryAccount"], "sn": [name]}
        else:
            classes = {"objectClass": ["groupOfNames"]}
        self._slapd.add(dn, {**classes, "cn": [name], **attributes})
        self._there[key] = dn, attributes

    def _move(self, key: str, dn: str) -> None:
        former, attributes = self._there[key]
        rdn, _, superior = dn.partition(",")
        self._slapd.rename(former, rdn, superior)
        self._there[key] = dn, attributes


def _entries(directory: Directory) -> Entries:
    people = {person_key(number): f"cn={person.login},{PEOPLE}" for number, person in directory.people.items()}
    names = people | {group_key(number): f"cn={group.name},{GROUPS}" for number, group in directory.groups.items()}
    found: Entries = {}
    for number, person in directory.people.items():
        manager = people.get("" if person.manager is None else person_key(person.manager))
        found[person_key(number)] = (
            people[person_key(number)],
            {
                "uid": [person.login],
                "displayName": [person.name],
                "userAccountControl": [_ENABLED[person.enabled]],
                "manager": [] if manager is None else [manager],
            },
        )
    for number, group in directory.groups.items():
        members = sorted(names[key] for key in group.members if key in names)
        found[group_key(number)] = names[group_key(number)], {"member": [*members, _NOBODY]}
    return found
