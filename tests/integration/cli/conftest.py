"""Servers for tests of the command line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from integration.cli.background import Background
from integration.cli.folders import Folder
from usher.testing.hostile_server import HostileServer, hostile_server


@pytest.fixture(scope="session")
def background() -> Iterator[Background]:
    running = Background()
    yield running
    running.close()


@pytest.fixture
def app(background: Background) -> Iterator[HostileServer]:
    with background.entered(hostile_server()) as server:
        yield server


@pytest.fixture
def folder(tmp_path: Path, app: HostileServer) -> Folder:
    return Folder(tmp_path / "manifests", app.url)
