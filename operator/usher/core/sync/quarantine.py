"""When a connector is quarantined, for how long, and what lifts it. Names and numbers are the reference's.

A wrong credential and answers in another language do at once; failures of single resources do when they are many.
Cycles then run less and less often, down to one a day, and stop after 28 days. The first retry that succeeds lifts it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from usher.core.model.standing import Quarantine

BASE: Final = "EncounteredBaseEscrowThreshold"
TOTAL: Final = "EncounteredTotalEscrowThreshold"
PROPORTION: Final = "EncounteredEscrowProportionThreshold"
EXCEPTION: Final = "EncounteredQuarantineException"

LEAST: Final = 5_000
"""Fewer failures are never too many."""
MOST_ACCOUNTS: Final = 40_000
MOST: Final = 60_000
MOST_PERCENT: Final = 40
SLOWEST: Final = timedelta(days=1)
_DOUBLINGS: Final = 20
STOPPED_AFTER: Final = timedelta(days=28)
JOB_ERRORS: Final = frozenset({"CredentialsRejected", "ServiceIncompatible"})
"""Reasons of failed cycles that no single resource is to blame for, and that don't pass by themselves."""


@dataclass(frozen=True, slots=True)
class Failures:
    """Resources whose change fails: of `accounts`, and of `references`; `well` are those with nothing undone."""

    accounts: int = 0
    references: int = 0
    well: int = 0


@dataclass(frozen=True, slots=True)
class Attempt:
    """What a cycle came to. `error` is the reason for which it failed as a whole, empty where it ran to its end.

    `recovered` are resources that had failed before, and did not this time.
    """

    error: str = ""
    failures: Failures = Failures()
    recovered: int = 0


def find_threshold(failures: Failures) -> str:
    """Which threshold so many failures are over, empty for none. References count only to the total."""
    accounts, total = failures.accounts, failures.accounts + failures.references
    if total < LEAST:
        return ""
    if accounts > MOST_ACCOUNTS:
        return BASE
    if total > MOST:
        return TOTAL
    return PROPORTION if accounts * 100 > MOST_PERCENT * (accounts + failures.well) else ""


def judge_quarantine(former: Quarantine | None, attempt: Attempt, spec: str, now: datetime) -> Quarantine | None:
    """The quarantine after a cycle under this spec, None for none; another spec is judged for itself."""
    held = former if former is not None and former.spec == spec else None
    cause = _cause(held, attempt)
    if not cause:
        return None
    if held is None:
        return Quarantine(cause, now, spec=spec)
    return replace(held, reason=cause, count=held.count + 1)


def _cause(held: Quarantine | None, attempt: Attempt) -> str:
    if attempt.error in JOB_ERRORS:
        return EXCEPTION
    if attempt.error:  # the target is away: that says nothing of what it would answer
        return "" if held is None else held.reason
    return "" if attempt.recovered else find_threshold(attempt.failures)


def next_wait(quarantine: Quarantine, interval: timedelta) -> timedelta:
    """How long until the next cycle: the interval, then twice as long each time, down to one a day."""
    doubled = interval * (1 << min(quarantine.count - 1, _DOUBLINGS))
    return max(interval, min(doubled, SLOWEST))


def is_stopped(quarantine: Quarantine, now: datetime) -> bool:
    """Whether it has lasted so long that no cycle starts by itself any more."""
    return now - quarantine.since >= STOPPED_AFTER
