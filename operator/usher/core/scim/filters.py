"""Queries by matching attribute: the filter that is sent, and the check of each hit (RFC 7644 3.4.2.2)."""

from __future__ import annotations

from collections.abc import Mapping

from usher.core.model.plans import Conjunction, Criterion
from usher.core.model.resources import AttributePath, Json
from usher.core.scim.comparison import equal
from usher.core.scim.paths import PathError, parse_path, render_comparisons
from usher.core.scim.schemas import TargetSchema
from usher.core.scim.values import get_value, selects


def render_filter(key: Conjunction) -> str:
    """The filter expression of a conjunction; strings are JSON strings, so that no value can end its literal.

    `emails[type eq "work"].value eq x` becomes `emails[type eq "work" and value eq "x"]`. Raises PathError for a
    filtered path without a sub-attribute: an element can't be compared as a whole.
    """
    return " and ".join(_render(criterion) for criterion in key)


def _render(criterion: Criterion) -> str:
    parsed = parse_path(criterion.path)
    if parsed.filter is None:
        return render_comparisons([(parsed.text, criterion.value)])
    if parsed.sub is None:
        message = f"target path `{parsed.text}`: a matching attribute needs `.value` after its filter"
        raise PathError(message, position=len(parsed.text))
    return f"{parsed.attribute_text}[{render_comparisons([*parsed.filter, (parsed.sub, criterion.value)])}]"


def matches(key: Conjunction, resource: Mapping[str, Json], schema: TargetSchema) -> bool:
    """Whether a resource really holds all these values, compared as the schema says. An empty key matches nothing."""
    return bool(key) and all(_holds(criterion, resource, schema) for criterion in key)


def _holds(criterion: Criterion, resource: Mapping[str, Json], schema: TargetSchema) -> bool:
    definition = schema.definition(criterion.path)
    return any(equal(definition, held, criterion.value) for held in values_at(criterion.path, resource))


def values_at(path: AttributePath, resource: Mapping[str, Json]) -> list[Json]:
    """Every value that a comparison with the path can mean.

    Of all elements that its filter selects, or of all there are; an absent value is left out.
    """
    parsed = parse_path(path)
    container = get_value(parsed.urn, dict(resource)) if parsed.urn else dict(resource)
    held = get_value(parsed.attribute, container)
    elements = held if isinstance(held, list) else [held]
    if parsed.filter is not None:
        elements = [element for element in elements if selects(parsed.filter, element)]
    if parsed.sub is not None:
        elements = [get_value(parsed.sub, element) for element in elements]
    return [element for element in elements if element is not None]
