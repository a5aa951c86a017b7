"""Which planted bugs the unit tests see as well. What they don't is what the simulation is for.

Example: PYTHONPATH=tests .venv/bin/python -m simulation.unit_tests "lost links"
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from machine.commit import ROOT
from simulation.mutation import MUTANTS, Mutant, plant

_PATIENCE: Final = 1800.0
_FOLDERS: Final = ("engine", "state", "sync", "scim", "sources", "transport", "assembly", "kube", "cli")
"""Those of tests/unit that run the engine; the others are about texts and files."""


def first_failure(mutant: Mutant) -> str:
    """The first unit test that fails with the bug, empty where all pass."""
    with tempfile.TemporaryDirectory() as folder:
        planted = Path(folder) / "operator"
        plant(mutant, planted)
        told = subprocess.run(
            [
                *(sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"),
                *("-o", f"pythonpath={planted} {ROOT / 'tests'}"),
                *(str(ROOT / "tests" / "unit" / one) for one in _FOLDERS),
                str(ROOT / "tests" / "property" / "engine"),
            ],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(planted), "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            check=False,
            timeout=_PATIENCE,
        )
    if told.returncode not in (0, 1):
        message = f"{mutant.title}: {told.stdout[-2000:]}"
        raise RuntimeError(message)
    failed = (line for line in told.stdout.splitlines() if line.startswith("FAILED "))
    return next(failed, "" if told.returncode == 0 else "an unknown test")


def main(words: Sequence[str]) -> int:
    """Those with one of these words in their title, or all. Exit code 1: what a mutant says of itself is not so."""
    wrong = 0
    for mutant in MUTANTS:
        if words and not any(word in mutant.title for word in words):
            continue
        failure = first_failure(mutant)
        wrong += mutant.passes_unit_tests is not (failure == "")
        print(f"{mutant.title}: {failure or 'all pass'}", flush=True)
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
