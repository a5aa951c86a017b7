"""Whoever is at the target is found, by a list or by queries, and both say the same."""

from __future__ import annotations

from asyncio import Event
from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass, field, replace

import pytest

from usher.contracts.target import Complete, Page, Projection
from usher.core.errors import CycleError, ResourceError
from usher.core.model.plans import Conjunction, MatchKey
from usher.core.model.resources import (
    ConnectorKey,
    Json,
    ResourceType,
    SourceId,
    SourceKey,
    SourceResource,
    TargetId,
    TargetResource,
)
from usher.core.scim.filters import matches
from usher.core.scim.schemas import USER_SCHEMA
from usher.core.sync.mapping import map_resource
from usher.engine.job import Job
from usher.engine.lookup import Candidates, Lookup
from usher.engine.retry import Retrier
from usher.testing.clock import FakeClock, fake_runtime
from usher.testing.faults import Fault, FaultKind, Operation, every, nth
from usher.testing.memory_target import MemorySession, MemoryTarget
from usher.testing.world import direct_mapping, person

MANY = [f"user{number:02}" for number in range(30)]
ONE = ["user07"]
"""Not one of those who are drawn to check a list of MANY."""
REFUSAL = ResourceError("the target refuses the request (status 400)", reason="UnprocessableEntity")


class Session(MemorySession):
    """Compares with every element that a filter selects, and may refuse lists, or queries for some value."""

    def __init__(self, app: MemoryTarget) -> None:
        super().__init__(app)
        self.lists = True
        self.refused = "\0"
        self.told: list[str] = []

    async def list(self, resource_type: ResourceType, wanted: Projection) -> AsyncIterator[Page | Complete]:
        if not self.lists:
            raise REFUSAL
        async for item in super().list(resource_type, wanted):
            yield item

    async def find(self, resource_type: ResourceType, key: Conjunction, wanted: Projection) -> Sequence[TargetResource]:
        self.told.append(str(key[0].value))
        if self.refused in str(key[0].value):
            raise REFUSAL
        await super().find(resource_type, key, wanted)
        app = self._app
        return [app.resource(i, wanted) for i in app.shown() if matches(key, app.document(i), USER_SCHEMA)]


@dataclass(slots=True)
class Bench:
    """A look-up and what it looks at."""

    target: MemoryTarget = field(default_factory=MemoryTarget)
    clock: FakeClock = field(default_factory=FakeClock)
    session: Session = field(init=False)
    lookup: Lookup = field(init=False)

    def __post_init__(self) -> None:
        self.session = Session(self.target)
        job = Job(
            connector=ConnectorKey("identity/app"),
            source=SourceKey("identity/corp"),
            resource_type=ResourceType.USER,
            mapping=direct_mapping(),
            address="https://app.example.com/scim/v2",
            requires={},
        )
        self.lookup = Lookup(job, self.session, Retrier(fake_runtime(0, self.clock)))

    def keys(self, user_name: str, mail: str) -> Sequence[MatchKey]:
        attributes = {**person("any"), "userPrincipalName": user_name, "mail": mail}
        return map_resource(self.lookup.job.mapping, SourceResource(SourceId("id"), attributes)).keys

    def wanted(self, names: Sequence[str]) -> dict[SourceId, Sequence[MatchKey]]:
        return {SourceId(name): self.keys(f"{name}@example.com", f"{name}@example.com") for name in names}

    def asked(self, operation: Operation) -> int:
        return self.target.faults.count(operation)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def work_emails(*values: str) -> Json:
    return [{"type": "work", "value": value} for value in values]


def found_ids(candidates: Candidates) -> set[TargetId]:
    return {resource.id for hits in candidates.hits.values() for resource in hits}


# --- the list and what stands in its way -----------------------------------------------------------------------------


async def test_of_thousands_whom_a_list_lacks_three_from_all_over_are_asked_for(bench: Bench) -> None:
    names = [f"user{number:04}" for number in range(3_000)]
    asked: list[str] = []
    bench.session.told = asked

    candidates = await bench.lookup.find_candidates(bench.wanted(names))

    assert candidates == Candidates()
    numbers = sorted({int(name[4:8]) for name in asked})
    assert [number // 900 for number in numbers] == [0, 1, 2]


async def test_many_people_are_found_in_one_list(bench: Bench) -> None:
    planted = bench.target.plant({"userName": "USER07@example.com"})

    candidates = await bench.lookup.find_candidates(bench.wanted(MANY))

    assert found_ids(candidates) == {planted}
    assert not candidates.failures
    assert bench.asked(Operation.FIND) <= 6


async def test_a_target_that_refuses_to_be_listed_is_asked_person_by_person(bench: Bench) -> None:
    bench.session.lists = False
    planted = bench.target.plant({"userName": "user07@example.com"})

    candidates = await bench.lookup.find_candidates(bench.wanted(MANY))

    assert found_ids(candidates) == {planted}
    assert not candidates.failures


async def test_one_value_that_the_target_refuses_to_query_fails_nobody_else(bench: Bench) -> None:
    bench.session.refused = "user00"

    candidates = await bench.lookup.find_candidates(bench.wanted(MANY))

    assert candidates.failures == {"user00": REFUSAL}
    assert bench.asked(Operation.FIND) <= 6


async def test_a_list_that_no_query_confirms_is_not_believed(bench: Bench) -> None:
    bench.session.refused = "user"

    candidates = await bench.lookup.find_candidates(bench.wanted(MANY))

    assert candidates.failures.keys() == set(MANY)


async def test_a_list_that_lacks_somebody_whom_a_query_finds_is_not_believed(bench: Bench) -> None:
    planted = bench.target.plant({"userName": "user00@example.com"})
    bench.target.faults.add(every(Operation.LIST, 1, Fault(FaultKind.EMPTY_LIST)))

    candidates = await bench.lookup.find_candidates(bench.wanted(MANY))

    assert found_ids(candidates) == {planted}


async def test_a_throttled_list_is_not_repeated_before_its_retry_after(bench: Bench) -> None:
    bench.target.faults.add(nth(Operation.LIST, 1, Fault(FaultKind.THROTTLED, retry_after=60.0)))

    await bench.lookup.find_candidates(bench.wanted(MANY))

    assert bench.clock.monotonic() >= 60.0
    assert bench.asked(Operation.FIND) <= 6


async def test_a_list_that_asks_for_more_patience_than_a_cycle_has_ends_it(bench: Bench) -> None:
    bench.target.faults.add(nth(Operation.LIST, 1, Fault(FaultKind.THROTTLED, retry_after=3600.0)))

    with pytest.raises(CycleError):
        await bench.lookup.find_candidates(bench.wanted(MANY))

    assert bench.target.faults.calls == 1


# --- both ways give the same evidence --------------------------------------------------------------------------------


@pytest.mark.parametrize("names", [ONE, MANY], ids=["query", "list"])
async def test_any_element_that_a_filter_selects_may_hold_the_value(names: Sequence[str], bench: Bench) -> None:
    emails = work_emails("alias@example.com", "user07@example.com", "USER07@example.com")
    planted = bench.target.plant({"userName": "legacy", "emails": emails})

    candidates = await bench.lookup.find_candidates(bench.wanted(names))

    assert [[hit.id for hit in hits] for hits in candidates.hits.values()] == [[planted]]


@pytest.mark.parametrize("names", [ONE, MANY], ids=["query", "list"])
async def test_the_next_matching_attribute_is_tried_when_the_first_hit_is_being_freed(
    names: Sequence[str], bench: Bench
) -> None:
    leaving = bench.target.plant({"userName": "user07@example.com"})
    staying = bench.target.plant({"userName": "legacy", "emails": work_emails("user07@example.com")})

    async def being_freed(ids: Collection[TargetId]) -> Collection[TargetId]:
        return set(ids) & {leaving}

    candidates = await replace(bench.lookup, being_freed=being_freed).find_candidates(bench.wanted(names))

    assert found_ids(candidates) == {leaving, staying}


async def test_a_hit_that_stays_ends_the_queries_for_a_person(bench: Bench) -> None:
    planted = bench.target.plant({"userName": "user07@example.com"})

    candidates = await bench.lookup.find_candidates(bench.wanted(ONE))

    assert found_ids(candidates) == {planted}
    assert bench.asked(Operation.FIND) == 1


# --- stopping --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("names", [ONE, MANY], ids=["query", "list"])
async def test_a_stopped_look_up_asks_nothing_and_concludes_nothing(names: Sequence[str], bench: Bench) -> None:
    stop = Event()
    stop.set()

    candidates = await replace(bench.lookup, stop=stop).find_candidates(bench.wanted(names))

    assert {who: error.reason for who, error in candidates.failures.items()} == dict.fromkeys(names, "Interrupted")
    assert not candidates.hits
    assert bench.asked(Operation.FIND) == 0
    assert bench.asked(Operation.LIST) <= 1


async def test_a_look_up_that_is_stopped_midway_keeps_what_it_has(bench: Bench) -> None:
    stop = Event()
    planted = bench.target.plant({"userName": "user00@example.com"})
    bench.session.lists = False

    async def stop_and_free_nobody(_: Collection[TargetId]) -> Collection[TargetId]:
        stop.set()
        return ()

    lookup = replace(bench.lookup, being_freed=stop_and_free_nobody, stop=stop)
    candidates = await replace(lookup, job=replace(lookup.job, concurrency=1)).find_candidates(bench.wanted(MANY))

    assert found_ids(candidates) == {planted}
    assert candidates.failures.keys() == set(MANY) - {"user00"}
