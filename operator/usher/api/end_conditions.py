"""What the conditions of an IdentitySource and of an AttributeMapping say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from usher.api.conditions import (
    Condition,
    ConditionType,
    Contact,
    End,
    Finding,
    Reason,
    find_condition,
    judge_progress,
    judge_ready,
    settle,
)

_READ: Final = Finding(Reason.READ_COMPLETE, "the last read was complete")
_COMPILED: Final = Finding(Reason.COMPILED, "the expressions and paths can be read")


@dataclass(frozen=True, slots=True)
class SourceObservation:
    """All that the conditions of an IdentitySource depend upon.

    `blocker` keeps the spec from being in force. `reading` is what the last read under this generation came to; a void
    one is a finding (`ReadShrunk`, with how to approve it).
    """

    generation: int
    blocker: Finding | None = None
    reading: End = Contact.UNTRIED
    consecutive_failures: int = 0


def source_conditions(seen: SourceObservation, former: Sequence[Condition], now: datetime) -> tuple[Condition, ...]:
    """The conditions as they are to be written now, given those that are there."""
    troubles = [finding for finding in (seen.blocker, seen.reading) if isinstance(finding, Finding)]
    ready = judge_ready(
        seen.generation,
        trouble=troubles[0] if troubles else None,
        good=_READ if seen.reading is Contact.ANSWERED else None,
        failures=seen.consecutive_failures,
        former=find_condition(former, ConditionType.READY),
    )
    return settle([ready, *judge_progress(seen.generation, troubles, ready)], former, now)


def mapping_conditions(
    generation: int, problem: Finding | None, former: Sequence[Condition], now: datetime
) -> tuple[Condition, ...]:
    """The conditions of an AttributeMapping, which either compiles or has a problem (`ExpressionInvalid`...)."""
    troubles = [] if problem is None else [problem]
    ready = judge_ready(generation, trouble=problem, good=_COMPILED, failures=1, former=None)
    return settle([ready, *judge_progress(generation, troubles, ready)], former, now)
