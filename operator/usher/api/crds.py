"""Renders the CustomResourceDefinitions from the models: `python -m usher.api.crds DIR` writes one file a kind."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Final

import yaml

from usher.api.names import GROUP, VERSION
from usher.api.schemas import Schema, structural_schema
from usher.api.v1alpha1.kinds import KINDS, Column, KindNames, Manifest

CATEGORY: Final = "provisioning"
HEADER: Final = "# Generated from operator/usher/api by `usher crds`. Change the models, not this file.\n"


def render_crds() -> dict[str, str]:
    """The YAML of each CustomResourceDefinition by the name of its file; the same models always give the same bytes."""
    return {
        f"{GROUP}_{model.names.plural}.yaml": HEADER
        + yaml.safe_dump(_unshared(crd(model)), sort_keys=False, allow_unicode=True, width=120)
        for model in KINDS
    }


def write_crds(directory: Path) -> None:
    """Writes the files into the directory, which is made when missing."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in render_crds().items():
        (directory / name).write_text(text, encoding="utf-8")


def _unshared(schema: Schema) -> Schema:
    """A copy in which nothing is there twice by identity: YAML would write anchors."""
    copy: Schema = json.loads(json.dumps(schema))
    return copy


def crd(model: type[Manifest]) -> Schema:
    """The CustomResourceDefinition of a kind, as data."""
    names = model.names
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{names.plural}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "names": {
                "categories": [CATEGORY],
                "kind": names.kind,
                "listKind": f"{names.kind}List",
                "plural": names.plural,
                "shortNames": [names.short],
                "singular": names.singular,
            },
            "scope": "Namespaced",
            "versions": [_version(model, names)],
        },
    }


def _version(model: type[Manifest], names: KindNames) -> Schema:
    version: Schema = {
        "name": VERSION,
        "served": True,
        "storage": True,
        "additionalPrinterColumns": [_column(column) for column in names.columns],
        "subresources": {"status": {}},
        "schema": {"openAPIV3Schema": _object(model, names)},
    }
    if names.selectable:
        version["selectableFields"] = [{"jsonPath": path} for path in names.selectable]
    return version


def _column(column: Column) -> dict[str, Any]:
    rendered = {
        "name": column.name,
        "type": column.type,
        "description": column.description,
        "jsonPath": column.path,
        "priority": column.priority,
    }
    return rendered if column.priority else {key: value for key, value in rendered.items() if key != "priority"}


def _object(model: type[Manifest], names: KindNames) -> Schema:
    schema = structural_schema(model)
    spec, status = schema["properties"]["spec"], schema["properties"]["status"]
    return {
        "description": names.description,
        "type": "object",
        "required": ["spec"],
        "properties": {
            "apiVersion": {"description": "Version of this schema, provisioning.usher.dev/v1alpha1.", "type": "string"},
            "kind": {"description": f"{names.kind}.", "type": "string"},
            "metadata": {"type": "object"},
            "spec": spec,
            "status": status,
        },
    }


if __name__ == "__main__":
    write_crds(Path(sys.argv[1]))
