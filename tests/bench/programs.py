"""The sink and the Java peer, built once for each state of their sources and kept in the cache."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from bench.broken import Broken
from bench.places import programs_folder
from cluster.places import alone
from cluster.programs import GET_GO
from cluster.toolchain import find_go

_SINK: Final = Path(__file__).parent / "sink"
_CONNID: Final = Path(__file__).parent / "connid"


def sink_program() -> Path:
    """The sink. Raises Broken where there is no Go, or Go fails."""
    with _built("sink", _SINK) as (place, missing):
        if missing is not None:
            go = find_go()
            if go is None:
                raise Broken(f"missing: {GET_GO}; it builds the sink that counts requests")
            environment = {**os.environ, "CGO_ENABLED": "0", "GOWORK": "off"}
            _run([go, "build", "-trimpath", "-ldflags", "-s -w", "-o", str(missing / "sink"), "."], _SINK, environment)
    return place / "sink"


def connid_command() -> list[str]:
    """How the Java peer is started, without its arguments. Raises Broken without a JDK or Maven, or when it fails."""
    with _built("connid", _CONNID) as (place, missing):
        if missing is not None:
            if shutil.which("mvn") is None or shutil.which("java") is None:
                raise Broken(
                    "missing: Maven and a JDK 17 or newer (Debian: maven, default-jdk-headless), for vs_connid"
                )
            _run(["mvn", "-q", "-B", "-f", str(_CONNID / "pom.xml"), f"-Dplace={missing}", "package"], missing)
    silent = "-Dorg.identityconnectors.common.logging.class=org.identityconnectors.common.logging.impl.NoOpLogger"
    return ["java", silent, "-cp", f"{place}/connid-1.jar:{place}/lib/*", "Peer"]


@contextmanager
def _built(name: str, sources: Path) -> Iterator[tuple[Path, Path | None]]:
    """The folder of a program by the digest of its sources, and an empty one to fill where it is missing."""
    digest = hashlib.sha256()
    for path in sorted(path for path in sources.rglob("*") if path.is_file()):
        digest.update(f"{path.relative_to(sources)}\0".encode() + path.read_bytes())
    place = programs_folder() / f"{name}-{digest.hexdigest()[:16]}"
    with alone(programs_folder() / f"{name}.lock"):
        if place.exists():
            yield place, None
            return
        missing = Path(tempfile.mkdtemp(dir=programs_folder()))
        try:
            yield place, missing
            missing.rename(place)
        finally:
            shutil.rmtree(missing, ignore_errors=True)


def _run(command: Sequence[str], folder: Path, environment: dict[str, str] | None = None) -> None:
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Broken(f"{command[0]} can't build {folder.name}:\n{(done.stdout + done.stderr).strip()[-2000:]}")
