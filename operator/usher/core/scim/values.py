"""Values in resources, by their paths: read them, write them. Names are compared without regard to case."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import TypeAlias

from usher.core.errors import ResourceError
from usher.core.model.resources import AttributePath, Json
from usher.core.scim.paths import Comparison, ParsedPath, fold_text, parse_path


def find_name(name: str, container: Mapping[str, Json]) -> str | None:
    """The key of `container` that is this attribute name, whatever its case."""
    if name in container:
        return name
    folded = name.lower()
    for key in container:
        if key.lower() == folded:
            return key
    return None


def get_value(name: str, container: Json) -> Json:
    """The attribute's value, None where it is absent or `container` is no object."""
    if not isinstance(container, dict):
        return None
    return container[name] if name in container else _find_value(name, container)


def selects(comparisons: Iterable[Comparison], element: Json) -> bool:
    """Whether an element of a multi-valued attribute satisfies all comparisons."""
    for name, value in comparisons:
        held = get_value(name, element)
        same = isinstance(held, str) and held == value
        if held is None or not (same or fold_text(held) == fold_text(value)):
            return False
    return True


Reader: TypeAlias = Callable[[Mapping[str, Json]], Json]


def read(path: AttributePath, attributes: Mapping[str, Json]) -> Json:
    """The value at the path, None when absent; an empty list counts as absent (RFC 7643 2.5).

    A filtered path gives the value in the first element that the filter selects; a sub-attribute of a multi-valued
    attribute without a filter gives the list of all its values.
    """
    return reader(path)(attributes)


@lru_cache(maxsize=4096)
def reader(path: AttributePath) -> Reader:
    """`read` for one path, ready to run."""
    parsed = parse_path(path)
    if parsed.urn is None and parsed.filter is None:
        return _plain_reader(parsed.attribute, parsed.sub)
    return _general_reader(parsed)


def _plain_reader(attribute: str, sub: str | None) -> Reader:
    """For `attr` and `attr.sub`, most of all paths: names are mostly spelled alike, and then there is little to do."""

    def read_attribute(attributes: Mapping[str, Json]) -> Json:
        value = attributes[attribute] if attribute in attributes else _find_value(attribute, attributes)
        return None if value == [] else value

    def read_sub(attributes: Mapping[str, Json]) -> Json:
        value = attributes[attribute] if attribute in attributes else _find_value(attribute, attributes)
        if isinstance(value, dict) and sub in value:
            return value[sub]
        return _read_sub(sub or "", value)

    return read_attribute if sub is None else read_sub


def _general_reader(parsed: ParsedPath) -> Reader:
    urn, attribute, comparisons, sub = parsed.urn, parsed.attribute, parsed.filter, parsed.sub

    def read_here(attributes: Mapping[str, Json]) -> Json:
        container: Json = attributes if isinstance(attributes, dict) else dict(attributes)
        if urn is not None:
            container = get_value(urn, container)
        value = get_value(attribute, container)
        if comparisons is not None:
            elements = value if isinstance(value, list) else [value]
            value = next((element for element in elements if selects(comparisons, element)), None)
        if sub is None or value is None:
            return None if value == [] else value
        return _read_sub(sub, value)

    return read_here


def _read_sub(sub: str, value: Json) -> Json:
    if not isinstance(value, list):
        return get_value(sub, value)
    found: list[Json] = [held for element in value if (held := get_value(sub, element)) is not None]
    return found or None


def _find_value(name: str, container: Mapping[str, Json]) -> Json:
    key = find_name(name, container)
    return None if key is None else container[key]


def write(path: AttributePath, value: Json, document: dict[str, Json]) -> None:
    """Puts a value into a resource that is being built.

    All paths with the same filter land in one element, which carries the filter's own values too; extension attributes
    stand under their URN. Raises ResourceError where the path and what is there already contradict each other.
    """
    parsed = parse_path(path)
    container = document if parsed.urn is None else _child(document, parsed.urn)
    if parsed.filter is not None:
        container, name = _element(container, parsed), parsed.sub
        if name is None:
            container.update(_as_object(value))
            return
    elif parsed.sub is not None:
        container, name = _child(container, parsed.attribute), parsed.sub
    else:
        name = parsed.attribute
    container[find_name(name, container) or name] = value


def _child(container: dict[str, Json], name: str) -> dict[str, Json]:
    return _as_object(container.setdefault(find_name(name, container) or name, {}))


def _element(container: dict[str, Json], parsed: ParsedPath) -> dict[str, Json]:
    elements = container.setdefault(find_name(parsed.attribute, container) or parsed.attribute, [])
    if not isinstance(elements, list):
        raise _contradiction()
    for element in elements:
        if selects(parsed.filter or (), element):
            return _as_object(element)
    created: dict[str, Json] = dict(parsed.filter or ())
    elements.append(created)
    return created


def _as_object(value: Json) -> dict[str, Json]:
    if not isinstance(value, dict):
        raise _contradiction()
    return value


def _contradiction() -> ResourceError:
    return ResourceError(
        "two target paths contradict each other: one takes the attribute as simple, the other as complex",
        reason="SchemaPropertyCanOnlyAcceptValue",
    )
