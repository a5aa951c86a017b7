"""A directory with people in it, for the tests of a module."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

from directory.certificates import Certificates
from directory.configuration import Settings
from directory.population import groups, people
from directory.slapd import Slapd

DIRECTORY_PEOPLE = 1100
DIRECTORY_GROUPS = 20


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slapd]:
    """A running slapd with TLS that holds `people(DIRECTORY_PEOPLE)` and `groups(DIRECTORY_GROUPS, ...)`.

    Tests of one module share it: what a test changes, it changes back, or starts a Slapd of its own.
    """
    folder = tmp_path_factory.mktemp("directory")
    everybody = people(DIRECTORY_PEOPLE)
    slapd = Slapd(folder, Settings(certificates=Certificates.issue()))
    try:
        slapd.load([*everybody, *groups(DIRECTORY_GROUPS, everybody)])
        slapd.start()
        yield slapd
    finally:
        slapd.close()
        shutil.rmtree(folder)
