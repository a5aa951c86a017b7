"""Deltas as PATCH operations (RFC 7644 3.5.2): the smallest list that takes the before-image to what is wanted.

A PATCH is atomic, and a filtered path whose filter selects nothing makes the whole request fail with `noTarget`. So the
before-image decides: an element that was there is edited in place, one that was not is added whole.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TypeAlias

from usher.core.errors import ResourceError
from usher.core.model.plans import Amend, Edit, Replace, Update
from usher.core.model.resources import AttributePath, Json
from usher.core.scim.paths import ParsedPath, parse_path, render_comparisons
from usher.core.scim.values import get_value

Operation: TypeAlias = dict[str, Json]
"""One entry of `Operations`: `op`, mostly `path`, and `value` unless it removes."""


@lru_cache(maxsize=4096)
def element_path(path: AttributePath) -> AttributePath | None:
    """The path of the element that a filtered path selects, None for other paths.

    Its value belongs into the before-image too: an element with nothing but unmapped values is there all the same.
    """
    parsed = parse_path(path)
    return AttributePath(parsed.element_text) if parsed.filter is not None and parsed.sub is not None else None


def build_patch(update: Update) -> list[Operation]:
    """The operations of one update, empty where nothing is to be done.

    `update.before` decides whether a value, and the element around it, is there. It may hold more paths than the delta,
    and should hold all mapped paths with the same filter and their `element_path`.
    """
    present = {parse_path(path).element for path, value in update.before.items() if value is not None}
    operations: list[Operation] = []
    new_elements: dict[str, dict[str, Json]] = {}
    for path, edit in update.delta.items():
        parsed = parse_path(path)
        if parsed.filter is None or parsed.element in present:
            operations += _edit_in_place(parsed, edit, update.before.get(path))
        elif isinstance(edit, Replace) and edit.value is not None:
            element = new_elements.get(parsed.element)
            if element is None:
                element = new_elements[parsed.element] = dict(parsed.filter)
                operations.append({"op": "add", "path": parsed.attribute_text, "value": [element]})
            _fill(element, parsed, edit.value)
    return operations


def _fill(element: dict[str, Json], parsed: ParsedPath, value: Json) -> None:
    if parsed.sub is not None:
        element[parsed.sub] = value
    elif isinstance(value, dict):
        element.update(value)


def _edit_in_place(parsed: ParsedPath, edit: Edit, before: Json) -> list[Operation]:
    match edit:
        case Amend():
            return _amend(parsed, edit)
        case Replace(value=None):
            return [] if before is None else [{"op": "remove", "path": _removed(parsed)}]
        case Replace(value=dict()) if before is not None and parsed.filter is None:
            # A `replace` keeps the sub-attributes that it does not name (RFC 7644 3.5.2.3, and scim2-server does): the
            # new manager would have the `$ref` of the former one.
            return [
                {"op": "remove", "path": parsed.text},
                {"op": "add", "path": parsed.text, "value": edit.value},
            ]
        case Replace(value=value):
            return [{"op": "add" if before is None else "replace", "path": parsed.text, "value": value}]


def _removed(parsed: ParsedPath) -> str:
    """What a removal names: the whole element when its `value` goes, as a type without a value says nothing."""
    return parsed.element_text if parsed.filter is not None and parsed.sub == "value" else parsed.text


def _amend(parsed: ParsedPath, edit: Amend) -> list[Operation]:
    """One removal for each value: a strict target takes a `remove` with a list of values for "remove them all"."""
    operations: list[Operation] = [{"op": "remove", "path": _selected(parsed, value)} for value in edit.remove]
    if edit.add:
        operations.append({"op": "add", "path": parsed.text, "value": list(edit.add)})
    return operations


def _selected(parsed: ParsedPath, value: Json) -> str:
    held = get_value("value", value) if isinstance(value, dict) else value
    if held is None or isinstance(held, list | dict):
        raise ResourceError("one of several values can only be removed by its `value`", reason="MissingValues")
    return f"{parsed.text}[{render_comparisons([('value', held)])}]"
