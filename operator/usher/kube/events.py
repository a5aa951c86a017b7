"""Kubernetes Events: on transitions only, each with what comes next. They name no person."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from usher.api.conditions import PATIENT, Condition, ConditionType, Reason, find_condition
from usher.api.v1alpha1.connector_status import ConnectorStatus
from usher.api.v1alpha1.durations import format_duration
from usher.api.v1alpha1.identity_sources import SourceStatus
from usher.contracts.runtime import Runtime
from usher.core.errors import scrub
from usher.kube.cluster import ClusterApi, ClusterError
from usher.kube.objects import Document, ObjectKey, resource_version, uid

COMPONENT: Final = "usher"
MAX_NOTE: Final = 1000
_DIGITS: Final = re.compile(r"[0-9]+")
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Note:
    """One event to post."""

    type: Literal["Normal", "Warning"]
    reason: str
    message: str


class EventPoster:
    """Posts notes as core Events. One that can't be posted is lost: the conditions say the same."""

    def __init__(self, api: ClusterApi, runtime: Runtime) -> None:
        self._api, self._runtime = api, runtime

    async def post(self, key: ObjectKey, document: Document, notes: Sequence[Note]) -> None:
        """Posts what happened to this object."""
        for note in notes:
            try:
                await self._api.post_event(key.namespace, self._event(key, document, note))
            except ClusterError as error:
                logger.warning("event lost", extra={"fields": {"object": key.path, "reason": error.reason}})

    def _event(self, key: ObjectKey, document: Document, note: Note) -> Document:
        now = self._runtime.now()
        time = now.strftime("%Y-%m-%dT%H:%M:%SZ")
        suffix = f"{int(now.timestamp() * 1000):x}{self._runtime.random.getrandbits(32):08x}"
        return {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"namespace": key.namespace, "name": f"{key.name[:200]}.{suffix}"},
            "involvedObject": {
                "apiVersion": key.kind.api_version,
                "kind": key.kind.value,
                "namespace": key.namespace,
                "name": key.name,
                "uid": uid(document),
                "resourceVersion": resource_version(document),
            },
            "type": note.type,
            "reason": note.reason,
            "message": note.message[:MAX_NOTE],
            "firstTimestamp": time,
            "lastTimestamp": time,
            "count": 1,
            "source": {"component": COMPONENT},
            "reportingComponent": COMPONENT,
            "reportingInstance": COMPONENT,
        }


# --- what happened, from two statuses -------------------------------------------------------------------------------


def connector_notes(former: ConnectorStatus, now: ConnectorStatus, approval: str, time: datetime) -> list[Note]:
    """The transitions between two statuses of a connector. `approval` is the word last given for a held plan."""
    return [
        Note(note.type, note.reason, f"{note.message}; {_what_comes_next(now, time)}")
        for note in (
            *_spec_notes(former.conditions, now.conditions),
            *_suspension_notes(former.conditions, now.conditions),
            *_ending_notes(former.conditions, now.conditions),
            *_drift_notes(former.conditions, now.conditions),
            *_cycle_notes(former, now),
            *_quarantine_notes(former, now),
            *_expiry_notes(former.conditions, now.conditions),
            *_plan_notes(former, now, approval),
        )
    ]


def run_notes(former: Sequence[Condition], now: Sequence[Condition]) -> list[Note]:
    """The end of a run."""
    if find_condition(former, ConditionType.FAILED) is None and (failed := find_condition(now, ConditionType.FAILED)):
        return [Note("Warning", failed.reason, failed.message)]
    before, after = (find_condition(conditions, ConditionType.COMPLETE) for conditions in (former, now))
    if after is not None and after.status == "True" and (before is None or before.status != "True"):
        return [Note("Normal", "Complete", after.message)]
    return []


def source_notes(former: SourceStatus, now: SourceStatus) -> list[Note]:
    """The transitions between two statuses of an identity source."""
    notes = list(_spec_notes(former.conditions, now.conditions))
    ready, before = (find_condition(status.conditions, ConditionType.READY) for status in (now, former))
    if ready is None:
        return notes
    shrunk = now.pending is not None and (former.pending is None or former.pending.hash != now.pending.hash)
    if shrunk:
        notes.append(Note("Warning", "ReadShrunk", ready.message))
    elif now.pending is None and _is_news(former, now):
        notes.append(Note("Warning", "ReadFailed", str(_cause_of(now))))
    elif former.consecutive_failures and not now.consecutive_failures and before is not None:
        notes.append(Note("Normal", "Recovered", "the source is read again"))
    return notes


def _what_comes_next(status: ConnectorStatus, time: datetime) -> str:
    if find_condition(status.conditions, ConditionType.SUSPENDED) is not None:
        return "no cycle until spec.suspend is removed"
    if status.next_cycle_time is None:
        return "no cycle until that is mended"
    seconds = round((status.next_cycle_time - time).total_seconds())
    return f"next cycle in {_roughly(max(seconds, 1))}"


def _roughly(seconds: int) -> str:
    size = 3600 if seconds >= 36000 else 60 if seconds >= 120 else 1
    return format_duration(timedelta(seconds=seconds // size * size))


def _spec_notes(former: Sequence[Condition], now: Sequence[Condition]) -> Iterator[Note]:
    stalled, before = (find_condition(conditions, ConditionType.STALLED) for conditions in (now, former))
    if stalled is not None and (before is None or before.reason != stalled.reason):
        reason = "SpecInvalid" if stalled.reason != "CredentialsRejected" else stalled.reason
        yield Note("Warning", reason, stalled.message)


def _suspension_notes(former: Sequence[Condition], now: Sequence[Condition]) -> Iterator[Note]:
    is_now, was = (find_condition(conditions, ConditionType.SUSPENDED) is not None for conditions in (now, former))
    if is_now and not was:
        yield Note("Normal", "Suspended", "no cycle starts, state and accounts stay")
    if was and not is_now:
        yield Note("Normal", "Resumed", "cycles run again")


def _drift_notes(former: Sequence[Condition], now: Sequence[Condition]) -> Iterator[Note]:
    drifted, before = (find_condition(conditions, ConditionType.DRIFTED) for conditions in (now, former))
    if drifted is not None and (before is None or before.message != drifted.message):
        yield Note("Warning", "Drifted", drifted.message)


def _ending_notes(former: Sequence[Condition], now: Sequence[Condition]) -> Iterator[Note]:
    ready, before = (find_condition(conditions, ConditionType.READY) for conditions in (now, former))
    if (
        ready is not None
        and ready.reason == Reason.DEPROVISIONING
        and (before is None or before.reason != ready.reason)
    ):
        yield Note("Normal", "Deprovisioning", ready.message)


def _cycle_notes(former: ConnectorStatus, now: ConnectorStatus) -> Iterator[Note]:
    in_sync, before = (find_condition(status.conditions, ConditionType.IN_SYNC) for status in (now, former))
    never = before is None or before.reason == "InitialCycle"
    if in_sync is not None and in_sync.status == "True" and never:
        yield Note("Normal", "Synced", f"the initial cycle left nothing undone: {_linked(now)}")
    stalled = find_condition(now.conditions, ConditionType.STALLED)
    cause = _cause_of(now)
    if _is_news(former, now) and (stalled is None or stalled.reason != cause.reason):  # that one has its own event
        yield Note("Warning", "CycleFailed", str(cause))
    if former.consecutive_failures and not now.consecutive_failures:
        yield Note("Normal", "Recovered", "a cycle ran to its end again")


@dataclass(frozen=True, slots=True)
class _Cause:
    """Why a cycle or a read failed as a whole. A reason that no condition tells is empty."""

    reason: str
    message: str

    @property
    def essence(self) -> str:
        """Without what differs each time: counts of attempts, times, line numbers."""
        return _DIGITS.sub("", self.message)

    def __str__(self) -> str:
        return f"{self.reason}: {self.message}" if self.reason else self.message


def _cause_of(status: ConnectorStatus | SourceStatus) -> _Cause:
    """The failed end says it from the first failure on; Ready may be patient, and InSync say that it is too early."""
    target = find_condition(status.conditions, ConditionType.TARGET_REACHABLE)
    if target is not None and target.status == "False":
        return _Cause(target.reason, target.message)
    ready = find_condition(status.conditions, ConditionType.READY)
    if ready is None:
        return _Cause("", "")
    if ready.reason == Reason.RETRYING:
        return _Cause("", ready.message.partition(PATIENT)[0])
    return _Cause(ready.reason, ready.message)


def _is_news(former: ConnectorStatus | SourceStatus, now: ConnectorStatus | SourceStatus) -> bool:
    """Whether one more attempt failed, and it is the first one in a row or has another cause than the one before."""
    before, after = former.consecutive_failures or 0, now.consecutive_failures or 0
    if not after or after == before:
        return False
    return not before or _cause_of(former).essence != _cause_of(now).essence


def _linked(status: ConnectorStatus) -> str:
    count = 0 if status.counts is None else status.counts.linked or 0
    return f"{count} linked accounts"


def _quarantine_notes(former: ConnectorStatus, now: ConnectorStatus) -> Iterator[Note]:
    """When it begins, when the cycles stop for it, and when it is over."""
    told = find_condition(now.conditions, ConditionType.QUARANTINED)
    before = None if former.quarantine is None else former.quarantine.next_attempt
    stops = now.quarantine is not None and now.quarantine.next_attempt is None and before is not None
    if told is not None and (former.quarantine is None or stops):
        yield Note("Warning", "Quarantined", told.message)
    if former.quarantine is not None and now.quarantine is None:
        yield Note("Normal", "QuarantineLifted", "a retry succeeded, or the spec was changed")


def _expiry_notes(former: Sequence[Condition], now: Sequence[Condition]) -> Iterator[Note]:
    expiring, before = (find_condition(conditions, ConditionType.CREDENTIAL_EXPIRING) for conditions in (now, former))
    if expiring is not None and before is None:
        yield Note("Warning", "CredentialExpiring", expiring.message)


def _plan_notes(former: ConnectorStatus, now: ConnectorStatus, approval: str) -> Iterator[Note]:
    before = None if former.plan is None else former.plan.hash
    after = None if now.plan is None else now.plan.hash
    if before is not None and before != after and before == approval:
        yield Note("Normal", "PlanApproved", f"the held plan {scrub(before)} was approved")
    if after is not None and after != before:
        held = find_condition(now.conditions, ConditionType.PLAN_HELD)
        yield Note("Warning", "PlanHeld", f"{after} is held" if held is None else held.message)
