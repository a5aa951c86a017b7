"""The import contracts hold, and each of them can fail."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def lint(directory: Path) -> subprocess.CompletedProcess[str]:
    script = Path(sys.executable).with_name("lint-imports")
    return subprocess.run(
        [str(script), "--no-cache", "--config", "pyproject.toml"],
        cwd=directory,
        env={"PYTHONPATH": str(directory / "operator"), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "operator", tmp_path / "operator", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


PLANTS = {
    "aiohttp in the core": ("core/sync/planning.py", "import aiohttp\n"),
    "the HTTP client outside of the transport": ("targets/scim/session.py", "import aiohttp\n"),
    "a clock in the core": ("core/sync/policies.py", "import time\n"),
    "the engine in the core": ("core/model/plans.py", "import usher.engine.job\n"),
    "the api in the core": ("core/sync/mapping.py", "import usher.api.names\n"),
    "a target in the engine": ("engine/apply.py", "import usher.targets.registry\n"),
    "kubernetes outside kube": ("engine/cycle.py", "import kubernetes\n"),
    "a cluster in a command for files": ("cli/plan.py", "import usher.kube.operator\n"),
    "the database outside state": ("engine/cycle.py", "import sqlalchemy\n"),
    "a file in an import": ("importing/entra.py", "import pathlib\n"),
    "a folder without a layer": ("attic/__init__.py", ""),
}


def test_the_contracts_hold(copy: Path) -> None:
    result = lint(copy)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("plant", PLANTS)
def test_a_planted_import_breaks_a_contract(copy: Path, plant: str) -> None:
    name, line = PLANTS[plant]
    module = copy / "operator" / "usher" / name
    module.parent.mkdir(exist_ok=True)
    before = module.read_text(encoding="utf-8") if module.exists() else ""
    module.write_text(f"{before}\n{line}", encoding="utf-8")

    result = lint(copy)

    assert result.returncode != 0, result.stdout
