"""How a rule is said once and holds twice: as CEL at the API server, and in Python where no API server is.

A rule of one field is an annotation (`Annotated[str, Matches(...)]`); a rule across fields is listed in `Strict.rules`.
Both appear in the JSON schema as `x-kubernetes-validations`. A rule about a change (`Unchanged`) only exists at the
API server: without one there is no former object.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, GetJsonSchemaHandler, model_validator
from pydantic.alias_generators import to_camel
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

VALIDATIONS: Final = "x-kubernetes-validations"
RULE_ERROR: Final = "rule"
"""The pydantic error type of a broken rule; its message is for users as it stands."""

JsonObject: TypeAlias = dict[str, Any]


def broken(message: str) -> PydanticCustomError:
    """The error of a broken rule. Braces would be read as a template of pydantic's, so the message is its argument."""
    return PydanticCustomError(RULE_ERROR, "{message}", {"message": message})


@dataclass(frozen=True, slots=True)
class Matches:
    """The whole text matches this pattern.

    It is written in what RE2 and Python understand alike, without double quotes. Being CEL, not `pattern`, it has a
    message that a person can act on.
    """

    pattern: str
    message: str

    def check(self, value: str) -> str:
        """Returns the value; raises the broken rule."""
        if re.fullmatch(self.pattern, value, re.ASCII) is None:
            raise broken(self.message)
        return value

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return _with_validation(
            handler(schema), {"rule": f'self.matches(r"^(?:{self.pattern})$")', "message": self.message}
        )


@dataclass(frozen=True, slots=True)
class UniqueBy:
    """A list of objects in which each has its own value of this field: a map to server-side apply."""

    field: str

    def check(self, items: tuple[Strict, ...]) -> tuple[Strict, ...]:
        """Returns the items; raises the broken rule."""
        seen: set[object] = set()
        for item in items:
            value = getattr(item, self.field)
            if value in seen:
                raise broken(f"two items have the {self.field} {value}")
            seen.add(value)
        return items

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {**handler(schema), "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": [self.field]}


@dataclass(frozen=True, slots=True)
class Unchanged:
    """The field, which has to be required, can't be changed after the object was created."""

    message: str

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        rule = {"rule": "self == oldSelf", "message": self.message, "reason": "FieldValueForbidden"}
        return _with_validation(handler(schema), rule)


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule across the fields of one object. `holds` says in Python what `cel` says to the API server."""

    cel: str
    message: str
    holds: Callable[[Any], bool]

    def rendered(self) -> JsonObject:
        """As an entry of `x-kubernetes-validations`."""
        return {"rule": self.cel, "message": self.message}


@dataclass(frozen=True, slots=True)
class Transition:
    """A rule between an object and its successor; `field` is what the message is about."""

    cel: str
    message: str
    field: str

    def rendered(self) -> JsonObject:
        """As an entry of `x-kubernetes-validations`."""
        rule = {"rule": self.cel, "message": self.message}
        return {**rule, "fieldPath": f".{self.field}", "reason": "FieldValueForbidden"}


def exactly_one(*fields: str) -> Rule:
    """One of these optional fields is set, and no other. The names are those of the schema."""
    listed = f"{', '.join(fields[:-1])} and {fields[-1]}"
    cel = f"[{', '.join(f'has(self.{field})' for field in fields)}].filter(x, x).size() == 1"

    def holds(model: Strict) -> bool:
        named = {
            info.alias or name for name, info in type(model).model_fields.items() if name in model.model_fields_set
        }
        return len(named.intersection(fields)) == 1

    return Rule(cel, f"exactly one of {listed} has to be set", holds)


class Strict(BaseModel):
    """An object of a spec: camelCase outside, nothing unknown, no conversions, immutable."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
    )

    rules: ClassVar[tuple[Rule, ...]] = ()
    transitions: ClassVar[tuple[Transition, ...]] = ()

    @model_validator(mode="after")
    def _keeps_its_rules(self) -> Self:
        for rule in self.rules:
            if not rule.holds(self):
                raise broken(rule.message)
        return self

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        reference = handler(core)
        schema = handler.resolve_ref_schema(reference)
        entries = [*(rule.rendered() for rule in cls.rules), *(change.rendered() for change in cls.transitions)]
        if entries:
            schema[VALIDATIONS] = entries
        return reference


def _with_validation(schema: JsonSchemaValue, rule: JsonObject) -> JsonSchemaValue:
    return {**schema, VALIDATIONS: [*schema.get(VALIDATIONS, ()), rule]}
