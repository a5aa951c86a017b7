"""`usher import-entra-schema`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import click

from usher.assembly.ends import surroundings_of, system_runtime
from usher.cli.exits import Exit
from usher.cli.findings import Finding, findings_of
from usher.cli.options import output_option
from usher.cli.output import Block, Code, Format, Heading, Result, Table, show
from usher.cli.terminal import complain, say
from usher.core.errors import CycleError, SpecError
from usher.core.model.resources import Json
from usher.importing.document import MAX_EXPORT
from usher.importing.entra import Imported, import_schema
from usher.importing.records import Note
from usher.importing.rendering import render


@click.command(
    name="import-entra-schema",
    short_help="Turn an exported Entra job schema into AttributeMappings.",
    epilog="Example: usher import-entra-schema schema.json --output-dir mappings",
)
@click.argument("file", metavar="FILE", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--output-dir",
    "folder",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write one file for each manifest into this folder, over none that is there.",
)
@output_option
def import_entra_schema(file: Path, folder: Path | None, output: Format) -> None:
    """Turn an exported Entra synchronization schema (JSON) into AttributeMappings.

    FILE is the answer of Microsoft Graph to a GET of a job's schema. What can't be carried over is listed, and stands
    as a comment above the manifest; every manifest that is written is one that usher validate accepts.

    Exit codes: 0 done, with whatever is listed; 1 FILE is no such export, or nothing of it could be written.
    """
    imported = _import(file)
    texts = render(imported)
    findings = list(_findings(imported, file))
    if output is Format.TEXT:
        for _, finding in findings:
            complain(finding)
    if folder is not None:
        _write(folder, texts)
    if output is Format.TEXT:
        if folder is None:
            print("---\n".join(texts.values()), end="")
    else:
        show(_result(imported, findings, texts), output)
    if not texts:
        complain(Finding.error("nothing of it could be written as an AttributeMapping", file=str(file)))
        click.get_current_context().exit(Exit.FAILED)


def _import(file: Path) -> Imported:
    try:
        with file.open("rb") as opened:
            raw = opened.read(MAX_EXPORT + 1)
        return import_schema(raw, surroundings_of(system_runtime()))
    except OSError as error:
        raise CycleError(f"{file} can't be read: {error.strerror}", reason="FileNotFound") from error
    except SpecError as error:
        complain(findings_of(error, str(file)))
        raise click.exceptions.Exit(Exit.FAILED) from error


def _write(folder: Path, texts: Mapping[str, str]) -> None:
    """Writes all files or none: what somebody has edited since is never written over."""
    files = {folder / f"{name}.yaml": text for name, text in texts.items()}
    there = [str(file) for file in files if file.exists()]
    if there:
        raise CycleError(f"{', '.join(there)}: is there already, remove it first", reason="OutputUnusable")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for file, text in files.items():
            file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CycleError(f"{folder} can't be written: {error.strerror}", reason="OutputUnusable") from error
    say(f"{len(files)} files written to {folder}")


def _findings(imported: Imported, file: Path) -> Iterator[tuple[str, Finding]]:
    """Each with the manifest that it belongs to, empty for none, in the order of the export."""
    for mapping in imported.mappings:
        yield from ((f"AttributeMapping/{mapping.name}", _finding(note, file)) for note in mapping.notes)
    yield from (("", _finding(note, file)) for note in imported.notes)


def _finding(note: Note, file: Path) -> Finding:
    return Finding.warning(note.message, file=str(file), path=note.place)


def _result(imported: Imported, findings: list[tuple[str, Finding]], texts: Mapping[str, str]) -> Result:
    listed: list[Json] = [
        {
            "severity": finding.severity.value,
            "file": finding.file,
            "object": subject,
            "path": finding.path,
            "message": finding.message,
        }
        for subject, finding in findings
    ]
    manifests: list[Json] = [mapping.document for mapping in imported.mappings]
    blocks: list[Block] = [Heading(f"{len(texts)} manifests, {len(findings)} findings")]
    blocks += [Code(text.splitlines()) for text in texts.values()]
    blocks.append(Table(("object", "path", "message"), [(to, found.path, found.message) for to, found in findings]))
    return Result({"manifests": manifests, "findings": listed}, blocks)
