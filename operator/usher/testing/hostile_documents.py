"""Discovery documents as they are met: missing, broken, in other shapes, huge, and against RFC 7643."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import orjson

from usher.core.model.resources import Json
from usher.core.scim.discovery import Documents
from usher.testing.scim_schemas import ENTERPRISE, GROUP, USER, Definition, describe_app, listing

_SCIM_JSON: Final = "application/scim+json"


@dataclass(frozen=True, slots=True)
class Canned:
    """What an endpoint answers, whatever the app would say."""

    status: int = 200
    body: bytes = b""
    content_type: str = _SCIM_JSON


NOT_OFFERED: Final = Canned(404, b'{"schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"], "status": "404"}')
BROKEN: Final = Canned(500, b"internal server error", "text/plain")
LOGIN_PAGE: Final = Canned(200, b"<!DOCTYPE html><html><title>Sign in</title></html>", "text/html")
CUT_SHORT: Final = Canned(200, b'{"totalResults": 1, "Resources": [{"id": "urn:')


def canned(document: Json) -> Canned:
    """A success with this document."""
    return Canned(body=orjson.dumps(document))


def schemas_document(*attributes: Definition, **extensions: list[Definition]) -> Json:
    """A `/Schemas` document of the core user with these attributes, and of extensions `urn:example:<name>:User`."""
    schemas: list[dict[str, Json]] = [{"id": USER, "name": "User", "attributes": list(attributes)}]
    for name, definitions in extensions.items():
        schemas.append({"id": f"urn:example:{name}:User", "name": name, "attributes": list(definitions)})
    return listing(schemas)


def types_document(*names: str) -> Json:
    """A `/ResourceTypes` document: groups, and users with the enterprise extension and these of `schemas_document`."""
    extensions: list[Json] = [{"schema": ENTERPRISE, "required": False}]
    extensions += [{"schema": f"urn:example:{name}:User", "required": False} for name in names]
    user: dict[str, Json] = {"id": "User", "name": "User", "endpoint": "/Users", "schema": USER}
    group: dict[str, Json] = {"id": "Group", "name": "Group", "endpoint": "/Groups", "schema": GROUP}
    return listing([user | {"schemaExtensions": extensions}, group])


def told(*attributes: Definition, **extensions: list[Definition]) -> Documents:
    """All three documents of an app that describes its users like this; see `schemas_document`."""
    usual = describe_app("", 100, {"supported": True})
    return Documents(usual.config, types_document(*extensions), schemas_document(*attributes, **extensions))


def contradictory_schemas() -> Json:
    """Denies RFC 7643 where it hurts: shapes of the core, the disable attribute, what can be read and written."""
    return schemas_document(
        {"name": "userName", "type": "complex", "multiValued": True, "subAttributes": [{"name": "value"}]},
        {"name": "userName", "type": "integer"},
        {"name": "active", "type": "string", "mutability": "readOnly", "multiValued": True},
        {"name": "name", "type": "string"},
        {"name": "emails", "type": "string", "multiValued": False},
        {"name": "password", "type": "string", "mutability": "readWrite"},
        {"name": "displayName", "type": "sentence"},
        {"name": "title", "type": "string", "caseExact": "perhaps"},
    )


def huge_schemas(count: int = 10_000) -> Json:
    """So many attributes, each with as many sub-attributes as it takes to be a nuisance."""
    subs: list[Json] = [{"name": f"s{number}", "type": "string"} for number in range(3)]
    attributes: list[Definition] = [
        {"name": f"a{number}", "type": "complex", "subAttributes": subs} for number in range(count)
    ]
    return schemas_document({"name": "userName", "type": "string", "caseExact": True}, *attributes)
