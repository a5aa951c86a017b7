"""What happens at the source, or to the connector, before the cycle that a fault strikes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from simulation.scene import CANARY, Plot, Scene, group_name, mapping_of
from usher.core.model.resources import Json, SourceId
from usher.core.sync.policies import Budget

Happening = Callable[[Scene], None]


def _nothing(scene: Scene) -> None:
    del scene


@dataclass(frozen=True, slots=True)
class Operation:
    """One of them. `begin` is there, and in sync, before; `happens` is what the cycle has to carry over.

    `then` it happens after that cycle, before those without a fault, of which it takes so many `cycles`. `held`:
    nothing of it may be done.
    """

    name: str
    begin: Happening
    happens: Happening
    plot: Callable[[], Plot] = Plot
    cycles: int = 1
    held: bool = False
    elsewhere: str = field(default="")
    then: Happening = _nothing


def _nobody(scene: Scene) -> None:
    """A source that has nobody is read by nobody: the first cycle is the one of the operation."""
    del scene


def _somebody(scene: Scene) -> None:
    scene.put(2)


def _four(scene: Scene) -> None:
    for number in range(1, 5):
        scene.put(number)


def _five_in_a_group(scene: Scene) -> None:
    for number in range(1, 6):
        scene.put(number)
    scene.put(5, accountEnabled=False)
    scene.put_group(1, 1, 2, 5)
    scene.put_group(9, 4)


def _with_groups() -> Plot:
    return Plot(with_groups=True)


def _create(scene: Scene) -> None:
    scene.put(7)


def _leave(scene: Scene) -> None:
    scene.source.bury("id-1")


def _return(scene: Scene) -> None:
    scene.put(1)


def _leave_again(scene: Scene) -> None:
    scene.source.bury("id-7")


def _patch(scene: Scene) -> None:
    scene.put(1, jobTitle=f"{CANARY} director", displayName=f"{CANARY} one")
    scene.put(2, manager="id-1")


def _patch_back(scene: Scene) -> None:
    scene.put(1, jobTitle=f"{CANARY} engineer", displayName=f"{CANARY} 1")


def _rename(scene: Scene) -> None:
    """The second takes the name that the first gives up."""
    scene.put(1, userPrincipalName=f"{CANARY}1.new@example.com", mail=f"{CANARY}1.new@example.com")
    scene.put(2, userPrincipalName=f"{CANARY}1@example.com", mail=f"{CANARY}1@example.com")


def _disable(scene: Scene) -> None:
    scene.put(1, accountEnabled=False)


def _enable_again(scene: Scene) -> None:
    scene.put(1, accountEnabled=True)


def _delete(scene: Scene) -> None:
    scene.source.bury("id-1")


def _enable(scene: Scene) -> None:
    scene.put(5, accountEnabled=True)


def _group_create(scene: Scene) -> None:
    scene.put_group(2, 1, 3)


def _member_add(scene: Scene) -> None:
    scene.put_group(1, 1, 2, 3, 5)


def _members_add(scene: Scene) -> None:
    for number in (6, 7, 8):
        scene.put(number)
    scene.put_group(1, 1, 2, 3, 4, 5, 6, 7, 8)


def _member_remove(scene: Scene) -> None:
    scene.put_group(1, 1, 5)


def _members_back(scene: Scene) -> None:
    scene.put_group(1, 1, 2, 5)


def _group_delete(scene: Scene) -> None:
    scene.source.drop_group("group-1")


def _initial(scene: Scene) -> None:
    """So many that the app is listed, which has some of them already, where it can say so.

    Three of these come on the second page, and none of the three is in the sample of whoever is not on the first.
    """
    for number in range(1, 9):
        scene.put(number)
    scene.put(3, manager="id-1")
    scene.put_group(1, 1, 2, 5)
    for number in (7, 8, 2, 4, 6) if scene.target.settle is not None else ():
        scene.plant(number)


def _adopt(scene: Scene) -> None:
    """A person and a group who are at the app already, where it can say so; a member of it is none at the source."""
    scene.put(1)
    scene.put_group(1, 1)
    groups = scene.app.groups
    assert groups is not None
    if scene.target.settle is not None:
        ours = [one for one in scene.app.accounts if one not in scene.strangers]
        members: list[Json] = [{"value": one} for one in (*ours, scene.plant(1))]
        groups.plant({"displayName": group_name("group-1"), "members": members})


def _incremental(scene: Scene) -> None:
    scene.put(6, manager="id-1")
    scene.put(2, jobTitle=f"{CANARY} director")
    scene.put(3, accountEnabled=False)
    scene.put_group(1, 1, 5, 6)


def _end(scene: Scene) -> None:
    scene.plot.ending = True


def _remap(scene: Scene) -> None:
    scene.plot.mapping = mapping_of("department")


def _leave_in_masses(scene: Scene) -> None:
    for number in (2, 3, 4):
        scene.source.bury(f"id-{number}")


def _small_budget() -> Plot:
    return Plot(budget=Budget(max_count=2, max_percent=10, min_count=1), min_retained=0)


def _lose_most(scene: Scene) -> None:
    """They are not there, and nobody says that they left."""
    for number in (2, 3, 4):
        del scene.source.people[SourceId(f"id-{number}")]
        scene.source.journal.append(SourceId(f"id-{number}"))


def _large_budget() -> Plot:
    """Only that the read is not believed stands between most people and the end of their account."""
    return Plot(budget=Budget(max_count=1000, max_percent=100))


def _lose_everybody(scene: Scene) -> None:
    scene.source.people.clear()
    scene.source.journal += [SourceId(f"id-{number}") for number in range(1, 5)]


OPERATIONS: Final = (
    Operation("create", _four, _create),
    Operation("patch", _four, _patch),
    Operation("put", _four, _nobody, elsewhere="updates are sent as PATCH, none as PUT"),
    Operation("rename", _four, _rename),
    Operation("disable", _four, _disable),
    Operation("delete", _four, _delete),
    Operation("re-enable", _five_in_a_group, _enable, _with_groups),
    Operation("group-create", _five_in_a_group, _group_create, _with_groups),
    Operation("member-add", _five_in_a_group, _member_add, _with_groups),
    Operation("members-add", _five_in_a_group, _members_add, _with_groups),
    Operation("member-remove", _five_in_a_group, _member_remove, _with_groups),
    Operation("group-delete", _five_in_a_group, _group_delete, _with_groups, cycles=2),
    Operation("initial", _nobody, _initial, _with_groups),
    Operation("adopt", _somebody, _adopt, _with_groups),
    Operation("incremental", _five_in_a_group, _incremental, _with_groups),
    Operation("leave-and-return", _five_in_a_group, _leave, _with_groups, then=_return),
    Operation("come-and-leave", _four, _create, then=_leave_again),
    Operation("patch-and-back", _four, _patch, then=_patch_back),
    Operation("disable-and-enable", _four, _disable, then=_enable_again),
    Operation("member-add-and-back", _five_in_a_group, _member_add, _with_groups, then=_members_back),
    Operation("member-remove-and-back", _five_in_a_group, _member_remove, _with_groups, then=_members_back),
    Operation("connector-end", _five_in_a_group, _end, _with_groups),
    Operation("re-evaluation", _five_in_a_group, _remap, _with_groups),
    Operation("mass-leave", _four, _leave_in_masses, _small_budget, held=True),
    Operation("empty-source", _four, _lose_everybody, held=True),
    Operation("shrunken-source", _four, _lose_most, _large_budget, held=True),
)
"""All of them; of those that are held nothing may be carried over unless somebody approves it."""
