"""Where the bench finds what it measures, and puts what it makes."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from cluster.places import cache

ROOT: Final = Path(__file__).parents[2]
RESULT: Final = ROOT / "build" / "bench.json"


def work_folder() -> Path:
    """For state files and documents: on the disk of the tree, as a memory file system would hide what saving costs."""
    folder = ROOT / "build" / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def programs_folder() -> Path:
    """For what is built once and used by every tree."""
    folder = cache() / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
