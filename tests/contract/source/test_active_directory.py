"""The LDAP source fulfils the contract on a domain controller, in both of its ways to tell changes there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import count
from typing import ClassVar

import pytest

from directory.samba import ADMINISTRATOR, STAFF, Samba
from directory.sources import Source, settings
from usher.contracts.source import Watermark
from usher.core.model.resources import Value
from usher.sources.ldap.settings import Branch, Changes
from usher.testing.source_contract import SourceContract, SourceUnderTest

NUMBERS = count()
USERS = Branch(STAFF, "(&(objectCategory=person)(objectClass=user))")


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
        usual = settings(domain.url, ADMINISTRATOR, users=USERS, id_attribute="objectGUID", changes=self.changes)
        reading = Source(usual, ADMINISTRATOR.password.encode())

        async def change(person: Mapping[str, Value]) -> None:
            domain.modify(str(person["dn"]), {"description": [f"changed {next(NUMBERS)}"]})

        async def remove(person: Mapping[str, Value]) -> None:
            domain.delete(str(person["dn"]))

        async def add() -> None:
            domain.add_user(f"new{next(NUMBERS)}")

        async def expire(watermark: Watermark) -> Watermark:
            return Watermark(watermark.replace('"scope":"', '"scope":"another '))

        return SourceUnderTest(reading.open, change, remove, add, expire)


class TestByModifyTimestampOfADomain(TestByDirSync):
    tells_deletions = False
    reads_before_changes = 2
    changes = Changes.MODIFY_TIMESTAMP
