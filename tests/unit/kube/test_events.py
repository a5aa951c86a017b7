"""Which events follow from two statuses."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from usher.api.conditions import Condition
from usher.api.v1alpha1.connector_status import ConnectorCounts, ConnectorStatus, PlanStatus, QuarantineStatus
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


def caused(reason: str, message: str, *, failures: int, patient: bool = False) -> ConnectorStatus:
    """What a failed cycle leaves while the initial one has not ended."""
    initial = condition("InSync", "Unknown", "InitialCycle")
    target = condition("TargetReachable", "False", reason).model_copy(update={"message": message})
    ready = target.model_copy(update={"type": "Ready"})
    if patient:
        ready = condition("Ready", "True", "Retrying").model_copy(
            update={"message": f"{message} (failed 1 of 3 times)"}
        )
        target = condition("TargetReachable")
    return status(initial, target, ready, failures=failures)


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


def test_the_first_failure_of_a_new_connector_is_told_with_its_cause() -> None:
    [note] = connector_notes(ConnectorStatus(), caused("TargetUnreachable", "no way", failures=1), "", NOW)

    assert (note.type, note.reason) == ("Warning", "CycleFailed")
    assert note.message == "TargetUnreachable: no way; next cycle in 4m"


def test_another_cause_is_another_event_and_another_count_is_not() -> None:
    first = caused("TargetUnreachable", "5 attempts had no answer", failures=1)

    assert reasons(first, caused("TargetUnreachable", "7 attempts had no answer", failures=2)) == []
    assert reasons(first, caused("SecretNotFound", "Secret/app does not exist", failures=2)) == ["CycleFailed"]
    assert reasons(first, caused("SecretNotFound", "Secret/app does not exist", failures=1)) == []
    patient = caused("TargetUnreachable", "5 attempts had no answer", failures=2, patient=True)
    assert reasons(first, patient) == []
    assert reasons(patient, first.model_copy(update={"consecutive_failures": 3})) == []


def test_a_failure_that_needs_a_person_is_one_event() -> None:
    rejected = caused("CredentialsRejected", "refused", failures=1)
    stalled = rejected.model_copy(
        update={"conditions": (*rejected.conditions, condition("Stalled", reason="CredentialsRejected"))}
    )

    assert reasons(ConnectorStatus(), stalled) == ["CredentialsRejected"]


def test_a_read_that_fails_for_another_reason_is_told_again() -> None:
    def failed(message: str, failures: int) -> SourceStatus:
        ready = condition("Ready", "False", "InvalidData").model_copy(update={"message": message})
        return SourceStatus(conditions=(ready,), consecutive_failures=failures)

    assert [str(note.message) for note in source_notes(SourceStatus(), failed("line 2: ragged", 1))] == [
        "InvalidData: line 2: ragged"
    ]
    assert source_notes(failed("line 2: ragged", 1), failed("line 3: ragged", 2)) == []
    assert [note.reason for note in source_notes(failed("line 2: ragged", 1), failed("no header", 2))] == ["ReadFailed"]


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


def test_the_beginning_of_the_end_is_told_once() -> None:
    ending = status(WELL, condition("Ready", "False", "Deprovisioning"))
    assert reasons(status(WELL, condition("Ready")), ending) == ["Deprovisioning"]
    assert reasons(ending, ending) == []


def quarantined(*, stopped: bool = False) -> ConnectorStatus:
    due = None if stopped else NOW
    values = {"quarantine": QuarantineStatus(reason="Because", since=NOW, next_attempt=due, count=1)}
    return status(WELL, condition("Quarantined")).model_copy(update=values)


def test_a_quarantine_is_told_when_it_begins_when_it_stops_the_cycles_and_when_it_is_over() -> None:
    assert reasons(status(WELL), quarantined()) == ["Quarantined"]
    assert reasons(quarantined(), quarantined()) == []
    assert reasons(quarantined(), quarantined(stopped=True)) == ["Quarantined"]
    assert reasons(quarantined(stopped=True), quarantined(stopped=True)) == []
    assert reasons(quarantined(stopped=True), status(WELL)) == ["QuarantineLifted"]


def test_a_credential_that_expires_is_told_once_though_its_days_become_fewer() -> None:
    week, day = (condition("CredentialExpiring").model_copy(update={"message": text}) for text in ("7 days", "1 day"))
    assert reasons(status(WELL), status(WELL, week)) == ["CredentialExpiring"]
    assert reasons(status(WELL, week), status(WELL, day)) == []
