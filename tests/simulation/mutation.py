"""Planted bugs: each is one edit of a copy of the engine, in which the simulation then looks for a violation."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

ROOT: Final = Path(__file__).parents[2]
_ENGINE: Final = ROOT / "operator"
_PATIENCE: Final = 600.0


@dataclass(frozen=True, slots=True)
class Mutant:
    """`file` is below `operator/usher`, and holds `old` once. `hunt` names parts in which it shows.

    `unit_test` is one that notices it too, empty where all unit tests pass. `escapes` says why the simulation does not,
    empty for all others.
    """

    title: str
    file: str
    old: str
    new: str
    hunt: tuple[str, ...] = ()
    unit_test: str = ""
    escapes: str = ""


def _read() -> tuple[Mutant, ...]:
    listed = yaml.safe_load((Path(__file__).parent / "mutants.yaml").read_text(encoding="utf-8"))
    return tuple(Mutant(**{**one, "hunt": tuple(one.get("hunt", ()))}) for one in listed)


MUTANTS: Final = _read()


def plant(mutant: Mutant, where: Path) -> None:
    """A copy of the engine with the bug in it. Raises ValueError unless the text is there once."""
    shutil.copytree(_ENGINE, where, ignore=shutil.ignore_patterns("__pycache__"))
    file = where / "usher" / mutant.file
    text = file.read_text(encoding="utf-8")
    if text.count(mutant.old) != 1:
        message = f"{mutant.title}: {mutant.file} has to hold its text once"
        raise ValueError(message)
    file.write_text(text.replace(mutant.old, mutant.new), encoding="utf-8")


def hunt(mutant: Mutant) -> str:
    """The words that repeat the first run that notices the bug, empty where none does."""
    with tempfile.TemporaryDirectory() as folder:
        plant(mutant, Path(folder) / "operator")
        path = os.pathsep.join([f"{folder}/operator", str(ROOT / "tests")])
        told = subprocess.run(
            [sys.executable, "-m", "simulation.hunting", "named" if mutant.escapes else "all", *mutant.hunt],
            env={**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            check=False,
            timeout=_PATIENCE,
        )
    if told.returncode not in (0, 1):
        message = f"{mutant.title}: {told.stderr[-2000:]}"
        raise RuntimeError(message)
    return told.stdout.strip()
