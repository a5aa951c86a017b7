"""kubectl in a namespace of its own for each test, on an API server that has our definitions."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from typing import Any, TypeAlias

import pytest

from cluster.fixtures import Namespace

Kubectl: TypeAlias = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def kubectl(crds: tuple[str, ...], namespace: Namespace) -> Kubectl:
    """kubectl, whatever it answers; the object `given` goes to its standard input."""

    def in_namespace(*arguments: str, given: dict[str, Any] | None = None) -> subprocess.CompletedProcess[str]:
        return namespace.kubectl(*arguments, input=None if given is None else json.dumps(given), check=False)

    return in_namespace
