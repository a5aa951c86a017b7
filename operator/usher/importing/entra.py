"""A whole export: its rules, their object mappings, and a manifest for each that can be run.

The shape is that of Microsoft Graph's resource types synchronizationSchema, synchronizationRule, objectMapping,
attributeMapping, attributeMappingSource, filter, filterGroup and filterClause. What is not in them is noted too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from usher.core.errors import SpecError
from usher.core.expressions.signatures import Surroundings
from usher.core.model.resources import Json, ResourceType
from usher.importing.document import RULES, read_export
from usher.importing.lines import Line, read_line
from usher.importing.naming import name_of
from usher.importing.proving import prove
from usher.importing.records import Note, Record, said
from usher.importing.scopes import read_scope

MAX_MAPPINGS: Final = 200
MAX_LINES: Final = 10_000
"""Attribute mappings of a whole export; its largest object mappings have some dozens each."""
ALL_FLOWS: Final = ("Add", "Update", "Delete")
_ATTRIBUTE: Final = re.compile(r"attributeMappings\[(\d+)\]")
_OF_RULE: Final = ("name", "id", "priority", "editable", "sourceDirectoryName", "targetDirectoryName")
_OF_MAPPING: Final = ("name", "sourceObjectName", "targetObjectName")

Origin: TypeAlias = Mapping[str, Mapping[str, Json]]
"""What the export calls the things that a manifest comes from: `schema`, `rule` and `objectMapping`, field by field."""


@dataclass(frozen=True, slots=True)
class ImportedMapping:
    """A manifest that `usher validate` accepts, where it comes from, and what of that it doesn't say."""

    name: str
    document: dict[str, Json]
    place: str
    origin: Origin
    notes: Sequence[Note]


@dataclass(frozen=True, slots=True)
class Imported:
    """The manifests, and the notes that belong to none of them."""

    mappings: Sequence[ImportedMapping]
    notes: Sequence[Note]


def import_schema(raw: bytes, surroundings: Surroundings) -> Imported:
    """What becomes of an export. Raises SpecError, and nothing else, where the bytes are none, with the place in it."""
    notes: list[Note] = []
    schema = read_export(raw, notes)
    of_schema = schema.scalars("id", "version")
    rules = schema.records(RULES)
    _check_counts(rules, f"{schema.place}.{RULES}".lstrip("."))
    _tell_directories(schema)
    _tell_metadata(schema)
    schema.tell_rest()
    taken: set[str] = set()
    mappings = [written for rule in rules for written in _import_rule(rule, of_schema, taken, surroundings)]
    return Imported(tuple(mappings), tuple(notes))


def _check_counts(rules: Sequence[Record], place: str) -> None:
    """Raises SpecError where there is nothing to import, or more than any export has."""
    mappings = [mapping for rule in rules for mapping in rule.records("objectMappings")]
    if not mappings:
        raise SpecError("expected objectMappings in a rule, found none", path=place)
    if len(mappings) > MAX_MAPPINGS:
        raise SpecError(f"there are more than {MAX_MAPPINGS} object mappings", path=place)
    if sum(len(mapping.records("attributeMappings")) for mapping in mappings) > MAX_LINES:
        raise SpecError(f"there are more than {MAX_LINES:,} attribute mappings", path=place)


def _import_rule(
    rule: Record, of_schema: Mapping[str, Json], taken: set[str], surroundings: Surroundings
) -> list[ImportedMapping]:
    of_rule = rule.scalars(*_OF_RULE)
    _tell_metadata(rule)
    mappings: list[ImportedMapping] = []
    for mapping in rule.records("objectMappings"):
        origin = {"schema": of_schema, "rule": of_rule, "objectMapping": mapping.scalars(*_OF_MAPPING)}
        mapping.notes = []
        written = _import_mapping(mapping, origin, taken, surroundings)
        if written is None:
            rule.notes.extend(sorted(mapping.notes, key=_place_of))
        else:
            mappings.append(written)
    rule.tell_rest()
    if not mappings:
        rule.tell(f"no manifest comes of this rule, {said(of_rule)} of {said(dict(of_schema))}")
    return mappings


def _place_of(note: Note) -> int:
    """By the attribute mapping, what belongs to none before them."""
    found = _ATTRIBUTE.search(note.place)
    return int(found[1]) if found else -1


def _tell_directories(schema: Record) -> None:
    """One note for thousands of definitions: they describe the two ends, not what happens between them."""
    names = [directory.text("name") for directory in schema.records("directories")]
    if names:
        schema.tell(
            f"directories defines the attributes of {', '.join(map(said, names))}: not carried over, Usher asks the"
            " app for its schemas, and knows the source by its reads"
        )


def _tell_metadata(record: Record) -> None:
    """Settings of the service that wrote the export, as one note."""
    settings = []
    for entry in record.records("metadata"):
        settings.append(f"{said(entry.take('key'))} = {said(entry.take('value'))}")
        entry.tell_rest()
    if settings:
        record.tell(f"metadata {', '.join(settings)}: settings of the service, not carried over")


def _import_mapping(
    mapping: Record, origin: Origin, taken: set[str], surroundings: Surroundings
) -> ImportedMapping | None:
    """None where there is no manifest; why is noted."""
    named = origin["objectMapping"]
    source, target = (str(named.get(field, "")) for field in ("sourceObjectName", "targetObjectName"))
    resource_type = _type_of(source, target)
    frame = _read_state(mapping, resource_type)
    scoping = read_scope(mapping)
    lines = [line for record in mapping.records("attributeMappings") if (line := read_line(record, surroundings))]
    mapping.tell_rest()
    if resource_type is None:
        mapping.tell(f"not carried over, Usher makes Users of Users and Groups of Groups: {said(dict(named))}")
        _tell_lines(lines)
        return None
    directory = str(origin["rule"].get("targetDirectoryName", "") or origin["rule"].get("name", ""))
    name = name_of(f"{directory} {resource_type.value.lower()}s" if directory else "", taken)
    frame |= {"scopeFilters": scoping.filters} if scoping.filters else {}
    document, problem = prove(name, lines, frame, surroundings)
    if scoping.missing:
        document, problem = None, "without a clause of its scope others would be provisioned"
    if document is None:
        taken.discard(name)
        mapping.tell(f"no manifest is written for it, {said(dict(named))}: {problem}")
        _tell_lines(lines)
        return None
    return ImportedMapping(name, document, mapping.place, origin, tuple(sorted(mapping.notes, key=_place_of)))


def _type_of(source: str, target: str) -> ResourceType | None:
    """`User` or `Group` at both ends, or a schema of SCIM for it (`urn:ietf:params:scim:schemas:core:2.0:User`)."""
    ends = {name.rpartition(":")[2].lower() for name in (source, target)}
    return next((each for each in ResourceType if ends == {each.value.lower()}), None)


def _read_state(mapping: Record, resource_type: ResourceType | None) -> dict[str, Json]:
    """The type and whether it is on, where that is not what an absent field says."""
    frame: dict[str, Json] = {"resourceType": "Group"} if resource_type is ResourceType.GROUP else {}
    enabled = mapping.take("enabled")
    if enabled is False and resource_type is ResourceType.GROUP:
        frame["enabled"] = False
    elif enabled is False:
        mapping.tell(
            "enabled is false: a mapping for users can't be turned off, it does nothing where no connector names it"
        )
    elif enabled not in (None, True):
        mapping.tell(f"enabled is {said(enabled)}: not carried over")
    flows = mapping.take("flowTypes")
    words = flows.split(",") if isinstance(flows, str) else flows if isinstance(flows, list) else [flows]
    if flows is not None and sorted(str(word).strip() for word in words) != sorted(ALL_FLOWS):
        mapping.tell(
            f"flowTypes is {said(flows)}: not carried over, a connector does all three ({', '.join(ALL_FLOWS)})"
        )
    _tell_metadata(mapping)
    return frame


def _tell_lines(lines: Sequence[Line]) -> None:
    for line in lines:
        line.record.tell(f"not carried over. It said {said(line.fields(line.priority or None))}")
