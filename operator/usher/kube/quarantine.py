"""What a quarantine means to the operator: when the next cycle starts, whether at all, and how that is told."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random
from typing import Final

from usher.api.conditions import ConditionType, Finding, Reason, find_condition
from usher.api.names import REQUESTED_AT
from usher.api.v1alpha1.connector_status import ConnectorStatus, QuarantineStatus
from usher.core.model.standing import Quarantine
from usher.core.sync.quarantine import BASE, EXCEPTION, PROPORTION, STOPPED_AFTER, TOTAL, is_stopped, next_wait
from usher.kube.connector_state import Inputs, Memory
from usher.kube.objects import ObjectKey
from usher.kube.schedule import spread

_WORDS: Final = {
    BASE: "more than 40000 accounts and groups fail",
    TOTAL: "more than 60000 changes fail, references included",
    PROPORTION: "more than 40 percent of all accounts and groups fail",
    EXCEPTION: "the app refuses our credentials, or does not answer in SCIM",
}


def delay_after(quarantine: Quarantine, interval: timedelta, now: datetime, random: Random) -> timedelta | None:
    """How long after a quarantined cycle the next one starts, None where none does by itself."""
    if is_stopped(quarantine, now):
        return None
    return timedelta(seconds=spread(next_wait(quarantine, interval), random))


def is_put_off(former: ConnectorStatus, inputs: Inputs, memory: Memory) -> bool:
    """Whether an earlier process has left a quarantined connector to its next attempt, and nobody has asked since.

    Of rejected credentials nobody knows any more which they were.
    """
    target = find_condition(former.conditions, ConditionType.TARGET_REACHABLE)
    rejected = target is not None and target.reason == Reason.CREDENTIALS_REJECTED
    approved = memory.held is not None and memory.held.hash == inputs.approval
    return (
        memory.standing.quarantine is not None
        and not approved
        and not rejected
        and former.observed_generation == inputs.generation
        and (former.last_handled_reconcile_at or "") == inputs.requested
    )


def tell(key: ObjectKey, quarantine: Quarantine, now: datetime) -> Finding:
    """What the condition says: why, what follows, and the way out."""
    cause = _WORDS.get(quarantine.reason, "too much fails")
    again = f'kubectl -n {key.namespace} annotate pconn/{key.name} --overwrite {REQUESTED_AT}="$(date -Is)"'
    if is_stopped(quarantine, now):
        lasted = f"{cause}, for {STOPPED_AFTER.days} days: no cycle starts any more, and nobody leaves"
        return Finding(quarantine.reason, f"{lasted}. Mend it, then change the spec, or: {again}")
    stops = f"{quarantine.since + STOPPED_AFTER:%Y-%m-%d}"
    rarely = f"{cause}: cycles become rare, down to one a day, and stop on {stops}"
    return Finding(quarantine.reason, f"{rarely}; a retry that succeeds lifts it. To try now: {again}")


def show(quarantine: Quarantine, due: datetime | None) -> QuarantineStatus:
    """As the status has it; `due` is the time of the next cycle, None where there is none."""
    return QuarantineStatus(
        reason=quarantine.reason,
        since=quarantine.since.replace(microsecond=0),
        next_attempt=due,
        count=quarantine.count,
    )
