from __future__ import annotations

from collections.abc import Callable
from typing import Final

import pytest

from usher.core.errors import (
    CycleError,
    IncompleteRead,
    NotSent,
    OutcomeUnknown,
    Throttled,
    UniquenessTaken,
    UsherError,
)
from usher.core.model.plans import Create, Criterion, Replace, Update
from usher.core.model.resources import AttributePath, ResourceType, TargetId
from usher.testing.clock import FakeClock, fake_runtime
from usher.testing.faults import (
    Fault,
    FaultKind,
    FaultSchedule,
    Killed,
    Operation,
    Rule,
    every,
    nth,
)
from usher.testing.memory_settings import MemorySettings
from usher.testing.memory_target import MemoryTarget

USER_NAME: Final = AttributePath("userName")
USER: Final = ResourceType.USER


def creation(name: str) -> Create:
    return Create(USER, {USER_NAME: name})


def renaming(target_id: TargetId, name: str) -> Update:
    return Update(USER, target_id, {USER_NAME: Replace(name)}, {}, None)


def failing(*rules: Rule) -> MemoryTarget:
    return MemoryTarget(MemorySettings(page_size=2), FaultSchedule(rules))


@pytest.mark.parametrize(
    ("kind", "error", "made"),
    [
        (FaultKind.LOST_BEFORE, NotSent, 0),
        (FaultKind.LOST_AFTER, OutcomeUnknown, 1),
        (FaultKind.THROTTLED, Throttled, 0),
        (FaultKind.UNAVAILABLE, OutcomeUnknown, 0),
        (FaultKind.UNAVAILABLE_AFTER, OutcomeUnknown, 1),
        (FaultKind.UNAUTHORIZED, CycleError, 0),
        (FaultKind.TRUNCATED_JSON, OutcomeUnknown, 1),
        (FaultKind.CUT_OFF, OutcomeUnknown, 1),
        (FaultKind.HTML_200, OutcomeUnknown, 0),
        (FaultKind.HTML_200_AFTER, OutcomeUnknown, 1),
        (FaultKind.KILL_BEFORE, Killed, 0),
        (FaultKind.KILL_AFTER, Killed, 1),
    ],
)
async def test_a_fault_on_a_create_has_the_effect_it_is_named_for(
    kind: FaultKind, error: type[BaseException], made: int
) -> None:
    target = failing(every(Operation.CREATE, 1, Fault(kind)))
    async with target.open() as session:
        with pytest.raises(error):
            await session.create(creation("ada"))
    assert len(target.accounts) == len(target.history.writes) == made


@pytest.mark.parametrize("kind", [FaultKind.LYING_TOTAL, FaultKind.REPEATED_PAGE])
async def test_a_list_that_contradicts_itself_is_void(kind: FaultKind) -> None:
    target = failing(nth(Operation.LIST, 2, Fault(kind)))
    for number in range(3):
        target.plant({"userName": f"n{number}"})
    async with target.open() as session:
        with pytest.raises(IncompleteRead):
            [page async for page in session.list(USER, frozenset())]


@pytest.mark.parametrize("kind", [FaultKind.LOST_AFTER, FaultKind.UNAVAILABLE, FaultKind.UNAVAILABLE_AFTER])
async def test_a_read_without_an_answer_had_no_effect(kind: FaultKind) -> None:
    target = failing(every(Operation.GET, 1, Fault(kind)))
    async with target.open() as session:
        with pytest.raises(NotSent):
            await session.get(USER, TargetId("u1"), frozenset())


async def test_a_new_account_hides_from_queries_while_the_app_lags_but_not_from_a_get() -> None:
    clock = FakeClock()
    target = MemoryTarget(MemorySettings(lag=30), runtime=fake_runtime(clock=clock))
    key = (Criterion(USER_NAME, "ada"),)
    async with target.open() as session:
        made = await session.create(creation("ada"))
        assert await session.find(USER, key, frozenset()) == []
        assert await session.get(USER, made.id, frozenset()) is not None
        clock.advance(30)
        assert [hit.id for hit in await session.find(USER, key, frozenset())] == [made.id]


@pytest.mark.parametrize("warm", [lambda _: None, lambda target: target.query((Criterion(USER_NAME, "x"),))])
async def test_queries_and_uniqueness_follow_every_change(warm: Callable[[MemoryTarget], object]) -> None:
    target = MemoryTarget()
    first, second = target.plant({"userName": "Ada"}), target.plant({"userName": "bob"})
    warm(target)
    target.change(first, "userName", "cy")
    target.change(second, "userName", "ADA")
    with pytest.raises(UniquenessTaken):
        target.plant({"userName": "ada"})
    target.remove(second)
    assert target.query((Criterion(USER_NAME, "ada"),)) == []
    assert target.query((Criterion(USER_NAME, "CY"),)) == [first]


async def test_an_app_without_uniqueness_takes_the_same_name_twice_and_its_history_tells() -> None:
    target = MemoryTarget(MemorySettings(unique=None))
    async with target.open() as session:
        ids = [(await session.create(creation("ada"))).id for _ in range(2)]
        await session.update(renaming(ids[1], "bob"))
    assert target.history.live_accounts_by("userName") == {"ada": (ids[0],), "bob": (ids[1],)}
    assert target.history.most_accounts_by("userName") == {"ada": 2, "bob": 1}
    assert target.history.values_of(ids[1], "userName") == ("ada", "bob")


async def test_what_an_admin_does_is_no_write_of_the_client() -> None:
    target = MemoryTarget()
    target.change(target.plant({"userName": "ada"}), "userName", "bob")
    assert target.history.writes == ()
    assert len(target.history) == 2


async def test_an_ignored_change_reports_success_and_changes_nothing() -> None:
    target = failing(every(Operation.UPDATE, 1, Fault(FaultKind.IGNORED_CHANGE)))
    made = target.plant({"userName": "ada"})
    async with target.open() as session:
        stored = await session.update(renaming(made, "bob"))
    assert stored.echo is not None
    assert stored.echo.attributes == target.document(made) == {"userName": "ada"}


@pytest.mark.parametrize("retry_after", [7.0, None])
async def test_a_throttled_request_says_how_long_to_wait(retry_after: float | None) -> None:
    target = failing(every(Operation.FIND, 1, Fault(FaultKind.THROTTLED, retry_after=retry_after)))
    async with target.open() as session:
        with pytest.raises(UsherError) as caught:
            await session.find(USER, (Criterion(USER_NAME, "a"),), frozenset())
    assert isinstance(caught.value, Throttled)
    assert caught.value.retry_after == retry_after
