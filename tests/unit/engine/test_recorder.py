"""Outcomes are saved in their order, while others come in; what becomes of a save is told to whoever comes next."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, cast

import pytest

from usher.contracts.store import Record
from usher.core.errors import CycleError
from usher.core.model.outcomes import Done
from usher.core.model.plans import Action, Phase, PlannedChange
from usher.core.model.resources import ConnectorKey, Fingerprint, Link, ResourceType, SourceId, SourceKey, TargetId
from usher.engine.job import Job, Ports
from usher.engine.recorder import CHUNK, Recorder
from usher.testing.clock import FakeClock, fake_runtime
from usher.testing.world import direct_mapping


@dataclass(slots=True)
class SlowStore:
    """Keeps the records that it gets, each once it is let go on."""

    go_on: asyncio.Event = field(default_factory=asyncio.Event)
    begun: int = 0
    saved: list[SourceId] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    error: CycleError | None = None

    async def record(self, _: ConnectorKey, record: Record) -> Sequence[SourceId]:
        self.begun += 1
        await self.go_on.wait()
        if self.error is not None:
            raise self.error
        self.saved += record.finished
        self.sizes.append(len(record.finished))
        return []


@pytest.fixture
def store() -> SlowStore:
    return SlowStore()


@pytest.fixture
def recorder(store: SlowStore) -> Recorder:
    job = Job(
        connector=ConnectorKey("identity/app"),
        source=SourceKey("identity/corp"),
        resource_type=ResourceType.USER,
        mapping=direct_mapping(),
        address="https://app.example.com/scim/v2",
        requires={},
    )
    return Recorder(job, Ports(cast("Any", store), fake_runtime(0, FakeClock())), "cycle", {}, ())


def outcome(number: int) -> Done:
    source_id, print_ = SourceId(f"p{number:06}"), Fingerprint(b"")
    change = PlannedChange(ResourceType.USER, source_id, None, Action.CREATE, Phase.CREATE, 0, {}, {}, None, print_)
    return Done(change, Link(source_id, TargetId(f"t{number}"), None, {}, print_, enabled=True))


async def add(recorder: Recorder, numbers: range) -> None:
    for number in numbers:
        await recorder.add(outcome(number), timedelta())


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def test_nobody_waits_for_a_chunk_that_is_being_saved(recorder: Recorder, store: SlowStore) -> None:
    await asyncio.wait_for(add(recorder, range(2 * CHUNK)), 1)
    await settle()

    assert (store.begun, store.saved) == (1, [])


async def test_outcomes_are_saved_in_their_order_one_chunk_at_a_time(recorder: Recorder, store: SlowStore) -> None:
    store.go_on.set()
    for number in range(3 * CHUNK + 7):
        await recorder.add(outcome(number), timedelta())
        await asyncio.sleep(0)
    await recorder.flush()

    assert store.saved == [f"p{number:06}" for number in range(3 * CHUNK + 7)]
    assert max(store.sizes) <= 2 * CHUNK


async def test_when_the_database_is_the_slower_one_everybody_waits_for_it(recorder: Recorder, store: SlowStore) -> None:
    adding = asyncio.create_task(add(recorder, range(20 * CHUNK)))
    await settle()
    assert not adding.done()
    assert store.begun == 1

    store.go_on.set()
    await adding
    await recorder.flush()
    assert len(store.saved) == 20 * CHUNK


async def test_what_became_of_a_chunk_is_told_to_whoever_comes_next(recorder: Recorder, store: SlowStore) -> None:
    store.error = CycleError("the disk is full", reason="StateUnusable")
    store.go_on.set()
    await add(recorder, range(CHUNK))
    await settle()

    with pytest.raises(CycleError, match="full"):
        await add(recorder, range(CHUNK, 2 * CHUNK + 1))


async def test_a_flush_waits_for_the_chunk_before_it_and_tells_of_its_error(
    recorder: Recorder, store: SlowStore
) -> None:
    await add(recorder, range(CHUNK))
    await settle()
    flushing = asyncio.create_task(recorder.flush())
    await settle()
    assert store.begun == 1

    store.error = CycleError("the disk is full", reason="StateUnusable")
    store.go_on.set()
    with pytest.raises(CycleError, match="full"):
        await flushing


async def test_whoever_is_cancelled_while_waiting_cancels_no_save(recorder: Recorder, store: SlowStore) -> None:
    adding = asyncio.create_task(add(recorder, range(20 * CHUNK)))
    await settle()
    adding.cancel()
    await asyncio.gather(adding, return_exceptions=True)

    store.go_on.set()
    await recorder.flush()
    assert store.saved[:CHUNK] == [f"p{number:06}" for number in range(CHUNK)]
