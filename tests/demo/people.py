"""One day at the company: somebody joins, somebody changes jobs, somebody leaves. An edit of the CSV, nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

JOINER: Final = (
    "5f0c8d0e-3c55-4c53-9a54-0f6f3c1c7f21,nia.okonkwo@example.com,nia.okonkwo@example.com,Nia,Okonkwo,Nia Okonkwo,"
    "Security Engineer,Security,true"
)
JOINER_NAME: Final = JOINER.split(",")[1]
MOVER: Final = "abebe.omar@example.com"
NEW_TITLE: Final = "Engineering Manager"
LEAVER: Final = "grace.petrov@example.com"


@dataclass(frozen=True, slots=True)
class Edit:
    """The lines of the CSV that went and that came."""

    removed: tuple[str, ...]
    added: tuple[str, ...]


def change_people(manifest: Path) -> Edit:
    """Adds the joiner, gives the mover a new title and takes the leaver out; the rest of the file stays as it is."""
    lines = manifest.read_text(encoding="utf-8").splitlines()
    mover = next(line for line in lines if f",{MOVER}," in line)
    leaver = next(line for line in lines if f",{LEAVER}," in line)
    moved = mover.replace(mover.split(",")[6], NEW_TITLE)
    indent = mover[: len(mover) - len(mover.lstrip())]
    joiner = indent + JOINER
    changed = [moved if line == mover else line for line in lines if line != leaver]
    manifest.write_text("\n".join([*changed, joiner, ""]), encoding="utf-8")
    return Edit(
        removed=tuple(line.strip() for line in (mover, leaver)),
        added=tuple(line.strip() for line in (moved, joiner)),
    )
