"""Programs from npm: their packages are installed once for each state of the lock, into the cache."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from hashlib import sha256
from pathlib import Path
from typing import Final

from cluster.places import alone, cache

_NAMES_THEM: Final = ("package.json", "package-lock.json")
_CI: Final = ("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")


class NpmError(Exception):
    """Something that a person has to do first; the message says what."""


def install(folder: Path) -> Path:
    """The `node_modules` with what the lock in `folder` names. A second process waits until the first has it all.

    Raises:
        NpmError: npm is missing, or can't install it.
    """
    digest = sha256(b"\n".join((folder / name).read_bytes() for name in _NAMES_THEM)).hexdigest()
    place = cache() / "npm" / f"{folder.name}-{digest[:16]}"
    with alone(cache() / "npm.lock"):
        if not place.exists():
            _install_into(place, folder)
    return place / "node_modules"


def program(name: str) -> str:
    """Where `node` or `npm` is. Raises NpmError where it is not."""
    path = shutil.which(name)
    if path is None:
        raise NpmError(f"{name} is missing; tests/machine/packages.sh node installs it, as `make test` does")
    return path


def _install_into(place: Path, folder: Path) -> None:
    """Beside its place first: an installation that breaks off leaves nothing that looks like one."""
    npm = program("npm")
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place.parent) as beside:
        work = Path(beside) / "work"
        work.mkdir()
        for name in _NAMES_THEM:
            shutil.copy(folder / name, work)
        done = subprocess.run([npm, *_CI], cwd=work, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise NpmError(f"npm can't install what {folder / _NAMES_THEM[1]} names:\n{done.stderr.strip()[-2000:]}")
        work.rename(place)
