"""The Go that builds the programs: the installed one, or one that an older one fetches as a module."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from cluster.places import ClusterError, cache

_NEEDED: Final = (1, 26)
_FETCHED: Final = "go1.26.8"


def find_go() -> str | None:
    """The program `go`, new enough for the pinned modules; None where none is installed.

    A distribution's Go may be older, too old even to fetch a newer one by itself. But every Go can download modules,
    checks them against the public checksum database, and newer Go is published as one.

    Raises:
        ClusterError: The installed one is too old and can't download.
    """
    installed = shutil.which("go")
    if installed is None or version_of(installed) >= _NEEDED:
        return installed
    return str(_fetched(installed))


def toolchain_folder() -> Path:
    """Where a fetched Go is kept."""
    return cache() / _FETCHED


def version_of(go: str) -> tuple[int, ...]:
    """Its version, such as (1, 26); (0,) when it doesn't say."""
    # What a go.mod somewhere above asks for must not answer in its place.
    shown = subprocess.run([go, "version"], cwd="/", env=_environment(), capture_output=True, text=True, check=False)
    found = re.search(r"\bgo(\d+)\.(\d+)", shown.stdout)
    return (int(found[1]), int(found[2])) if found else (0,)


def _fetched(go: str) -> Path:
    folder = toolchain_folder()
    if not folder.exists():
        system = "-".join(_ask(go, "env", name) for name in ("GOOS", "GOARCH"))
        answer = _ask(go, "mod", "download", "-json", f"golang.org/toolchain@v0.0.1-{_FETCHED}.{system}")
        with tempfile.TemporaryDirectory(dir=cache()) as temporary:
            copy = Path(temporary) / "go"
            # Without the modes: a module's files are read-only, and none of them can be run.
            shutil.copytree(json.loads(answer)["Dir"], copy, copy_function=shutil.copyfile)
            for program in (*copy.glob("bin/*"), *copy.glob("pkg/tool/*/*")):
                program.chmod(0o755)
            copy.rename(folder)
    return folder / "bin" / "go"


def _ask(go: str, *arguments: str) -> str:
    done = subprocess.run([go, *arguments], cwd="/", env=_environment(), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ClusterError(
            f"{go} is older than Go {'.'.join(map(str, _NEEDED))} and can't fetch {_FETCHED} "
            f"(https://go.dev/dl has it as well):\n{(done.stderr or done.stdout).strip()[-2000:]}"
        )
    return done.stdout.strip()


def _environment() -> dict[str, str]:
    return {**os.environ, "GOFLAGS": "-mod=mod", "GOTOOLCHAIN": "local", "GOWORK": "off"}
