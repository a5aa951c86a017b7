"""What a cycle works on: a compiled specification and the ends it may talk to."""

from __future__ import annotations

from asyncio import Event
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from usher.contracts.runtime import Runtime
from usher.contracts.source import SourceOpener
from usher.contracts.store import Owner, Store
from usher.contracts.target import TargetOpener
from usher.core.model.plans import Desired
from usher.core.model.reports import CycleKind
from usher.core.model.resources import ConnectorKey, Lane, ResourceType, SourceId, SourceKey, SourceResource, TargetId
from usher.core.sync.assignments import APP_ROLES, Assigned, Assignment, map_assigned
from usher.core.sync.leaving import SOURCE_DELETED, UNASSIGNED, Deprovisioning
from usher.core.sync.matching import Adopt
from usher.core.sync.policies import Approval, Budgets, Enforcement, OnStateLoss
from usher.core.sync.rules import CompiledMapping
from usher.core.sync.telling import LogValues
from usher.engine.progress import Progress


@dataclass(frozen=True, slots=True)
class SourceJob:
    """One source to read.

    `min_retained` is the percentage of the former resources that a read must still hold. A source that can tell what
    changed is read whole once in `full_every`, and by its changes in between.
    """

    source: SourceKey
    resource_types: tuple[ResourceType, ...]
    open_source: SourceOpener
    min_retained: int
    full_every: timedelta


@dataclass(frozen=True, slots=True)
class Anchoring:
    """Why the links of a lane are to be found again, in words for people, and what is known of those in force.

    They are at the target with that base `address`. With `same_ids` the ids of the source mean what they meant, with
    `same_ends` those of the target too.
    """

    words: str
    address: str
    same_ids: bool
    same_ends: bool


@dataclass(frozen=True, slots=True)
class Job:
    """One lane of a connector. `address` is the target's base address: target ids mean nothing at another one.

    `requires` names each source attribute that the mapping reads, with the place that reads it
    (`AttributeMapping/people spec.attributes[3].source`). `concurrency` is the number of requests in flight at the
    most.

    `assignment` is what the scope assigns, None where everybody is in; `assigned` is who that is in the cycle that
    runs. It is `whole` unless an entry is not understood: until then nobody leaves by absence from the scope.

    `settle` is for how long the target may hide a new account from look-ups; None where it can't be asked at all.

    `ending`: the connector itself is deleted. Whoever it links leaves as somebody who is assigned no more, whatever the
    source says: it is not asked, and may be gone.

    `lost`: an earlier state is gone, as whoever starts the cycle knows, or as the state has kept since then.

    `anew`: links are found again, in a lane beside the one in force, which nobody leaves and nothing of which changes
    before somebody has approved what was found.
    """

    connector: ConnectorKey
    source: SourceKey
    resource_type: ResourceType
    mapping: CompiledMapping
    address: str
    requires: Mapping[str, str]
    concurrency: int = 16
    adopt: Adopt = Adopt.ALWAYS
    deprovisioning: Deprovisioning = field(default_factory=Deprovisioning)
    assignment: Assignment | None = None
    assigned: Assigned | None = None
    whole: bool = True
    ending: bool = False
    lost: bool = False
    settle: timedelta | None = timedelta()
    log_values: LogValues = LogValues.REDACTED
    anew: Anchoring | None = None

    @property
    def lane(self) -> Lane:
        """Under which name the state knows it."""
        return Lane(self.connector, self.resource_type, self.anew is not None)

    @property
    def lane_in_force(self) -> Lane:
        """The same, unless links are found again: then that of the links that are in force meanwhile."""
        return Lane(self.connector, self.resource_type)

    @property
    def scope(self) -> str:
        """A digest of whom the scope means, which accounts it spares, and what is done with whoever leaves.

        Empty where it means everybody, and leavers are disabled. Of a connector that ends it is another one: a plan
        that was held before is about something else.
        """
        assigned = "" if self.assignment is None else self.assignment.digest
        spared, ending = self.mapping.untouchable.digest, "|ending" if self.ending else ""
        return f"{assigned}{self.mapping.scope.digest}{spared}{self.deprovisioning.digest}{ending}"

    @property
    def absence(self) -> str:
        """For which cause somebody leaves whom the feed of a cycle does not bring."""
        return UNASSIGNED if self.ending else SOURCE_DELETED

    async def owners(self, store: Store, targets: Collection[TargetId]) -> Mapping[TargetId, Owner]:
        """Which active connector links these resources of the target; links that are found again bind nobody."""
        found = await store.owners(self.address, self.resource_type, targets)
        if self.anew is None:
            return found
        return {target: owner for target, owner in found.items() if owner.connector != self.connector}

    async def people(self, store: Store, ids: Collection[SourceId]) -> Mapping[SourceId, SourceResource]:
        """Those of these whom the source has; nobody where the connector ends."""
        return {} if self.ending else await store.resources(self.source, self.resource_type, ids)

    def given(self, attributes: Sequence[str]) -> Sequence[str]:
        """The attributes that a mapping finds in a resource: the source's, and what an assignment adds."""
        return attributes if self.assignment is None else (*attributes, APP_ROLES)

    def map(self, resource: SourceResource) -> Desired:
        """What is wanted for a resource of the source. Raises ResourceError."""
        return map_assigned(self.mapping, self.assigned, resource)


@dataclass(frozen=True, slots=True)
class ConnectorJob:
    """One connector to run: its lanes, users first. With OBSERVE nothing is ever written to the target.

    `approval` says what is held: what is over the `budgets`, or all that would be written.

    All linked accounts are compared with what they should be once in `compare_every`, never with None. `digest` is that
    of the spec as far as it says what is done: under another one everything that failed is tried anew. Lines of the
    provisioning log are kept for `log_retention`.
    """

    lanes: tuple[Job, ...]
    open_target: TargetOpener
    budgets: Budgets
    hold_for: timedelta
    enforcement: Enforcement = Enforcement.ENFORCE
    compare_every: timedelta | None = None
    on_state_loss: OnStateLoss = OnStateLoss.REPORT
    digest: str = ""
    log_retention: timedelta = timedelta(hours=720)
    approval: Approval = Approval.ON_VIOLATION

    @property
    def connector(self) -> ConnectorKey:
        """The connector's key."""
        return self.lanes[0].connector

    @property
    def address(self) -> str:
        """The target's base address."""
        return self.lanes[0].address

    @property
    def anew(self) -> Anchoring | None:
        """Why its links are found again, None where they are in force."""
        return self.lanes[0].anew

    @property
    def ending(self) -> bool:
        """Whether the connector itself is deleted."""
        return self.lanes[0].ending

    def lane(self, resource_type: ResourceType) -> Job | None:
        """The lane of that type, None where nobody maps it."""
        return next((job for job in self.lanes if job.resource_type is resource_type), None)


@dataclass(frozen=True, slots=True)
class Ports:
    """What the engine is lent."""

    store: Store
    runtime: Runtime


@dataclass(frozen=True, slots=True)
class Control:
    """What somebody outside says to a cycle. `approval` is the hash of a held set that was approved, or empty.

    `stop` ends the apply after the requests in flight; `progress` is told how far it is. `asked` is the kind of cycle
    that somebody asked for, None where the state says what is due.
    """

    approval: str = ""
    stop: Event = field(default_factory=Event)
    progress: Progress = field(default_factory=Progress)
    asked: CycleKind | None = None
