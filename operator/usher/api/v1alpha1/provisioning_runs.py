"""The spec and the status of a ProvisioningRun: one thing that somebody asks of a connector, and what came of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, ClassVar, Final, Literal, TypeAlias

from pydantic import Field

from usher.api.conditions import Conditions
from usher.api.v1alpha1.connector_status import CycleSummary, PlanStatus, TargetStatus
from usher.api.v1alpha1.durations import AtLeast
from usher.api.v1alpha1.objects import Status, Time
from usher.api.v1alpha1.references import NameRef
from usher.api.v1alpha1.rules import Rule, Strict

RunType: TypeAlias = Literal["Incremental", "Initial", "FullComparison", "Plan", "TestConnection", "Restart"]
"""What can be asked for."""
RestartScope: TypeAlias = Literal["Links", "Escrows", "Watermark", "Quarantine"]
"""What a restart puts aside."""
WITHOUT_WRITES: Final = frozenset[str]({"Plan", "TestConnection"})
"""Types that write nothing to the app: they run while the connector is suspended, too."""


class ProvisioningRunSpec(Strict):
    """What is asked for. It can't be changed: another wish is another run."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "!has(self.restart) || self.type == 'Restart'",
            "restart says what a restart puts aside: set type: Restart",
            lambda run: "restart" not in run.model_fields_set or run.type == "Restart",
        ),
    )

    connector_ref: NameRef = Field(description="The ProvisioningConnector, in the same namespace.")
    type: RunType = Field(
        description="Incremental: a cycle now. Initial: one that evaluates everybody anew; links are kept."
        " FullComparison: one that reads every linked account of the app before, and puts back what others changed."
        " Plan: what a cycle would do; nothing is written. TestConnection: whether both ends answer, and what the app"
        " says of itself. Restart: what was learnt is put aside, and a cycle begins again."
    )
    restart: tuple[RestartScope, ...] = Field(
        default=(),
        min_length=1,
        max_length=4,
        description="What a Restart puts aside; Escrows, Watermark and Quarantine when absent. Escrows: since when"
        " something fails; it is tried at once. Watermark: what was worked off of the source; everybody is evaluated."
        " Quarantine: that the connector is in it. Links: which account is whose; they are found again by matching, and"
        " the whole plan waits for an approval.",
    )
    ttl_after_finished: Annotated[timedelta, AtLeast("0s")] | None = Field(
        default=None, description="This long after its end the object is deleted; kept when absent."
    )


class ProvisioningRunStatus(Status):
    """What came of it. It names nobody."""

    observed_generation: int | None = Field(
        default=None, description="The generation of the spec that this status is about."
    )
    conditions: Conditions = Field(
        default=(),
        description="Complete or Failed is True once it has ended; until then Complete says what it waits for.",
    )
    start_time: Time | None = Field(default=None, description="When it began; absent while it waits.")
    completion_time: Time | None = Field(default=None, description="When it ended.")
    cycle: CycleSummary | None = Field(
        default=None, description="The cycle in figures; of a Plan, what the cycle would do."
    )
    plan: PlanStatus | None = Field(default=None, description="What of it waits, or would wait, for an approval.")
    target: TargetStatus | None = Field(default=None, description="What the app says of itself, of a TestConnection.")
