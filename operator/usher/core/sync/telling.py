"""What the provisioning log tells of the values of a change."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from usher.core.model.outcomes import ValueChange
from usher.core.model.plans import Amend, PlannedChange, PlannedEdit, Refer, Replace, Withheld
from usher.core.model.resources import AttributePath, Json
from usher.core.sync.rules import CompiledMapping

REDACTED: Final = "[Redact]"
"""What stands in place of a value that nobody is shown."""
LONGEST: Final = 256
"""Characters of a value that are kept."""
MOST: Final = 20
"""Values that are kept of an attribute with several."""


class LogValues(StrEnum):
    """Whether the provisioning log holds the values of attributes beside their names."""

    REDACTED = "Redacted"
    FULL = "Full"


def told_values(mapping: CompiledMapping, change: PlannedChange) -> Mapping[AttributePath, ValueChange]:
    """Old and new value of each attribute of the change. What the target never returns is not among them.

    Each value is bounded, so that a line of the log is.
    """
    told = {path: _told(change, path, edit) for path, edit in change.delta.items() if not isinstance(edit, Withheld)}
    return {
        path: ValueChange(REDACTED, REDACTED) if path in mapping.hidden else ValueChange(_cut(one.old), _cut(one.new))
        for path, one in told.items()
        if path not in mapping.withheld
    }


def _told(change: PlannedChange, path: AttributePath, edit: PlannedEdit) -> ValueChange:
    match edit:
        case Replace(value=value):
            return ValueChange(change.before.get(path), value)
        case Amend(add=added, remove=removed):
            return ValueChange(list(removed), list(added))
        case Refer(to=to, accounts=accounts):
            return ValueChange(None, [*to, *accounts])
        case Withheld():
            return ValueChange(None, None)


def _cut(value: Json) -> Json:
    match value:
        case str() if len(value) > LONGEST:
            return f"{value[:LONGEST]}… ({len(value)} characters)"
        case list() if len(value) > MOST:
            return [*map(_cut, value[:MOST]), f"… and {len(value) - MOST} more"]
        case list():
            return [_cut(one) for one in value]
        case dict():
            return {name: _cut(one) for name, one in value.items()}
        case _:
            return value
