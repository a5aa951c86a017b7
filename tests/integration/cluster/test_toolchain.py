from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from cluster.places import ClusterError
from cluster.toolchain import find_go, toolchain_folder

# A `go` of some version that can download the module of a newer one, or not.
STAND_IN = """#!/bin/sh
case "$1 $2" in
  "version ") echo "go version go{version} linux/amd64" ;;
  "env GOOS") echo linux ;;
  "env GOARCH") echo amd64 ;;
  "mod download") {download} ;;
esac
"""


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with an empty cache and an empty PATH."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    (tmp_path / "bin").mkdir()
    (tmp_path / ".cache" / "usher-cluster").mkdir(parents=True)
    return tmp_path


def install(machine: Path, version: str, download: str = "exit 1") -> str:
    program = machine / "bin" / "go"
    program.write_text(STAND_IN.format(version=version, download=download), encoding="utf-8")
    program.chmod(0o755)
    return str(program)


def publish(machine: Path) -> str:
    """A newer Go as a module: read-only, and nothing in it can be run."""
    module = machine / "module"
    (module / "bin").mkdir(parents=True)
    (module / "pkg" / "tool" / "linux_amd64").mkdir(parents=True)
    for file in ("bin/go", "pkg/tool/linux_amd64/compile"):
        (module / file).write_text("#!/bin/sh\necho go version go1.26.8 linux/amd64\n", encoding="utf-8")
        (module / file).chmod(0o444)
    return f"""echo '{{"Dir": "{module}"}}'"""


def test_without_go_there_is_none(machine: Path) -> None:
    assert find_go() is None


@pytest.mark.parametrize("version", ["1.26.0", "1.26rc1", "1.30.2", "2.0.0"])
def test_a_go_that_is_new_enough_is_taken_as_it_is(machine: Path, version: str) -> None:
    installed = install(machine, version)

    assert find_go() == installed


@pytest.mark.parametrize("version", ["1.9.1", "1.19.8", "1.25.9"])
def test_an_older_go_fetches_a_newer_one_that_can_be_run(machine: Path, version: str) -> None:
    install(machine, version, publish(machine))

    go = find_go()

    assert go == str(toolchain_folder() / "bin" / "go")
    assert "go1.26.8" in subprocess.run([go, "version"], check=True, capture_output=True, text=True).stdout
    assert os.access(toolchain_folder() / "pkg" / "tool" / "linux_amd64" / "compile", os.X_OK)


def test_a_newer_go_is_fetched_once(machine: Path) -> None:
    install(machine, "1.19.8", publish(machine))
    first = find_go()
    install(machine, "1.19.8")

    assert find_go() == first


def test_an_older_go_that_can_not_fetch_says_where_a_newer_one_is(machine: Path) -> None:
    install(machine, "1.19.8", "echo no network >&2; exit 1")

    with pytest.raises(ClusterError, match=r"(?s)older than Go 1\.26.*go\.dev/dl.*no network"):
        find_go()

    assert not toolchain_folder().exists()
