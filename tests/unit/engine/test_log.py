"""What the provisioning log holds of a change, and for how long: on a whole world."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from usher.api.v1alpha1.mappings import AttributeMappingSpec
from usher.assembly.mappings import compile_mapping
from usher.contracts.log import WHOLE_LOG, LogEntry
from usher.core.model.outcomes import ValueChange
from usher.core.sync.telling import LONGEST, LogValues
from usher.engine import log_retention
from usher.engine.cycle import run_cycle
from usher.engine.job import Control
from usher.testing.clock import fake_surroundings
from usher.testing.faults import Fault, FaultKind, FaultSchedule, nth
from usher.testing.faults import Operation as Op
from usher.testing.world import World, open_world, person

SECRET = "correct horse battery staple"
RULES: Sequence[Mapping[str, Any]] = (
    {"target": "userName", "source": "userPrincipalName", "match": 1},
    {"target": "title", "source": "jobTitle"},
    {"target": "nickName", "expression": "Redact([employeeId])"},
    {"target": "password", "source": "initialPassword", "apply": "Always"},
)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with open_world() as opened:
        spec = AttributeMappingSpec.model_validate({"attributes": RULES})
        opened.mapping = compile_mapping("people", spec, fake_surroundings())
        put(opened, jobTitle="Clerk")
        yield opened


def put(world: World, **attributes: str) -> None:
    world.source.put("id-ada", **person("ada", initialPassword=SECRET, employeeId="4711", **attributes))


async def sync(world: World, values: LogValues, retention: timedelta = timedelta(hours=720)) -> Sequence[LogEntry]:
    lanes = tuple([replace(lane, log_values=values) for lane in world.job.lanes])
    await world.read()
    await run_cycle(replace(world.job, lanes=lanes, log_retention=retention), world.ports, Control())
    return await world.store.log(world.connector, WHOLE_LOG, 99)


def told(entry: LogEntry) -> dict[str, ValueChange]:
    return {str(path): change for path, change in entry.values.items()}


async def test_names_are_told_and_values_are_not_unless_somebody_wants_them(world: World) -> None:
    [line] = await sync(world, LogValues.REDACTED)
    assert {"title", "password"} <= set(line.attributes)
    assert line.values == {}


async def test_full_tells_old_and_new_values_and_never_what_the_app_never_returns(world: World) -> None:
    [created] = await sync(world, LogValues.FULL)
    put(world, jobTitle="Judge")
    changed, _ = await sync(world, LogValues.FULL)

    assert told(created)["title"] == ValueChange(None, "Clerk")
    assert told(changed) == {"title": ValueChange("Clerk", "Judge")}
    assert "password" in created.attributes
    assert "password" not in told(created)
    assert SECRET not in str(created)


async def test_a_value_of_redact_is_told_by_its_place_alone(world: World) -> None:
    [line] = await sync(world, LogValues.FULL)
    assert told(line)["nickName"] == ValueChange("[Redact]", "[Redact]")
    assert "4711" not in str(line)


async def test_a_long_value_is_cut(world: World) -> None:
    put(world, jobTitle="x" * 10_000)
    [line] = await sync(world, LogValues.FULL)
    assert len(str(told(line)["title"].new)) < LONGEST + 50


async def test_a_change_tells_how_long_it_took_with_everything_that_was_sent_again(world: World) -> None:
    world.target.faults = FaultSchedule([nth(Op.CREATE, 1, Fault(FaultKind.THROTTLED))])
    [line] = await sync(world, LogValues.REDACTED)
    assert line.duration >= timedelta(seconds=sum(world.clock.slept)) > timedelta()


async def test_a_cycle_drops_the_lines_that_are_older_than_the_retention(world: World) -> None:
    await sync(world, LogValues.REDACTED)
    await world.clock.sleep(7200)
    put(world, jobTitle="Judge")
    [line] = await sync(world, LogValues.REDACTED, timedelta(hours=1))
    assert line.action == "Update"


async def test_of_more_lines_than_a_log_may_have_the_oldest_go(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_retention, "MOST_LINES", 2)
    for title in ("one", "two", "three"):
        put(world, jobTitle=title)
        lines = await sync(world, LogValues.FULL)
    assert [told(line)["title"].new for line in lines] == ["three", "two"]
