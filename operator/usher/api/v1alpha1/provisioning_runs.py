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
from usher.api.v1alpha1.scopes import MAX_VALUE

RunType: TypeAlias = Literal[
    "Incremental", "Initial", "FullComparison", "OnDemand", "Plan", "TestConnection", "Restart", "Undo"
]
"""What can be asked for."""
RestartScope: TypeAlias = Literal["Links", "Escrows", "Watermark", "Quarantine"]
"""What a restart puts aside."""

BY_NAME: Final = "OnDemand"
UNDO: Final = "Undo"
NO_CYCLES: Final = frozenset[str]({BY_NAME, UNDO, "Plan", "TestConnection"})
"""Types that are no cycle of the connector's own: they run while it is suspended, too."""
MAX_SUBJECTS: Final = 10
MAX_ATTRIBUTES: Final = 20
MAX_MESSAGE: Final = 256


class RunSubject(Strict):
    """A user or a group of the source, found by one attribute."""

    resource_type: Literal["User", "Group"] = Field(default="User", description="User, also when absent, or Group.")
    attribute: str = Field(
        min_length=1,
        max_length=256,
        description="Attribute of the source, such as userPrincipalName. objectId, the source's own id, also finds whom"
        " the source has no more.",
    )
    value: str = Field(
        min_length=1,
        max_length=MAX_VALUE,
        description="The attribute's whole value, upper and lower case alike. Exactly one has to have it.",
    )


class ProvisioningRunSpec(Strict):
    """What is asked for. It can't be changed: another wish is another run."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "!has(self.restart) || self.type == 'Restart'",
            "restart says what a restart puts aside: set type: Restart",
            lambda run: "restart" not in run.model_fields_set or run.type == "Restart",
        ),
        Rule(
            f"(self.type == '{BY_NAME}') == (has(self.subjects) && self.subjects.size() > 0)",
            "subjects are those of a run of type OnDemand, which needs one at least",
            lambda spec: (spec.type == BY_NAME) == bool(spec.subjects),
        ),
        Rule(
            f"(self.type == '{UNDO}') == has(self.undoCycle)",
            "undoCycle is that of a run of type Undo, which needs it: a name in status.history, or of usher logs",
            lambda spec: (spec.type == UNDO) == (spec.undo_cycle is not None),
        ),
    )

    connector_ref: NameRef = Field(description="The ProvisioningConnector, in the same namespace.")
    type: RunType = Field(
        description="Incremental: a cycle now. Initial: one that evaluates everybody anew; links are kept."
        " FullComparison: one that reads every linked account of the app before, and puts back what others changed."
        " OnDemand: only the subjects are provisioned, and nobody else is touched."
        " Plan: what a cycle would do; nothing is written. TestConnection: whether both ends answer, and what the app"
        " says of itself. Restart: what was learnt is put aside, and a cycle begins again. Undo: what one cycle did is"
        " taken back, as far as nobody has changed it since; the connector has to be suspended."
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
    subjects: tuple[RunSubject, ...] = Field(
        default=(), max_length=MAX_SUBJECTS, description="Who is provisioned by a run of type OnDemand: at most ten."
    )
    undo_cycle: str | None = Field(
        default=None,
        min_length=1,
        max_length=64,
        description="The cycle that an Undo takes back, such as 20260101T120000Z-0a1b: a name in status.history of the"
        " connector, or of usher logs.",
    )
    ttl_after_finished: Annotated[timedelta, AtLeast("0s")] | None = Field(
        default=None, description="This long after its end the object is deleted; kept when absent."
    )


class SubjectStep(Status):
    """One step of one subject."""

    step: str = Field(max_length=16, description="import, scope, match or action.")
    result: str = Field(max_length=16, description="Success, Failure, Skipped, or Unknown where an answer was lost.")
    reason: str = Field(max_length=64, description="Why, or what was done, in one word.")
    message: str | None = Field(default=None, max_length=MAX_MESSAGE, description="The same in a sentence.")


class SubjectStatus(Status):
    """What came of one subject. It names nobody."""

    index: int = Field(description="The place in spec.subjects, from 0.")
    steps: tuple[SubjectStep, ...] = Field(max_length=4, description="Its four steps, in their order.")
    attributes: tuple[Annotated[str, Field(max_length=256)], ...] | None = Field(
        default=None,
        max_length=MAX_ATTRIBUTES,
        description="Names of the attributes of the app that were changed, the first twenty; their values are in the"
        " provisioning log, where it keeps any.",
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
    subjects: tuple[SubjectStatus, ...] | None = Field(
        default=None, max_length=MAX_SUBJECTS, description="What came of each subject, of a run of type OnDemand."
    )
