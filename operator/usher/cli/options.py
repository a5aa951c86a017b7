"""Options that several commands have, said once."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, TypeAlias

import click

from usher.cli.documents import Locations
from usher.cli.output import Format
from usher.cli.workspace import Workspace

Command: TypeAlias = Callable[..., None]


def filename_option(**more: Any) -> Callable[[Command], Command]:
    """`-f`, as `paths`."""
    return click.option(
        "-f",
        "--filename",
        "paths",
        multiple=True,
        metavar="DIR|FILE",
        type=click.Path(exists=True, readable=True, path_type=Path),
        help="Manifests: all *.yaml, *.yml and *.json of a folder, or one file. Can be repeated.",
        **more,
    )


RECURSIVE_OPTION = click.option("-R", "--recursive", is_flag=True, help="Take the folders inside DIR as well.")
STATE_OPTION = click.option(
    "--state",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The state file (SQLite): links, snapshots, log. Default: DIR/.usher/state.db.",
)


_KUBECONFIG = click.option(
    "--kubeconfig", metavar="FILE", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="As kubectl's."
)
_CONTEXT = click.option("--context", metavar="NAME", help="As kubectl's.")
_NAMESPACE = click.option(
    "-n", "--namespace", metavar="NAME", help="As kubectl's; otherwise the context's, otherwise default."
)


def cluster_options(command: Command) -> Command:
    """`--kubeconfig`, `--context` and `--namespace`, as arguments of these names."""
    return _KUBECONFIG(_CONTEXT(_NAMESPACE(command)))


def manifest_options(command: Command) -> Command:
    """`-f` and `-R`, as `locations`."""

    @filename_option(required=True)
    @RECURSIVE_OPTION
    @wraps(command)
    def gathered(paths: tuple[Path, ...], recursive: Any, **others: Any) -> None:
        command(locations=Locations(paths, bool(recursive)), **others)

    return gathered


def workspace_options(command: Command) -> Command:
    """`-f`, `-R` and `--state`, as `workspace`."""

    @manifest_options
    @STATE_OPTION
    @wraps(command)
    def gathered(locations: Locations, state: Path | None, **others: Any) -> None:
        command(workspace=Workspace(locations, state), **others)

    return gathered


def output_option(command: Command) -> Command:
    """`-o`, as `output`."""

    @click.option(
        "-o",
        "--output",
        "form",
        type=click.Choice([form.value for form in Format]),
        default=Format.TEXT.value,
        show_default=True,
        help="Form of the result.",
    )
    @wraps(command)
    def gathered(form: str, **others: Any) -> None:
        command(output=Format(form), **others)

    return gathered


def connector_option(command: Command) -> Command:
    """`--connector`, as `connectors`."""
    option = click.option(
        "--connector",
        "connectors",
        multiple=True,
        metavar="NAME",
        help="Only this connector (NAME or NAMESPACE/NAME). Can be repeated.",
    )
    return option(command)


def limit_option(default: int, what: str) -> Callable[[Command], Command]:
    """`--limit`, as `limit`."""
    return click.option(
        "--limit", type=click.IntRange(min=0, max=1_000_000), default=default, show_default=True, help=what
    )
