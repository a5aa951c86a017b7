"""What is sent: bodies, and the part of the URL that follows the base address (RFC 7644 3)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final
from urllib.parse import quote

import orjson

from usher.core.errors import ResourceError
from usher.core.model.plans import Conjunction, Create
from usher.core.model.resources import AttributePath, Json, ResourceType, TargetId
from usher.core.scim.filters import render_filter
from usher.core.scim.patches import Operation
from usher.core.scim.paths import GROUP_URN, USER_URN, parse_path
from usher.core.scim.values import write

MEDIA_TYPE: Final = "application/scim+json"
PATCH_URN: Final = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
_ENDPOINTS: Final = {ResourceType.USER: "/Users", ResourceType.GROUP: "/Groups"}
_SCHEMAS: Final = {ResourceType.USER: USER_URN, ResourceType.GROUP: GROUP_URN}
CONFIG_URL: Final = "/ServiceProviderConfig"
TYPES_URL: Final = "/ResourceTypes"
SCHEMAS_URL: Final = "/Schemas"


def create_document(change: Create) -> dict[str, Json]:
    """The resource to create. `schemas` names the core schema and every extension that has a value."""
    document: dict[str, Json] = {"schemas": [_SCHEMAS[change.resource_type]]}
    extensions: list[Json] = []
    for path, value in change.values.items():
        if value is None:
            continue
        write(path, value, document)
        urn = parse_path(path).urn
        if urn is not None and urn not in extensions:
            extensions.append(urn)
    document["schemas"] = [_SCHEMAS[change.resource_type], *extensions]
    return document


def create_body(change: Create) -> bytes:
    """The body of a POST."""
    return orjson.dumps(create_document(change))


def patch_body(operations: list[Operation]) -> bytes:
    """The body of a PATCH."""
    return orjson.dumps({"schemas": [PATCH_URN], "Operations": operations})


def collection_url(resource_type: ResourceType) -> str:
    """Where resources of this type are created and listed."""
    return _ENDPOINTS[resource_type]


def resource_url(resource_type: ResourceType, target_id: TargetId) -> str:
    """Where one resource is. The id is one path segment, whatever is in it.

    Raises ResourceError for the ids that no quoting makes a segment of their own: empty, `.` and `..` mean the
    collection or what is above it.
    """
    if target_id in ("", ".", ".."):
        raise ResourceError("the target's id of this resource can't be part of a URL", reason="InvalidAnchor")
    return f"{_ENDPOINTS[resource_type]}/{quote(target_id, safe='')}"


def page_url(resource_type: ResourceType, start_index: int, count: int) -> str:
    """One page of all resources; `start_index` counts from 1 (RFC 7644 3.4.2.4)."""
    return f"{_ENDPOINTS[resource_type]}?startIndex={start_index}&count={count}"


def find_url(resource_type: ResourceType, key: Conjunction, count: int) -> str:
    """The resources that hold these values."""
    return f"{_ENDPOINTS[resource_type]}?filter={quote(render_filter(key), safe='')}&startIndex=1&count={count}"


def wants_members(wanted: Iterable[AttributePath]) -> bool:
    """Whether any of these paths leads to the members of a group."""
    return any(parse_path(path).attribute.lower() == "members" for path in wanted)


def without_members(url: str) -> str:
    """The same read of groups without their members, of which there may be tens of thousands (RFC 7644 3.9)."""
    return f"{url}{'&' if '?' in url else '?'}excludedAttributes=members"
