"""Lines of the provisioning log as a person reads them. They name people: for a terminal only."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Final

from pydantic import JsonValue

from usher.answers.log import LogLine

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


def line_row(line: LogLine) -> Sequence[str]:
    """For people, in the order of COLUMNS."""
    return (
        line.time,
        line.cycle,
        "" if line.source_id is None else line.resource_type,
        line.source_id or "",
        line.target_id or "",
        line.step,
        line.action,
        line.result,
        line.reason,
        f"{line.duration:.3f}s" if line.duration else "",
        line.detail,
        ", ".join(_attributes(line)),
    )


def _attributes(line: LogLine) -> Iterator[str]:
    for path in line.attributes:
        name, values = _SCHEMA.sub("", path, count=1), line.values.get(path)
        yield name if values is None else f"{name}: {_text(values.old)} -> {_text(values.new)}"


def _text(value: JsonValue) -> str:
    return "(none)" if value is None else json.dumps(value, ensure_ascii=False)
