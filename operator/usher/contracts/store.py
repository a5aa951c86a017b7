"""What the engine asks of the state store: snapshots, links, plans, intents, discoveries, and the provisioning log.

State is a cache of links and a log of intents. Thrown away, the next cycle finds its accounts again by matching.
Every method is one transaction. Ids come and go in chunks: no whole connector in memory, unless a docstring says so.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, Protocol

from usher.contracts.anchorings import AnchoringStore
from usher.contracts.assignments import AssignmentStore
from usher.contracts.claims import ClaimStore
from usher.contracts.comparisons import ComparisonStore
from usher.contracts.discoveries import DiscoveryStore
from usher.contracts.endings import EndingStore
from usher.contracts.journal import JournalPart, JournalStore
from usher.contracts.log import LogEntry, LogStore
from usher.contracts.references import ReferenceStore
from usher.contracts.retention import RetentionStore
from usher.contracts.snapshots import SnapshotStore
from usher.contracts.standings import StandingStore
from usher.contracts.tenure import TenureStore
from usher.contracts.transfers import TransferStore
from usher.core.model.escrow import Unsettled
from usher.core.model.plans import Action, MatchKey, Phase, PlannedChange
from usher.core.model.reports import CycleReport
from usher.core.model.resources import (
    ConnectorKey,
    Fingerprint,
    Holding,
    Lane,
    Link,
    ResourceType,
    SourceId,
    SourceKey,
    TargetId,
)
from usher.core.sync.policies import Counted


@dataclass(frozen=True, slots=True)
class Consumption:
    """What a connector has worked off, and under which specification.

    `version` is None until an initial cycle has ended. Another `mapping` digest asks for an initial cycle, and so does
    another `scope` (a digest of whom the connector means) or `schema` (how the target's schema types and compares the
    mapped paths); with another `identity` or `address` the links have to be found again. `guarded`: mapping or scope is
    new for links that are there, and no cycle has ended under it. `retired`: the connector was deleted meanwhile.
    `lost`: an earlier state is gone, and people who left meanwhile may still have an active account. `restarted`:
    somebody wants the links to be found again.
    """

    source: SourceKey
    identity: str
    address: str
    mapping: str
    version: int | None
    schema: str = ""
    guarded: bool = False
    retired: bool = False
    scope: str = ""
    lost: bool = False
    restarted: bool = False


@dataclass(frozen=True, slots=True)
class LinkDigest:
    """What the first pass over everybody needs of a link."""

    source_id: SourceId
    target_id: TargetId
    fingerprint: Fingerprint
    enabled: bool


@dataclass(frozen=True, slots=True)
class Intent:
    """Written before a request that changes the target, cleared with its outcome.

    Open at the start of a cycle: look first.

    `keys` are the matching attributes of a create, so that its account can be looked for when the person is gone by
    then.
    """

    source_id: SourceId
    action: Action
    keys: tuple[MatchKey, ...] = ()


@dataclass(frozen=True, slots=True)
class Owner:
    """Who holds the link to a target resource."""

    connector: ConnectorKey
    source_id: SourceId


@dataclass(frozen=True, slots=True)
class Record:
    """What one chunk of outcomes changes in the state, in one transaction.

    `links` replace the link of their source id; one whose target resource another connector (or person) holds by now is
    refused, and its source id returned by `LinkStore.record`. Whoever refers to a resource whose account becomes
    active, inactive or another one by it is looked at again (`ReferenceStore.due_holders`).
    `finished` source ids lose their intent. `referring` are the holders whose references are at the target as far as
    they can be, with how many can't: they are looked at no more. `holding` is what references are known to be. Of
    disabled accounts, `ripening` are to be deleted when that has lasted since then (who waits already keeps the earlier
    time); `spared`, and whoever is enabled or gone, wait no more. `waking` are holders whose references somebody else
    has changed at the target: they are looked at again. `found` are people whose account was there before its link:
    somebody else may have put it into groups, and so every holder of the connector is looked at again. `journal` has
    what is known better of changes that were announced: its entries replace those of the same number.
    """

    links: Sequence[Link] = ()
    unlinked: Sequence[SourceId] = ()
    finished: Sequence[SourceId] = ()
    unsettled: Sequence[Unsettled] = ()
    settled: Sequence[SourceId] = ()
    log: Sequence[LogEntry] = field(default=())
    referring: Mapping[SourceId, int] = field(default_factory=dict)
    holding: Mapping[SourceId, Holding] = field(default_factory=dict)
    ripening: Mapping[SourceId, datetime] = field(default_factory=dict)
    spared: Sequence[SourceId] = ()
    waking: Sequence[SourceId] = ()
    found: Sequence[SourceId] = ()
    journal: JournalPart | None = None


class LinkStore(Protocol):
    """Links, intents and what is unsettled, per lane."""

    async def consumption(self, lane: Lane) -> Consumption | None: ...

    async def save_consumption(self, lane: Lane, consumption: Consumption) -> None:
        """Also makes the connector active: its links own their target resources (again). `retired` is not looked at."""

    async def count_links(self, lane: Lane) -> tuple[int, int]:
        """(all links, those with an enabled account)."""

    def link_digests(self, lane: Lane, after: SourceId | None = None) -> AsyncIterator[Sequence[LinkDigest]]:
        """Every link, or those behind that of `after`, in chunks and always in the same order."""

    async def links(self, lane: Lane, ids: Collection[SourceId]) -> Mapping[SourceId, Link]: ...

    async def digests(self, lane: Lane, ids: Collection[SourceId]) -> Mapping[SourceId, LinkDigest]:
        """The links of these, without what they hold."""

    async def owners(
        self, address: str, resource_type: ResourceType, targets: Collection[TargetId]
    ) -> Mapping[TargetId, Owner]:
        """Which active connector (this one included) links these resources of that type of the target at `address`."""

    async def ripe(self, lane: Lane, since: datetime) -> Sequence[SourceId]:
        """Whose account is to be deleted when that has lasted, and has waited since that time or before."""

    async def write_intents(self, lane: Lane, intents: Sequence[Intent], journal: JournalPart | None = None) -> None:
        """And, in the same transaction, what their changes are about to take the place of."""

    async def intents(self, lane: Lane) -> Mapping[SourceId, Intent]:
        """All open ones."""

    async def unsettled(self, lane: Lane) -> Mapping[SourceId, Unsettled]:
        """All of them."""

    async def renew_escrows(self, lane: Lane, at: datetime) -> None:
        """Whoever is in escrow, also who was given up, is unsettled since then, and waits for no time any more."""

    async def record(self, lane: Lane, record: Record) -> Sequence[SourceId]:
        """Returns the source ids whose link was refused because its target resource has another owner."""


@dataclass(frozen=True, slots=True)
class StoredHold:
    """A held set in the store. `approved` once somebody approved it.

    `count` is its size, `live` how many there were, by what is counted, when it was first held. `guarded`: mapping or
    scope was new then, and nothing was too little to be looked at. `whole`: it was all that was planned then. `anew`:
    its members are of the lanes in which links are found again.
    """

    hash: str
    reason: str
    summary: str
    count: Mapping[Counted, int]
    live: Mapping[Counted, int]
    created: datetime
    expires: datetime
    approved: bool
    guarded: bool
    whole: bool = False
    anew: bool = False


class PlanPlace(NamedTuple):
    """Where a change stands in a plan."""

    phase: Phase
    rank: int
    source_id: SourceId


class PlanStore(Protocol):
    """The running plan of each connector, its held set and its cycles."""

    async def clear_plan(self, lane: Lane) -> None:
        """Drops the running plan, not the held set."""

    async def add_changes(self, lane: Lane, changes: Sequence[PlannedChange]) -> None:
        """Rows of the running plan; a row of the same source id is replaced."""

    async def clear_phases(self, lane: Lane, phases: Collection[Phase]) -> None:
        """Drops these rows of the running plan."""

    async def planned(self, lane: Lane, ids: Collection[SourceId]) -> Mapping[SourceId, Action]:
        """What the running plan does with these resources themselves: their references are not in it."""

    async def count_changes(self, lane: Lane) -> Mapping[Action, int]: ...

    async def ranks(self, lane: Lane) -> Sequence[tuple[Phase, int]]:
        """The (phase, rank) pairs of the running plan in order of application."""

    def changes_of(self, lane: Lane, phase: Phase, rank: int) -> AsyncIterator[Sequence[PlannedChange]]:
        """Rows of one (phase, rank) in chunks; rows finished meanwhile don't disturb the iteration."""

    def all_changes(self, lane: Lane, after: PlanPlace | None = None) -> AsyncIterator[Sequence[PlannedChange]]:
        """The running plan in order of application, for showing it; all of it, or what is behind `after`."""

    async def hold(self, connector: ConnectorKey, hold: StoredHold, changes: Sequence[PlannedChange]) -> None:
        """Moves these rows out of the running plan into the held set, which replaces any former one."""

    async def hold_of(self, connector: ConnectorKey) -> StoredHold | None:
        """What is held, without its members."""

    def held_changes(self, lane: Lane, after: PlanPlace | None = None) -> AsyncIterator[Sequence[PlannedChange]]:
        """The members of the held set that are of this lane, as `all_changes`."""

    async def held_among(self, lane: Lane, ids: Collection[SourceId]) -> Collection[tuple[SourceId, Phase]]:
        """Which changes of these are members of the held set."""

    async def held(self, connector: ConnectorKey) -> tuple[StoredHold, Sequence[PlannedChange]] | None:
        """With all members in memory."""

    async def drop_held(self, lane: Lane, members: Collection[tuple[SourceId, Phase]]) -> None:
        """These members are no longer due (or were applied); an empty set is removed with its hold."""

    async def release(self, connector: ConnectorKey) -> None:
        """Removes the hold: it expired, or what it was about has changed."""

    async def approve(self, connector: ConnectorKey, word: str) -> bool:
        """Marks the held set approved when `word` is its hash and differs from the last word given for this connector.

        The word is remembered either way (an empty one too), so that an annotation that stays on an object approves
        once, and not the same set again when it is held a second time. Returns whether this call approved.
        """

    async def save_cycle(self, connector: ConnectorKey, cycle: str, report: CycleReport) -> None: ...

    async def cycles(self, connector: ConnectorKey, limit: int) -> Sequence[CycleReport]:
        """The last ones, newest first."""


class KeyStore(Protocol):
    """A secret of this state alone."""

    async def seal_key(self, fresh: bytes) -> bytes:
        """The key with which values are sealed that must not stand in the state; `fresh` where there is none yet."""


class Store(
    SnapshotStore,
    LinkStore,
    ClaimStore,
    AssignmentStore,
    ReferenceStore,
    TransferStore,
    AnchoringStore,
    ComparisonStore,
    PlanStore,
    LogStore,
    JournalStore,
    EndingStore,
    StandingStore,
    DiscoveryStore,
    KeyStore,
    RetentionStore,
    TenureStore,
    Protocol,
):
    """All of the state."""
