"""The definitions at the API server of the tests, and kubectl in a namespace of its own for each test."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias
from uuid import uuid4

import pytest

from usher.api.crds import write_crds

Kubectl: TypeAlias = Callable[..., subprocess.CompletedProcess[str]]
BUILT = Path.home() / ".cache" / "usher-cluster" / "bin" / "kubectl"


def run(kubeconfig: Path, *arguments: str, given: dict[str, Any] | None = None) -> subprocess.CompletedProcess[str]:
    program = str(BUILT) if BUILT.exists() else shutil.which("kubectl") or "kubectl"
    return subprocess.run(
        [program, "--kubeconfig", str(kubeconfig), *arguments],
        input=None if given is None else json.dumps(given),
        text=True,
        capture_output=True,
        timeout=60,
        check=False,
    )


@pytest.fixture(scope="session")
def definitions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The kubeconfig of an API server that has our definitions."""
    existing = os.environ.get("USHER_TEST_KUBECONFIG")
    if existing is None:
        pytest.skip("USHER_TEST_KUBECONFIG names no API server")
    crds = tmp_path_factory.mktemp("crds")
    write_crds(crds)
    for command in (("apply", "-f", str(crds)), ("wait", "--for=condition=Established", "-f", str(crds))):
        done = run(Path(existing), *command)
        assert done.returncode == 0, done.stderr
    return Path(existing)


@pytest.fixture
def kubectl(definitions: Path) -> Iterator[Kubectl]:
    """kubectl in a new namespace; `given` goes to its standard input."""
    name = f"api-{uuid4().hex[:12]}"
    assert run(definitions, "create", "namespace", name).returncode == 0

    def in_namespace(*arguments: str, given: dict[str, Any] | None = None) -> subprocess.CompletedProcess[str]:
        return run(definitions, "--namespace", name, *arguments, given=given)

    yield in_namespace
    run(definitions, "delete", "namespace", name, "--wait=false")
