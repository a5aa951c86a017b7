"""A manifest as the text of a file: what is not in it stands above it, as comments."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import yaml

from usher.core.model.resources import Json
from usher.importing.entra import Imported, ImportedMapping
from usher.importing.records import Note, plain, said

_PLAIN: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*", re.ASCII)
_WORDS: Final = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf"})
"""Texts that a reader of some YAML takes for something else."""


class _Dumper(yaml.SafeDumper):
    """Quotes whatever a reader of YAML 1.1 or 1.2 could take for something else than a text, and indents lists."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: FBT001, FBT002, ARG002 - PyYAML's signature
        super().increase_indent(flow, False)  # noqa: FBT003 - PyYAML's signature


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS:
        return dumper.represent_scalar("tag:yaml.org,2002:str", text)
    style = "'" if text.isprintable() else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _represent_text)


def render(imported: Imported) -> dict[str, str]:
    """The text of each manifest by its name. The first one also has the notes that belong to none."""
    texts: dict[str, str] = {}
    for mapping in imported.mappings:
        texts[mapping.name] = _render_one(mapping, () if texts else imported.notes)
    return texts


def _render_one(mapping: ImportedMapping, others: Sequence[Note]) -> str:
    lines = [f"From {mapping.place}"]
    lines += [f"  {what} {said(dict(fields))}" for what, fields in mapping.origin.items() if fields]
    lines += _listed("Not carried over, or not as it was:", mapping.notes, f"{mapping.place}.")
    lines += _listed("Of the rest of the export:", others, "")
    return "".join(f"# {plain(line)}".rstrip() + "\n" for line in lines) + _dump(mapping.document)


def _listed(heading: str, notes: Sequence[Note], within: str) -> list[str]:
    """The notes below a heading, none without notes; what stands in `within` is told by the place in it."""
    if not notes:
        return []
    places = [note.place.removeprefix(within) if f"{note.place}." != within else "" for note in notes]
    told = [f"{place}: {note.message}" if place else note.message for place, note in zip(places, notes, strict=True)]
    return ["", heading, *(f"- {each}" for each in told)]


def _dump(document: Json) -> str:
    """Escapes in YAML what is not printable, so that nothing in it steers a terminal."""
    text: str = yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1_000_000)
    if all(line.isprintable() for line in text.split("\n")):
        return text
    escaped: str = yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=False, width=1_000_000)
    return escaped
