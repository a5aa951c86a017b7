"""What the tests of killed and interrupted runs share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from integration.cli.background import Background
from integration.cli.folders import Folder
from integration.kill.nursery import Nursery


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    running = Nursery()
    yield running
    running.close()


@pytest.fixture(scope="module")
def background() -> Iterator[Background]:
    running = Background()
    yield running
    running.close()


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "manifests", "http://127.0.0.1:1")
