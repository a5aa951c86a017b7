"""The rendered CustomResourceDefinitions: what every one of their fields has to keep to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from usher.api.crds import render_crds, write_crds

CRDS = Path(__file__).parents[3] / "crds"
YAML_11_KEYWORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null", "~"})
INDICATORS = frozenset("-?:,[]{}#&*!|>'\"%@`=<")
RENDERED = render_crds()
STRUCTURAL = frozenset(
    {
        "description",
        "type",
        "format",
        "enum",
        "required",
        "properties",
        "items",
        "minimum",
        "maximum",
        "minLength",
        "maxLength",
        "minItems",
        "maxItems",
        "x-kubernetes-list-type",
        "x-kubernetes-list-map-keys",
        "x-kubernetes-validations",
    }
)


def schema_of(name: str) -> dict[str, Any]:
    schema: dict[str, Any] = yaml.safe_load(RENDERED[name])["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return schema


def fields(schema: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every schema below this one with its path, items of lists included."""
    for name, field in schema.get("properties", {}).items():
        yield f"{path}.{name}", field
        yield from fields(field, f"{path}.{name}")
    if "items" in schema:
        yield f"{path}[]", schema["items"]
        yield from fields(schema["items"], f"{path}[]")


EVERY_KIND = pytest.mark.parametrize("name", sorted(RENDERED))


def fields_of(name: str) -> list[tuple[str, dict[str, Any]]]:
    """Every field of a kind, without metadata, which belongs to the API server."""
    return [(path, field) for path, field in fields(schema_of(name)) if path != ".metadata"]


def has_bound(field: dict[str, Any]) -> bool:
    """Whether what a user writes into this field can't grow without end."""
    if field["type"] == "string":
        return "enum" in field or field.get("maxLength", 10_001) <= 10_000
    if field["type"] == "array":
        return bool(field.get("maxItems", 101) <= 100)
    return field["type"] != "integer" or {"minimum", "maximum"} <= set(field)


def test_the_committed_definitions_are_those_of_the_models() -> None:
    committed = {path.name: path.read_text(encoding="utf-8") for path in CRDS.glob("*.yaml")}

    assert committed == RENDERED, "run `make generate`"


def test_rendering_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    write_crds(tmp_path / "new")

    assert {path.name: path.read_text(encoding="utf-8") for path in (tmp_path / "new").iterdir()} == render_crds()


@EVERY_KIND
def test_a_file_has_no_anchors(name: str) -> None:
    assert "&id" not in RENDERED[name]


@EVERY_KIND
def test_every_field_is_described_in_a_sentence(name: str) -> None:
    described = [(path, field.get("description", "")) for path, field in fields_of(name) if not path.endswith("[]")]

    assert [path for path, text in described if len(text) < 5 or text[-1] not in ".)"] == []


@EVERY_KIND
def test_every_field_says_only_what_a_structural_schema_can(name: str) -> None:
    assert [path for path, field in fields_of(name) if set(field) - STRUCTURAL or "type" not in field] == []


@EVERY_KIND
def test_no_name_and_no_value_means_something_else_in_yaml(name: str) -> None:
    words = {word for _, field in fields_of(name) for word in (*field.get("properties", ()), *field.get("enum", ()))}

    assert "reason" in words
    assert {word for word in words if word.lower() in YAML_11_KEYWORDS or word[0] in INDICATORS} == set()
    assert {word for word in words if yaml.safe_load(word) != word} == set()


@EVERY_KIND
def test_values_to_choose_from_are_camel_case(name: str) -> None:
    values = [value for _, field in fields_of(name) for value in field.get("enum", ())]

    assert [value for value in values if not (value[0].isupper() and value.isalnum())] == []


@EVERY_KIND
def test_all_that_a_user_writes_has_a_bound(name: str) -> None:
    assert [path for path, field in fields_of(name) if path.startswith(".spec") and not has_bound(field)] == []


@EVERY_KIND
def test_lists_are_atomic_unless_they_are_maps(name: str) -> None:
    maps = {".spec.attributes": ["target"], ".spec.mappings": ["name"], ".status.conditions": ["type"]}

    for path, field in fields_of(name):
        if field["type"] == "array":
            assert field["x-kubernetes-list-type"] == ("map" if path in maps else "atomic")
            assert field.get("x-kubernetes-list-map-keys") == maps.get(path)


@EVERY_KIND
def test_a_reference_never_leaves_the_namespace(name: str) -> None:
    assert [path for path, _ in fields(schema_of(name)) if path.lower().endswith("namespace")] == []


@EVERY_KIND
def test_the_first_columns_tell_whether_it_is_well_and_the_last_one_how_old_it_is(name: str) -> None:
    columns = yaml.safe_load(RENDERED[name])["spec"]["versions"][0]["additionalPrinterColumns"]
    shown = [column["name"] for column in columns if not column.get("priority")]

    assert shown[0] == ("Complete" if "runs" in name else "Ready")
    assert shown[-2:] == ["Reason", "Age"]
