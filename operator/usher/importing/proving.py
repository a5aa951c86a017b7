"""What of some lines is a mapping that Usher runs: judged by the same code as `usher validate` and the operator."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from usher.api.manifests import ManifestError, parse_manifest
from usher.api.names import API_VERSION
from usher.api.v1alpha1.kinds import MAPPING, AttributeMapping
from usher.api.v1alpha1.mappings import MAX_ATTRIBUTES
from usher.assembly.ends import SpecErrors
from usher.assembly.mappings import compile_mapping
from usher.core.errors import SpecError
from usher.core.expressions.errors import ExpressionError
from usher.core.expressions.signatures import Surroundings
from usher.core.model.resources import Json
from usher.importing.lines import Line
from usher.importing.records import said

_BEFORE: Final[tuple[str, ...]] = ("resourceType", "enabled")
"""What stands before the lines, for whoever reads it."""
_LINE: Final = re.compile(r"spec\.attributes\[(\d+)\](?:\.(\w+))?.*")


@dataclass(frozen=True, slots=True)
class _Fault:
    """Something wrong with the mapping: with one line (`index`, and `field` of it), or with the whole (None)."""

    index: int | None
    field: str
    problem: str


def prove(
    name: str, lines: Sequence[Line], frame: dict[str, Json], surroundings: Surroundings
) -> tuple[dict[str, Json] | None, str]:
    """The manifest of those lines that can be run, or None and why there is none. A line that can't be is noted.

    `frame` is what its spec says beside the lines.
    """
    kept = _first_of_each(lines)
    while True:
        document = _manifest(name, kept, frame)
        faults = _faults(name, document, surroundings)
        if not faults:
            _tell_precedences(kept)
            return document, ""
        of_lines = {fault.index: fault for fault in reversed(faults) if fault.index is not None}
        if not of_lines:
            return None, "; ".join(fault.problem for fault in faults)
        kept = [line for index, line in enumerate(kept) if _stands(line, of_lines.get(index))]


def _first_of_each(lines: Sequence[Line]) -> list[Line]:
    """One line for each target, and no more of them than a mapping may have."""
    kept: dict[str, Line] = {}
    for line in lines:
        if line.target in kept:
            _leave_out(line, "the target attribute is mapped twice, and the first one counts")
        elif len(kept) >= MAX_ATTRIBUTES:
            _leave_out(line, f"a mapping has at most {MAX_ATTRIBUTES} attributes")
        else:
            kept[line.target] = line
    return list(kept.values())


def _stands(line: Line, fault: _Fault | None) -> bool:
    """Whether the line stays, without its default where only that is wrong."""
    if fault is None:
        return True
    if fault.field == "default" and line.default:
        line.record.tell(f"defaultValue is {said(line.default)}: {fault.problem}: not carried over")
        line.default = ""
        return True
    _leave_out(line, fault.problem)
    return False


def _leave_out(line: Line, problem: str) -> None:
    line.record.tell(f"{problem}: not carried over. It said {said(line.fields(line.priority or None))}")


def _matching(lines: Sequence[Line]) -> list[Line]:
    """Lowest priority first; those of one priority in the order of the export."""
    return sorted((line for line in lines if line.priority), key=lambda line: line.priority)


def _manifest(name: str, lines: Sequence[Line], frame: dict[str, Json]) -> dict[str, Json]:
    precedences = {line.target: place for place, line in enumerate(_matching(lines), start=1)}
    attributes: list[Json] = [line.fields(precedences.get(line.target)) for line in lines]
    told: dict[str, Json] = {field: frame[field] for field in _BEFORE if field in frame}
    spec: dict[str, Json] = {**told, "attributes": attributes, **frame}
    return {"apiVersion": API_VERSION, "kind": MAPPING.kind, "metadata": {"name": name}, "spec": spec}


def _tell_precedences(lines: Sequence[Line]) -> None:
    for place, line in enumerate(_matching(lines), start=1):
        if line.priority != place:
            line.record.tell(f"matchingPriority is {line.priority}: became match: {place}, to leave no ties or gaps")


def _faults(name: str, document: dict[str, Json], surroundings: Surroundings) -> list[_Fault]:
    try:
        manifest = parse_manifest(document)
        if isinstance(manifest, AttributeMapping):
            compile_mapping(name, manifest.spec, surroundings)
    except ManifestError as error:
        return [_fault(problem.path, problem.message) for problem in error.problems]
    except SpecErrors as errors:
        return [_fault(error.path, _told(error)) for error in errors.errors]
    return []


def _told(error: SpecError) -> str:
    """Without the list of every function there is, which says nothing to who looks for another one."""
    return f"{error.explanation} ({error.position})" if isinstance(error, ExpressionError) else error.problem


def _fault(path: str, problem: str) -> _Fault:
    match = _LINE.fullmatch(path)
    if match is None:
        return _Fault(None, "", f"{path}: {problem}" if path else problem)
    return _Fault(int(match[1]), match[2] or "", problem)
