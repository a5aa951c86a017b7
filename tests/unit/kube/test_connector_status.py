"""What the status of a connector makes of its own failures and of those of its source."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from usher.api.conditions import Condition, ConditionType, Contact, End, Finding, find_condition
from usher.api.v1alpha1.connector_status import ConnectorStatus
from usher.core.errors import UsherError
from usher.core.model.standing import Quarantine
from usher.kube.connector_state import ConnectorState
from usher.kube.connector_status import Facts, SourceView, render, view_of_source
from usher.kube.objects import Kind, ObjectKey

NOW = datetime(2026, 1, 1, tzinfo=UTC)
WELL = ConnectorState.resume(1, ConnectorStatus())
WELL.target = Contact.ANSWERED


def facts(source: SourceView) -> Facts:
    key = ObjectKey(Kind.CONNECTOR, "identity", "app")
    return Facts(key, suspended=False, schedule=None, blocker=None, source=source, initial=False, held=None)


def ready_after_a_failure(end: End, version: int | None) -> str:
    """Of a connector that was ready, when its target fails once and its source has failed nine times."""
    before = render(WELL, facts(SourceView(Contact.ANSWERED, 0, version=1)), (), NOW).conditions
    state = ConnectorState.resume(1, ConnectorStatus())
    state.fail(1, UsherError("the target is away", reason="TargetUnreachable"))
    after = render(state, facts(view_of_source(end, 9, version)), before, NOW).conditions
    return said(find_condition(after, ConditionType.READY))


def said(condition: Condition | None) -> str:
    return "" if condition is None else f"{condition.status} {condition.reason}"


def test_reads_that_were_not_believed_use_up_no_patience_with_the_target() -> None:
    assert ready_after_a_failure(Finding("ReadShrunk", "it is void"), 1) == "True Retrying"


def test_a_source_that_can_not_be_reached_uses_up_its_own_patience() -> None:
    assert ready_after_a_failure(Finding("ConfigMapNotFound", "it is gone"), 1) == "False SourceUnreachable"


def test_a_source_that_was_never_read_is_not_ready_whatever_it_answers() -> None:
    assert ready_after_a_failure(Finding("ReadShrunk", "it is empty"), None) == "False SourceUnreachable"


def quarantined(since: datetime) -> ConnectorStatus:
    held = Quarantine("EncounteredEscrowProportionThreshold", since, 4)
    return render(WELL, replace(facts(SourceView(Contact.ANSWERED, 0, version=1)), quarantine=held), (), NOW)


def test_a_quarantine_for_many_failures_is_not_ready_and_is_lifted_by_itself() -> None:
    status = quarantined(NOW - timedelta(days=1))

    conditions = {kind: said(find_condition(status.conditions, kind)) for kind in ConditionType}
    assert conditions[ConditionType.QUARANTINED] == "True EncounteredEscrowProportionThreshold"
    assert conditions[ConditionType.READY] == "False Quarantined"
    assert conditions[ConditionType.STALLED] == ""
    assert status.quarantine is not None
    assert (status.quarantine.count, status.quarantine.since) == (4, NOW - timedelta(days=1))


def test_a_quarantine_that_has_lasted_too_long_needs_a_person() -> None:
    status = quarantined(NOW - timedelta(days=28))

    assert said(find_condition(status.conditions, ConditionType.STALLED)) == "True Quarantined"
    assert said(find_condition(status.conditions, ConditionType.READY)) == "False Quarantined"
