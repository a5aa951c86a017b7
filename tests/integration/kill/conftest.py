"""What the tests of killed and interrupted runs share."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from directory.slapd import Slapd
from integration.cli.background import Background
from integration.cli.folders import Folder
from integration.kill.blows import Blow
from integration.kill.nursery import Nursery
from integration.kill.people import come_from_a_directory, come_from_a_file, entries

MAIL: Final = "{target: 'emails[type eq \"work\"].value', source: userPrincipalName}"


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


@pytest.fixture(scope="module")
def people_directory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slapd]:
    """A directory with the people of these tests. None of them changes it."""
    slapd = Slapd(tmp_path_factory.mktemp("people"))
    try:
        slapd.load(entries())
        slapd.start()
        yield slapd
    finally:
        slapd.close()
        shutil.rmtree(slapd.folder)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "manifests", "http://127.0.0.1:1")


@pytest.fixture
def peopled(folder: Folder, blow: Blow, people_directory: Slapd) -> Folder:
    """The folder with the source that the blow names, and a mapping with an element that must not come twice."""
    folder.change("mapping.yaml", "  attributes:\n", f"  attributes:\n    - {MAIL}\n")
    if blow.source == "directory":
        come_from_a_directory(folder, people_directory.url)
    else:
        come_from_a_file(folder)
    return folder
