"""From a pydantic model to a structural schema: references resolved, and only words that the API server knows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from pydantic import BaseModel

from usher.api.v1alpha1.rules import VALIDATIONS

Schema: TypeAlias = dict[str, Any]

LIST_TYPE: Final = "x-kubernetes-list-type"
_DROPPED: Final = frozenset({"title", "default", "additionalProperties", "$defs", "$ref", "anyOf", "const"})
_ORDER: Final = ("description", "type", "format", "enum", "required")


def structural_schema(model: type[BaseModel]) -> Schema:
    """The schema without `$ref`, `anyOf`, titles and defaults; lists are atomic unless they say otherwise."""
    generated = model.model_json_schema(by_alias=True)
    return _converted(generated, generated.get("$defs", {}))


def _converted(schema: Mapping[str, Any], definitions: Mapping[str, Schema]) -> Schema:
    whole = _resolved(schema, definitions)
    result = {key: value for key, value in whole.items() if key not in _DROPPED}
    if "const" in whole:
        result["enum"] = [whole["const"]]
    if "properties" in whole:
        properties = whole["properties"].items()
        result["properties"] = {name: _converted(value, definitions) for name, value in properties}
    if whole.get("type") == "array":
        result["items"] = _converted(whole["items"], definitions)
        result.setdefault(LIST_TYPE, "atomic")
    if whole.get("type") == "integer":
        result["format"] = "int64"
    ranks = {key: rank for rank, key in enumerate(_ORDER)}
    return dict(sorted(result.items(), key=lambda item: ranks.get(item[0], len(ranks))))


def _resolved(schema: Mapping[str, Any], definitions: Mapping[str, Schema]) -> Schema:
    """The schema with what it refers to laid under it; of `X or null`, X. Rules of both add up."""
    under: Schema = {}
    if "$ref" in schema:
        under = _resolved(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    elif "anyOf" in schema:
        (option,) = (option for option in schema["anyOf"] if option.get("type") != "null")
        under = _resolved(option, definitions)
    merged = {**under, **schema}
    rules = [*under.get(VALIDATIONS, ()), *schema.get(VALIDATIONS, ())]
    return {**merged, VALIDATIONS: rules} if rules else merged
