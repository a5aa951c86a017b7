"""Whatever a manifest holds, it is an object of ours or a list of problems."""

from __future__ import annotations

from contextlib import suppress
from copy import deepcopy
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from usher.api.manifests import ManifestError, Origin, parse_manifest

CORPUS = yaml.safe_load((Path(__file__).parents[2] / "golden" / "api" / "manifests.yaml").read_text(encoding="utf-8"))
SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.dates() | st.binary(max_size=5)
)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8) | st.booleans(), inner, max_size=4),
    max_leaves=12,
)
DOCUMENTS = st.sampled_from(
    [
        {
            "apiVersion": "provisioning.usher.dev/v1alpha1",
            "kind": case["kind"],
            "metadata": {"name": "subject", "annotations": {"a": "b"}},
            "spec": case["spec"],
            "status": {"conditions": [], "counts": {"users": 1}},
        }
        for case in CORPUS["accepted"]
    ]
)


def places(value: object) -> list[tuple[Any, Any]]:
    """Every (container, key) below this value."""
    items = (
        list(value.items()) if isinstance(value, dict) else list(enumerate(value)) if isinstance(value, list) else []
    )
    return [(value, key) for key, _ in items] + [place for _, inner in items for place in places(inner)]


@given(st.data(), DOCUMENTS, ANYTHING, st.sampled_from(Origin))
def test_a_manifest_with_anything_anywhere_is_taken_or_refused_with_problems(
    data: st.DataObject, document: dict[str, Any], anything: object, origin: Origin
) -> None:
    manifest = deepcopy(document)
    container, key = data.draw(st.sampled_from(places(manifest)))
    container[key] = anything

    with suppress(ManifestError):
        assert parse_manifest(manifest, origin).key.endswith("/subject") or key == "name"


@given(DOCUMENTS, st.dictionaries(st.text(max_size=8) | st.dates() | st.integers(), ANYTHING, min_size=1, max_size=3))
def test_a_problem_never_repeats_a_value(document: dict[str, Any], unknown: dict[str | date | int, object]) -> None:
    canary = "canary-3b1f"
    manifest = {**document, "spec": {**document["spec"], **unknown, "field": canary, "csv": canary, "target": canary}}

    with pytest.raises(ManifestError) as caught:
        parse_manifest(manifest)

    assert caught.value.problems
    assert canary not in str(caught.value)
