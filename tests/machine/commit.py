"""Which commit this is: what is sampled goes by it, so that over time everything is run."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]


def commit() -> str:
    """Its hash, empty where there is no git."""
    told = subprocess.run(["git", "-C", str(ROOT), "rev-parse", "HEAD"], capture_output=True, text=True, check=False)
    return told.stdout.strip()


def number_of_the_commit() -> int:
    """Another one for each commit, 0 where there is no git."""
    return int(commit() or "0", 16)
