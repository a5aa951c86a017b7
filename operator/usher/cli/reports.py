"""Cycle reports and held plans, as data and for people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Final

from usher.answers.form import time_text
from usher.core.model.reports import Counts, CycleReport, HeldPlan
from usher.core.model.resources import Json
from usher.core.model.standing import Quarantine

_WORDS: Final = {"references": "with other references"}
OF_GROUPS: Final = {**_WORDS, "disabled": "emptied"}
"""A group that is gone and stays has nothing to disable."""


def counts_data(counts: Counts) -> dict[str, Json]:
    """By the names of the status."""
    return dict(asdict(counts))


def counts_text(counts: Mapping[str, Json], words: Mapping[str, str] = _WORDS) -> str:
    """Those that are not zero."""
    named = [f"{count} {words.get(name, name)}" for name, count in counts.items() if count]
    return ", ".join(named) or "nothing"


def unresolved_lines(report: CycleReport) -> list[str]:
    """Entries of the scope that mean nobody, or several, and what follows from it."""
    if not report.unresolved:
        return []
    return [*report.unresolved, "until then nobody leaves for being assigned no more"]


def assessment_lines(report: CycleReport) -> list[str]:
    """Who is in scope, held against the accounts that are there, a line for each resource type."""
    return [f"{kind.lower()}s at the app: {one}" for kind, one in report.assessments.items()]


def quarantine_data(held: Quarantine | None) -> Json:
    """A quarantine by the names of the status, None where there is none."""
    return None if held is None else {"reason": held.reason, "since": time_text(held.since), "count": held.count}


def comparison_lines(report: CycleReport) -> list[str]:
    """What a full comparison came to, a line for each resource type, and one more where it is not whole."""
    lines = []
    for kind, one in report.comparisons.items():
        found = [
            f"{one.drifted} changed by somebody else",
            *([f"{one.reported} of which that is only told"] if one.reported else []),
            f"{one.missing} gone",
            *([] if one.orphans is None else [f"{one.orphans} orphans"]),
        ]
        lines.append(f"{one.compared} linked {kind.lower()}s compared with the app: {', '.join(found)}")
        lines += [one.void] if one.void else []
    return lines


def held_data(held: HeldPlan | None) -> Json:
    """A held set, None where there is none."""
    if held is None:
        return None
    return {
        "hash": held.hash,
        "reason": held.reason,
        "count": held.count,
        "summary": held.summary,
        "created": time_text(held.created),
        "expires": time_text(held.expires),
    }


def report_data(report: CycleReport) -> dict[str, Json]:
    """What every command tells of a cycle."""
    return {
        "result": report.result.value,
        "kind": report.kind.value,
        "started": time_text(report.started),
        "completed": time_text(report.completed),
        "counts": counts_data(report.counts),
        "groups": None if report.groups is None else counts_data(report.groups),
        "inScope": report.in_scope,
        "linked": report.linked,
        "pending": report.pending,
        "escrowed": report.escrowed,
        "givenUp": report.given_up,
        "nextRetry": None if report.next_retry is None else time_text(report.next_retry),
        "waitingReferences": report.waiting_references,
        "unresolved": list(report.unresolved),
        "assessments": {kind: dict(asdict(one)) for kind, one in report.assessments.items()},
        "comparisons": {kind: dict(asdict(one)) for kind, one in report.comparisons.items()},
        "held": held_data(report.held),
        "quarantine": quarantine_data(report.quarantine),
        "credentialExpires": None if report.credential is None else time_text(report.credential.expires),
    }
