"""What the hostile server says about itself (RFC 7643 sections 5, 6, 7), and the check of a document against it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from usher.core.model.resources import Json
from usher.core.scim.discovery import Documents
from usher.testing.documents import Document

Definition: TypeAlias = dict[str, Json]

USER: Final = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP: Final = "urn:ietf:params:scim:schemas:core:2.0:Group"
ENTERPRISE: Final = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
_SCHEMA = "urn:ietf:params:scim:schemas:core:2.0:Schema"
_RESOURCE_TYPE = "urn:ietf:params:scim:schemas:core:2.0:ResourceType"
_LIST = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
_PROVIDER = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"


class Refusal(Exception):
    """The server's answer is an error (RFC 7644 section 3.12): HTTP status, `scimType` (or empty) and a text."""

    def __init__(self, status: int, scim_type: str, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.scim_type = scim_type
        self.detail = detail


def _simple(name: str, kind: str = "string", **more: Json) -> Definition:
    definition: Definition = {"name": name, "type": kind, "multiValued": False, "description": name, "required": False}
    definition |= {"mutability": "readWrite", "returned": "default"}
    if kind in {"string", "reference", "binary"}:
        definition |= {"caseExact": kind != "string", "uniqueness": "none"}
    if kind == "reference":
        definition["referenceTypes"] = ["external"]
    return definition | more


def _complex(name: str, subs: Iterable[Definition], **more: Json) -> Definition:
    return _simple(name, "complex", subAttributes=list(subs), **more)


def _several(name: str, kind: str = "string") -> Definition:
    subs = [_simple("value", kind), _simple("display"), _simple("type"), _simple("primary", "boolean")]
    return _complex(name, subs, multiValued=True)


_TEXTS = ("displayName", "nickName", "title", "userType", "preferredLanguage", "locale", "timezone")
_NAMES = ("formatted", "familyName", "givenName", "middleName", "honorificPrefix", "honorificSuffix")
_PLACES = ("formatted", "streetAddress", "locality", "region", "postalCode", "country", "type")
_VALUES = ("emails", "phoneNumbers", "ims", "entitlements", "roles")

USER_ATTRIBUTES: Final[list[Definition]] = [
    _simple("userName", required=True, uniqueness="server"),
    _complex("name", map(_simple, _NAMES)),
    *map(_simple, _TEXTS),
    _simple("profileUrl", "reference"),
    _simple("active", "boolean"),
    _simple("password", mutability="writeOnly", returned="never", caseExact=True),
    *map(_several, _VALUES),
    _several("photos", "reference"),
    _several("x509Certificates", "binary"),
    _complex("addresses", [*map(_simple, _PLACES), _simple("primary", "boolean")], multiValued=True),
]
_MANAGER = [
    _simple("value", caseExact=True),
    _simple("$ref", "reference", referenceTypes=["User"]),
    _simple("displayName", mutability="readOnly"),
]
_ENTERPRISE_TEXTS = ("employeeNumber", "costCenter", "organization", "division", "department")
ENTERPRISE_ATTRIBUTES: Final[list[Definition]] = [*map(_simple, _ENTERPRISE_TEXTS), _complex("manager", _MANAGER)]
_EXTENSION = _complex(ENTERPRISE, ENTERPRISE_ATTRIBUTES)
COMMON_ATTRIBUTES: Final[list[Definition]] = [
    _simple("schemas", "reference", multiValued=True, returned="always"),
    _simple("id", caseExact=True, returned="always", mutability="readOnly"),
    _simple("externalId", caseExact=True),
    _complex(
        "meta", map(_simple, ("resourceType", "created", "lastModified", "location", "version")), mutability="readOnly"
    ),
]
DOCUMENT: Final[list[Definition]] = [*COMMON_ATTRIBUTES, *USER_ATTRIBUTES, _EXTENSION]
"""Everything that a User document may hold."""
_MEMBER = [
    _simple("value", caseExact=True, mutability="immutable"),
    _simple("$ref", "reference", referenceTypes=["User", "Group"], mutability="immutable"),
    _simple("type", mutability="immutable", canonicalValues=["User", "Group"]),
    _simple("display", mutability="readOnly"),
]
GROUP_ATTRIBUTES: Final[list[Definition]] = [
    _simple("displayName", required=True, uniqueness="server"),
    _complex("members", _MEMBER, multiValued=True),
]


@dataclass(frozen=True, slots=True)
class Kind:
    """A resource type. `attributes` is all that its documents may hold; `key` is required, and unique in most apps.

    `extensions` are the URNs that its documents may have beside that of the core schema, which is `urn`.
    """

    name: str
    endpoint: str
    urn: str
    key: str
    attributes: Sequence[Definition]
    extensions: tuple[str, ...] = ()


USERS: Final = Kind("User", "Users", USER, "userName", DOCUMENT, (ENTERPRISE,))
GROUPS: Final = Kind("Group", "Groups", GROUP, "displayName", [*COMMON_ATTRIBUTES, *GROUP_ATTRIBUTES])

_TYPES: Final[Mapping[str, tuple[type, ...]]] = {"boolean": (bool,), "complex": (dict,)}


def find_definition(attributes: Iterable[Definition], name: str) -> Definition | None:
    """The definition of that name, whatever its case."""
    return next((each for each in attributes if str(each["name"]).lower() == name.lower()), None)


def sub_attributes(definition: Definition) -> list[Definition]:
    """The definitions of its sub-attributes; none for a simple attribute."""
    subs = definition.get("subAttributes")
    return [sub for sub in subs if isinstance(sub, dict)] if isinstance(subs, list) else []


def normalise(document: Mapping[str, Json], attributes: Iterable[Definition] = tuple(DOCUMENT)) -> Document:
    """The document with names spelled as in the schema, without what clients can't write and without empty values.

    Raises Refusal for an unknown attribute (invalidSyntax) or a value of a wrong type (invalidValue).
    """
    known = list(attributes)
    result: Document = {}
    for name, value in document.items():
        definition = find_definition(known, name)
        if definition is None:
            raise Refusal(400, "invalidSyntax", "the schema has no such attribute")
        if definition["mutability"] == "readOnly" or value is None:
            continue
        checked = _check(definition, value)
        if checked not in ([], {}):
            result[str(definition["name"])] = checked
    return result


def _check(definition: Definition, value: Json) -> Json:
    if not definition["multiValued"]:
        return _check_one(definition, value)
    if not isinstance(value, list):
        raise Refusal(400, "invalidValue", "this attribute takes a list")
    return [item for item in (_check_one(definition, each) for each in value) if item != {}]


def _check_one(definition: Definition, value: Json) -> Json:
    if not isinstance(value, _TYPES.get(str(definition["type"]), (str,))):
        raise Refusal(400, "invalidValue", f"this attribute takes values of type {definition['type']}")
    return normalise(value, sub_attributes(definition)) if isinstance(value, dict) else value


# --- discovery ------------------------------------------------------------------------------------------------------


def describe_app(base: str, page_size: int, etag: Mapping[str, Json]) -> Documents:
    """All three documents of an app whose URL `base` is; `etag` is `{"supported": ...}`."""
    return Documents(
        config=_provider_config(base, page_size, etag),
        resource_types=listing(_resource_types(base)),
        schemas=listing(_schema_documents(base)),
    )


def listing(documents: list[Document], total: int | None = None, start: int = 1) -> Document:
    """A ListResponse (RFC 7644 3.4.2); `total` is that of the documents, unless they are a page of more."""
    resources: list[Json] = list(documents)
    count = len(documents)
    return {
        "schemas": [_LIST],
        "totalResults": count if total is None else total,
        "startIndex": start,
        "itemsPerPage": count,
        "Resources": resources,
    }


def _schema_documents(base: str) -> list[Document]:
    """What `/Schemas` lists."""
    return [
        _schema(base, USER, "User", USER_ATTRIBUTES),
        _schema(base, GROUP, "Group", GROUP_ATTRIBUTES),
        _schema(base, ENTERPRISE, "EnterpriseUser", ENTERPRISE_ATTRIBUTES),
    ]


def _schema(base: str, urn: str, name: str, attributes: list[Definition]) -> Document:
    meta: Document = {"resourceType": "Schema", "location": f"{base}/Schemas/{urn}"}
    listed: list[Json] = list(attributes)
    return {"schemas": [_SCHEMA], "id": urn, "name": name, "description": name, "attributes": listed, "meta": meta}


def _resource_types(base: str) -> list[Document]:
    """What `/ResourceTypes` lists."""
    return [_resource_type(base, kind) for kind in (USERS, GROUPS)]


def _resource_type(base: str, kind: Kind) -> Document:
    return {
        "schemas": [_RESOURCE_TYPE],
        "id": kind.name,
        "name": kind.name,
        "description": kind.name,
        "endpoint": f"/{kind.endpoint}",
        "schema": kind.urn,
        "schemaExtensions": [{"schema": urn, "required": False} for urn in kind.extensions],
        "meta": {"resourceType": "ResourceType", "location": f"{base}/ResourceTypes/{kind.name}"},
    }


def _provider_config(base: str, page_size: int, etag: Mapping[str, Json]) -> Document:
    """What `/ServiceProviderConfig` is; `etag` is `{"supported": ...}`."""
    scheme: Document = {"type": "oauthbearertoken", "name": "Bearer", "description": "RFC 6750", "primary": True}
    return {
        "schemas": [_PROVIDER],
        "patch": {"supported": True},
        "bulk": {"supported": False, "maxOperations": 0, "maxPayloadSize": 0},
        "filter": {"supported": True, "maxResults": page_size},
        "changePassword": {"supported": False},
        "sort": {"supported": False},
        "etag": dict(etag),
        "authenticationSchemes": [scheme],
        "meta": {"resourceType": "ServiceProviderConfig", "location": f"{base}/ServiceProviderConfig"},
    }
