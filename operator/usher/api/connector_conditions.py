"""What the conditions of a connector say, as rules on what was observed of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from usher.api.conditions import (
    TRANSIENT,
    Condition,
    ConditionStatus,
    ConditionType,
    Contact,
    End,
    Finding,
    Reason,
    Verdict,
    find_condition,
    judge_progress,
    judge_ready,
    keep,
    settle,
)

MAX_REASONS_SHOWN: Final = 3
MAX_ENTRIES_SHOWN: Final = 2

_SUSPENDED: Final = Finding(Reason.SUSPENDED, "spec.suspend is true: no cycle starts, state and accounts stay")
_INITIAL: Final = Finding(Reason.INITIAL_CYCLE, "both ends answer; the initial cycle has not ended yet")
_RUNNING: Final = Finding(Reason.RUNNING, "both ends answer and cycles run")
_OBSERVING: Final = "spec.policy is Observe, nothing is written to the app"
_IN_FORCE: Final = "the last good version of the source stays in force"
_ON_LAST_VERSION: Final = Finding(Reason.RUNNING, f"cycles run; {_IN_FORCE}, see InSync")


@dataclass(frozen=True, slots=True)
class CycleVerdict:
    """What the last cycle came to.

    `generation` is that of the spec it ran under. `pending` counts the resources with something undone, `reasons` by
    reason; `due_references` of them lack nothing but references, and `escrow` says in figures how many failed, and when
    they are tried again. `unresolved` are entries of the scope that mean
    nobody, or several: where they stand, and why. `observed` is what it found, in figures, where it was not to write
    anything. `failure` says why it failed as a whole; the counts mean nothing then.
    """

    generation: int
    pending: int = 0
    due_references: int = 0
    reasons: Mapping[str, int] = field(default_factory=dict)
    failure: Finding | None = None
    unresolved: Sequence[str] = ()
    observed: str = ""
    escrow: str = ""


@dataclass(frozen=True, slots=True)
class ConnectorObservation:
    """All that the conditions of a connector depend upon.

    `blocker` keeps the spec from being in force: it is invalid, or something that it names is missing. `source` and
    `target` are what is known of the ends under this generation. `unread` is why the source's last read came to
    nothing, in the source's words; `void` holds where it answered, is not believed, and an earlier version is in force:
    cycles run on that one. `initial` holds until an initial cycle has run to its end. `cycle` is what the last cycle
    came to, or what an earlier process said of it, None where neither is known. `held` is the plan that waits for an
    approval, with its reason (OverBudget, ApprovalRequired) and how to approve it. `quarantine` says why cycles run
    rarely, with the reference's word for it; it is `stopped` once none starts by itself any more. `expiring` is said of
    a credential that will soon be of no use. `ending` says of a connector that is being deleted what becomes of its
    accounts, and until when. `drifted` says what somebody else changed in the app, and stays so; `lost` what is left of
    a loss of the state.
    """

    generation: int
    suspended: bool
    blocker: Finding | None = None
    source: End = Contact.UNTRIED
    target: End = Contact.UNTRIED
    unread: Finding | None = None
    void: bool = False
    initial: bool = True
    cycle: CycleVerdict | Verdict | None = None
    consecutive_failures: int = 0
    held: Finding | None = None
    ending: Finding | None = None
    quarantine: Finding | None = None
    stopped: bool = False
    expiring: Finding | None = None
    drifted: Finding | None = None
    lost: Finding | None = None


def connector_conditions(
    seen: ConnectorObservation, former: Sequence[Condition], now: datetime
) -> tuple[Condition, ...]:
    """The conditions as they are to be written now, given those that are there."""
    troubles = _troubles(seen)
    ready = judge_ready(
        seen.generation,
        trouble=_with_the_end(seen.ending, troubles),
        good=_good(seen),
        failures=seen.consecutive_failures,
        former=find_condition(former, ConditionType.READY),
    )
    ends = ((ConditionType.SOURCE_REACHABLE, seen.source), (ConditionType.TARGET_REACHABLE, seen.target))
    verdicts = [
        ready,
        _in_sync(seen, find_condition(former, ConditionType.IN_SYNC)),
        *(verdict for kind, end in ends for verdict in _reachable(seen, kind, end, find_condition(former, kind))),
        *judge_progress(seen.generation, [one for one in troubles if seen.stopped or not _passes(one)], ready),
        *_abnormal(seen),
    ]
    return settle(verdicts, former, now)


def _troubles(seen: ConnectorObservation) -> list[Finding]:
    """What is wrong, in the order in which a cycle meets it. A suspended connector meets no end."""
    if seen.suspended:
        return [] if seen.blocker is None else [seen.blocker]
    failure = seen.cycle.failure if isinstance(seen.cycle, CycleVerdict) else None
    current = seen.cycle is not None and seen.cycle.generation == seen.generation
    unresolved = _unresolved(seen.cycle) if current else None
    quarantine = None if seen.quarantine is None else Finding(Reason.QUARANTINED, seen.quarantine.message)
    met = (seen.blocker, None if seen.void else seen.source, seen.target, failure, unresolved, quarantine)
    return [finding for finding in met if isinstance(finding, Finding)]


def _passes(trouble: Finding) -> bool:
    """A quarantine is lifted by itself, as long as cycles run."""
    return trouble.reason == Reason.QUARANTINED


def _with_the_end(ending: Finding | None, troubles: Sequence[Finding]) -> Finding | None:
    """The first trouble; of a connector that is being deleted also what is going on at all: it is never ready."""
    first = troubles[0] if troubles else None
    if ending is None or first is None:
        return first or ending
    return Finding(first.reason, f"{ending.message}. {first.message}")


def _is_observing(cycle: CycleVerdict | Verdict | None) -> bool:
    """Whether the last cycle ran to its end without writing anything: no initial cycle ever ends that way."""
    if isinstance(cycle, Verdict):
        return cycle.reason == Reason.OBSERVING
    return cycle is not None and bool(cycle.observed)


def _unresolved(cycle: CycleVerdict | Verdict | None) -> Finding | None:
    """What of the scope is not understood, by the last cycle or by what an earlier process said of it."""
    if isinstance(cycle, Verdict):
        return Finding(cycle.reason, cycle.message) if cycle.reason == Reason.SCOPE_UNRESOLVED else None
    if cycle is None or not cycle.unresolved:
        return None
    more = len(cycle.unresolved) - MAX_ENTRIES_SHOWN
    listed = "; ".join(cycle.unresolved[:MAX_ENTRIES_SHOWN]) + (f" (and {more} more)" if more > 0 else "")
    return Finding(Reason.SCOPE_UNRESOLVED, f"{listed}. Until then nobody leaves for being assigned no more")


def _good(seen: ConnectorObservation) -> Finding | None:
    if seen.suspended:
        return _SUSPENDED
    if seen.target is not Contact.ANSWERED or not (seen.void or seen.source is Contact.ANSWERED):
        return None
    if seen.initial and not _is_observing(seen.cycle):
        return _INITIAL
    return _ON_LAST_VERSION if seen.void else _RUNNING


def _in_sync(seen: ConnectorObservation, former: Condition | None) -> Verdict:
    """True only for the generation under which a cycle left nothing undone, of a source that can be believed now."""
    kind, generation = ConditionType.IN_SYNC, seen.generation
    if seen.held is not None:
        return Verdict(kind, "False", Reason.PLAN_HELD, seen.held.message, generation)
    if seen.initial and not _is_observing(seen.cycle):
        return Verdict(kind, "Unknown", Reason.INITIAL_CYCLE, "no initial cycle has run to its end yet", generation)
    wrong = seen.blocker or seen.lost
    if wrong is not None:
        return Verdict(kind, "False", wrong.reason, wrong.message, generation)
    judged = _judge_cycle(seen.cycle, former)
    unread = _judge_read(seen)
    if unread is not None and (unread.status == "False" or judged is None or judged.status != "False"):
        return unread
    if judged is None or (judged.generation < generation and not seen.suspended):
        return Verdict(kind, "Unknown", Reason.PROGRESSING, "no cycle has ended under the present spec yet", generation)
    return judged


def _judge_read(seen: ConnectorObservation) -> Verdict | None:
    """What keeps the source from being known as it is now: Unknown while that may pass by itself."""
    if not isinstance(seen.source, Finding):
        return None
    finding = seen.unread or seen.source
    status: ConditionStatus = "Unknown" if finding.reason in TRANSIENT else "False"
    return Verdict(ConditionType.IN_SYNC, status, finding.reason, f"{_IN_FORCE}. {finding.message}", seen.generation)


def _judge_cycle(cycle: CycleVerdict | Verdict | None, former: Condition | None) -> Verdict | None:
    kind = ConditionType.IN_SYNC
    if cycle is None:
        return None if former is None else keep(former, kind)
    if isinstance(cycle, Verdict):
        return cycle
    wrong = cycle.failure or _unresolved(cycle) or _left_undone(cycle)
    if wrong is not None:
        return Verdict(kind, "False", wrong.reason, wrong.message, cycle.generation)
    return Verdict(kind, "True", Reason.SUCCEEDED, "the last cycle left nothing undone", cycle.generation)


def _left_undone(cycle: CycleVerdict) -> Finding | None:
    """What a cycle that ran to its end did not do."""
    if cycle.observed:
        return Finding(Reason.OBSERVING, f"{_OBSERVING}: {cycle.observed}")
    if not cycle.pending:
        return None
    only_references = cycle.pending <= cycle.due_references
    return Finding(Reason.REFERENCES_PENDING if only_references else Reason.OBJECTS_FAILED, _undone(cycle))


def _undone(cycle: CycleVerdict) -> str:
    most = sorted(cycle.reasons.items(), key=lambda item: (-item[1], item[0]))[:MAX_REASONS_SHOWN]
    reasons = ", ".join(f"{count} {reason}" for reason, count in most)
    resources = "1 resource is" if cycle.pending == 1 else f"{cycle.pending} resources are"
    escrow = f"; {cycle.escrow}" if cycle.escrow else ""
    return f"{resources} left undone{f': {reasons}' if reasons else ''}{escrow}; the provisioning log names them"


def _reachable(
    seen: ConnectorObservation, kind: ConditionType, end: End, former: Condition | None
) -> tuple[Verdict, ...]:
    match end:
        case Contact.UNTRIED:
            return () if former is None else (keep(former, kind),)
        case Contact.ANSWERED:
            return (Verdict(kind, "True", Reason.ANSWERED, "it answered when it was last asked", seen.generation),)
        case Finding(reason, message):
            return (Verdict(kind, "False", reason, message, seen.generation),)


def _abnormal(seen: ConnectorObservation) -> tuple[Verdict, ...]:
    present = (
        (ConditionType.SUSPENDED, _SUSPENDED if seen.suspended else None),
        (ConditionType.PLAN_HELD, seen.held),
        (ConditionType.QUARANTINED, seen.quarantine),
        (ConditionType.CREDENTIAL_EXPIRING, seen.expiring),
        (ConditionType.DRIFTED, seen.drifted),
    )
    return tuple(
        Verdict(kind, "True", finding.reason, finding.message, seen.generation)
        for kind, finding in present
        if finding is not None
    )
