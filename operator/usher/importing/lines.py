"""One attribute mapping of an export as one line of ours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from usher.core.expressions.signatures import Surroundings
from usher.core.model.resources import AttributePath, Json
from usher.core.scim.paths import PathError, parse_path
from usher.importing.records import Record, said, says_something
from usher.importing.sources import Unreadable, read_flow

_ANCHORS: Final = frozenset({"id", "meta", "schemas"})
_APPLY: Final[Mapping[str, str]] = {"Always": "", "ObjectAddOnly": "OnCreate", "MultiValueAddOnly": "AddValuesOnly"}
_CAREFUL: Final[Mapping[str, tuple[str, str]]] = {
    "ValueAddOnly": ("AddValuesOnly", "values are added, and never removed"),
    "AttributeAddOnly": ("OnCreate", "an account that is there keeps its value, an empty one too"),
}
"""What comes nearest and writes no more than the flow type did; why is told."""


@dataclass(slots=True)
class Line:
    """A line that may be written. `priority` is that of matching, 0 where the attribute finds no account."""

    record: Record
    target: str
    flow: dict[str, Json]
    default: str = ""
    apply: str = ""
    priority: int = 0

    def fields(self, match: int | None) -> dict[str, Json]:
        """As the manifest has it; `match` is its precedence among those of the mapping."""
        fields: dict[str, Json] = {"target": self.target, **self.flow}
        if match is not None:
            fields["match"] = match
        if self.default:
            fields["default"] = self.default
        if self.apply:
            fields["apply"] = self.apply
        return fields


def read_line(record: Record, surroundings: Surroundings) -> Line | None:
    """The line, None where there can be none; why, and what else is not carried over, is noted."""
    target = record.text("targetAttributeName")
    record.label = target
    line = _line(record, target, surroundings)
    line.default = _default(record)
    line.priority = _priority(record, line)
    line.apply = _apply(record, line)
    _tell_behavior(record)
    record.tell_rest()
    problem = _why_not(line)
    if not problem:
        return line
    record.tell(f"{problem}: not carried over. It said {said(line.fields(line.priority or None))}")
    return None


def _line(record: Record, target: str, surroundings: Surroundings) -> Line:
    source = record.record("source")
    if source is None:
        return Line(record, target, {"none": {}})
    source.label = record.label
    try:
        return Line(record, target, read_flow(source, surroundings))
    except Unreadable as unreadable:
        record.tell(f"{unreadable}. Its source is {source.said()}")
        return Line(record, target, {})


def _why_not(line: Line) -> str:
    if not line.target:
        return "the mapping names no target attribute"
    if not line.flow:
        return "there is no value to write"
    try:
        path = parse_path(AttributePath(line.target))
    except PathError as error:
        return error.problem
    if path.urn is None and path.attribute.lower() in _ANCHORS:
        return "this attribute is the app's own, and Usher keeps by itself whose account is whose"
    return ""


def _default(record: Record) -> str:
    value = record.take("defaultValue")
    if value is None or isinstance(value, str):
        return value or ""
    if isinstance(value, dict | list):
        record.tell(f"defaultValue is {said(value)}, where one value is expected: not carried over")
        return ""
    return said(value)


def _priority(record: Record, line: Line) -> int:
    value = record.take("matchingPriority")
    if value is None or value == 0:
        return 0
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        record.tell(f"matchingPriority is {said(value)}, which is no priority: the attribute does not match accounts")
        return 0
    if "none" in line.flow:
        record.tell(f"matchingPriority is {value}, but there is no value to match by: not carried over")
        return 0
    return value


def _apply(record: Record, line: Line) -> str:
    flow = record.text("flowType")
    if flow in ("", "Always"):
        return ""
    if "none" in line.flow:
        record.tell(f"flowType is {said(flow)}, but no value flows: not carried over")
        return ""
    if flow in _APPLY:
        return _APPLY[flow]
    apply, why = _CAREFUL.get(flow, ("OnCreate", "Usher does not know this flow type, and writes no more than needed"))
    record.tell(f"flowType is {said(flow)}: became apply: {apply}, which is not the same ({why})")
    return apply


def _tell_behavior(record: Record) -> None:
    behavior = record.text("flowBehavior")
    if behavior == "FlowAlways":
        record.tell("flowBehavior is FlowAlways: Usher compares, and writes a value only where it differs")
    elif behavior not in ("", "FlowWhenChanged"):
        record.tell(f"flowBehavior is {said(behavior)}: not carried over")
    missing = record.take("exportMissingReferences")
    if says_something(missing) and missing is not False:
        record.tell(f"exportMissingReferences is {said(missing)}: internal to the service, not carried over")
