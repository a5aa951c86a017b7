"""What a directory's schema allows: read where it can be read, and no reason to fail where it can't."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import cast

import pytest

from usher.sources.ldap import schema
from usher.sources.ldap.schema import allowed_names
from usher.transport.ldap.client import Attributes, Entry
from usher.transport.ldap.connection import DirectoryConnection

ROOT: Attributes = {"SubschemaSubentry": [b"cn=schema"]}
DEFINITIONS: Attributes = {
    "attributeTypes": [
        b"( 2.5.4.3 NAME ( 'cn' 'commonName' ) SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )",
        b"( 2.5.4.12 NAME 'title' SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )",
        b"( 2.5.4.13 NAME 'description' SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )",
        b"( 1.3.6.1.4.1.42.2.27.8.1.17 NAME 'pwdAccountLockedTime' USAGE directoryOperation )",
        b"( 2.999.1 NAME 'unrelated' )",
    ],
    "objectClasses": [
        b"( 2.5.6.0 NAME 'top' ABSTRACT MUST cn )",
        b"( 2.5.6.6 NAME 'person' SUP top STRUCTURAL MAY ( title $ unheardOf ) )",
        b"( 2.5.6.7 NAME 'worker' SUP person STRUCTURAL MAY description )",
        b"( 2.999.2 NAME 'a' SUP b MAY title )",
        b"( 2.999.3 NAME 'b' SUP a MAY description )",
    ],
}


class Stub:
    """Two entries: the root, and the schema."""

    def __init__(self, root: Attributes | None, definitions: Attributes | None) -> None:
        self._entries = {"": root, "cn=schema": definitions}

    async def entry(self, dn: str, attributes: Sequence[str]) -> Entry | None:
        assert attributes
        found = self._entries[dn]
        return None if found is None else Entry(dn, found)


async def names(
    *classes: str, root: Attributes | None = ROOT, definitions: Attributes | None = DEFINITIONS
) -> set[str]:
    async with asyncio.timeout(5):
        return set(await allowed_names(cast(DirectoryConnection, Stub(root, definitions)), classes))


async def test_classes_allow_their_own_attributes_and_those_of_their_superiors_and_locks_are_everybodys() -> None:
    assert await names("PERSON") == {"cn", "title", "pwdAccountLockedTime"}
    assert await names("worker") == {"cn", "title", "description", "pwdAccountLockedTime"}
    assert await names() == await names("nobody knows it") == {"pwdAccountLockedTime"}


async def test_classes_that_are_each_others_superiors_come_to_an_end() -> None:
    assert await names("a") == {"title", "description", "pwdAccountLockedTime"}


async def test_a_class_that_may_have_everything_allows_everything_that_there_is() -> None:
    definitions = {**DEFINITIONS, "objectClasses": [b"( 1.3.6.1.4.1.1466.101.120.111 NAME 'extensibleObject' )"]}

    assert {"cn", "unrelated"} <= await names("extensibleObject", definitions=definitions)


@pytest.mark.parametrize("root", [None, {}, {"subschemaSubentry": []}, {"subschemaSubentry": [b""]}])
async def test_a_root_that_hides_its_schema_allows_nothing(root: Attributes | None) -> None:
    assert await names("person", root=root) == set()


@pytest.mark.parametrize(
    "definitions",
    [
        None,
        {},
        {"objectClasses": []},
        {"objectClasses": [b"rubbish"], "attributeTypes": [b"( 1.2 NAME 'x' )"]},
        {"objectClasses": [b"( 1.2 NAME 'x' MAY ( a $ b )"]},
        {"objectClasses": [b"\xff\xfe"]},
        {"objectClasses": [b"()"]},
        {"objectClasses": [b""]},
        {"attributeTypes": [b"( 1.2 NAME 'x' SUP 'x' )"] * 3},
        {"objectClasses": [b"( 1.2 NAME 'x' DESC '" + b"\\'" * 30_000 + b" )"] * 100},
        {"objectClasses": [b"( 1.2 NAME 'x' DESC '" + b"x" * 70_000 + b"' )"]},
    ],
)
async def test_a_schema_that_can_not_be_read_allows_nothing_new(definitions: Attributes | None) -> None:
    assert await names("person", definitions=definitions) == set()


async def test_a_schema_that_is_too_large_counts_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema, "MAX_SCHEMA", 100)

    assert await names("person") == set()
