"""Things to put in a store, for the store contract suite and for tests of a store's own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Final, TypeVar

from usher.contracts.log import LogEntry
from usher.contracts.snapshots import Snapshot, StagedResource
from usher.contracts.store import Consumption, Record, Store, StoredHold
from usher.core.model.plans import Action, Criterion, MatchKey, Phase, PlannedChange, Replace
from usher.core.model.resources import (
    AttributePath,
    ConnectorKey,
    Fingerprint,
    Json,
    Lane,
    Link,
    ResourceType,
    SourceId,
    SourceKey,
    SourceResource,
    TargetId,
    Value,
)
from usher.core.sync.policies import Counted

T = TypeVar("T")

NOON: Final = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
PEOPLE: Final = SourceKey("hr/people")
ADDRESS: Final = "https://crm.example/scim"
USER: Final = ResourceType.USER
CRM: Final = Lane(ConnectorKey("hr/crm"), USER)
WIKI: Final = Lane(ConnectorKey("hr/wiki"), USER)
USER_NAME: Final = AttributePath("userName")


async def collect(pages: AsyncIterator[Sequence[T]]) -> list[T]:
    """Everything that comes out of an iteration in chunks."""
    return [item async for page in pages for item in page]


def name_people(count: int) -> list[SourceId]:
    """p0000, p0001 and so on: in the order of their ids."""
    return [SourceId(f"p{index:04}") for index in range(count)]


def make_fingerprint(text: str) -> Fingerprint:
    """Differs when the text does."""
    return Fingerprint(blake2b(text.encode(), digest_size=16).digest())


def make_staged(source_id: str, name: str = "") -> StagedResource:
    """A person whose attributes hold every kind of value that a source has."""
    attributes: dict[str, Value] = {
        "name": name or source_id,
        "active": True,
        "floor": 3,
        "share": 0.5,
        "mails": ("a@x", "b@x"),
        "none": (),
    }
    return StagedResource(SourceResource(SourceId(source_id), attributes), make_fingerprint(f"{source_id} {name}"))


def make_snapshot(version: int, count: int = 0) -> Snapshot:
    """Complete, and the same but for these two."""
    return Snapshot(version, count, ("name", "mail"), "csv:id", f"digest-{version}", None, NOON, NOON)


def make_consumption(address: str = ADDRESS, version: int | None = None) -> Consumption:
    """Of the source PEOPLE."""
    return Consumption(PEOPLE, "csv:id", address, "mapping-1", version, "schema-1")


def make_link(source_id: str, target_id: str, version: str | None = None) -> Link:
    """Enabled, with every kind of value in its image."""
    image: dict[AttributePath, Json] = {
        USER_NAME: source_id,
        AttributePath("title"): None,
        AttributePath("emails"): [{"value": "a@x", "primary": True}],
    }
    return Link(SourceId(source_id), TargetId(target_id), version, image, make_fingerprint(source_id), enabled=True)


def make_change(
    source_id: str, action: Action = Action.UPDATE, phase: Phase = Phase.UPDATE, rank: int = 0
) -> PlannedChange:
    """A row with something in every field, so that a field that is lost is missed."""
    return PlannedChange(
        resource_type=USER,
        source_id=SourceId(source_id),
        target_id=None if action is Action.CREATE else TargetId(f"t-{source_id}"),
        action=action,
        phase=phase,
        rank=rank,
        delta={USER_NAME: Replace(source_id)},
        before={USER_NAME: None},
        version='W/"1"',
        fingerprint=make_fingerprint(source_id),
        keys=(MatchKey(1, (Criterion(USER_NAME, source_id),), f"userName eq {source_id}"),),
        create_only=(AttributePath("title"),),
        cause="Tombstone",
    )


def make_hold(word: str = "hash-1", count: int = 1) -> StoredHold:
    """Not approved yet."""
    lost, live = {Counted.ACCOUNTS: count}, {Counted.ACCOUNTS: 9}
    until = NOON + timedelta(days=7)
    return StoredHold(word, "BudgetExceeded", "1 of 9", lost, live, NOON, until, approved=False, guarded=True)


def make_entry(source_id: str | None, detail: str = "", time: datetime = NOON) -> LogEntry:
    """A line of the provisioning log."""
    person = None if source_id is None else SourceId(source_id)
    return LogEntry(time, "cycle-1", person, None, "action", "Create", "Success", "", detail, ("userName", "title"))


async def link_people(store: Store, lane: Lane, **targets: str) -> Sequence[SourceId]:
    """Records a link per person (`p1="t1"`); returns who was refused."""
    return await store.record(lane, Record(links=[make_link(person, target) for person, target in targets.items()]))
