"""ProvisioningConnector: one flow of people from an identity source into one app."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Final, Literal, TypeAlias

from pydantic import Field

from usher.api.v1alpha1.durations import DeleteTime, FullInterval, HoldTime, Interval, LogTime
from usher.api.v1alpha1.references import NameRef
from usher.api.v1alpha1.rules import Strict, Unchanged, UniqueBy
from usher.api.v1alpha1.scopes import Scope
from usher.api.v1alpha1.targets.scim import ScimTarget

MAX_COUNT: Final = 1_000_000_000


class ConnectorSchedule(Strict):
    """When cycles run."""

    interval: Interval = Field(
        default=timedelta(minutes=5),
        description="Longest time between two cycles, such as 5m, which is also what an absent field means. A change in"
        " the source starts one at once.",
    )
    full_interval: FullInterval = Field(
        default=timedelta(hours=24),
        description="Time between two full comparisons, in which every linked account of the app is read and held"
        " against what it should be, such as 24h, which is also what an absent field means. 0s turns them off.",
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
    approval: Literal["OnViolation", "Always"] = Field(
        default="OnViolation",
        description="What waits for an approval. OnViolation (when absent): what is over a budget above. Always: all"
        " that a cycle would write, creates and updates too.",
    )
    hold_for: HoldTime = Field(
        default=timedelta(hours=72),
        description="How long a held plan waits for its approval before it is dropped; 72h when absent.",
    )
    on_state_loss: Literal["Report", "Disable"] = Field(
        default="Report",
        description="After the operator's state was lost: what is done with active accounts of the app that were made"
        " for, or match, somebody who is not in scope. Report (when absent) counts them and leaves them. Disable"
        " disables those of which it is known whose they are, within the budget, with a minCount of 0.",
    )


class Execution(Strict):
    """How fast the app is asked."""

    concurrency: int = Field(
        default=16,
        ge=1,
        le=64,
        description="Requests in flight at the most; 16 when absent. Fewer by itself while the app asks for patience"
        " (429) or becomes slow.",
    )
    requests_per_second: int | None = Field(
        default=None,
        ge=1,
        le=10_000,
        description="Requests a second at the most, evenly spread; as many as the app takes when absent.",
    )


class ProvisioningLog(Strict):
    """What the provisioning log holds, which `usher logs` shows: each change, and why nothing is done for somebody."""

    retention: LogTime = Field(
        default=timedelta(hours=720),
        description="How long its lines are kept, such as 720h, which is also what an absent field means. Of more than"
        " a million lines the oldest go before.",
    )
    attribute_values: Literal["Redacted", "Full"] = Field(
        default="Redacted",
        description="Redacted (when absent): the names of the attributes of a change, not their values. Full: also the"
        " values before and after it, without those that the app never returns (passwords) and those of Redact().",
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
    execution: Execution = Field(default=Execution(), description="How fast the app is asked.")
    provisioning_log: ProvisioningLog = Field(
        default=ProvisioningLog(), description="What the provisioning log holds, and for how long."
    )
