"""A mapping is compiled before its target is known, and typed again once it is."""

from __future__ import annotations

from typing import Any

import pytest

from usher.api.v1alpha1.mappings import AttributeMappingSpec
from usher.assembly.mappings import compile_mapping
from usher.core.errors import CycleError
from usher.core.model.resources import AttributePath, Json, SourceId, SourceResource, Value
from usher.core.scim.discovery import Discovery, read_discovery
from usher.core.sync.linting import fit
from usher.core.sync.mapping import map_resource
from usher.core.sync.rules import CompiledMapping
from usher.testing.clock import fake_surroundings
from usher.testing.hostile_documents import told

HR = "urn:example:hr:User"
MATCH: dict[str, Any] = {"target": "userName", "source": "login", "match": 1}


def compiled(*attributes: dict[str, Any]) -> CompiledMapping:
    return compile_mapping(
        "people", AttributeMappingSpec.model_validate({"attributes": (MATCH, *attributes)}), fake_surroundings()
    )


def typed(mapping: CompiledMapping, *core: dict[str, Json], hr: list[dict[str, Json]] | None = None) -> CompiledMapping:
    return fit(mapping, read_discovery(told(*core, hr=hr or [])))


def values(mapping: CompiledMapping, **attributes: Value) -> dict[AttributePath, Json]:
    desired = map_resource(mapping, SourceResource(SourceId("1"), {"login": "ada", **attributes}))
    return {**desired.besides.fill_empty, **desired.besides.on_create, **desired.values}


def at(name: str) -> AttributePath:
    return AttributePath(f"{HR}:{name}")


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ({"type": "integer"}, "007", 7),
        ({"type": "boolean"}, "True", True),
        ({"type": "decimal"}, "1.50", 1.5),
        ({"type": "string"}, "007", "007"),
        ({"type": "integer", "multiValued": True}, "7", [7]),
    ],
)
def test_sources_constants_and_defaults_take_the_type_that_the_target_names(
    kind: dict[str, Json], text: str, value: Json
) -> None:
    mapping = compiled(
        {"target": f"{HR}:source", "source": "x"},
        {"target": f"{HR}:constant", "constant": text},
        {"target": f"{HR}:default", "source": "absent", "default": text},
        {"target": f"{HR}:left", "none": {}, "default": text},
    )
    names = ("source", "constant", "default", "left")

    found = values(typed(mapping, hr=[{"name": name, **kind} for name in names]), x=text)

    assert {name: found[at(name)] for name in names} == dict.fromkeys(names, value)
    assert {type(found[at(name)]) for name in names} == {type(value)}


def test_a_mapping_can_be_typed_again_and_again() -> None:
    mapping = compiled({"target": f"{HR}:badge", "constant": "007"})
    once = typed(mapping, hr=[{"name": "badge", "type": "integer"}])

    assert values(once)[at("badge")] == 7
    assert values(typed(once, hr=[{"name": "badge"}]))[at("badge")] == "007"
    assert fit(once, Discovery()) == mapping


@pytest.mark.parametrize(
    ("rule", "kind", "problem"),
    [
        ({"constant": "soon"}, {"type": "integer"}, "constant: the target attribute can only accept a whole number"),
        ({"constant": "soon"}, {"type": "boolean"}, "constant: the target attribute can only accept true or false"),
        (
            {"source": "x", "default": "soon"},
            {"type": "decimal"},
            "default: the target attribute can only accept a number",
        ),
        ({"source": "x"}, {"mutability": "readOnly"}, f"target: {HR}:badge is read-only at the target"),
        ({"source": "x"}, {"type": "complex"}, f"target: {HR}:badge has sub-attributes"),
    ],
)
def test_a_line_that_can_not_be_so_at_this_target_is_named_by_its_path(
    rule: dict[str, Any], kind: dict[str, Json], problem: str
) -> None:
    mapping = compiled({"target": f"{HR}:badge", **rule})

    with pytest.raises(CycleError) as caught:
        typed(mapping, hr=[{"name": "badge", **kind}])

    assert caught.value.reason == "MappingInvalid"
    assert str(caught.value).startswith(f"AttributeMapping/people spec.attributes[1].{problem}")
    assert "soon" not in str(caught.value)


def test_every_line_that_can_not_be_so_is_named() -> None:
    mapping = compiled(*({"target": f"{HR}:{name}", "constant": "x"} for name in "ab"))

    with pytest.raises(CycleError) as caught:
        typed(mapping, hr=[{"name": name, "type": "integer"} for name in "ab"])

    assert "spec.attributes[1].constant" in str(caught.value)
    assert "spec.attributes[2].constant" in str(caught.value)


def test_only_what_changes_types_or_comparisons_of_mapped_paths_makes_another_schema_of_it() -> None:
    mapping = compiled({"target": "title", "source": "x"})
    usual = fit(mapping, Discovery()).schema

    assert mapping.schema == usual
    assert typed(mapping, {"name": "nickName", "type": "integer"}).schema == usual
    assert typed(mapping, {"name": "title", "required": True, "uniqueness": "server"}).schema == usual
    others = {
        typed(mapping, {"name": "title", **kind}).schema
        for kind in ({"type": "integer"}, {"caseExact": True}, {"multiValued": True})
    }
    assert len(others - {usual}) == 3


def test_a_person_whose_wish_did_not_change_is_looked_at_under_another_schema() -> None:
    mapping, ada = compiled(), SourceResource(SourceId("1"), {"login": "ada"})
    exact = typed(mapping, {"name": "userName", "caseExact": True})

    assert map_resource(mapping, ada).fingerprint != map_resource(exact, ada).fingerprint
    assert map_resource(mapping, ada).values == map_resource(exact, ada).values
    assert exact.definitions[AttributePath("userName")] != mapping.definitions[AttributePath("userName")]
