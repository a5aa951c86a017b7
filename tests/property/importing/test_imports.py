"""Whatever JSON is imported: manifests that run, or a clear error; and nothing that it says is lost."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from usher.api.manifests import parse_manifest
from usher.assembly.ends import surroundings_of, system_runtime
from usher.core.errors import SpecError
from usher.importing.entra import Imported, import_schema
from usher.importing.rendering import render

EXPORTS = [
    orjson.loads(path.read_bytes()) for path in sorted((Path(__file__).parents[2] / "golden/entra").glob("*.json"))
]
WORDS = st.sampled_from(
    [
        "Attribute",
        "Constant",
        "Function",
        "mail",
        "[mail]",
        '"x"',
        "ToLower",
        "ToLower([mail])",
        "User",
        "source",
        "=",
        "",
    ]
)
SCALARS = (
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | WORDS | st.text(max_size=9)
)
FIELDS = st.sampled_from(
    [
        "synchronizationRules",
        "schema",
        "objectMappings",
        "attributeMappings",
        "source",
        "parameters",
        "value",
        "key",
        "name",
    ]
)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(FIELDS | st.text(max_size=5), inner, max_size=4),
    max_leaves=15,
)
SURROUNDINGS = surroundings_of(system_runtime())
CANARY = "canary 3b1f"


def places(value: object) -> Iterator[tuple[Any, Any]]:
    """Every (container, key) below this value."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield value, key
        yield from places(inner)


def checked(raw: bytes) -> Imported | None:
    """What is imported, None where it is refused; everything that is written has to run."""
    try:
        result = import_schema(raw, SURROUNDINGS)
    except SpecError as error:
        assert str(error)
        return None
    texts = render(result)
    assert len(texts) == len(result.mappings)
    for text in texts.values():
        document = yaml.safe_load(text)
        assert parse_manifest(document).metadata.name in texts
    return result


@given(ANYTHING)
def test_any_json_is_imported_or_refused(document: object) -> None:
    checked(orjson.dumps(document))


@given(st.binary(max_size=60))
def test_any_bytes_are_imported_or_refused(raw: bytes) -> None:
    checked(raw)


@given(st.data(), st.sampled_from(EXPORTS), ANYTHING)
def test_an_export_with_anything_anywhere_is_imported_or_refused(
    data: st.DataObject, export: dict[str, Any], anything: object
) -> None:
    changed = deepcopy(export)
    container, key = data.draw(st.sampled_from(list(places(changed))))
    container[key] = anything

    checked(orjson.dumps(changed))


def everything_said(raw: bytes) -> str:
    try:
        result = import_schema(raw, SURROUNDINGS)
    except SpecError as error:
        return f"refused: {error}"
    told = [note.message for mapping in result.mappings for note in mapping.notes]
    return "\n".join([*render(result).values(), *told, *(note.message for note in result.notes)])


def telling_places(export: dict[str, Any]) -> list[tuple[Any, Any]]:
    """Where one value stands; but for remarks of OData."""
    return [
        (container, key)
        for container, key in places(export)
        if not isinstance(container[key], dict | list) and "@odata." not in str(key)
    ]


@pytest.fixture(params=EXPORTS, ids=["parameters_only", "scim_app"])
def export(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Without what its directories define: one note stands for all of that."""
    return {name: value for name, value in request.param.items() if name != "directories"}


def test_a_word_put_anywhere_in_an_export_is_carried_over_or_told(export: dict[str, Any]) -> None:
    lost = []
    for number in range(len(telling_places(export))):
        changed = deepcopy(export)
        container, key = telling_places(changed)[number]
        former, container[key] = container[key], CANARY
        said = everything_said(orjson.dumps(changed))
        if CANARY not in said and not said.startswith("refused"):
            lost.append((key, former, container))

    assert lost == []


def test_a_field_put_into_any_object_of_an_export_is_told(export: dict[str, Any]) -> None:
    def objects(document: dict[str, Any]) -> list[dict[str, Any]]:
        return [inner for container, key in places(document) if isinstance(inner := container[key], dict)]

    for number in range(len(objects(export))):
        changed = deepcopy(export)
        objects(changed)[number]["remark"] = CANARY

        assert CANARY in everything_said(orjson.dumps(changed)), objects(changed)[number]
