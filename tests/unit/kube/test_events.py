"""Which events follow from two statuses."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from usher.api.conditions import Condition
from usher.api.v1alpha1.connectors import ConnectorCounts, ConnectorStatus, PlanStatus
from usher.api.v1alpha1.identity_sources import PendingRead, SourceStatus
from usher.kube.events import connector_notes, source_notes

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def condition(kind: str, status: str = "True", reason: str = "Because") -> Condition:
    values = {"type": kind, "status": status, "reason": reason, "message": f"{kind} is {status}"}
    return Condition.model_validate({**values, "last_transition_time": NOW})


def status(*conditions: Condition, failures: int = 0, plan: str = "") -> ConnectorStatus:
    return ConnectorStatus(
        conditions=conditions,
        consecutive_failures=failures,
        counts=ConnectorCounts(linked=7),
        next_cycle_time=NOW + timedelta(minutes=4, seconds=10),
        plan=PlanStatus(hash=plan) if plan else None,
    )


def reasons(former: ConnectorStatus, now: ConnectorStatus, approval: str = "") -> list[str]:
    return [note.reason for note in connector_notes(former, now, approval, NOW)]


WELL = condition("InSync", reason="Succeeded")
FAILED = condition("InSync", "False", "TargetUnreachable")


def test_nothing_is_told_where_nothing_turned() -> None:
    assert reasons(status(WELL), status(WELL)) == []
    assert reasons(status(FAILED, failures=1), status(FAILED, failures=2)) == []


def test_the_first_time_in_sync_is_told_once_and_with_what_comes_next() -> None:
    before = status(condition("InSync", "Unknown", "InitialCycle"))

    [note] = connector_notes(before, status(WELL), "", NOW)

    assert (note.reason, note.type) == ("Synced", "Normal")
    assert note.message.endswith("7 linked accounts; next cycle in 4m")
    assert reasons(status(FAILED), status(WELL)) == []


def test_a_failure_and_its_end_are_told() -> None:
    assert reasons(status(WELL), status(FAILED, failures=1)) == ["CycleFailed"]
    assert reasons(status(FAILED, failures=3), status(WELL)) == ["Recovered"]


def test_suspension_and_its_end_are_told() -> None:
    suspended = condition("Suspended")

    assert reasons(status(WELL), status(WELL, suspended)) == ["Suspended"]
    assert reasons(status(WELL, suspended), status(WELL)) == ["Resumed"]
    [note] = connector_notes(status(WELL), status(WELL, suspended), "", NOW)
    assert note.message.endswith("no cycle until spec.suspend is removed")


def test_a_held_plan_and_its_approval_are_told() -> None:
    held = condition("PlanHeld")

    assert reasons(status(WELL), status(WELL, held, plan="abc")) == ["PlanHeld"]
    assert reasons(status(WELL, held, plan="abc"), status(WELL), "abc") == ["PlanApproved"]
    assert reasons(status(WELL, held, plan="abc"), status(WELL), "other") == []
    assert reasons(status(WELL, held, plan="abc"), status(WELL, held, plan="def"), "abc") == [
        "PlanApproved",
        "PlanHeld",
    ]


def test_what_needs_a_person_is_told_when_its_reason_changes() -> None:
    invalid, rejected = (
        condition("Stalled", reason="MappingInvalid"),
        condition("Stalled", reason="CredentialsRejected"),
    )

    assert reasons(status(WELL), status(WELL, invalid)) == ["SpecInvalid"]
    assert reasons(status(WELL, invalid), status(WELL, invalid)) == []
    assert reasons(status(WELL, invalid), status(WELL, rejected)) == ["CredentialsRejected"]


def test_a_void_read_is_told_once_for_each_content() -> None:
    ready = (condition("Ready"),)
    first = SourceStatus(conditions=ready, pending=PendingRead(hash="a"), consecutive_failures=1)
    again = SourceStatus(conditions=ready, pending=PendingRead(hash="a"), consecutive_failures=2)
    other = SourceStatus(conditions=ready, pending=PendingRead(hash="b"), consecutive_failures=3)

    assert [note.reason for note in source_notes(SourceStatus(conditions=ready), first)] == ["ReadShrunk"]
    assert source_notes(first, again) == []
    assert [note.reason for note in source_notes(again, other)] == ["ReadShrunk"]
    assert [note.reason for note in source_notes(other, SourceStatus(conditions=ready))] == ["Recovered"]
