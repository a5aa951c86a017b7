"""Who is meant by those who were asked for: looked up in the snapshot of the source, by one attribute."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from usher.core.model.on_demand import Step, StepName, StepResult
from usher.core.model.resources import ResourceType, SourceId
from usher.core.sync.assignments import Entry, Search
from usher.core.sync.matching import DUPLICATE_SOURCE
from usher.core.sync.policies import Subject
from usher.engine.explaining import knows
from usher.engine.feeding import everybody
from usher.engine.job import ConnectorJob, Job, Ports
from usher.engine.preparing import snapshot_of

FOUND: Final = "Found"
NOT_FOUND: Final = "SubjectNotFound"
NOT_MAPPED: Final = "TypeNotMapped"
ID: Final = "objectId"
"""The name of every source for its own ids: by it somebody is found too whom the source has no more."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """One of those who were asked for; `subjects` has the one who is meant, and is empty where nobody is."""

    step: Step
    subjects: tuple[Subject, ...] = ()


async def resolve(job: ConnectorJob, ports: Ports, entries: Sequence[Entry]) -> list[Resolved]:
    """In their order. Raises CycleError where the source was not read."""
    placed = [replace(entry, place=str(index)) for index, entry in enumerate(entries)]
    found: dict[str, Resolved] = {}
    for kind in ResourceType:
        mine = [entry for entry in placed if entry.resource_type is kind]
        lane = job.lane(kind)
        if lane is None:
            why = f"no mapping for {kind.value}s is in use: add one to spec.mappings"
            found |= {entry.place: _failed(NOT_MAPPED, why) for entry in mine}
        elif mine:
            found |= await _resolve(lane, ports, mine)
    return [found[entry.place] for entry in placed]


async def _resolve(lane: Job, ports: Ports, entries: Sequence[Entry]) -> dict[str, Resolved]:
    read = (await snapshot_of(ports, lane)).completed
    search = Search(entries)
    async for resource in everybody(ports.store, lane.source, lane.resource_type):
        search.look_at(resource)
    why = {each.place: each.why for each in search.unresolved()}
    found: dict[str, Resolved] = {}
    for entry in entries:
        hits = search.hits.get(entry.name, ())
        if len(hits) == 1:
            found[entry.place] = _found(lane, hits[0], read)
        elif hits:
            found[entry.place] = _failed(DUPLICATE_SOURCE, why[entry.place])
        elif entry.attribute == ID and await knows(lane, ports.store, entry.value):
            found[entry.place] = _found(lane, SourceId(entry.value), read)
        else:
            found[entry.place] = _failed(NOT_FOUND, why[entry.place])
    return found


def _found(lane: Job, source_id: SourceId, read: datetime) -> Resolved:
    message = f"as the source was read at {read:%Y-%m-%dT%H:%M:%SZ}"
    return Resolved(Step(StepName.IMPORT, StepResult.SUCCESS, FOUND, message), ((lane.resource_type, source_id),))


def _failed(reason: str, why: str) -> Resolved:
    return Resolved(Step(StepName.IMPORT, StepResult.FAILURE, reason, why))
