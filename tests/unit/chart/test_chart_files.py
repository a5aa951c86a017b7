from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from usher.api.v1alpha1.connectors import Budget, Safety
from usher.api.v1alpha1.identity_sources import IdentitySourceSpec

ROOT = Path(__file__).parents[3]
CHART = ROOT / "charts" / "usher"
COPIES = CHART / "templates" / "crds"
VALUES: dict[str, Any] = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
SCHEMA: dict[str, Any] = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))
FREE = {"resources"}
"""Values that are handed on as they are, whatever is in them."""


def leaves(values: dict[str, Any], prefix: str = "") -> Iterator[str]:
    for name, value in values.items():
        path = f"{prefix}{name}"
        if isinstance(value, dict) and value and path not in FREE:
            yield from leaves(value, f"{path}.")
        else:
            yield path


def templates() -> str:
    return "\n".join(
        path.read_text(encoding="utf-8")
        for path in sorted((CHART / "templates").rglob("*"))
        if path.suffix in {".yaml", ".tpl", ".txt"}
    )


def used(text: str) -> set[str]:
    """Every path of a value that the templates read; inside of `with .Values.persistence` its fields stand alone."""
    paths = set(re.findall(r"\.Values\.([A-Za-z.]+)", text))
    claim = (CHART / "templates" / "persistentvolumeclaim.yaml").read_text(encoding="utf-8")
    paths |= {f"state.postgresql.{field}" for field in re.findall(r"(?<![\w.$])\.(urlSecret|key)\b", templates())}
    return paths | {f"persistence.{field}" for field in re.findall(r"(?<![\w.$])\.([a-z][A-Za-z]+)", claim)}


def test_the_copies_of_the_definitions_are_what_the_script_makes_of_them_now(tmp_path: Path) -> None:
    # given a template of a definition that is no more
    (tmp_path / "gone.yaml").touch()
    # when
    subprocess.run([sys.executable, ROOT / "charts" / "render_crds.py", ROOT / "crds", tmp_path], check=True)
    # then
    fresh = {path.name: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()}
    assert fresh == {path.name: path.read_text(encoding="utf-8") for path in COPIES.iterdir()}, "run `make generate`"
    assert set(fresh) == {path.name for path in (ROOT / "crds").iterdir()}


def test_what_looks_like_a_template_in_a_definition_stays_text(tmp_path: Path) -> None:
    source, target = tmp_path / "crds", tmp_path / "templates"
    source.mkdir()
    (source / "a.yaml").write_text(
        "# made\napiVersion: v1\nkind: K\nmetadata:\n  name: a\nspec:\n  text: '{{ .Values.x }}'\n"
    )
    subprocess.run([sys.executable, ROOT / "charts" / "render_crds.py", source, target], check=True)
    assert """text: '{{ "{{" }} .Values.x }}'""" in (target / "a.yaml").read_text(encoding="utf-8")


def test_every_value_is_used_and_none_is_used_that_values_yaml_does_not_tell_of() -> None:
    declared, read = set(leaves(VALUES)), used(templates())
    groups = {path.rpartition(".")[0] for path in declared} | {"egress.allow", "state"}
    assert declared - read == set()
    assert read - declared - groups == set()


def test_every_value_is_explained_in_the_readme() -> None:
    explained = set(re.findall(r"`([A-Za-z.]+)`", (CHART / "README.md").read_text(encoding="utf-8")))
    assert set(leaves(VALUES)) - explained == set()


@pytest.mark.parametrize("path", sorted(leaves(VALUES)))
def test_the_schema_knows_every_value(path: str) -> None:
    schema = SCHEMA
    for name in path.split("."):
        assert name in schema["properties"]
        schema = schema["properties"][name]


def test_the_schema_refuses_names_that_it_does_not_know_wherever_the_chart_gives_the_names() -> None:
    def objects(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
        for inner in schema.get("properties", {}).values():
            yield from objects(inner)
        if "properties" in schema:
            yield schema

    assert [each for each in objects(SCHEMA) if each.get("additionalProperties") is not False] == []


def test_chart_and_package_have_one_version() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text(encoding="utf-8"))
    package = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert chart["appVersion"] == package["project"]["version"]


def test_the_policies_know_the_defaults_of_the_schema() -> None:
    policy = (CHART / "templates" / "approvals.yaml").read_text(encoding="utf-8")
    budget, safety = Budget(), Safety()
    numbers = {"maxCount": budget.max_count, "maxPercent": budget.max_percent, "minCount": budget.min_count}
    assert "dict " + " ".join(f'"{name}" {number}' for name, number in numbers.items()) in policy
    assert f'?approval.orValue("{safety.approval}")' in policy
    assert f'?onStateLoss.orValue("{safety.on_state_loss}")' in policy
    assert f"?minRetained.orValue({IdentitySourceSpec.model_fields['min_retained'].default})" in policy
    budgets = [name for name, field in Safety.model_fields.items() if field.annotation is Budget]
    assert "list " + " ".join(f'"{name}"' for name in budgets) in policy
