"""What targets say of themselves as bytes of JSON and back."""

from __future__ import annotations

from typing import Any

import orjson

from usher.core.model.resources import ResourceType
from usher.core.scim.discovery import BulkLimits, Discovery, Feature
from usher.core.scim.schemas import AttributeDefinition, AttributeType, Mutability


def encode_discovery(discovery: Discovery) -> bytes:
    """What a target says of itself, as far as it could be read."""
    bulk = discovery.bulk
    return orjson.dumps(
        {
            "features": sorted(discovery.features),
            "max_results": discovery.max_results,
            "bulk": None if bulk is None else [bulk.max_operations, bulk.max_payload_size],
            "schemas": list(discovery.schemas),
            "attributes": {key: _plain_definition(each) for key, each in discovery.attributes.items()},
            "of_groups": {key: _plain_definition(each) for key, each in discovery.of_groups.items()},
            "lacking": sorted(discovery.lacking),
        }
    )


def decode_discovery(data: bytes) -> Discovery:
    """Its attributes in the order in which the target named them."""
    raw: dict[str, Any] = orjson.loads(data)
    return Discovery(
        features=frozenset(map(Feature, raw["features"])),
        max_results=raw["max_results"],
        bulk=None if raw["bulk"] is None else BulkLimits(*raw["bulk"]),
        schemas=tuple(raw["schemas"]),
        attributes={key: _definition(each) for key, each in raw["attributes"].items()},
        of_groups={key: _definition(each) for key, each in raw["of_groups"].items()},
        lacking=frozenset(map(ResourceType, raw["lacking"])),
    )


def _plain_definition(one: AttributeDefinition) -> list[Any]:
    return [one.type, one.case_exact, one.multi_valued, one.mutability, one.required, one.unique]


def _definition(raw: list[Any]) -> AttributeDefinition:
    kind, case_exact, multi_valued, mutability, required, unique = raw
    return AttributeDefinition(
        type=AttributeType(kind),
        case_exact=case_exact,
        multi_valued=multi_valued,
        mutability=Mutability(mutability),
        required=required,
        unique=unique,
    )
