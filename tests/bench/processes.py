"""Runs, each a process of its own that tells its figures as JSON in its last line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from bench.broken import Broken
from bench.places import ROOT

_PATIENCE: Final = 1800.0
_TAIL: Final = 3000


def python(driver: str, *arguments: str | int | Path) -> dict[str, Any]:
    """Runs a driver of `bench.drivers` against the operator of this very tree. Raises Broken."""
    return run([sys.executable, "-m", f"bench.drivers.{driver}", *map(str, arguments)])


def run(command: Sequence[str]) -> dict[str, Any]:
    """The figures of one run. Raises Broken with its last words when it fails, never ends, or tells nothing."""
    try:
        done = subprocess.run(
            command, cwd=ROOT, env=_environment(), capture_output=True, text=True, timeout=_PATIENCE, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise Broken(f"{' '.join(command[:4])} did not end in {_PATIENCE:.0f} s") from error
    if done.returncode != 0:
        words = (done.stdout + done.stderr).strip()[-_TAIL:]
        raise Broken(f"{' '.join(command[:4])} ended with {done.returncode}:\n{words}")
    return told(done.stdout)


@contextmanager
def beside(driver: str) -> Iterator[Callable[[], dict[str, Any]]]:
    """Runs a driver that ends with its standard input, and lends what ends it and gives its figures."""
    process = subprocess.Popen(
        [sys.executable, "-m", f"bench.drivers.{driver}"],
        cwd=ROOT,
        env=_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield lambda: told(process.communicate(timeout=_PATIENCE)[0])
    finally:
        process.kill()
        process.wait()


def _environment() -> dict[str, str]:
    path = os.pathsep.join([str(ROOT / "operator"), str(ROOT / "tests")])
    return {**os.environ, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1"}


def told(output: str) -> dict[str, Any]:
    """The figures in the last line of what a run printed. Raises Broken where it is something else."""
    last = output.strip().rpartition("\n")[2]
    try:
        figures = json.loads(last)
    except json.JSONDecodeError as error:
        raise Broken(f"a run told no figures, but {last[:200]!r}") from error
    if not isinstance(figures, dict):
        raise Broken(f"a run told no figures, but {last[:200]!r}")
    return figures
