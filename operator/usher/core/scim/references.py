"""Attributes that hold other resources by their ids: `members`, `manager`, and what an app describes alike.

Such an attribute is complex, with the id in `value` and the address in `$ref` (RFC 7643 2.4, 4.2, 4.3).
"""

from __future__ import annotations

from collections.abc import Mapping

from usher.core.model.resources import AttributePath, Json
from usher.core.scim.paths import parse_path
from usher.core.scim.schemas import AttributeType, Mutability, TargetSchema
from usher.core.scim.values import get_value, read


def is_reference(schema: TargetSchema, path: AttributePath) -> bool:
    """Whether the path names a whole attribute that holds other resources, and that a client may write."""
    parsed = parse_path(path)
    if parsed.sub is not None or parsed.filter is not None:
        return False
    key = parsed.schema_key
    whole = schema.attributes.get(key)
    if whole is None or whole.type is not AttributeType.COMPLEX or whole.mutability is Mutability.READ_ONLY:
        return False
    return f"{key}.value" in schema.attributes and f"{key}.$ref" in schema.attributes


def referenced(path: AttributePath, attributes: Mapping[str, Json]) -> tuple[str, ...]:
    """The ids that the attribute of a resource holds, each once and in their order.

    Some apps keep the id of a manager as a plain text, and numbers as ids.
    """
    value = read(path, attributes)
    elements = value if isinstance(value, list) else [] if value is None else [value]
    ids = (get_value("value", one) if isinstance(one, dict) else one for one in elements)
    found = (str(one) for one in ids if isinstance(one, str | int) and not isinstance(one, bool) and one != "")
    return tuple(dict.fromkeys(found))
