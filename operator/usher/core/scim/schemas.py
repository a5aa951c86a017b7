"""What an attribute is, and how its values are converted and compared (RFC 7643 2.2 to 2.4, 4.1, 4.3, 7, 8.7.1)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from math import isfinite
from typing import Final

from usher.core.errors import ResourceError
from usher.core.model.resources import AttributePath, Json, ResourceType, Scalar, Value
from usher.core.scim.paths import ENTERPRISE_URN, ParsedPath, parse_path


class AttributeType(StrEnum):
    """Data types of RFC 7643 2.3; the value is the word of a `/Schemas` document."""

    STRING = "string"
    BOOLEAN = "boolean"
    DECIMAL = "decimal"
    INTEGER = "integer"
    DATE_TIME = "dateTime"
    REFERENCE = "reference"
    BINARY = "binary"
    COMPLEX = "complex"


class Mutability(StrEnum):
    """Who may write an attribute (RFC 7643 7); the value is the word of a `/Schemas` document."""

    READ_ONLY = "readOnly"
    READ_WRITE = "readWrite"
    IMMUTABLE = "immutable"
    WRITE_ONLY = "writeOnly"


@dataclass(frozen=True, slots=True)
class AttributeDefinition:
    """One attribute or sub-attribute; the defaults are those of RFC 7643 2.2.

    `element` is set, by `TargetSchema.definition`, where values of a complex multi-valued attribute can be given as
    plain ones: it is the type of their `value`, whose `caseExact` counts then.
    """

    type: AttributeType = AttributeType.STRING
    case_exact: bool = False
    multi_valued: bool = False
    mutability: Mutability = Mutability.READ_WRITE
    required: bool = False
    unique: bool = False
    element: AttributeType | None = None


class ConversionError(ResourceError):
    """A value does not fit the attribute's type. The message names the type, never the value."""

    def __init__(self, expected: str) -> None:
        super().__init__(f"the target attribute can only accept {expected}", reason="SchemaPropertyCanOnlyAcceptValue")


@dataclass(frozen=True, slots=True)
class TargetSchema:
    """What a target knows about a resource type.

    The keys of `attributes` are in lower case: `attr`, `attr.sub`, `urn:...:attr`, `urn:...:attr.sub`.
    """

    attributes: Mapping[str, AttributeDefinition]

    def definition(self, path: AttributePath) -> AttributeDefinition | None:
        """The attribute's definition, None where the schema does not name it.

        Through a filter a sub-attribute has one value; without one, that of a multi-valued attribute has many.
        """
        parsed = parse_path(path)
        found = self.attributes.get(parsed.schema_key)
        if found is None:
            return self._of_whole(parsed)
        if parsed.filter is not None:
            return replace(found, multi_valued=False) if parsed.sub is None else found
        if parsed.sub is not None:
            whole = self.attributes.get(parsed.schema_key.rpartition(".")[0])
            if whole is not None and whole.multi_valued:
                return replace(found, multi_valued=True)
        elif found.type is AttributeType.COMPLEX and found.multi_valued:
            value = self.attributes.get(f"{parsed.schema_key}.value")
            if value is not None:
                return replace(found, element=value.type, case_exact=value.case_exact)
        return found

    def _of_whole(self, parsed: ParsedPath) -> AttributeDefinition | None:
        """Of a part that is not described: nobody can write it where nobody can write the whole."""
        whole = None if parsed.sub is None else self.attributes.get(parsed.schema_key.rpartition(".")[0])
        read_only = whole is not None and whole.mutability is Mutability.READ_ONLY
        return AttributeDefinition(mutability=Mutability.READ_ONLY) if read_only else None

    def known(self, path: AttributePath) -> bool:
        """Whether the schema names the attribute of this path."""
        return self.definition(path) is not None


# --- values ---------------------------------------------------------------------------------------------------------

WHOLE_TEXT: Final = re.compile(r"[+-]?\d{1,18}", re.ASCII)
DECIMAL_TEXT: Final = re.compile(r"[+-]?\d{1,18}(?:\.\d{1,18})?(?:[eE][+-]?\d{1,3})?", re.ASCII)


def takes_any_text(definition: AttributeDefinition | None) -> bool:
    """Whether `convert` gives every text back as it is."""
    return definition is None or (definition.type is AttributeType.STRING and not definition.multi_valued)


def convert(definition: AttributeDefinition | None, value: Value) -> Json:
    """The value as the attribute's type wants it; raises ConversionError. Without a definition it goes as it is."""
    if definition is None:
        return list(value) if isinstance(value, tuple) else value
    if definition.multi_valued:
        return [_convert_one(definition, item) for item in (value if isinstance(value, tuple) else (value,))]
    if isinstance(value, tuple):
        if len(value) != 1:
            raise ConversionError("one value")
        return _convert_one(definition, value[0])
    return _convert_one(definition, value)


def _convert_one(definition: AttributeDefinition, value: Scalar) -> Json:
    match definition.type:
        case AttributeType.BOOLEAN:
            return _to_boolean(value)
        case AttributeType.INTEGER:
            return _to_integer(value)
        case AttributeType.DECIMAL:
            return _to_decimal(value)
        case AttributeType.STRING | AttributeType.DATE_TIME | AttributeType.REFERENCE | AttributeType.BINARY:
            return value if isinstance(value, str) else str(value)
        case AttributeType.COMPLEX if definition.element is not None:
            return {"value": _convert_one(replace(definition, type=definition.element, element=None), value)}
        case AttributeType.COMPLEX:
            raise ConversionError("sub-attributes: name one in the path, as in `name.givenName`")


def _to_boolean(value: Scalar) -> bool:
    folded = str(value).strip().lower()
    if isinstance(value, bool | str) and folded in {"true", "false"}:
        return folded == "true"
    raise ConversionError("true or false")


def _to_integer(value: Scalar) -> int:
    if isinstance(value, str) and WHOLE_TEXT.fullmatch(value.strip()):
        return int(value)
    if isinstance(value, int | float) and not isinstance(value, bool) and value == value // 1:
        return int(value)
    raise ConversionError("a whole number")


def _to_decimal(value: Scalar) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if is_number or (isinstance(value, str) and DECIMAL_TEXT.fullmatch(value.strip())):
        number = float(value)
        if isfinite(number):  # JSON has no infinity
            return number
    raise ConversionError("a number")


# --- RFC 7643 4.1 and 4.3 -------------------------------------------------------------------------------------------

_TEXT: Final = AttributeDefinition()
_EXACT: Final = AttributeDefinition(case_exact=True)
_FLAG: Final = AttributeDefinition(AttributeType.BOOLEAN)
_LINK: Final = AttributeDefinition(AttributeType.REFERENCE, case_exact=True)
_WHOLE: Final = AttributeDefinition(AttributeType.COMPLEX)
_MANY: Final = AttributeDefinition(AttributeType.COMPLEX, multi_valued=True)
_SET_BY_TARGET: Final = Mutability.READ_ONLY


def _several(
    name: str, value: AttributeDefinition, subs: Iterable[str] = ("display", "type")
) -> dict[str, AttributeDefinition]:
    """A multi-valued attribute with the sub-attributes of RFC 7643 2.4."""
    texts = {f"{name}.{sub}": _TEXT for sub in subs}
    return {name: _MANY, f"{name}.value": value, f"{name}.primary": _FLAG, **texts}


def _core_user() -> dict[str, AttributeDefinition]:
    texts = ("displayname", "nickname", "title", "usertype", "preferredlanguage", "locale", "timezone")
    names = ("formatted", "familyname", "givenname", "middlename", "honorificprefix", "honorificsuffix")
    places = ("formatted", "streetaddress", "locality", "region", "postalcode", "country", "type")
    read_only = {"id": AttributeDefinition(case_exact=True, mutability=_SET_BY_TARGET, unique=True)}
    read_only["meta"] = AttributeDefinition(AttributeType.COMPLEX, mutability=_SET_BY_TARGET)
    read_only["groups"] = AttributeDefinition(AttributeType.COMPLEX, multi_valued=True, mutability=_SET_BY_TARGET)
    return {
        **read_only,
        "externalid": _EXACT,
        "username": AttributeDefinition(required=True, unique=True),
        "active": _FLAG,
        "password": AttributeDefinition(case_exact=True, mutability=Mutability.WRITE_ONLY),
        "profileurl": _LINK,
        **dict.fromkeys(texts, _TEXT),
        "name": _WHOLE,
        **{f"name.{name}": _TEXT for name in names},
        **_several("emails", _TEXT),
        **_several("phonenumbers", _TEXT),
        **_several("ims", _TEXT),
        **_several("photos", _LINK),
        **_several("entitlements", _TEXT),
        **_several("roles", _TEXT),
        **_several("x509certificates", AttributeDefinition(AttributeType.BINARY, case_exact=True)),
        "addresses": _MANY,
        "addresses.primary": _FLAG,
        **{f"addresses.{name}": _TEXT for name in places},
    }


def _enterprise_user() -> dict[str, AttributeDefinition]:
    urn = ENTERPRISE_URN.lower()
    texts = ("employeenumber", "costcenter", "organization", "division", "department")
    return {
        **{f"{urn}:{name}": _TEXT for name in texts},
        f"{urn}:manager": _WHOLE,
        f"{urn}:manager.value": _EXACT,
        f"{urn}:manager.$ref": _LINK,
        f"{urn}:manager.displayname": AttributeDefinition(mutability=_SET_BY_TARGET),
    }


USER_SCHEMA: Final = TargetSchema({**_core_user(), **_enterprise_user()})
"""The User of RFC 7643 4.1 with the enterprise extension of 4.3."""


def _core_group() -> dict[str, AttributeDefinition]:
    return {
        "id": AttributeDefinition(case_exact=True, mutability=_SET_BY_TARGET, unique=True),
        "meta": AttributeDefinition(AttributeType.COMPLEX, mutability=_SET_BY_TARGET),
        "externalid": _EXACT,
        "displayname": AttributeDefinition(required=True, unique=True),
        "members": _MANY,
        "members.value": _EXACT,
        "members.$ref": _LINK,
        "members.type": _TEXT,
        "members.display": _TEXT,
    }


GROUP_SCHEMA: Final = TargetSchema(_core_group())
"""The Group of RFC 7643 4.2. That `displayName` is unique is what the reference demands of an app."""


def core_schema(resource_type: ResourceType) -> TargetSchema:
    """What RFC 7643 says of resources of this type."""
    return USER_SCHEMA if resource_type is ResourceType.USER else GROUP_SCHEMA
