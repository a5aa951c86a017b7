"""A program: which of the planted bugs the unit tests notice. What these miss, only the simulation can find.

Example: PYTHONPATH=tests python -m simulation.unit_tests "a single 404 to a read is believed"
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from machine.commit import ROOT
from simulation.mutation import MUTANTS, Mutant, plant

_FOLDERS: Final = ("tests/unit/engine", "tests/unit/sync", "tests/unit/scim", "tests/unit", "tests/property/engine")
"""Where bugs of recovery show first, then everything, then what takes longest."""
_FAILED: Final = 1
_NAME: Final = re.compile(r"^(?:FAILED|ERROR) ([^\s\[]+)", re.MULTILINE)


def files() -> Sequence[str]:
    """All of the unit tests, and the properties of the engine."""
    found = (path for folder in _FOLDERS for path in sorted((ROOT / folder).rglob("test_*.py")))
    return list(dict.fromkeys(str(path.relative_to(ROOT)) for path in found))


def noticed_by(mutant: Mutant, tests: Sequence[str]) -> str:
    """The first of these tests that fails where the bug is planted, without its parameters; empty where none does.

    Raises RuntimeError where they can't be run.
    """
    with tempfile.TemporaryDirectory() as folder:
        engine = Path(folder) / "operator"
        plant(mutant, engine)
        path = f"pythonpath={engine} {ROOT / 'tests'}"
        told = subprocess.run(
            [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "-o", path, *tests],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": f"{engine}{os.pathsep}{ROOT / 'tests'}", "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
    if not told.returncode:
        return ""
    found = _NAME.findall(told.stdout)
    if told.returncode != _FAILED or not found:
        message = f"{mutant.title}: {told.stdout[-2000:]}{told.stderr[-2000:]}"
        raise RuntimeError(message)
    name: str = found[0]
    return name


def main(titles: Sequence[str]) -> int:
    """Those of these titles, or all. Exit code 1: the list says something else of one."""
    wrong = 0
    for mutant in MUTANTS:
        if not titles or mutant.title in titles:
            found = noticed_by(mutant, files())
            wrong += bool(found) is not bool(mutant.unit_test)
            print(f"{mutant.title}: {found or 'all pass'}", flush=True)
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
