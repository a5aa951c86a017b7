"""Nouns of the core as bytes of JSON and back, exactly: tuples stay tuples, None stays None, 1 is not 1.0 and not true.

Numbers are integers of 64 bits and finite floats, what JSON holds alike everywhere (RFC 8259 section 6). A record is an
object with the field names as keys, so that a person can read a row with the sqlite3 shell.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from datetime import UTC, datetime
from typing import Any, Final

import orjson

from usher.core.model.plans import (
    Action,
    Amend,
    Criterion,
    MatchKey,
    Phase,
    PlannedChange,
    PlannedEdit,
    Refer,
    Replace,
    Withheld,
)
from usher.core.model.reports import Assessment, Compared, Counts, CycleKind, CycleReport, CycleResult, HeldPlan
from usher.core.model.resources import (
    AttributePath,
    Fingerprint,
    Holding,
    Json,
    ResourceType,
    SourceId,
    TargetId,
    Value,
)
from usher.core.model.standing import Credential, Quarantine
from usher.core.sync.policies import Counted
from usher.state.subject_codec import decode_subject

_COUNTS: Final = tuple(field.name for field in fields(Counts))


def encode_attributes(attributes: Mapping[str, Value]) -> bytes:
    """Attributes of a source resource."""
    return orjson.dumps(dict(attributes))


def decode_attributes(data: bytes) -> dict[str, Value]:
    """The only lists in source attributes are multi-valued attributes: they come back as the tuples they were."""
    raw: dict[str, Any] = orjson.loads(data)
    return {name: tuple(value) if isinstance(value, list) else value for name, value in raw.items()}


def encode_image(image: Mapping[AttributePath, Json]) -> bytes:
    """A before-image: target values by path, None for "known to be absent"."""
    return orjson.dumps(dict(image))


def decode_image(data: bytes) -> dict[AttributePath, Json]:
    """JSON values are their own form."""
    image: dict[AttributePath, Json] = orjson.loads(data)
    return image


def encode_holding(holding: Holding) -> bytes:
    """The accounts that references hold, by path."""
    return orjson.dumps([holding.target_id, {path: list(ids) for path, ids in holding.held.items()}])


def decode_holding(data: bytes) -> Holding:
    """In their order."""
    target_id, held = orjson.loads(data)
    return Holding(TargetId(target_id), {AttributePath(path): tuple(ids) for path, ids in held.items()})


def encode_names(names: Sequence[str]) -> bytes:
    """A list of names or ids."""
    return orjson.dumps(list(names))


def decode_names(data: bytes) -> tuple[str, ...]:
    """In their order."""
    return tuple(orjson.loads(data))


def encode_keys(keys: Sequence[MatchKey]) -> bytes:
    """Matching attributes with their values, in their order."""
    return orjson.dumps([_plain_key(key) for key in keys])


def decode_keys(data: bytes) -> tuple[MatchKey, ...]:
    """In their order."""
    return tuple(_key(raw) for raw in orjson.loads(data))


def encode_change(change: PlannedChange) -> bytes:
    """One row of a plan, whole."""
    return orjson.dumps(
        {
            "resource_type": change.resource_type,
            "source_id": change.source_id,
            "target_id": change.target_id,
            "action": change.action,
            "phase": change.phase,
            "rank": change.rank,
            "delta": {path: encode_edit(edit) for path, edit in change.delta.items()},
            "before": dict(change.before),
            "version": change.version,
            "fingerprint": change.fingerprint.hex(),
            "keys": [_plain_key(key) for key in change.keys],
            "create_only": list(change.create_only),
            "cause": change.cause,
        }
    )


def decode_change(data: bytes) -> PlannedChange:
    """The row as it was planned."""
    raw: dict[str, Any] = orjson.loads(data)
    target_id: str | None = raw["target_id"]
    return PlannedChange(
        resource_type=ResourceType(raw["resource_type"]),
        source_id=SourceId(raw["source_id"]),
        target_id=None if target_id is None else TargetId(target_id),
        action=Action(raw["action"]),
        phase=Phase(raw["phase"]),
        rank=raw["rank"],
        delta={path: decode_edit(edit) for path, edit in raw["delta"].items()},
        before=raw["before"],
        version=raw["version"],
        fingerprint=Fingerprint(bytes.fromhex(raw["fingerprint"])),
        keys=tuple(_key(key) for key in raw["keys"]),
        create_only=tuple(raw["create_only"]),
        cause=raw["cause"],
    )


def encode_counts(counts: Mapping[Counted, int]) -> bytes:
    """How many of what is counted."""
    return orjson.dumps({str(one): many for one, many in counts.items()})


def decode_counts(data: bytes) -> dict[Counted, int]:
    """In their order."""
    return {Counted(one): many for one, many in orjson.loads(data).items()}


def encode_report(report: CycleReport) -> bytes:
    """The figures of one cycle."""
    held = report.held
    return orjson.dumps(
        {
            "kind": report.kind,
            "result": report.result,
            "started": _plain_time(report.started),
            "completed": _plain_time(report.completed),
            "counts": _plain_counts(report.counts),
            "groups": None if report.groups is None else _plain_counts(report.groups),
            "waiting_references": report.waiting_references,
            "unresolved": list(report.unresolved),
            "assessments": {kind: asdict(one) for kind, one in report.assessments.items()},
            "comparisons": {kind: asdict(one) for kind, one in report.comparisons.items()},
            "reasons": dict(report.reasons),
            "in_scope": report.in_scope,
            "linked": report.linked,
            "pending": report.pending,
            "due_references": report.due_references,
            "escrowed": report.escrowed,
            "given_up": report.given_up,
            "next_retry": None if report.next_retry is None else _plain_time(report.next_retry),
            "held": None if held is None else _plain_held(held),
            "error_reason": report.error_reason,
            "error": report.error,
            "stale": report.stale,
            "recovered": report.recovered,
            "quarantine": None if report.quarantine is None else _plain_quarantine(report.quarantine),
            "not_before": None if report.not_before is None else _plain_time(report.not_before),
            "credential": None if report.credential is None else _plain_credential(report.credential),
            "subjects": [asdict(one) for one in report.subjects],
            "name": report.name,
        }
    )


def decode_report(data: bytes) -> CycleReport:
    """Its times are in UTC, whatever they were written in."""
    raw: dict[str, Any] = orjson.loads(data)
    return CycleReport(
        kind=CycleKind(raw["kind"]),
        result=CycleResult(raw["result"]),
        started=datetime.fromisoformat(raw["started"]),
        completed=datetime.fromisoformat(raw["completed"]),
        counts=Counts(**raw["counts"]),
        groups=None if raw["groups"] is None else Counts(**raw["groups"]),
        waiting_references=raw["waiting_references"],
        unresolved=tuple(raw["unresolved"]),
        assessments={kind: Assessment(**one) for kind, one in raw["assessments"].items()},
        comparisons={kind: Compared(**one) for kind, one in raw["comparisons"].items()},
        reasons=raw["reasons"],
        in_scope=raw["in_scope"],
        linked=raw["linked"],
        pending=raw["pending"],
        due_references=raw["due_references"],
        escrowed=raw["escrowed"],
        given_up=raw["given_up"],
        next_retry=None if raw["next_retry"] is None else datetime.fromisoformat(raw["next_retry"]),
        held=None if raw["held"] is None else _held(raw["held"]),
        error_reason=raw["error_reason"],
        error=raw["error"],
        stale=raw["stale"],
        recovered=raw["recovered"],
        quarantine=None if raw["quarantine"] is None else _quarantine(raw["quarantine"]),
        not_before=None if raw["not_before"] is None else datetime.fromisoformat(raw["not_before"]),
        credential=None if raw["credential"] is None else Credential(*map(datetime.fromisoformat, raw["credential"])),
        subjects=tuple(map(decode_subject, raw["subjects"])),
        name=raw["name"],
    )


def _plain_counts(counts: Counts) -> dict[str, int]:
    return {name: getattr(counts, name) for name in _COUNTS}


def _plain_quarantine(quarantine: Quarantine) -> dict[str, Any]:
    return {**asdict(quarantine), "since": _plain_time(quarantine.since)}


def _plain_credential(credential: Credential) -> list[str]:
    return [_plain_time(credential.expires), _plain_time(credential.told_from)]


def _quarantine(raw: dict[str, Any]) -> Quarantine:
    return Quarantine(**{**raw, "since": datetime.fromisoformat(raw["since"])})


def _plain_time(time: datetime) -> str:
    return time.astimezone(UTC).isoformat()


def _plain_held(held: HeldPlan) -> dict[str, Any]:
    return {
        "hash": held.hash,
        "reason": held.reason,
        "count": held.count,
        "summary": held.summary,
        "created": _plain_time(held.created),
        "expires": _plain_time(held.expires),
    }


def _held(raw: dict[str, Any]) -> HeldPlan:
    return HeldPlan(
        hash=raw["hash"],
        reason=raw["reason"],
        count=raw["count"],
        summary=raw["summary"],
        created=datetime.fromisoformat(raw["created"]),
        expires=datetime.fromisoformat(raw["expires"]),
    )


def encode_edit(edit: PlannedEdit) -> list[Any] | str | dict[str, Any]:
    """One value for a Replace, two lists for an Amend, the seal of what is withheld, whom it refers to."""
    match edit:
        case Replace(value):
            return [value]
        case Amend(add, remove):
            return [list(add), list(remove)]
        case Withheld(seal):
            return seal
        case Refer(to, accounts):
            return {"to": list(to), "accounts": list(accounts)}


def decode_edit(raw: list[Any] | str | dict[str, Any]) -> PlannedEdit:
    """The edit as it was."""
    if isinstance(raw, str):
        return Withheld(raw)
    if isinstance(raw, dict):
        return Refer(tuple(map(SourceId, raw["to"])), tuple(map(TargetId, raw["accounts"])))
    if len(raw) == 1:
        return Replace(raw[0])
    add, remove = raw
    return Amend(add=tuple(add), remove=tuple(remove))


def _plain_key(key: MatchKey) -> list[Any]:
    return [key.precedence, [[criterion.path, criterion.value] for criterion in key.conjunction], key.claim]


def _key(raw: list[Any]) -> MatchKey:
    precedence, criteria, claim = raw
    conjunction = tuple(Criterion(AttributePath(path), value) for path, value in criteria)
    return MatchKey(precedence=precedence, conjunction=conjunction, claim=claim)
