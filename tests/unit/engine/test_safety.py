"""Budgets and held plans: what is over a budget waits, and an approval applies what is still due of it, once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from usher.core.model.reports import CycleResult, HeldPlan
from usher.core.sync.policies import Budget
from usher.testing.faults import Fault, FaultKind, Operation, nth
from usher.testing.world import World, direct_mapping, open_world, person

NAMES = [f"user{n:02}" for n in range(40)]


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """Forty people with an account, of whom twelve are about to leave: more than ten, and more than ten percent."""
    async with open_world() as new:
        new.people(NAMES)
        await new.sync()
        new.people(["joiner"])
        for name in NAMES[:12]:
            new.source.drop(f"id-{name}")
        await new.read(min_retained=50)
        yield new


def disabled(world: World) -> set[str]:
    return {name.partition("@")[0] for name, account in world.accounts().items() if account.get("active") is False}


async def held(world: World) -> HeldPlan:
    report = await world.cycle()
    assert report.held is not None
    return report.held


async def test_what_is_over_the_budget_waits_and_the_rest_goes_on(world: World) -> None:
    report = await world.cycle()

    assert report.result is CycleResult.PARTIAL
    assert report.held is not None
    assert report.held.count == 12
    assert report.held.reason == "OverBudget"
    assert disabled(world) == set()
    assert "joiner@example.com" in world.accounts()


async def test_an_approval_applies_the_held_set_once(world: World) -> None:
    plan = await held(world)

    report = await world.cycle(approval=plan.hash)

    assert report.counts.disabled == 12
    assert report.held is None
    assert report.result is CycleResult.SUCCEEDED
    assert disabled(world) == set(NAMES[:12])


async def test_an_approval_that_stays_on_the_object_approves_nothing_again(world: World) -> None:
    plan = await held(world)
    await world.cycle(approval=plan.hash)
    world.people(NAMES)
    await world.read()
    await world.cycle(approval=plan.hash)
    for name in NAMES[:12]:
        world.source.drop(f"id-{name}")
    await world.read(min_retained=50)

    first = await world.cycle(approval=plan.hash)
    second = await world.cycle(approval=plan.hash)

    assert first.held is not None
    assert second.held is not None
    assert second.held.hash == plan.hash
    assert disabled(world) == set()


async def test_another_hash_approves_nothing(world: World) -> None:
    await held(world)

    report = await world.cycle(approval="0123456789abcdef")

    assert report.held is not None
    assert disabled(world) == set()


async def test_a_held_set_is_kept_over_cycles_under_one_hash(world: World) -> None:
    first = await held(world)
    second = await held(world)

    assert (first.hash, first.expires) == (second.hash, second.expires)


async def test_who_came_back_leaves_the_set_and_the_rest_can_still_be_approved(world: World) -> None:
    plan = await held(world)
    world.people(NAMES[:4])
    await world.read()

    kept = await held(world)
    report = await world.cycle(approval=plan.hash)

    assert (kept.hash, kept.count) == (plan.hash, 8)
    assert report.counts.disabled == 8
    assert disabled(world) == set(NAMES[4:12])


async def test_new_leavers_within_the_budget_go_at_once_beside_a_held_set(world: World) -> None:
    plan = await held(world)
    world.source.drop(f"id-{NAMES[20]}")
    await world.read()

    report = await world.cycle()

    assert report.held is not None
    assert report.held.hash == plan.hash
    assert disabled(world) == {NAMES[20]}


async def test_new_leavers_over_the_budget_form_the_next_set_after_the_first_is_approved(world: World) -> None:
    plan = await held(world)
    for name in NAMES[20:32]:
        world.source.drop(f"id-{name}")
    await world.read(min_retained=50)
    assert (await held(world)).hash == plan.hash
    assert disabled(world) == set()

    await world.cycle(approval=plan.hash)
    following = await held(world)

    assert disabled(world) == set(NAMES[:12])
    assert following.count == 12
    assert following.hash != plan.hash


async def test_a_held_set_expires_and_is_held_anew(world: World) -> None:
    plan = await held(world)
    world.clock.advance(timedelta(hours=73).total_seconds())

    again = await held(world)

    assert again.hash == plan.hash
    assert again.expires > plan.expires
    assert disabled(world) == set()


async def test_a_raised_budget_releases_what_is_within_it(world: World) -> None:
    await held(world)
    world.budget = Budget(max_percent=50)

    report = await world.cycle()

    assert report.held is None
    assert disabled(world) == set(NAMES[:12])


async def test_a_raised_budget_takes_no_new_leavers_along(world: World) -> None:
    await held(world)
    for name in NAMES[12:36]:
        world.source.drop(f"id-{name}")
    await world.read(min_retained=0)
    world.budget = Budget(max_percent=30)  # the twelve of forty, and nobody more

    await world.cycle()

    assert len(disabled(world)) <= 12


async def test_more_people_do_not_release_a_held_set(world: World) -> None:
    await held(world)
    world.people([f"more{n}" for n in range(200)])
    await world.read()
    await world.cycle()

    report = await world.cycle()

    assert report.held is not None
    assert disabled(world) == set()


async def test_members_who_come_back_do_not_release_the_rest(world: World) -> None:
    await held(world)
    world.people(NAMES[:8])
    await world.read()

    report = await world.cycle()

    assert report.held is not None
    assert report.held.count == 4
    assert disabled(world) == set()


async def test_a_dry_run_shows_what_would_be_held_and_holds_nothing(world: World) -> None:
    planned = await world.plan()
    assert planned.held is not None
    assert await world.store.held(world.connector) is None

    report = await world.cycle(approval=planned.held.hash)

    assert report.counts.disabled == 12


async def test_an_approved_set_that_was_cut_short_needs_no_second_approval(world: World) -> None:
    plan = await held(world)
    from_then = len(world.target.history.writes)
    world.target.faults.add(
        nth(Operation.UPDATE, world.target.faults.count(Operation.UPDATE) + 3, Fault(FaultKind.UNAUTHORIZED))
    )
    failed = await world.cycle(approval=plan.hash)
    report = await world.cycle(approval=plan.hash)

    assert failed.result is CycleResult.FAILED
    assert failed.error_reason == "CredentialsRejected"
    assert report.result is CycleResult.SUCCEEDED
    assert disabled(world) == set(NAMES[:12])
    assert len(world.target.history.writes) == from_then + 12


async def test_a_changed_mapping_is_judged_with_no_free_minimum(world: World) -> None:
    world.people(NAMES)
    await world.read()
    await world.cycle()
    for name in NAMES[:5]:
        world.source.drop(f"id-{name}")
    await world.read()
    world.mapping = direct_mapping({"userName": ("userPrincipalName", 1)})

    report = await world.cycle()

    assert report.held is not None
    assert report.held.count == 5
    assert disabled(world) == set()


async def held_by_a_changed_mapping(world: World) -> HeldPlan:
    """Five leavers, whom no budget would hold otherwise."""
    world.people(NAMES)
    await world.sync()
    for name in NAMES[:5]:
        world.source.drop(f"id-{name}")
    world.mapping = direct_mapping({"userName": ("userPrincipalName", 1)})
    report = await world.sync()
    assert report.held is not None
    return report.held


async def test_what_a_changed_mapping_holds_stays_held_until_somebody_decides(world: World) -> None:
    plan = await held_by_a_changed_mapping(world)

    await world.plan()
    for word in ("", "deadbeef"):
        kept = (await world.sync(approval=word)).held
        assert kept is not None
        assert (kept.hash, kept.count) == (plan.hash, 5)
    world.clock.advance(timedelta(hours=73).total_seconds())
    anew = (await world.sync()).held
    assert anew is not None
    assert (anew.hash, anew.count) == (plan.hash, 5)
    assert anew.expires > plan.expires
    assert (await world.sync()).held == anew
    assert disabled(world) == set()

    approved = await world.sync(approval=plan.hash)
    assert approved.held is None
    assert disabled(world) == set(NAMES[:5])


async def test_beside_what_a_changed_mapping_holds_a_few_may_leave_as_always(world: World) -> None:
    plan = await held_by_a_changed_mapping(world)
    world.source.drop(f"id-{NAMES[6]}")

    kept = (await world.sync()).held

    assert kept is not None
    assert kept.hash == plan.hash
    assert disabled(world) == {NAMES[6]}


async def test_accounts_that_the_mapping_makes_inactive_by_value_count_against_the_budget() -> None:
    async with open_world() as world:
        world.mapping = direct_mapping(expressions={"active": 'Switch([status], "True", "terminated", "False")'})
        world.people(NAMES)
        await world.sync()
        for name in NAMES:
            world.source.put(f"id-{name}", **person(name, status="terminated"))

        report = await world.sync()

        assert report.held is not None
        assert report.held.count == len(NAMES)
        assert disabled(world) == set()


@pytest.mark.parametrize(
    ("count", "live", "allowed"),
    [
        (0, 0, True),
        (10, 10, True),
        (11, 110, True),
        (11, 109, False),
        (500, 5000, True),
        (501, 1_000_000, False),
        (500, 4999, False),
    ],
)
def test_a_budget_is_exceeded_by_count_or_by_share_above_the_minimum(count: int, live: int, allowed: bool) -> None:
    assert Budget().allows(count, live) is allowed


@pytest.mark.parametrize(("count", "told"), [(1, "1 of 1 live account"), (2, "1 of 2 live accounts")])
async def test_what_is_held_is_told_in_the_singular_where_there_is_one(count: int, told: str) -> None:
    async with open_world() as world:
        world.budget = Budget(max_count=0, max_percent=0, min_count=0)
        world.people(NAMES[:count])
        await world.sync()
        world.source.put(f"id-{NAMES[0]}", **person(NAMES[0], IsSoftDeleted=True))
        await world.read()
        assert (await held(world)).summary == told
