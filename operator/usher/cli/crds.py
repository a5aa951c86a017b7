"""`usher crds`."""

from __future__ import annotations

from pathlib import Path

import click

from usher.api.crds import render_crds, write_crds
from usher.cli.terminal import say
from usher.core.errors import CycleError


@click.command(epilog="Example: usher crds | kubectl apply --server-side -f -")
@click.option(
    "--output",
    "folder",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write one file for each kind into this folder instead.",
)
def crds(folder: Path | None) -> None:
    """Render the CustomResourceDefinitions as YAML."""
    if folder is None:
        print("---\n".join(render_crds().values()), end="")
        return
    try:
        write_crds(folder)
    except OSError as error:
        raise CycleError(f"{folder} can't be written: {error.strerror}", reason="OutputUnusable") from error
    say(f"{len(render_crds())} files written to {folder}")
