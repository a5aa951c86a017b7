"""The LDAP source fulfils the contract on a domain controller, in both of its ways to tell changes there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import count
from typing import ClassVar

import pytest

from directory.samba import Samba, source_of
from directory.sources import expire
from usher.core.model.resources import Value
from usher.sources.ldap.settings import Changes
from usher.testing.source_contract import SourceContract, SourceUnderTest

NUMBERS = count()


@pytest.fixture(scope="module")
def domain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Samba]:
    """A domain controller with twenty users; each test takes some away."""
    with Samba(tmp_path_factory.mktemp("contract") / "samba") as made:
        for number in range(20):
            made.add_user(f"user{number}")
        yield made


class TestByDirSync(SourceContract):
    changes: ClassVar[Changes] = Changes.DIRSYNC

    @pytest.fixture
    def source(self, domain: Samba) -> SourceUnderTest:
        reading = source_of(domain, self.changes)

        async def change(person: Mapping[str, Value]) -> None:
            domain.modify(str(person["dn"]), {"description": [f"changed {next(NUMBERS)}"]})

        async def remove(person: Mapping[str, Value]) -> None:
            domain.delete(str(person["dn"]))

        async def add() -> None:
            domain.add_user(f"new{next(NUMBERS)}")

        return SourceUnderTest(reading.open, change, remove, add, expire)


class TestByModifyTimestampOfADomain(TestByDirSync):
    tells_deletions = False
    reads_before_changes = 2
    changes = Changes.MODIFY_TIMESTAMP
