"""What goes into a status, and how large it can get."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone

from usher.api.conditions import Condition, ConditionType, Verdict, settle
from usher.api.v1alpha1.connector_status import (
    MAX_HISTORY,
    MAX_SCHEMAS,
    MAX_URN,
    BulkStatus,
    ConnectorCounts,
    ConnectorScheduleStatus,
    ConnectorStatus,
    CycleSummary,
    PlanStatus,
    QuarantineStatus,
    ResourceCounts,
    RunningCycle,
    TargetStatus,
)
from usher.api.v1alpha1.identity_sources import SourceStatus, shown_attributes
from usher.api.v1alpha1.objects import read_status, write_status

MOMENT = datetime(2026, 1, 1, 12, 30, 15, 999, tzinfo=timezone(timedelta(hours=2)))
MANY = 10_000_000


def condition(kind: str) -> Condition:
    return Condition(
        type=kind,
        status="Unknown",
        reason="C" * 32,
        message="m",
        observed_generation=MANY,
        last_transition_time=MOMENT,
    )


def test_times_are_written_in_utc_to_the_second() -> None:
    assert write_status(SourceStatus(last_read_time=MOMENT))["lastReadTime"] == "2026-01-01T10:30:15Z"


def test_what_is_absent_is_not_written() -> None:
    assert write_status(ConnectorStatus()) == {"conditions": []}


def test_a_status_that_was_written_is_read_as_the_same() -> None:
    status = ConnectorStatus(counts=ConnectorCounts(linked=5), conditions=(condition("Ready"),))

    assert write_status(read_status(ConnectorStatus, write_status(status))) == write_status(status)


OF_A_RUN = (ConditionType.COMPLETE, ConditionType.FAILED)


def test_the_largest_status_of_a_connector_stays_within_eight_kibibytes() -> None:
    all_counts = ResourceCounts.model_validate(dict.fromkeys(ResourceCounts.model_fields, MANY))
    cycle = CycleSummary(
        kind="FullComparison",
        start_time=MOMENT,
        completion_time=MOMENT,
        result="Interrupted",
        users=all_counts,
        groups=all_counts,
    )
    verdicts = [Verdict(kind, "Unknown", "C" * 32, "m" * 2000, MANY) for kind in ConditionType if kind not in OF_A_RUN]
    status = ConnectorStatus(
        observed_generation=MANY,
        last_handled_reconcile_at="2" * 256,
        conditions=settle(verdicts, (), MOMENT),
        next_cycle_time=MOMENT,
        consecutive_failures=MANY,
        schedule=ConnectorScheduleStatus(interval="1" * 20, full_interval="1" * 20),
        last_cycle=cycle,
        cycle=RunningCycle(kind="Initial", stage="s" * 64, done=MANY, total=MANY, start_time=MOMENT),
        counts=ConnectorCounts.model_validate(dict.fromkeys(ConnectorCounts.model_fields, MANY)),
        quarantine=QuarantineStatus(
            reason="EncounteredEscrowProportionThreshold", since=MOMENT, next_attempt=MOMENT, count=MANY
        ),
        history=(cycle,) * MAX_HISTORY,
        plan=PlanStatus(hash="h" * 64, summary="s" * 256, expires=MOMENT),
        target=TargetStatus(
            discovered=MOMENT,
            features=("Bulk", "ChangePassword", "ETag", "Filter", "Patch", "Sort"),
            max_results=2**31 - 1,
            bulk=BulkStatus(max_operations=2**31 - 1, max_payload_size=2**31 - 1),
            schemas=("u" * MAX_URN,) * MAX_SCHEMAS,
            types="Discovered",
        ),
    )

    assert len(json.dumps(write_status(status), separators=(",", ":"))) <= 8192


def test_only_the_longest_messages_are_cut_where_all_of_them_are_too_long() -> None:
    lengths = (400, 380, 30, 400, 390, 5)
    kinds = tuple(ConditionType)[: len(lengths)]
    verdicts = [Verdict(kind, "True", "R", "m" * many, 1) for kind, many in zip(kinds, lengths, strict=True)]
    assert [len(one.message) for one in settle(verdicts, (), MOMENT)] == [310, 310, 30, 310, 310, 5]
    assert [len(one.message) for one in settle(verdicts[:3], (), MOMENT)] == [400, 380, 30]


def test_the_attributes_that_are_shown_are_sorted_and_few() -> None:
    assert shown_attributes(["b", "a", "b", "x" * 200]) == ("a", "b")
    assert len(shown_attributes(str(number) for number in range(1000))) == 200
    assert sum(map(len, shown_attributes(f"{number:0100}" for number in range(200)))) <= 4096
