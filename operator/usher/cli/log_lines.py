"""Lines of the provisioning log as a person reads them, and as programs do. They name people: for a terminal only."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Final

from usher.cli.reports import time_text
from usher.contracts.log import LogEntry
from usher.core.model.resources import AttributePath, Json

COLUMNS: Final = (
    "time",
    "cycle",
    "type",
    "id",
    "account",
    "step",
    "action",
    "result",
    "reason",
    "took",
    "detail",
    "attributes",
)
_SCHEMA: Final = re.compile(r"urn:[^\[\]]*:")
"""What a path of an extension begins with; what stands in a filter is none of it."""


def line_data(entry: LogEntry) -> dict[str, Json]:
    """For programs. `duration` is in seconds."""
    data: dict[str, Json] = {
        "time": time_text(entry.time),
        "cycle": entry.cycle,
        "resourceType": entry.resource_type.value,
        "sourceId": entry.source_id,
        "targetId": entry.target_id,
        "step": entry.step,
        "action": entry.action,
        "result": entry.result,
        "reason": entry.reason,
        "attributes": list(entry.attributes),
        "duration": round(entry.duration.total_seconds(), 3),
        "detail": entry.detail,
    }
    if entry.values:
        data["values"] = {path: {"old": one.old, "new": one.new} for path, one in entry.values.items()}
    return data


def line_row(entry: LogEntry) -> Sequence[str]:
    """For people, in the order of COLUMNS."""
    return (
        time_text(entry.time),
        entry.cycle,
        "" if entry.source_id is None else entry.resource_type.value,
        entry.source_id or "",
        entry.target_id or "",
        entry.step,
        entry.action,
        entry.result,
        entry.reason,
        f"{entry.duration.total_seconds():.3f}s" if entry.duration else "",
        entry.detail,
        ", ".join(_attributes(entry)),
    )


def _attributes(entry: LogEntry) -> Iterator[str]:
    for path in entry.attributes:
        name, values = _SCHEMA.sub("", path, count=1), entry.values.get(AttributePath(path))
        yield name if values is None else f"{name}: {_text(values.old)} -> {_text(values.new)}"


def _text(value: Json) -> str:
    return "(none)" if value is None else json.dumps(value, ensure_ascii=False)
