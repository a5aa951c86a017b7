"""ProvisioningConnector: one flow of people from an identity source into one app."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Final, Literal, TypeAlias

from pydantic import Field

from usher.api.conditions import Conditions
from usher.api.v1alpha1.durations import DeleteTime, HoldTime, Interval
from usher.api.v1alpha1.objects import ScheduleStatus, Status, Time
from usher.api.v1alpha1.references import NameRef
from usher.api.v1alpha1.rules import Strict, Unchanged, UniqueBy
from usher.api.v1alpha1.scopes import Scope
from usher.api.v1alpha1.targets.scim import ScimTarget

MAX_HISTORY: Final = 5
MAX_COUNT: Final = 1_000_000_000
MAX_SCHEMAS: Final = 4
MAX_URN: Final = 100


class ConnectorSchedule(Strict):
    """When cycles run."""

    interval: Interval = Field(
        default=timedelta(minutes=5),
        description="Longest time between two cycles, such as 5m, which is also what an absent field means. A change in"
        " the source starts one at once.",
    )


class Target(Strict):
    """The app into which people are provisioned; exactly one kind."""

    scim: ScimTarget = Field(description="An app with a SCIM 2.0 endpoint.")


class Budget(Strict):
    """How much one cycle may take away before somebody has to approve it."""

    max_count: int = Field(
        default=500,
        ge=0,
        le=MAX_COUNT,
        description="More than this many are held, whatever their share; 500 when absent.",
    )
    max_percent: int = Field(
        default=10,
        ge=0,
        le=100,
        description="More than this percentage of those that there are is held, if it is also more than minCount;"
        " 10 when absent.",
    )
    min_count: int = Field(
        default=10,
        ge=0,
        le=MAX_COUNT,
        description="Up to this many are never held for their percentage; 10 when absent.",
    )


Leaving: TypeAlias = Literal["Disable", "Delete", "Keep"]
"""What is done with the account of somebody who left."""


class Deprovisioning(Strict):
    """What is done with the accounts of people, and with groups, that leave."""

    on_unassigned: Leaving = Field(
        default="Disable", description="Whom spec.scope assigns no more; the account is disabled when absent."
    )
    on_out_of_scope: Leaving = Field(
        default="Disable", description="Whom no scoping filter admits any more; the account is disabled when absent."
    )
    on_source_disabled: Leaving = Field(
        default="Disable", description="Whose account is disabled in the source; it is disabled when absent."
    )
    on_source_deleted: Leaving = Field(
        default="Disable",
        description="Who is gone from the source; the account is disabled when absent. Delete acts at once where the"
        " source itself tells the deletion, and after deleteAfter where a complete read lacks the person.",
    )
    delete_after: DeleteTime | None = Field(
        default=None,
        description="How long an account stays disabled before it is deleted, where the action is Delete: after this"
        " time, and one more complete read, such as 720h. When absent it stays disabled. A group is empty for that"
        " time; when absent it is deleted at once. So is an account of an app that can't disable, in any case.",
    )


class Safety(Strict):
    """What protects the app's accounts from a wrong source or a wrong spec."""

    accounts: Budget = Field(
        default=Budget(), description="How many accounts one cycle may disable or delete without an approval."
    )
    groups: Budget = Field(default=Budget(), description="How many groups one cycle may delete without an approval.")
    memberships: Budget = Field(
        default=Budget(),
        description="How many memberships one cycle may take away without an approval. Those of accounts and groups"
        " that leave by themselves are not counted again.",
    )
    hold_for: HoldTime = Field(
        default=timedelta(hours=72),
        description="How long a held plan waits for its approval before it is dropped; 72h when absent.",
    )


class ProvisioningConnectorSpec(Strict):
    """What is provisioned, from where, to where, when, and within which limits."""

    suspend: bool = Field(
        default=False,
        description="While true no cycle starts; one that runs ends its requests. State and accounts stay.",
    )
    schedule: ConnectorSchedule = Field(default=ConnectorSchedule(), description="When cycles run.")
    source_ref: Annotated[NameRef, Unchanged("the source can't be changed: another source is another connector")] = (
        Field(description="The IdentitySource from which people come. Can't be changed.")
    )
    target: Target = Field(description="The app into which people are provisioned; exactly one kind.")
    scope: Scope = Field(description="Who is provisioned.")
    mappings: Annotated[tuple[NameRef, ...], UniqueBy("name")] = Field(
        min_length=1,
        max_length=2,
        description="The AttributeMappings: exactly one for users, and at most one for groups, in any order.",
    )
    adopt: Literal["Always", "Never"] = Field(
        default="Always",
        description="Whether an existing account that matches somebody, and has no link, is taken over: Always (when"
        " absent), or Never, which leaves it alone and says so.",
    )
    deprovisioning: Deprovisioning = Field(
        default=Deprovisioning(), description="What is done with the accounts of people who leave."
    )
    deletion_policy: Literal["Orphan", "Deprovision"] = Field(
        default="Orphan",
        description="What happens to the accounts when this object is deleted. Orphan (when absent): they stay as they"
        " are, and the object is gone at once. Deprovision: everybody leaves like somebody who is assigned no more,"
        " within the same budgets; until that is done, or deprovisionTimeout is over, a finalizer holds the object.",
    )
    deprovision_timeout: HoldTime = Field(
        default=timedelta(hours=1),
        description="How long the deletion of this object waits for its accounts, with deletionPolicy Deprovision; what"
        " is left after that stays as it is. 1h when absent.",
    )
    policy: Literal["Enforce", "Observe"] = Field(
        default="Enforce",
        description="Enforce (when absent): cycles bring the app up to date. Observe: each cycle plans for everybody,"
        " compares with all accounts of the app, reports, and never writes to it; for a first look at an app that has"
        " accounts already.",
    )
    safety: Safety = Field(
        default=Safety(), description="What protects the app's accounts from a wrong source or a wrong spec."
    )


class ResourceCounts(Status):
    """What a cycle did with the resources of one type."""

    created: int | None = Field(default=None, description="Created.")
    linked: int | None = Field(default=None, description="Taken over, as they were there already.")
    updated: int | None = Field(default=None, description="Changed.")
    disabled: int | None = Field(default=None, description="Disabled.")
    deleted: int | None = Field(default=None, description="Deleted.")
    references: int | None = Field(
        default=None, description="Those whose members, manager or the like were changed; none when absent."
    )
    unchanged: int | None = Field(default=None, description="Right already.")
    skipped: int | None = Field(
        default=None, description="Those that could not be evaluated, such as one without a matching value."
    )
    failed: int | None = Field(default=None, description="Changes that did not succeed.")


class CycleSummary(Status):
    """A cycle that has ended."""

    kind: Literal["Initial", "Incremental"] | None = Field(
        default=None, description="Initial: everybody was evaluated."
    )
    start_time: Time | None = Field(default=None, description="When it began.")
    completion_time: Time | None = Field(default=None, description="When it ended.")
    result: Literal["Succeeded", "Partial", "Failed", "Interrupted"] | None = Field(
        default=None,
        description="Partial: it ran to its end and left something undone. Failed: it stopped before its end.",
    )
    users: ResourceCounts | None = Field(default=None, description="What it did with users.")
    groups: ResourceCounts | None = Field(
        default=None, description="What it did with groups; absent where no mapping is for them."
    )


class RunningCycle(Status):
    """The cycle that runs now."""

    kind: Literal["Initial", "Incremental"] | None = Field(default=None, description="Initial: everybody is evaluated.")
    stage: str | None = Field(default=None, max_length=64, description="What it is doing.")
    done: int | None = Field(default=None, description="How many resources of this stage are done.")
    total: int | None = Field(default=None, description="How many this stage has, as far as it is known.")
    start_time: Time | None = Field(default=None, description="When it began.")


class ConnectorCounts(Status):
    """Totals after the last cycle."""

    in_scope: int | None = Field(default=None, description="People in scope.")
    linked: int | None = Field(default=None, description="People who have an account that is linked.")
    pending: int | None = Field(
        default=None, description="Resources with something undone, which are looked at again in each cycle."
    )
    waiting_references: int | None = Field(
        default=None,
        description="Members, managers and the like whose own account is not there or not active, such as one out of"
        " scope. They are given as soon as it is; none when absent.",
    )
    orphans: int | None = Field(
        default=None,
        description="Accounts and groups of the app that nobody in scope matches; known while policy is Observe.",
    )


class PlanStatus(Status):
    """The set of changes that waits for an approval."""

    hash: str | None = Field(default=None, max_length=128, description="Names exactly this set; what an approval says.")
    summary: str | None = Field(default=None, max_length=256, description="What it would do, in figures.")
    expires: Time | None = Field(default=None, description="When it is dropped unless approved.")


class BulkStatus(Status):
    """What the app takes in one bulk request."""

    max_operations: int | None = Field(default=None, description="Operations in one request, at the most.")
    max_payload_size: int | None = Field(default=None, description="Bytes of one request, at the most.")


class TargetStatus(Status):
    """What the app says of itself."""

    discovered: Time | None = Field(default=None, description="When it was asked last.")
    features: tuple[Literal["Bulk", "ChangePassword", "ETag", "Filter", "Patch", "Sort"], ...] | None = Field(
        default=None, max_length=6, description="What it says that it supports."
    )
    max_results: int | None = Field(default=None, description="Users in one answer to a list, at the most.")
    bulk: BulkStatus | None = Field(default=None, description="Limits of the feature Bulk; absent without it.")
    schemas: tuple[Annotated[str, Field(max_length=MAX_URN)], ...] | None = Field(
        default=None,
        max_length=MAX_SCHEMAS,
        description="Schemas of which its users consist, the core first; long names and all after the first few are"
        " left out.",
    )
    types: Literal["Discovered", "Rfc7643"] | None = Field(
        default=None,
        description="Discovered: types and comparisons of attributes come from the app's own schemas, and from RFC 7643"
        " for what these do not name. Rfc7643: the app has no schemas to read.",
    )


class ConnectorStatus(Status):
    """What the operator has seen and done. It names nobody."""

    observed_generation: int | None = Field(
        default=None, description="The generation of the spec that this status is about."
    )
    last_handled_reconcile_at: str | None = Field(
        default=None, max_length=256, description="The value of the annotation requestedAt that was last acted upon."
    )
    conditions: Conditions = Field(default=(), description="Ready, InSync and others; see their messages.")
    next_cycle_time: Time | None = Field(default=None, description="When the next cycle is due.")
    consecutive_failures: int | None = Field(
        default=None, description="How many cycles in a row have failed as a whole."
    )
    schedule: ScheduleStatus | None = Field(default=None, description="The schedule in force.")
    last_cycle: CycleSummary | None = Field(default=None, description="The cycle that ended last.")
    cycle: RunningCycle | None = Field(default=None, description="The cycle that runs now; absent between cycles.")
    counts: ConnectorCounts | None = Field(default=None, description="Totals after the last cycle.")
    history: tuple[CycleSummary, ...] | None = Field(
        default=None,
        max_length=MAX_HISTORY,
        description="The last cycles that changed something or failed, newest first.",
    )
    plan: PlanStatus | None = Field(
        default=None, description="The set of changes that waits for an approval, if there is one."
    )
    target: TargetStatus | None = Field(default=None, description="What the app says of itself; asked once an hour.")
