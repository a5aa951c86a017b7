"""Every promise is seen to be broken: the checker finds what is planted into a history that was right."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from simulation.checker import Violation, bounded, check
from simulation.expectation import Held, expected_of, missed
from simulation.operations import OPERATIONS
from simulation.process import Process, simulate
from simulation.scene import CANARY, CLASSES, Plot, Scene, group_name
from simulation.states import States
from simulation.trial import now_at_source, unrest, wrong
from usher.core.errors import CycleError
from usher.core.model.reports import CycleReport, CycleResult
from usher.core.sync.policies import Budget
from usher.testing.documents import copy_of
from usher.testing.history import Actor

CALM = next(one for one in OPERATIONS if one.name == "incremental")


def client_changes(scene: Scene, number: int, path: str, value: str | bool) -> None:
    """As if the engine had written that, in the last cycle."""
    target = next(i for i in scene.app.accounts if scene.app.document(i).get("externalId") == f"id-{number}")
    document = copy_of(scene.app.document(target))
    document[path] = value
    scene.app.store(target, document, Actor.CLIENT)


def second_account(scene: Scene) -> None:
    scene.app.plant({"userName": "other", "externalId": "id-1", "active": True}, Actor.CLIENT)


def account_beside_an_unclaimed_one(scene: Scene) -> None:
    scene.plant(9)
    scene.app.plant({"userName": f"{CANARY}9@example.com", "externalId": "id-9", "active": True}, Actor.CLIENT)


def somebody_is_out_and_comes(scene: Scene) -> None:
    client_changes(scene, 4, "active", value=True)


def old_title_comes_back(scene: Scene) -> None:
    client_changes(scene, 1, "title", f"{CANARY} engineer")


def title_of_nobody(scene: Scene) -> None:
    client_changes(scene, 1, "title", "made up")


def disabled_after_a_create(scene: Scene) -> None:
    scene.app.plant({"userName": "newest", "externalId": "id-9", "active": True}, Actor.CLIENT)
    client_changes(scene, 1, "active", value=False)


def too_many_leave(scene: Scene) -> None:
    scene.plot.budget = Budget(max_count=1)
    client_changes(scene, 1, "active", value=False)
    client_changes(scene, 2, "active", value=False)


def stranger_is_written(scene: Scene) -> None:
    (robot,) = (i for i in scene.strangers if i in scene.app.accounts)
    scene.app.store(robot, {**scene.app.document(robot), "title": "x"}, Actor.CLIENT)


def work_is_left(scene: Scene) -> None:
    scene.app.change(next(i for i in scene.app.accounts if i not in scene.strangers), "title", "other")


def one_is_not_counted(scene: Scene) -> None:
    client_changes(scene, 1, "title", f"{CANARY} director")
    scene.app.plant({"userName": "uncounted", "active": True}, Actor.CLIENT)


def name_in_an_error(scene: Scene) -> None:
    scene.cycles[-1] = replace(scene.cycles[-1], came=CycleError(f"{CANARY}1 is unknown", reason="X"))


def name_in_the_log(scene: Scene) -> None:
    scene.cycles[-1].process.said.append(f"GET /Users?filter={CANARY}1")


def written_without_the_state(scene: Scene) -> None:
    sent = scene.network.sent
    sent.append(replace(sent[-1], method="POST", stale=True))


def success_without_the_state(scene: Scene) -> None:
    came = scene.cycles[-1].came
    assert came is not None
    scene.went_on.append(came)


def asked_too_soon(scene: Scene) -> None:
    sent = scene.network.sent
    sent.append(replace(sent[-1], at=sent[-1].at + 1, not_before=sent[-1].at + 8))
    sent.append(replace(sent[-1], at=sent[-1].at + 2, not_before=0.0))


PLANTED: dict[str, tuple[str, Callable[[Scene], None]]] = {
    one.__name__: (promise, one)
    for promise, one in (
        ("I1", second_account),
        ("I1", account_beside_an_unclaimed_one),
        ("I2", somebody_is_out_and_comes),
        ("I3", old_title_comes_back),
        ("I3", title_of_nobody),
        ("I4", disabled_after_a_create),
        ("I5", too_many_leave),
        ("I9", stranger_is_written),
        ("I10", work_is_left),
        ("I10", one_is_not_counted),
        ("I11", written_without_the_state),
        ("I11", success_without_the_state),
        ("I12", name_in_an_error),
        ("I12", name_in_the_log),
        ("I13", asked_too_soon),
    )
}


async def lived(states: States) -> Scene:
    """Four people, one of whom is disabled, and a group, after two cycles without a fault."""
    scene = Scene(states, CLASSES["B"], Plot(with_groups=True))
    for number in range(1, 5):
        scene.put(number)
    scene.put_group(1, 1, 2)
    await scene.sync(Process())
    scene.put(1, jobTitle=f"{CANARY} director")
    scene.put(4, accountEnabled=False)
    await scene.sync(Process())
    return scene


def found_in(plant: Callable[[Scene], None]) -> list[Violation]:
    async def play() -> list[Violation]:
        async with States.open() as states:
            scene = await lived(states)
            assert check(scene) == []
            plant(scene)
            return check(scene)

    return simulate(play())


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_violation_is_found(name: str) -> None:
    promise, plant = PLANTED[name]
    assert promise in {one.promise for one in found_in(plant)}


def test_a_process_that_goes_on_knows_nothing_of_what_another_one_was_told() -> None:
    def plant(scene: Scene) -> None:
        asked_too_soon(scene)
        scene.network.sent[-1] = replace(scene.network.sent[-1], stale=True, method="GET")

    assert found_in(plant) == []


def test_somebody_who_is_out_and_active_is_missed() -> None:
    async def play() -> None:
        async with States.open() as states:
            scene = await lived(states)
            expected = expected_of(scene, now_at_source(scene))
            assert missed(scene, expected) == []
            client_changes(scene, 4, "active", value=True)
            assert missed(scene, expected) == ["id-4 is out, and has an active account"]

    simulate(play())


def test_a_member_who_is_missing_or_too_many_is_told() -> None:
    async def play() -> None:
        async with States.open() as states:
            scene = await lived(states)
            nothing = Held({}, {})
            assert wrong(scene, CALM, nothing) == []
            assert scene.app.groups is not None
            (group,) = (i for i in scene.app.groups.accounts if i not in scene.strangers)
            scene.app.groups.change(group, "members", [])
            assert wrong(scene, CALM, nothing) == [
                f"{group_name('group-1')} has {frozenset()}, and has to have {frozenset({'id-1', 'id-2'})}"
            ]

    simulate(play())


def test_a_cycle_that_writes_or_does_not_succeed_has_not_come_to_rest() -> None:
    async def play() -> None:
        async with States.open() as states:
            scene = await lived(states)
            scene.put(2, jobTitle=f"{CANARY} other")
            cycle = await scene.sync(Process())
            assert unrest(scene, cycle, CALM) == ["a cycle that has nothing to do sends PATCH"]
            cycle = await scene.sync(Process())
            assert unrest(scene, cycle, CALM) == []
            assert isinstance(cycle.came, CycleReport)
            failed = replace(cycle, came=replace(cycle.came, result=CycleResult.PARTIAL))
            assert len(unrest(scene, failed, CALM)) == 1

    simulate(play())


def test_a_storm_of_requests_is_told() -> None:
    assert list(bounded(60, 10)) == []
    assert [one.promise for one in bounded(200, 10)] == ["I13"]
