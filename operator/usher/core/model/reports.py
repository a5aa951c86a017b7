"""What a read or a cycle came to: counts and reasons without personal data, ready for a status."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from usher.core.model.on_demand import SubjectReport
from usher.core.model.standing import Credential, Quarantine


class CycleKind(StrEnum):
    """Initial: everything is evaluated. Incremental: what changed since the consumed version, and what is unsettled.

    Full comparison: an incremental one before which every linked account is read and held against what it should be.
    On demand: only some are looked at, who were asked for by name. Undo: what one cycle did is taken back.
    """

    INITIAL = "Initial"
    INCREMENTAL = "Incremental"
    FULL_COMPARISON = "FullComparison"
    ON_DEMAND = "OnDemand"
    UNDO = "Undo"


class CycleResult(StrEnum):
    """How a cycle ended.

    Partial: it ran to its end, and some resources failed or wait. Planned: stopped before the apply.
    """

    SUCCEEDED = "Succeeded"
    PARTIAL = "Partial"
    FAILED = "Failed"
    INTERRUPTED = "Interrupted"
    PLANNED = "Planned"


@dataclass(frozen=True, slots=True)
class Counts:
    """What happened to the resources of one type in one cycle (or, of a plan: what would).

    `references` counts the resources whose members, manager and the like were changed.
    """

    created: int = 0
    linked: int = 0
    updated: int = 0
    disabled: int = 0
    deleted: int = 0
    references: int = 0
    unchanged: int = 0
    skipped: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class HeldPlan:
    """A set of changes that waits for an approval. The hash names exactly this set."""

    hash: str
    reason: str
    count: int
    summary: str
    created: datetime
    expires: datetime


@dataclass(frozen=True, slots=True)
class Assessment:
    """Who is in scope, held against the accounts that are at the target, of one resource type.

    `matched` have an account, `unmatched` have none, and of the `ambiguous` it can't be told which. `orphans` are
    accounts that nobody in scope matches.
    """

    matched: int
    unmatched: int
    ambiguous: int
    orphans: int

    def __str__(self) -> str:
        return f"{self.matched} matched, {self.unmatched} unmatched, {self.ambiguous} ambiguous, {self.orphans} orphans"


@dataclass(frozen=True, slots=True)
class Compared:
    """What a full comparison of one resource type came to.

    `compared` linked accounts were read. At `drifted` of them somebody had changed what is kept up, and it is put back;
    at `reported` it stays, and is told. `missing` linked accounts were gone. `orphans` are accounts that nobody links
    and nobody in scope matches, None where the target can't be listed; after the state was lost, `strays` of them are
    active and belong to people who may have left meanwhile. `void` says why nothing is concluded about accounts that
    were not seen, empty where all were.
    """

    compared: int
    drifted: int
    reported: int
    missing: int
    orphans: int | None
    void: str = ""
    strays: int = 0


@dataclass(frozen=True, slots=True)
class CycleReport:
    """One cycle in figures.

    `counts` are those of users, `groups` those of groups, None where nobody maps them. `reasons` counts unsettled
    resources by reason. `error_reason` and `error` say why a cycle failed as a whole. `in_scope` and `linked` are the
    connector's totals of users after it, `pending` that of all resources with something undone, of which
    `due_references` lack nothing but references whose both ends are there. `escrowed` of them failed, and `given_up` of
    these are tried no more; the others are from `next_retry` on, in the next cycle where that has passed.
    `waiting_references` are those whose other end has no active account. `unresolved` are entries of the scope that
    mean nobody, or several, with where they stand and why: while there are some, nobody leaves by absence from the
    scope. `assessments`, by resource type, are there where the target was only looked at, `comparisons` where a full
    comparison was made. `stale` says why the target could not be asked again what it says of itself, where an earlier
    answer stays in force. `recovered` had failed before, and did not this time. The target asked to be left alone until
    `not_before`. `credential` is the one that was used, where that says when it expires. `subjects` are
    those who were asked for by name, of a cycle on demand. `name` is what the provisioning log calls the cycle, empty
    for one that only looked.
    """

    kind: CycleKind
    result: CycleResult
    started: datetime
    completed: datetime
    counts: Counts
    reasons: Mapping[str, int] = field(default_factory=dict)
    in_scope: int = 0
    linked: int = 0
    pending: int = 0
    groups: Counts | None = None
    due_references: int = 0
    escrowed: int = 0
    given_up: int = 0
    next_retry: datetime | None = None
    waiting_references: int = 0
    unresolved: tuple[str, ...] = ()
    assessments: Mapping[str, Assessment] = field(default_factory=dict)
    comparisons: Mapping[str, Compared] = field(default_factory=dict)
    held: HeldPlan | None = None
    error_reason: str = ""
    error: str = ""
    stale: str = ""
    recovered: int = 0
    quarantine: Quarantine | None = None
    not_before: datetime | None = None
    credential: Credential | None = None
    subjects: tuple[SubjectReport, ...] = ()
    name: str = ""

    def describe_escrow(self) -> str:
        """Who failed, in figures, and when they are tried again: `3 in escrow (1 given up), next try ...`."""
        if not self.escrowed:
            return ""
        given_up = f" ({self.given_up} given up)" if self.given_up else ""
        if self.next_retry is None:
            return f"{self.escrowed} in escrow{given_up}"
        at_once = self.next_retry <= self.completed
        when = "in the next cycle" if at_once else f"{self.next_retry:%Y-%m-%d %H:%M}Z"
        return f"{self.escrowed} in escrow{given_up}, next try {when}"


@dataclass(frozen=True, slots=True)
class SnapshotReport:
    """A read that was taken over: the version in force (unchanged when nothing differed) and what that holds."""

    version: int
    count: int
    changed: int
    removed: int
    attributes: tuple[str, ...]
    completed: datetime


@dataclass(frozen=True, slots=True)
class SourceReport:
    """One look at a source. `groups` is None for a source that has none, or is not asked for them."""

    users: SnapshotReport
    groups: SnapshotReport | None = None

    @property
    def changed(self) -> bool:
        """Whether it brought a new version of anything."""
        return any(part.changed or part.removed for part in (self.users, self.groups) if part is not None)
