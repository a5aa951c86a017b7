"""What the app has to hold, from the source alone: the engine has no part in it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from simulation.scene import Scene, Version, group_name
from usher.core.model.resources import Json, SourceId, Value
from usher.core.scim.paths import ENTERPRISE_URN
from usher.testing.documents import read_at
from usher.testing.memory_accounts import members_of
from usher.testing.memory_app import MemoryApp

ANCHOR = "externalId"
MANAGER = f"{ENTERPRISE_URN}:manager"
TEXTS = ("userName", "displayName", "title")


@dataclass(frozen=True, slots=True)
class Held:
    """Active accounts by the id of their person, with what is mapped; and the members of groups by their name."""

    people: Mapping[str, Mapping[str, str | None]]
    groups: Mapping[str, frozenset[str]]


def is_in(person: Mapping[str, Value] | None) -> bool:
    """Whether somebody shall have access."""
    return person is not None and person["accountEnabled"] is not False


def wanted_texts(scene: Scene, person: Mapping[str, Value]) -> dict[str, str | None]:
    """The values of the mapped attributes that hold text."""
    title = next(rule.flow.source for rule in scene.plot.mapping.rules if rule.target == "title")  # type: ignore[union-attr]  # it is direct
    names = dict(zip(TEXTS, ("userPrincipalName", "displayName", title), strict=True))
    return {path: str(person[name]) if name in person else None for path, name in names.items()}


def expected_of(scene: Scene, version: Version) -> Held:
    """What the app holds in the end, if the source stays as this version of it."""
    if scene.plot.ending:
        return Held({}, {})
    active = {i: person for i, person in version.people.items() if is_in(person)}
    people = {}
    for source_id, person in active.items():
        manager = person.get("manager")
        known = manager if isinstance(manager, str) and SourceId(manager) in active else None
        people[str(source_id)] = {**wanted_texts(scene, person), MANAGER: known}
    groups = {}
    if scene.plot.with_groups:
        for group in version.groups.values():
            members = group["members"]
            assert isinstance(members, tuple)
            groups[str(group["displayName"])] = frozenset(str(one) for one in members if SourceId(str(one)) in active)
    return Held(people, groups)


def held_by(scene: Scene) -> Held:
    """What the app holds of ours: every account with an anchor that is active, and groups that are no stranger's."""
    names = {str(i): str(document.get(ANCHOR)) for i, document in documents(scene.app)}
    people: dict[str, Mapping[str, str | None]] = {}
    for target_id, document in documents(scene.app):
        anchor = document.get(ANCHOR)
        if target_id in scene.strangers or document.get("active") is False or anchor is None:
            continue
        manager = read_at(document, f"{MANAGER}.value")
        texts = {path: _text(document.get(path)) for path in TEXTS}
        people[str(anchor)] = {**texts, MANAGER: None if manager is None else names.get(str(manager), "somebody else")}
    groups = scene.app.groups
    assert groups is not None
    held = {
        str(document["displayName"]): frozenset(names.get(one, one) for one in members_of(document))
        for target_id, document in documents(groups)
        if target_id not in scene.strangers
    }
    return Held(people, {name: members for name, members in held.items() if scene.plot.with_groups})


def without_orphans(held: Held, expected: Held) -> Held:
    """What is held, without what nobody remembers once the state is lost: accounts of people who are out.

    They are orphans then, which are told and left alone.
    """
    people = {anchor: one for anchor, one in held.people.items() if anchor in expected.people}
    groups = {
        name: frozenset(one for one in members if one in people)
        for name, members in held.groups.items()
        if name in expected.groups
    }
    return Held(people, groups)


def undone(scene: Scene, expected: Held) -> list[str]:
    """How the app differs from what is expected."""
    held = held_by(scene)
    held = without_orphans(held, expected) if scene.lost_state else held
    if scene.doubted:
        held, expected = _without(held, scene.doubted), _without(expected, scene.doubted)
    return list(differences(held, expected, ending=scene.plot.ending))


def missed(scene: Scene, expected: Held) -> list[str]:
    """Who is active at the app, and has to be out."""
    out = held_by(scene).people.keys() - expected.people.keys() - scene.doubted
    return [] if scene.lost_state else [f"{one} is out, and has an active account" for one in sorted(out)]


def _without(held: Held, left_out: Collection[str]) -> Held:
    """What is held, as if there were nothing of these people and groups."""
    people = {
        anchor: {**one, MANAGER: None if one[MANAGER] in left_out else one[MANAGER]}
        for anchor, one in held.people.items()
        if anchor not in left_out
    }
    gone = {group_name(one) for one in left_out}
    return Held(people, {name: of.difference(left_out) for name, of in held.groups.items() if name not in gone})


def documents(app: MemoryApp) -> Iterator[tuple[str, Mapping[str, Json]]]:
    """All that it has, by id."""
    for target_id in app.accounts:
        yield target_id, app.document(target_id)


def differences(held: Held, expected: Held, *, ending: bool) -> Iterator[str]:
    """Each way in which the app is not as it has to be."""
    for one in sorted(held.people.keys() | expected.people.keys()):
        if held.people.get(one) != expected.people.get(one):
            yield f"{one} is {held.people.get(one)}, and has to be {expected.people.get(one)}"
    for name in sorted(held.groups.keys() | expected.groups.keys()):
        if ending and not held.groups.get(name):
            continue
        if held.groups.get(name) != expected.groups.get(name):
            yield f"{name} has {held.groups.get(name)}, and has to have {expected.groups.get(name)}"


def _text(value: Json) -> str | None:
    return None if value is None else str(value)
