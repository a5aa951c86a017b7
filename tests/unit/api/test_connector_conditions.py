"""The conditions of a connector, as a table of what is seen and what is said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from usher.api.conditions import Condition, ConditionType, Contact, Finding, Verdict, find_condition
from usher.api.connector_conditions import ConnectorObservation, CycleVerdict, connector_conditions

NOW = datetime(2026, 1, 1, 12, 0, 0, 999, tzinfo=UTC)
LATER = NOW + timedelta(minutes=5)

DOWN = Finding("TargetUnreachable", "app.example.com refuses connections")
REJECTED = Finding("CredentialsRejected", "Secret/app-scim key token: the app refuses it (401)")
INVALID = Finding("InvalidSpec", "spec.schedule.interval: must be a duration such as 5m")
MISSING = Finding("SourceNotFound", "spec.sourceRef.name: there is no IdentitySource corp")
UNREAD = Finding("SourceUnreachable", "what the source says")
SHRUNK = Finding("ReadShrunk", "IdentitySource/corp spec.minRetained: the read is void")
AWAY = Finding("IncompleteRead", "IdentitySource/corp: the list ended early")
LOST = Finding("ConfigMapNotFound", "IdentitySource/corp spec.csv.configMapRef: ConfigMap/people does not exist")
OVER = Finding("OverBudget", "600 disables wait: usher approve")

ENDING = Finding("Deprovisioning", "the connector is deleted: until noon")

FRESH = ConnectorObservation(generation=1, suspended=False)
MET = replace(FRESH, source=Contact.ANSWERED, target=Contact.ANSWERED)
DONE = replace(MET, initial=False, cycle=CycleVerdict(generation=1))
VOID = replace(DONE, source=UNREAD, unread=SHRUNK, void=True)
GONE = replace(DONE, source=UNREAD, unread=LOST)


def conditions(*seen: ConnectorObservation, now: datetime = NOW) -> tuple[Condition, ...]:
    """The conditions after these observations, one after the other."""
    former: tuple[Condition, ...] = ()
    for observation in seen:
        former = connector_conditions(observation, former, now)
    return former


def said(found: Sequence[Condition]) -> dict[str, str]:
    return {each.type: f"{each.status} {each.reason}" for each in found}


def failing(times: int) -> ConnectorObservation:
    return replace(DONE, target=DOWN, cycle=CycleVerdict(1, failure=DOWN), consecutive_failures=times)


BEFORE = Verdict(ConditionType.IN_SYNC, "True", "Succeeded", "the last cycle left nothing undone", 1)
GOOD_ENDS = {"SourceReachable": "True Answered", "TargetReachable": "True Answered"}
DOWN_ENDS = {"SourceReachable": "True Answered", "TargetReachable": "False TargetUnreachable"}
UNREAD_ENDS = {"SourceReachable": "False SourceUnreachable", "TargetReachable": "True Answered"}
IN_SYNC = {"InSync": "True Succeeded"}
INITIAL = {"InSync": "Unknown InitialCycle"}

UNRESOLVED = CycleVerdict(1, unresolved=("spec.scope.users[3]: no user of the source has this mail", "b", "c"))
STUCK = {
    "Ready": "False ScopeUnresolved",
    "InSync": "False ScopeUnresolved",
    **GOOD_ENDS,
    "Stalled": "True ScopeUnresolved",
}

TABLE: list[tuple[str, list[ConnectorObservation], dict[str, str]]] = [
    (
        "at first sight nothing is known",
        [FRESH],
        {"Ready": "Unknown Progressing", **INITIAL, "Reconciling": "True Progressing"},
    ),
    (
        "one end alone does not make it ready",
        [replace(FRESH, source=Contact.ANSWERED)],
        {
            "Ready": "Unknown Progressing",
            **INITIAL,
            "SourceReachable": "True Answered",
            "Reconciling": "True Progressing",
        },
    ),
    (
        "it is ready from the first contact, long before the initial cycle ends",
        [FRESH, MET],
        {"Ready": "True InitialCycle", **INITIAL, **GOOD_ENDS},
    ),
    (
        "a cycle that left nothing undone puts it in sync",
        [FRESH, MET, DONE],
        {"Ready": "True Running", **IN_SYNC, **GOOD_ENDS},
    ),
    (
        "people left undone are not in sync, and no reason to be unready",
        [replace(DONE, cycle=CycleVerdict(1, pending=3, reasons={"MissingValues": 3}))],
        {"Ready": "True Running", "InSync": "False ObjectsFailed", **GOOD_ENDS},
    ),
    (
        "where nothing but references is left undone, that is said",
        [replace(DONE, cycle=CycleVerdict(1, pending=2, due_references=2, reasons={"ServiceUnavailable": 2}))],
        {"Ready": "True Running", "InSync": "False ReferencesPending", **GOOD_ENDS},
    ),
    (
        "people left undone come before references",
        [replace(DONE, cycle=CycleVerdict(1, pending=3, due_references=2, reasons={"MissingValues": 1}))],
        {"Ready": "True Running", "InSync": "False ObjectsFailed", **GOOD_ENDS},
    ),
    (
        "one transient failure leaves it ready",
        [DONE, failing(1)],
        {"Ready": "True Retrying", "InSync": "False TargetUnreachable", **DOWN_ENDS},
    ),
    (
        "so does a second one",
        [DONE, failing(1), failing(2)],
        {"Ready": "True Retrying", "InSync": "False TargetUnreachable", **DOWN_ENDS},
    ),
    (
        "the third one in a row does not",
        [DONE, failing(1), failing(2), failing(3)],
        {"Ready": "False TargetUnreachable", "InSync": "False TargetUnreachable", **DOWN_ENDS},
    ),
    (
        "a success in between makes it well again",
        [DONE, failing(1), failing(2), failing(3), DONE],
        {"Ready": "True Running", **IN_SYNC, **GOOD_ENDS},
    ),
    (
        "what never was ready has no patience to lose",
        [FRESH, replace(FRESH, source=Contact.ANSWERED, target=DOWN, consecutive_failures=1)],
        {"Ready": "False TargetUnreachable", **INITIAL, **DOWN_ENDS},
    ),
    (
        "rejected credentials need a person at once",
        [DONE, replace(DONE, target=REJECTED, cycle=CycleVerdict(1, failure=REJECTED), consecutive_failures=1)],
        {
            "Ready": "False CredentialsRejected",
            "InSync": "False CredentialsRejected",
            "SourceReachable": "True Answered",
            "TargetReachable": "False CredentialsRejected",
            "Stalled": "True CredentialsRejected",
        },
    ),
    (
        "an invalid spec stalls",
        [replace(FRESH, blocker=INVALID)],
        {"Ready": "False InvalidSpec", **INITIAL, "Stalled": "True InvalidSpec"},
    ),
    (
        "what is missing may still come, so it does not stall",
        [replace(FRESH, blocker=MISSING)],
        {"Ready": "False SourceNotFound", **INITIAL},
    ),
    (
        "a spec that became invalid is not in sync",
        [DONE, replace(DONE, generation=2, source=Contact.UNTRIED, target=Contact.UNTRIED, blocker=INVALID)],
        {"Ready": "False InvalidSpec", "InSync": "False InvalidSpec", **GOOD_ENDS, "Stalled": "True InvalidSpec"},
    ),
    (
        "a connector that is being deleted is not ready, and says why",
        [DONE, replace(FRESH, generation=2, initial=False, target=Contact.ANSWERED, ending=ENDING)],
        {"Ready": "False Deprovisioning", "InSync": "Unknown Progressing", **GOOD_ENDS},
    ),
    (
        "so does one that was never in sync, and what is in its way comes first",
        [replace(FRESH, initial=False, blocker=INVALID, ending=ENDING)],
        {"Ready": "False InvalidSpec", "InSync": "False InvalidSpec", "Stalled": "True InvalidSpec"},
    ),
    (
        "a changed spec is taken over while it stays ready",
        [DONE, replace(FRESH, generation=2, initial=False)],
        {
            "Ready": "True Progressing",
            "InSync": "Unknown Progressing",
            **GOOD_ENDS,
            "Reconciling": "True Progressing",
        },
    ),
    (
        "a changed spec is in force once both ends answered under it",
        [DONE, replace(DONE, generation=2)],
        {"Ready": "True Running", "InSync": "Unknown Progressing", **GOOD_ENDS},
    ),
    (
        "a mended spec is judged anew",
        [replace(FRESH, blocker=INVALID), replace(FRESH, generation=2)],
        {"Ready": "Unknown Progressing", **INITIAL, "Reconciling": "True Progressing"},
    ),
    (
        "after a restart of the operator all is as before",
        [DONE, replace(FRESH, initial=False)],
        {"Ready": "True Running", **IN_SYNC, **GOOD_ENDS},
    ),
    (
        "after a restart what was unready stays so until it is tried",
        [DONE, failing(3), replace(FRESH, initial=False)],
        {"Ready": "False TargetUnreachable", "InSync": "False TargetUnreachable", **DOWN_ENDS},
    ),
    (
        "created suspended it is ready",
        [replace(FRESH, suspended=True)],
        {"Ready": "True Suspended", **INITIAL, "Suspended": "True Suspended"},
    ),
    (
        "suspended later it keeps what the last cycle said",
        [DONE, replace(DONE, generation=2, suspended=True)],
        {"Ready": "True Suspended", **IN_SYNC, **GOOD_ENDS, "Suspended": "True Suspended"},
    ),
    (
        "suspension does not hide an invalid spec",
        [replace(FRESH, suspended=True, blocker=INVALID)],
        {"Ready": "False InvalidSpec", **INITIAL, "Stalled": "True InvalidSpec", "Suspended": "True Suspended"},
    ),
    (
        "resumed, it proves itself again",
        [replace(FRESH, suspended=True), replace(FRESH, generation=2)],
        {"Ready": "Unknown Progressing", **INITIAL, "Reconciling": "True Progressing"},
    ),
    (
        "a held plan is not in sync",
        [replace(DONE, held=OVER)],
        {"Ready": "True Running", "InSync": "False PlanHeld", **GOOD_ENDS, "PlanHeld": "True OverBudget"},
    ),
    (
        "a void source is not in sync, however often it is read, and cycles run on",
        [DONE, VOID, replace(VOID, cycle=CycleVerdict(generation=1)), replace(VOID, consecutive_failures=9)],
        {"Ready": "True Running", "InSync": "False ReadShrunk", **UNREAD_ENDS},
    ),
    (
        "a void source counts before the initial cycle has ended, too",
        [replace(VOID, initial=True)],
        {"Ready": "True InitialCycle", **INITIAL, **UNREAD_ENDS},
    ),
    (
        "a read that broke off may be whole the next time, so nothing is known",
        [DONE, replace(VOID, unread=AWAY)],
        {"Ready": "True Running", "InSync": "Unknown IncompleteRead", **UNREAD_ENDS},
    ),
    (
        "what is left undone stays undone while a read breaks off",
        [DONE, replace(VOID, unread=AWAY, cycle=CycleVerdict(1, pending=3))],
        {"Ready": "True Running", "InSync": "False ObjectsFailed", **UNREAD_ENDS},
    ),
    (
        "a source whose document is missing is not in sync, and unready in the end",
        [DONE, replace(GONE, consecutive_failures=1), replace(GONE, consecutive_failures=3)],
        {"Ready": "False SourceUnreachable", "InSync": "False ConfigMapNotFound", **UNREAD_ENDS},
    ),
    (
        "a void source does not hide that the target is away",
        [DONE, replace(VOID, target=DOWN, cycle=CycleVerdict(1, failure=DOWN), consecutive_failures=3)],
        {
            "Ready": "False TargetUnreachable",
            "InSync": "False ReadShrunk",
            "SourceReachable": "False SourceUnreachable",
            "TargetReachable": "False TargetUnreachable",
        },
    ),
    (
        "a source that is whole again is in sync as before",
        [DONE, VOID, DONE],
        {"Ready": "True Running", **IN_SYNC, **GOOD_ENDS},
    ),
    (
        "what an earlier process said of the last cycle comes back with the source",
        [DONE, replace(VOID, cycle=BEFORE), replace(DONE, cycle=BEFORE)],
        {"Ready": "True Running", **IN_SYNC, **GOOD_ENDS},
    ),
    (
        "an approved plan is gone",
        [replace(DONE, held=OVER), DONE],
        {"Ready": "True Running", **IN_SYNC, **GOOD_ENDS},
    ),
    (
        "an entry of the scope that nobody understands needs a person",
        [DONE, replace(DONE, cycle=UNRESOLVED)],
        STUCK,
    ),
    (
        "the next process says so too before its first cycle",
        [DONE, replace(DONE, cycle=Verdict(ConditionType.IN_SYNC, "False", "ScopeUnresolved", "spec.scope", 1))],
        STUCK,
    ),
    (
        "a connector that only observes is ready, and never in sync",
        [FRESH, MET, replace(MET, cycle=CycleVerdict(1, observed="users: 3 matched"))],
        {"Ready": "True Running", "InSync": "False Observing", **GOOD_ENDS},
    ),
    (
        "what an earlier process observed stands until the next cycle",
        [replace(MET, cycle=Verdict(ConditionType.IN_SYNC, "False", "Observing", "users: 3 matched", 1))],
        {"Ready": "True Running", "InSync": "False Observing", **GOOD_ENDS},
    ),
    (
        "a changed scope is taken over before it is judged",
        [DONE, replace(DONE, cycle=UNRESOLVED), replace(DONE, cycle=UNRESOLVED, generation=2)],
        {"Ready": "True Running", "InSync": "Unknown Progressing", **GOOD_ENDS},
    ),
]


@pytest.mark.parametrize(("seen", "expected"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_what_is_said_of_a_connector(seen: list[ConnectorObservation], expected: dict[str, str]) -> None:
    assert said(conditions(*seen)) == expected


@pytest.mark.parametrize("seen", [row[1] for row in TABLE], ids=[row[0] for row in TABLE])
def test_stalled_and_reconciling_never_come_together(seen: list[ConnectorObservation]) -> None:
    found = said(conditions(*seen))

    assert "Ready" in found
    assert not {"Stalled", "Reconciling"} <= set(found)


@pytest.mark.parametrize("seen", [row[1] for row in TABLE], ids=[row[0] for row in TABLE])
def test_seeing_the_same_again_changes_nothing(seen: list[ConnectorObservation]) -> None:
    once = conditions(*seen)

    assert connector_conditions(seen[-1], once, LATER) == once


def test_the_time_moves_only_with_the_status() -> None:
    first = connector_conditions(DONE, (), NOW)

    second = connector_conditions(failing(1), first, LATER)

    times = {each.type: each.last_transition_time for each in second}
    assert times["Ready"] == times["SourceReachable"] == NOW.replace(microsecond=0)
    assert times["InSync"] == times["TargetReachable"] == LATER.replace(microsecond=0)


def test_a_verdict_belongs_to_the_generation_that_it_is_about() -> None:
    changed = connector_conditions(replace(FRESH, generation=2, initial=False), conditions(DONE), LATER)
    suspended = connector_conditions(replace(DONE, generation=2, suspended=True), conditions(DONE), LATER)

    generations = {each.type: each.observed_generation for each in changed}
    assert generations == {
        "Ready": 1,
        "InSync": 2,
        "SourceReachable": 1,
        "TargetReachable": 1,
        "Reconciling": 2,
    }
    in_sync = find_condition(suspended, ConditionType.IN_SYNC)
    assert in_sync is not None
    assert (in_sync.status, in_sync.observed_generation) == ("True", 1)


def test_the_message_counts_what_is_undone_by_its_most_frequent_reasons() -> None:
    reasons = {"A": 1, "B": 5, "C": 2, "D": 9}

    found = conditions(replace(DONE, cycle=CycleVerdict(1, pending=17, reasons=reasons)))

    in_sync = find_condition(found, ConditionType.IN_SYNC)
    assert in_sync is not None
    assert in_sync.message == "17 resources are left undone: 9 D, 5 B, 2 C; the provisioning log names them"


def test_an_unresolved_scope_names_the_first_entries_and_what_follows() -> None:
    ready = find_condition(conditions(replace(DONE, cycle=UNRESOLVED)), ConditionType.READY)

    assert ready is not None
    assert ready.message == (
        "spec.scope.users[3]: no user of the source has this mail; b (and 1 more). Until then nobody leaves for being"
        " assigned no more"
    )


def test_a_transient_failure_says_how_many_are_left() -> None:
    ready = find_condition(conditions(DONE, failing(1), failing(2)), ConditionType.READY)

    assert ready is not None
    assert ready.message.startswith(DOWN.message)
    assert "failed 2 of 3 times" in ready.message


def test_a_void_source_is_told_in_its_own_words_with_what_stays_in_force() -> None:
    in_sync = find_condition(conditions(DONE, VOID), ConditionType.IN_SYNC)

    assert in_sync is not None
    assert in_sync.message == f"the last good version of the source stays in force. {SHRUNK.message}"


def test_a_message_is_one_line_and_capped() -> None:
    ready = find_condition(conditions(replace(FRESH, blocker=Finding("X", "a\nb" + "c" * 1000))), ConditionType.READY)

    assert ready is not None
    assert ready.message.startswith("a bc")
    assert len(ready.message) == 400


def test_what_is_in_the_way_of_an_end_does_not_hide_the_end() -> None:
    seen = replace(FRESH, initial=False, target=REJECTED, ending=ENDING)
    ready = find_condition(conditions(seen), ConditionType.READY)
    assert ready is not None
    assert ready.message == f"{ENDING.message}. {REJECTED.message}"
