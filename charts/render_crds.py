#!/usr/bin/env python3
"""Copies the CustomResourceDefinitions into the chart: `charts/render_crds.py crds charts/usher/templates/crds`.

Helm neither upgrades nor templates what lies in a chart's own crds/ folder, so they are templates: installed when
`crds.install` says so, kept by an uninstall when `crds.keep` says so.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

HEADER: Final = "{{- /* Generated from crds/ by `make generate`. Change the models, not this file. */ -}}\n"
METADATA: Final = '  {{- include "usher.crdMetadata" . | nindent 2 }}\n'


def template(definition: str) -> str:
    """The template that renders to this definition, with the chart's labels and annotations in its metadata.

    Raises ValueError when it does not look like the files that the models render.
    """
    _, separator, body = definition.partition("apiVersion:")
    head, found, spec = body.replace("{{", '{{ "{{" }}').partition("\nspec:\n")
    if not (separator and found and "\nmetadata:\n  name: " in head):
        raise ValueError("not a definition as the models render it")
    return f"{HEADER}{{{{- if .Values.crds.install }}}}\n{separator}{head}\n{METADATA}spec:\n{spec}{{{{- end }}}}\n"


def copy(source: Path, target: Path) -> None:
    """Writes a template for each definition in `source`, and removes those without one."""
    target.mkdir(parents=True, exist_ok=True)
    rendered = {path.name: template(path.read_text(encoding="utf-8")) for path in sorted(source.glob("*.yaml"))}
    for path in target.glob("*.yaml"):
        if path.name not in rendered:
            path.unlink()
    for name, text in rendered.items():
        (target / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    copy(Path(sys.argv[1]), Path(sys.argv[2]))
