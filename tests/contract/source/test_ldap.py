"""The LDAP source fulfils the contract on a real directory, in both of its ways to tell changes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import count
from typing import ClassVar

import pytest

from directory.configuration import PEOPLE, Settings
from directory.population import people
from directory.slapd import Slapd
from directory.sources import Source, expire
from usher.core.model.resources import Value
from usher.sources.ldap.settings import Changes
from usher.testing.source_contract import SourceContract, SourceUnderTest

NUMBERS = count()


@pytest.fixture(scope="module")
def slapd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slapd]:
    """An instance that remembers a few changes, with forty people; each test takes some away."""
    made = Slapd(tmp_path_factory.mktemp("contract"), Settings(session_log=100))
    made.load(people(40))
    with made:
        yield made


class TestByModifyTimestamp(SourceContract):
    tells_deletions = False
    reads_before_changes = 2
    changes: ClassVar[Changes] = Changes.MODIFY_TIMESTAMP

    @pytest.fixture
    def source(self, slapd: Slapd) -> SourceUnderTest:
        reading = Source.of(slapd, changes=self.changes, page_size=10)

        async def change(person: Mapping[str, Value]) -> None:
            slapd.modify(str(person["dn"]), {"description": [f"changed {next(NUMBERS)}"]})

        async def remove(person: Mapping[str, Value]) -> None:
            slapd.delete(str(person["dn"]))

        async def add() -> None:
            name = f"new{next(NUMBERS)}"
            slapd.add(
                f"uid={name},{PEOPLE}", {"objectClass": ["inetOrgPerson"], "uid": [name], "cn": ["N"], "sn": ["N"]}
            )

        return SourceUnderTest(reading.open, change, remove, add, expire)


class TestByContentSynchronization(TestByModifyTimestamp):
    tells_deletions = True
    reads_before_changes = 1
    changes = Changes.SYNCREPL
