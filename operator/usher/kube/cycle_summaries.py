"""Cycles that have ended, as a status shows them."""

from __future__ import annotations

from usher.api.v1alpha1.connector_status import CycleSummary, ResourceCounts
from usher.core.model.reports import Counts, CycleReport, CycleResult


def summarize(report: CycleReport) -> CycleSummary:
    """A cycle as a status shows it."""
    result = report.result
    return CycleSummary(
        name=report.name or None,
        kind=report.kind.value,
        start_time=report.started,
        completion_time=report.completed,
        result=None if result is CycleResult.PLANNED else result.value,
        users=_shown(report.counts),
        groups=None if report.groups is None else _shown(report.groups),
    )


def _shown(counts: Counts) -> ResourceCounts:
    return ResourceCounts(
        created=counts.created,
        linked=counts.linked,
        updated=counts.updated,
        disabled=counts.disabled,
        deleted=counts.deleted,
        references=counts.references or None,
        unchanged=counts.unchanged,
        skipped=counts.skipped,
        failed=counts.failed,
    )


def is_worth_remembering(report: CycleReport) -> bool:
    """Whether it changed something, or failed."""
    changed = 0
    for counts in (report.counts, report.groups or Counts()):
        changed += (
            counts.created
            + counts.linked
            + counts.updated
            + counts.disabled
            + counts.deleted
            + counts.references
            + counts.failed
        )
    return bool(changed) or report.result is CycleResult.FAILED
