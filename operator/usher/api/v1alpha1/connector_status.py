"""The status of a ProvisioningConnector: what the operator has seen and done, in figures and reasons."""

from __future__ import annotations

from typing import Annotated, Final, Literal, TypeAlias

from pydantic import Field

from usher.api.conditions import Conditions
from usher.api.v1alpha1.objects import ScheduleStatus, Status, Time

MAX_HISTORY: Final = 5
MAX_SCHEMAS: Final = 4
MAX_URN: Final = 100

Kind: TypeAlias = Literal["Initial", "Incremental", "FullComparison", "OnDemand", "Undo"]
"""What a cycle looks at."""


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

    name: str | None = Field(
        default=None,
        max_length=64,
        description="What the provisioning log calls it, and undoCycle of a ProvisioningRun; absent where nothing could"
        " have been written.",
    )
    kind: Kind | None = Field(
        default=None,
        description="Initial: everybody was evaluated. FullComparison: every linked account of the app was read.",
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

    kind: Kind | None = Field(
        default=None,
        description="Initial: everybody is evaluated. FullComparison: every linked account of the app is read.",
    )
    stage: str | None = Field(default=None, max_length=64, description="What it is doing.")
    done: int | None = Field(default=None, description="How many resources of this stage are done.")
    total: int | None = Field(default=None, description="How many this stage has, as far as it is known.")
    start_time: Time | None = Field(default=None, description="When it began.")


class ConnectorCounts(Status):
    """Totals after the last cycle."""

    in_scope: int | None = Field(default=None, description="People in scope.")
    linked: int | None = Field(default=None, description="People who have an account that is linked.")
    pending: int | None = Field(default=None, description="Resources with something undone.")
    escrowed: int | None = Field(
        default=None,
        description="Those of them whose change failed: tried in the next two cycles, then 6, 12 and 24 hours after the"
        " first failure, then daily for 28 days; what takes access away in every cycle. None when absent.",
    )
    waiting_references: int | None = Field(
        default=None,
        description="Members, managers and the like whose own account is not there or not active, such as one out of"
        " scope. They are given as soon as it is; none when absent.",
    )
    orphans: int | None = Field(
        default=None,
        description="Accounts and groups of the app that nobody links and nobody in scope matches; known since the last"
        " full comparison, and while policy is Observe.",
    )


class ConnectorScheduleStatus(ScheduleStatus):
    """The schedule in force."""

    full_interval: str | None = Field(
        default=None,
        max_length=20,
        description="Time between two full comparisons, as a Go duration; 0s where none are made.",
    )


class PlanStatus(Status):
    """The set of changes that waits for an approval."""

    hash: str | None = Field(default=None, max_length=128, description="Names exactly this set; what an approval says.")
    summary: str | None = Field(default=None, max_length=256, description="What it would do, in figures.")
    expires: Time | None = Field(default=None, description="When it is dropped unless approved.")


class QuarantineStatus(Status):
    """Why cycles run less and less often."""

    reason: str | None = Field(default=None, max_length=64, description="What is over its threshold, in one word.")
    since: Time | None = Field(default=None, description="When it began; after 28 days no cycle starts by itself.")
    next_attempt: Time | None = Field(default=None, description="When the next cycle is due; none when absent.")
    count: int | None = Field(default=None, description="How many cycles since then have not lifted it.")


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
    guarantee: Literal["UniqueKey", "LookUp", "SettledLookUp", "AtMostOnce"] | None = Field(
        default=None,
        description="What is promised about accounts. UniqueKey: the app refuses a second one. LookUp: a new one is"
        " found at once. SettledLookUp: it is found after quirks.settle. AtMostOnce: nobody can be looked for, and a"
        " create of unknown end is not repeated.",
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
    schedule: ConnectorScheduleStatus | None = Field(default=None, description="The schedule in force.")
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
    quarantine: QuarantineStatus | None = Field(
        default=None, description="Why cycles run less and less often; absent while they run as the schedule says."
    )
    target: TargetStatus | None = Field(default=None, description="What the app says of itself; asked once an hour.")
