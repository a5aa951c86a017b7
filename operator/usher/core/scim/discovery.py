"""What a target says of itself (RFC 7643 5 to 7, RFC 7644 4), and how far it is believed.

Three documents come in as JSON of any shape, a `Discovery` comes out: whatever can't be read is left out, nothing is
raised. Lists are met as a ListResponse, as a plain array and as a single object. What is not told stays as RFC 7643 has
it, and so does what would be told too badly to act upon.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice
from typing import Final

from usher.core.model.resources import Json, ResourceType
from usher.core.scim.definitions import believe, read_attributes
from usher.core.scim.paths import GROUP_URN, USER_URN
from usher.core.scim.schemas import AttributeDefinition, TargetSchema, core_schema
from usher.core.scim.values import get_value

MAX_DOCUMENTS: Final = 1_000
"""Schemas or resource types that are looked at."""
MAX_EXTENSIONS: Final = 100
MAX_COUNT: Final = 2**31 - 1


class Feature(StrEnum):
    """What a ServiceProviderConfig can say is supported (RFC 7643 5); the value is the word of a status."""

    BULK = "Bulk"
    CHANGE_PASSWORD = "ChangePassword"  # noqa: S105 - a feature's name, no password
    ETAG = "ETag"
    FILTER = "Filter"
    PATCH = "Patch"
    SORT = "Sort"


class Types(StrEnum):
    """Where the types of attributes come from: from the target's own schemas, or from RFC 7643 alone."""

    DISCOVERED = "Discovered"
    RFC_7643 = "Rfc7643"


@dataclass(frozen=True, slots=True)
class BulkLimits:
    """The most that one bulk request may hold, None where the target does not say: operations, and bytes."""

    max_operations: int | None
    max_payload_size: int | None


@dataclass(frozen=True, slots=True)
class Documents:
    """The three documents as JSON, None for each that the target does not offer."""

    config: Json = None
    resource_types: Json = None
    schemas: Json = None


@dataclass(frozen=True, slots=True)
class Discovery:
    """What a target told. One that told nothing is `Discovery()`.

    `max_results` is the most that one list brings, `bulk` None without the feature. `schemas` are the URNs of which a
    user consists, the core first. `attributes` is what their documents name, by the keys of `TargetSchema`, and
    `of_groups` the same of groups. `lacking` are the types that it says it has not.
    """

    features: frozenset[Feature] = frozenset()
    max_results: int | None = None
    bulk: BulkLimits | None = None
    schemas: tuple[str, ...] = ()
    attributes: Mapping[str, AttributeDefinition] = field(default_factory=dict)
    of_groups: Mapping[str, AttributeDefinition] = field(default_factory=dict)
    lacking: frozenset[ResourceType] = frozenset()

    @property
    def types(self) -> Types:
        """Whether the target told the type of any attribute."""
        return Types.DISCOVERED if self.attributes else Types.RFC_7643

    def offers(self, resource_type: ResourceType) -> bool:
        """Whether the target has resources of this type; one that does not say is believed to have them."""
        return resource_type not in self.lacking

    def schema(self, resource_type: ResourceType) -> TargetSchema:
        """RFC 7643, with what the target says of such resources instead of it and beside it."""
        told = self.attributes if resource_type is ResourceType.USER else self.of_groups
        return TargetSchema(believe(told, core_schema(resource_type)))


def read_discovery(documents: Documents) -> Discovery:
    """What the three documents say; total: any JSON gives a Discovery."""
    config = next(_resources(documents.config), None)
    features = frozenset(feature for feature, name in _FEATURES.items() if _supports(config, name))
    schemas = _by_urn(documents.schemas)
    user = _find_type(documents.resource_types, "users", USER_URN)
    urns = _schemas_of_user(user, schemas)
    group = _find_type(documents.resource_types, "groups", GROUP_URN)
    of_group = [GROUP_URN] if group is None else _schemas_of(group, schemas, GROUP_URN)
    bulk = get_value("bulk", config)
    return Discovery(
        features=features,
        max_results=_count(get_value("maxResults", get_value("filter", config))),
        bulk=BulkLimits(_count(get_value("maxOperations", bulk)), _count(get_value("maxPayloadSize", bulk)))
        if Feature.BULK in features
        else None,
        schemas=tuple(urn for urn in urns if user is not None or urn.lower() in schemas),
        attributes=_attributes_of(urns, schemas),
        of_groups=_attributes_of(of_group, schemas),
        # Only where the users are listed: a list without them was made by nobody who thought of all types.
        lacking=frozenset({ResourceType.GROUP} if user is not None and group is None else ()),
    )


def _attributes_of(urns: Sequence[str], schemas: Mapping[str, Json]) -> dict[str, AttributeDefinition]:
    """What these schemas name, the first of them without a prefix."""
    attributes: dict[str, AttributeDefinition] = {}
    for place, urn in enumerate(urns):
        prefix = "" if place == 0 else f"{urn.lower()}:"
        read_attributes(get_value("attributes", schemas.get(urn.lower())), prefix, attributes)
    return attributes


# --- ServiceProviderConfig and ResourceTypes ------------------------------------------------------------------------

_FEATURES: Final = {
    Feature.BULK: "bulk",
    Feature.CHANGE_PASSWORD: "changePassword",
    Feature.ETAG: "etag",
    Feature.FILTER: "filter",
    Feature.PATCH: "patch",
    Feature.SORT: "sort",
}
_URN: Final = re.compile(r"urn:[A-Za-z0-9][A-Za-z0-9-]*:[\w.:~%/#+-]{1,200}", re.ASCII | re.IGNORECASE)
_OF_NO_USER: Final = re.compile(r"urn:ietf:params:scim:(schemas:core|api):.*|.*:group", re.IGNORECASE)
"""Schemas that extend no user, where no resource type says which do."""


def _resources(document: Json) -> Iterator[dict[str, Json]]:
    inner = get_value("Resources", document)
    listed = document if inner is None else inner
    items = listed if isinstance(listed, list) else [listed]
    return (item for item in islice(items, MAX_DOCUMENTS) if isinstance(item, dict))


def _supports(config: Json, name: str) -> bool:
    told = get_value(name, config)
    supported = get_value("supported", told) if isinstance(told, dict) else told
    return isinstance(supported, bool | str) and str(supported).lower() == "true"


def _count(value: Json) -> int | None:
    """A number that limits something: some targets write 0 or -1 for none."""
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value[:10])
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        return None
    return min(value, MAX_COUNT)


def _urn_of(value: Json) -> str | None:
    return value if isinstance(value, str) and _URN.fullmatch(value) else None


def _by_urn(document: Json) -> dict[str, Json]:
    """Schemas by their URN in lower case; of two with one URN the first counts."""
    found: dict[str, Json] = {}
    for schema in _resources(document):
        urn = _urn_of(get_value("id", schema))
        if urn is not None:
            found.setdefault(urn.lower(), schema)
    return found


def _schemas_of_user(user: Json, schemas: Mapping[str, Json]) -> list[str]:
    """The URNs of which a user consists, by its resource type: first the one whose attributes have no prefix."""
    if user is None:
        spelled = (str(get_value("id", schema)) for urn, schema in schemas.items() if urn != USER_URN.lower())
        return [USER_URN, *islice((urn for urn in spelled if not _OF_NO_USER.fullmatch(urn)), MAX_EXTENSIONS)]
    return _schemas_of(user, schemas, USER_URN)


def _schemas_of(resource_type: Json, schemas: Mapping[str, Json], usual: str) -> list[str]:
    """The URNs that a resource type names: first the one whose attributes have no prefix."""
    core = _urn_of(get_value("schema", resource_type))
    extensions = get_value("schemaExtensions", resource_type)
    listed = extensions if isinstance(extensions, list) else [extensions]
    urns = {usual.lower(): usual} if core is None or core.lower() not in schemas else {core.lower(): core}
    for each in islice(listed, MAX_EXTENSIONS):
        urn = _urn_of(get_value("schema", each) if isinstance(each, dict) else each)
        if urn is not None:
            urns.setdefault(urn.lower(), urn)
    return list(urns.values())


def _find_type(document: Json, endpoint: str, urn: str) -> Json:
    """The resource type behind an endpoint, where we send all of them; by its name or its schema where none is told."""
    types, name = list(_resources(document)), endpoint.removesuffix("s")
    marks = (("endpoint", endpoint), ("name", name), ("id", name), ("schema", urn.lower()))
    for field_, wanted in marks:
        for each in types:
            told = get_value(field_, each)
            if isinstance(told, str) and told.lower().rstrip("/").rpartition("/")[2] == wanted:
                return each
    return None
