"""Conditions: what they are called, what one is, and how the present ones follow from the former ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, StrEnum
from typing import Annotated, Final, Literal, TypeAlias

from pydantic import Field, WithJsonSchema

from usher.api.v1alpha1.objects import Status, Time

MAX_MESSAGE: Final = 400
MAX_MESSAGES: Final = 1275
"""Longer messages are cut, and where all of them together are longer the longest ones: they have to fit into a status
of 8 KiB."""

ConditionStatus: TypeAlias = Literal["True", "False", "Unknown"]
_StatusText: TypeAlias = Annotated[ConditionStatus, WithJsonSchema({"type": "string", "maxLength": 7})]
"""Not an enumeration to the API server: no enumeration of ours has a value that YAML reads as something else."""


class ConditionType(StrEnum):
    """Ready and those that name an end are always meant well when True; from Reconciling to Drifted, True is not.

    Complete and Failed are those of a run, as a Kubernetes Job has them: one of them is True once it has ended.
    """

    READY = "Ready"
    IN_SYNC = "InSync"
    SOURCE_REACHABLE = "SourceReachable"
    TARGET_REACHABLE = "TargetReachable"
    RECONCILING = "Reconciling"
    STALLED = "Stalled"
    SUSPENDED = "Suspended"
    PLAN_HELD = "PlanHeld"
    QUARANTINED = "Quarantined"
    CREDENTIAL_EXPIRING = "CredentialExpiring"
    DRIFTED = "Drifted"
    COMPLETE = "Complete"
    FAILED = "Failed"


class Reason(StrEnum):
    """The reasons that the rules of this package give or act upon; findings may bring others of their own."""

    ANSWERED = "Answered"
    COMPILED = "Compiled"
    CREDENTIALS_REJECTED = "CredentialsRejected"
    DEPROVISIONING = "Deprovisioning"
    EXPRESSION_INVALID = "ExpressionInvalid"
    INITIAL_CYCLE = "InitialCycle"
    INVALID_SPEC = "InvalidSpec"
    MAPPING_INVALID = "MappingInvalid"
    OBJECTS_FAILED = "ObjectsFailed"
    OBSERVING = "Observing"
    PLAN_HELD = "PlanHeld"
    PROGRESSING = "Progressing"
    QUARANTINED = "Quarantined"
    READ_COMPLETE = "ReadComplete"
    REFERENCES_PENDING = "ReferencesPending"
    REPORTED = "Reported"
    RETRYING = "Retrying"
    RUNNING = "Running"
    SCOPE_UNRESOLVED = "ScopeUnresolved"
    SOURCE_UNREACHABLE = "SourceUnreachable"
    STATE_LOST = "StateLost"
    SUCCEEDED = "Succeeded"
    SUSPENDED = "Suspended"
    TARGET_UNREACHABLE = "TargetUnreachable"


class Condition(Status):
    """One condition, as metav1.Condition."""

    type: str = Field(max_length=64, description="Name of the condition.")
    status: _StatusText = Field(description="True, False or Unknown.")
    reason: str = Field(max_length=128, description="One word in CamelCase for programs.")
    message: str = Field(max_length=1024, description="A sentence for people.")
    observed_generation: int = Field(default=0, description="The generation of the spec to which the verdict belongs.")
    last_transition_time: Time = Field(description="When status last changed.")


Conditions: TypeAlias = Annotated[
    tuple[Condition, ...],
    Field(max_length=16, json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]}),
]


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found: a word for programs and a sentence for people.

    The message names no person; where something is wrong, it says which object, which field, and the way out.
    """

    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """A condition before it is known since when it holds."""

    type: ConditionType
    status: ConditionStatus
    reason: str
    message: str
    generation: int


class Contact(Enum):
    """What is known of an end under the present spec, when nothing is wrong with it."""

    UNTRIED = "Untried"
    ANSWERED = "Answered"


End: TypeAlias = Contact | Finding
"""An end: untried, answered, or what was wrong when it was last tried."""

TRANSIENT: Final[frozenset[str]] = frozenset(
    {
        Reason.SOURCE_UNREACHABLE,
        Reason.TARGET_UNREACHABLE,
        "TooManyRequests",
        "IncompleteRead",
        "ClusterUnreachable",
        "StateUnreachable",
    }
)
"""Reasons that pass by themselves: only the third failure in a row makes unready what was ready."""
VOID: Final[frozenset[str]] = frozenset({"ReadShrunk", "InvalidData", "IncompleteRead"})
"""Reasons of a source that answered, and whose answer is not believed."""
PATIENCE: Final = 3
PATIENT: Final = " (failed "
"""What stands between the cause of a failure and how often it may be repeated."""
NEEDS_A_PERSON: Final[frozenset[str]] = frozenset(
    {
        Reason.INVALID_SPEC,
        Reason.MAPPING_INVALID,
        Reason.EXPRESSION_INVALID,
        Reason.CREDENTIALS_REJECTED,
        Reason.SCOPE_UNRESOLVED,
        Reason.QUARANTINED,
    }
)
"""Reasons that no further attempt can mend."""


def judge_ready(
    generation: int, trouble: Finding | None, good: Finding | None, failures: int, former: Condition | None
) -> Verdict:
    """Ready, from what is wrong, else from what is known to be good, else from what was said before.

    `failures` counts the failures in a row, this one included. What was ready stays so over a transient trouble until
    the third one, and while a changed spec is being taken over; then the verdict stays that of the former generation.
    """
    stays = former is not None and former.status == "True" and former.reason != Reason.SUSPENDED
    before = generation if former is None else former.observed_generation
    if trouble is not None:
        if stays and trouble.reason in TRANSIENT and failures < PATIENCE:
            message = f"{trouble.message}{PATIENT}{failures} of {PATIENCE} times in a row before this is not ready)"
            return Verdict(ConditionType.READY, "True", Reason.RETRYING, message, before)
        return Verdict(ConditionType.READY, "False", trouble.reason, trouble.message, generation)
    if good is not None:
        return Verdict(ConditionType.READY, "True", good.reason, good.message, generation)
    if former is not None and former.status != "Unknown" and former.reason != Reason.SUSPENDED and before == generation:
        return keep(former, ConditionType.READY)
    message = "the present spec is being taken over"
    if stays:
        return Verdict(ConditionType.READY, "True", Reason.PROGRESSING, message, before)
    return Verdict(ConditionType.READY, "Unknown", Reason.PROGRESSING, message, generation)


def judge_progress(generation: int, troubles: Iterable[Finding], ready: Verdict) -> tuple[Verdict, ...]:
    """Stalled, when one of the troubles needs a person; else Reconciling, while the generation is not yet in force."""
    stalled = next((trouble for trouble in troubles if trouble.reason in NEEDS_A_PERSON), None)
    if stalled is not None:
        return (Verdict(ConditionType.STALLED, "True", stalled.reason, stalled.message, generation),)
    if ready.status == "Unknown" or ready.generation < generation:
        message = "the present spec is being taken over"
        return (Verdict(ConditionType.RECONCILING, "True", Reason.PROGRESSING, message, generation),)
    return ()


def find_condition(conditions: Iterable[Condition], wanted: ConditionType) -> Condition | None:
    """The condition of this type, if there is one."""
    return next((condition for condition in conditions if condition.type == wanted), None)


def keep(former: Condition, wanted: ConditionType) -> Verdict:
    """The verdict that was given before, for the generation for which it was given."""
    return Verdict(wanted, former.status, former.reason, former.message, former.observed_generation)


def settle(verdicts: Sequence[Verdict], former: Sequence[Condition], now: datetime) -> tuple[Condition, ...]:
    """The conditions in the order of the verdicts; the time of transition moves only where the status changed."""
    since: Mapping[tuple[str, str], datetime] = {
        (condition.type, condition.status): condition.last_transition_time for condition in former
    }
    messages = _cut([verdict.message for verdict in verdicts])
    return tuple(
        Condition(
            type=verdict.type.value,
            status=verdict.status,
            reason=verdict.reason,
            message=message,
            observed_generation=verdict.generation,
            last_transition_time=since.get((verdict.type.value, verdict.status), now.replace(microsecond=0)),
        )
        for verdict, message in zip(verdicts, messages, strict=True)
    )


def _cut(messages: Sequence[str]) -> list[str]:
    """Each on one line, as short as is needed for all of them to have room: it is the longest ones that lose."""
    lines = [" ".join(message.split()) for message in messages]
    most = MAX_MESSAGE
    while sum(min(len(line), most) for line in lines) > MAX_MESSAGES:
        most -= 1
    return [line if len(line) <= most else line[: most - 1] + "…" for line in lines]
