"""PATCH as a server carries it out (RFC 7644 section 3.5.2), written apart from `core.scim`, which it judges."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from usher.core.model.resources import Json
from usher.testing.documents import Document, copy_of
from usher.testing.scim_filters import Predicate, parse_filter, split_path
from usher.testing.scim_schemas import USERS, Definition, Kind, Refusal, find_definition, normalise, sub_attributes

_PATH = re.compile(r"(?P<attribute>[^\[\]]+)(?:\[(?P<filter>.+)\](?:\.(?P<sub>[\w$-]+))?)?")
_VERBS: Final = frozenset({"add", "replace", "remove"})


@dataclass(frozen=True, slots=True)
class Location:
    """Where an operation acts: inside `holder` the attribute `name`, its elements that `selects` picks, their `sub`."""

    holder: Document
    name: str
    definition: Definition
    selects: Predicate | None
    sub: str


def apply_operations(operations: Json, document: Mapping[str, Json], kind: Kind = USERS) -> Document:
    """The document after all operations, in order. Raises Refusal, and then nothing has happened."""
    if not isinstance(operations, list) or not operations:
        raise Refusal(400, "invalidSyntax", "Operations is a list of at least one operation")
    result = copy_of(document)
    for operation in operations:
        if not isinstance(operation, dict) or operation.get("op") not in _VERBS:
            raise Refusal(400, "invalidSyntax", "an operation has an op: add, replace or remove")
        _apply(str(operation["op"]), operation, result, kind.attributes)
        result = normalise(result, kind.attributes)
    if kind.key not in result:
        raise Refusal(400, "mutability", f"{kind.key} is required")
    return result


def _apply(verb: str, operation: Document, document: Document, attributes: Sequence[Definition]) -> None:
    path, value = operation.get("path"), operation.get("value")
    if verb != "remove" and value is None:
        raise Refusal(400, "invalidValue", "add and replace have a value")
    if isinstance(path, str):
        _act(verb, _locate(path, document, attributes), value)
    elif verb == "remove":
        raise Refusal(400, "noTarget", "remove has a path")
    elif not isinstance(value, dict):
        raise Refusal(400, "invalidValue", "without a path the value is an object")
    else:
        for name, each in value.items():
            if name.lower() != "schemas" and not _is_fixed(name, attributes):
                _act(verb, _locate(name, document, attributes), each)


def _is_fixed(name: str, attributes: Sequence[Definition]) -> bool:
    definition = find_definition(attributes, name)
    return definition is not None and definition["mutability"] == "readOnly"


def _locate(path: str, document: Document, attributes: Sequence[Definition]) -> Location:
    match = _PATH.fullmatch(path)
    if match is None:
        raise Refusal(400, "invalidPath", "this is no path")
    whole = find_definition(attributes, match["attribute"])
    urn, attribute, sub = ("", match["attribute"], "") if whole is not None else split_path(match["attribute"])
    extension = find_definition(attributes, urn) if urn else None
    known: Sequence[Definition] = sub_attributes(extension) if extension is not None else () if urn else attributes
    definition = find_definition(known, attribute)
    sub = match["sub"] or sub
    if definition is None or (sub and find_definition(sub_attributes(definition), sub) is None):
        raise Refusal(400, "invalidPath", "the schema has no such attribute")
    if definition["mutability"] == "readOnly":
        raise Refusal(400, "mutability", "the attribute is read-only")
    holder = document
    if extension is not None:
        held = document.setdefault(str(extension["name"]), {})
        holder = held if isinstance(held, dict) else {}
    if match["filter"] is not None and not definition["multiValued"]:
        raise Refusal(400, "invalidPath", "only a multi-valued attribute has elements to filter")
    selects = None if match["filter"] is None else parse_filter(match["filter"], sub_attributes(definition))
    return Location(holder, str(definition["name"]), definition, selects, sub)


def _act(verb: str, location: Location, value: Json) -> None:
    if location.definition["multiValued"]:
        _act_on_many(verb, location, value)
    elif location.sub:
        held = location.holder.setdefault(location.name, {})
        if isinstance(held, dict):
            _set(verb, held, _spelling(location), value)
    elif isinstance(value, dict) and verb != "remove":
        held = location.holder.setdefault(location.name, {})
        if isinstance(held, dict):
            given = {name: each for name, each in value.items() if name.lower() != "schemas"}
            _merge(held, normalise(given, sub_attributes(location.definition)))
    else:
        _set(verb, location.holder, location.name, value)


def _act_on_many(verb: str, location: Location, value: Json) -> None:
    held = location.holder.get(location.name)
    items: list[Json] = list(held) if isinstance(held, list) else []
    before = list(items)
    if location.selects is not None or location.sub:
        items = _act_on_selected(verb, location, items, value)
    elif verb == "remove":
        items = []
    else:
        given = value if isinstance(value, list) else [value]
        kept = items if verb == "add" else []
        items = kept + [item for item in given if item not in kept]
    location.holder[location.name] = _settle_primary(before, items)


def _act_on_selected(verb: str, location: Location, items: list[Json], value: Json) -> list[Json]:
    selects = location.selects
    chosen = [index for index, item in enumerate(items) if selects is None or selects(item)]
    if not chosen:
        raise Refusal(400, "noTarget", "the filter selects nothing")
    if verb == "remove" and not location.sub:
        return [item for index, item in enumerate(items) if index not in chosen]
    result = [dict(item) if isinstance(item, dict) else item for item in items]
    for index in chosen:
        item = result[index]
        if location.sub and isinstance(item, dict):
            _set(verb, item, _spelling(location), value)
        elif verb == "add" and isinstance(item, dict) and isinstance(value, dict):
            _merge(item, normalise(value, sub_attributes(location.definition)))
        else:
            result[index] = value
    return result


def _spelling(location: Location) -> str:
    definition = find_definition(sub_attributes(location.definition), location.sub)
    return location.sub if definition is None else str(definition["name"])


def _set(verb: str, holder: Document, name: str, value: Json) -> None:
    if verb == "remove":
        holder.pop(name, None)
    else:
        holder[name] = value


def _merge(holder: Document, more: Document) -> None:
    for name, value in more.items():
        held = holder.get(name)
        if isinstance(held, dict) and isinstance(value, dict):
            _merge(held, value)
        else:
            holder[name] = value


def _settle_primary(before: list[Json], after: list[Json]) -> list[Json]:
    """A value that becomes primary takes that from the one that was (RFC 7644 section 3.5.2)."""
    if sum(_is_primary(item) for item in after) <= 1:
        return after
    return [
        {**item, "primary": False} if isinstance(item, dict) and _is_primary(item) and item in before else item
        for item in after
    ]


def _is_primary(item: Json) -> bool:
    return isinstance(item, dict) and item.get("primary") is True
