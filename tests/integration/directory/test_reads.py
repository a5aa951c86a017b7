"""Whole reads of a real directory: everybody, as they are, or no read at all."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import ldap.dn
import pytest

from directory.configuration import (
    ADMIN,
    GROUPS,
    LIMITED,
    PAGE_LIMIT,
    PEOPLE,
    SIZE_LIMIT,
    SMALL_PAGES,
    SUFFIX,
    Settings,
)
from directory.entries import Entry
from directory.fixtures import DIRECTORY_GROUPS, DIRECTORY_PEOPLE
from directory.population import groups, people
from directory.slapd import Slapd
from directory.sources import PERSONS, Source
from usher.core.errors import IncompleteRead, SpecError, UsherError
from usher.core.model.resources import ResourceType
from usher.sources.ldap.settings import Branch, Changes

pytestmark = pytest.mark.usefixtures("nothing_stays")

NAMES = {
    "uid": "userPrincipalName", "mail": "mail", "givenName": "givenName", "sn": "surname", "displayName": "displayName",
    "title": "jobTitle", "departmentNumber": "department", "employeeNumber": "employeeId",
    "telephoneNumber": "telephoneNumber", "mobile": "mobile", "l": "city", "preferredLanguage": "preferredLanguage",
}  # fmt: skip
CLASSES = ("inetOrgPerson", "activeDirectoryAccount")
GUID = bytes.fromhex("33221100554477668899aabbccddeeff")


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slapd]:
    """An instance with accounts that can be locked, to be changed at will; twelve people."""
    slapd = Slapd(tmp_path_factory.mktemp("own"), Settings(ppolicy=True))
    slapd.load(people(12))
    with slapd:
        yield slapd


@pytest.fixture
def person(own: Slapd, request: pytest.FixtureRequest) -> Iterator[Entry]:
    """Somebody of this test's own, whose uid is the test's name."""
    name = re.sub(r"\W", "-", request.node.name)[-60:]
    entry = Entry(f"uid={name},{PEOPLE}", {"objectClass": CLASSES, "uid": (name,), "cn": ("C",), "sn": ("S",)})
    own.add(entry.dn, entry.attributes)
    yield entry
    own.delete(entry.dn)


def one(person: Entry, **others: Any) -> dict[str, Any]:
    """Settings by which nobody else is read."""
    return {"users": Branch(person.dn, PERSONS), **others}


def same_dn(first: str, second: str) -> bool:
    return bool(ldap.dn.str2dn(first) == ldap.dn.str2dn(second))


async def refused(source: Source, resource_type: ResourceType = ResourceType.USER) -> UsherError:
    with pytest.raises(UsherError) as caught:
        await source.read(resource_type=resource_type)
    return caught.value


# --- everybody


async def test_a_read_in_pages_brings_everybody_once_with_every_value(directory: Slapd) -> None:
    found = await Source.of(directory, page_size=300).read()

    assert found.pages == [300, 300, 300, 200]
    assert len(found.by_id) == len(found.resources) == DIRECTORY_PEOPLE
    assert all(str(UUID(source_id)) == source_id for source_id in found.by_id)
    stored = found.by("uid")
    for entry in people(DIRECTORY_PEOPLE):
        attributes = stored[entry.text("uid")]
        assert same_dn(str(attributes["dn"]), entry.dn)
        assert attributes["objectId"] == attributes["entryUUID"]
        for name in {*entry.attributes} - {"manager"}:
            assert attributes[name] == entry.text(name)
        for name, meaning in NAMES.items():
            assert attributes.get(meaning) == (entry.text(name) if name in entry.attributes else None)


async def test_a_read_knows_the_names_that_the_schema_allows_besides_those_that_somebody_has(directory: Slapd) -> None:
    found = await Source.of(directory).read()

    assert found.end is not None
    known = set(found.end.attributes)
    assert {"jpegPhoto", "homePhone", "description", "streetAddress", "companyName", "postalCode"} <= known
    assert known >= {name for each in found.resources for name in each.attributes}
    assert not {"userPassword", "userPKCS12", "modifyTimestamp"} & known
    assert "sAMAccountName" not in known


async def test_managers_and_members_are_the_ids_of_people_who_are_there(directory: Slapd) -> None:
    source = Source.of(directory, page_size=100)
    found = await source.read()
    teams = await source.read(resource_type=ResourceType.GROUP)

    everybody = people(DIRECTORY_PEOPLE)
    stored = found.by("uid")
    by_dn = {entry.dn: str(stored[entry.text("uid")]["objectId"]) for entry in everybody}
    for entry in everybody:
        manager = by_dn[entry.text("manager")] if "manager" in entry.attributes else None
        assert stored[entry.text("uid")].get("manager") == manager
    expected = {entry.text("cn"): entry for entry in groups(DIRECTORY_GROUPS, everybody)}
    assert set(teams.by("displayName")) == set(expected)
    for name, attributes in teams.by("displayName").items():
        entry = expected[str(name)]
        assert attributes["members"] == tuple(sorted(by_dn[str(member)] for member in entry.attributes["member"]))
        assert attributes["description"] == entry.text("description")
        assert same_dn(str(attributes["dn"]), entry.dn)
        assert "member" not in attributes


async def test_a_directory_without_groups_is_read_to_its_end(own: Slapd) -> None:
    found = await Source.of(own).read(resource_type=ResourceType.GROUP)

    assert found.resources == []
    assert found.end is not None
    assert "userPrincipalName" not in found.end.attributes


# --- limits of the account


async def test_an_account_with_a_limit_reads_everybody_in_pages(directory: Slapd) -> None:
    found = await Source.of(directory, LIMITED).read()

    assert len(found.by_id) == DIRECTORY_PEOPLE > SIZE_LIMIT


async def test_truncation_that_looks_like_data_is_no_read(directory: Slapd) -> None:
    error = await refused(Source.of(directory, LIMITED, changes=Changes.SYNCREPL))

    assert isinstance(error, IncompleteRead)
    assert "limit of the account" in str(error)


async def test_pages_larger_than_the_account_may_have_are_told_with_the_field(directory: Slapd) -> None:
    error = await refused(Source.of(directory, SMALL_PAGES))
    found = await Source.of(directory, SMALL_PAGES, page_size=PAGE_LIMIT).read()

    assert isinstance(error, IncompleteRead)
    assert "pageSize" in str(error)
    assert len(found.by_id) == DIRECTORY_PEOPLE


# --- values


async def test_an_entry_with_two_thousand_values_has_them_all_in_order(own: Slapd, person: Entry) -> None:
    numbers = tuple(f"+1 202 {number:07}" for number in range(2000))
    own.modify(person.dn, {"telephoneNumber": numbers})
    ((_, attributes),) = (await Source.of(own, **one(person)).read()).by_id.items()

    assert attributes["telephoneNumber"] == numbers[0]
    own.modify(person.dn, {"telephoneNumber": [], "description": numbers})
    ((_, attributes),) = (await Source.of(own, **one(person)).read()).by_id.items()
    assert attributes["description"] == numbers


async def test_a_group_of_two_thousand_has_all_of_its_members(own: Slapd) -> None:
    members = tuple(f"uid=p{number},{PEOPLE}" for number in range(2000))
    dn = f"cn=everybody,{GROUPS}"
    own.add(dn, {"objectClass": ("groupOfNames",), "cn": ("everybody",), "member": members})
    found = await Source.of(own).read(resource_type=ResourceType.GROUP)
    own.delete(dn)

    assert [each.attributes["members"] for each in found.resources] == [tuple(sorted(members))]


async def test_a_value_of_more_than_64_kib_is_left_out_and_the_person_is_not(own: Slapd, person: Entry) -> None:
    own.modify(person.dn, {"jpegPhoto": [b"\xff\xd8" + bytes(65534)], "description": ["é" * 32769]})
    found = await Source.of(own, **one(person)).read()

    ((_, attributes),) = found.by_id.items()
    assert len(str(attributes["jpegPhoto"])) == 87384
    assert "description" not in attributes
    assert found.end is not None
    assert "description" in found.end.attributes


async def test_bytes_are_base64_and_passwords_are_in_no_resource(own: Slapd, person: Entry) -> None:
    own.modify(person.dn, {"jpegPhoto": [b"plain", b"\xff\xd8"], "userPassword": ["s3cret"], "userPKCS12": [b"key"]})
    found = await Source.of(own, ADMIN, **one(person)).read()

    ((_, attributes),) = found.by_id.items()
    assert attributes["jpegPhoto"] == ("cGxhaW4=", "/9g=")
    assert "s3cret" not in repr(found)
    assert not {"userPassword", "userPKCS12"} & set(attributes)


async def test_an_object_guid_identifies_as_windows_writes_it(own: Slapd, person: Entry) -> None:
    own.modify(person.dn, {"objectGUID": [GUID]})
    found = await Source.of(own, **one(person, id_attribute="objectguid")).read()

    assert list(found.by_id) == ["00112233-4455-6677-8899-aabbccddeeff"]
    assert [each.attributes["objectGUID"] for each in found.resources] == list(found.by_id)


async def test_somebody_without_the_id_makes_the_read_void_and_is_not_named(own: Slapd, person: Entry) -> None:
    error = await refused(Source.of(own, **one(person, id_attribute="objectGUID")))

    assert isinstance(error, IncompleteRead)
    assert "objectGUID" in str(error)
    assert person.text("uid") not in str(error)
    assert error.detail == person.dn


@pytest.mark.parametrize(
    ("attributes", "enabled"),
    [
        ({"userAccountControl": ["514"]}, False),
        ({"userAccountControl": ["512"]}, True),
        ({"pwdAccountLockedTime": ["000001010000Z"]}, False),
        ({"pwdAccountLockedTime": ["20260101000000Z"]}, True),
        ({}, None),
    ],
)
async def test_an_account_is_enabled_as_the_directory_says(
    own: Slapd, person: Entry, attributes: dict[str, list[str]], enabled: bool | None
) -> None:
    own.modify(person.dn, attributes)
    found = await Source.of(own, **one(person)).read()

    ((_, stored),) = found.by_id.items()
    assert stored.get("accountEnabled") is enabled
    assert found.end is not None
    assert "accountEnabled" in found.end.attributes


# --- errors


@pytest.mark.parametrize(
    ("branch", "field", "reason"),
    [
        (Branch(f"ou=x,{SUFFIX}", PERSONS), "baseDN", "BaseNotFound"),
        (Branch("people", PERSONS), "baseDN", "BaseNotFound"),
        (Branch("ou=people\0", PERSONS), "baseDN", "BaseNotFound"),
        (Branch(PEOPLE, "(a=b"), "filter", "FilterInvalid"),
        (Branch(PEOPLE, "(objectClass=*))"), "filter", "FilterInvalid"),
        (Branch(PEOPLE, "(uid=a)(uid=b)"), "filter", "FilterInvalid"),
        (Branch(PEOPLE, "()"), "filter", "FilterInvalid"),
        (Branch(PEOPLE, "(uid=a\0)"), "filter", "FilterInvalid"),
        (Branch(PEOPLE, r"(uid=\zz)"), "filter", "FilterInvalid"),
    ],
)
@pytest.mark.parametrize("resource_type", list(ResourceType))
async def test_a_wrong_base_and_a_wrong_filter_are_told_at_their_field(
    directory: Slapd, branch: Branch, field: str, reason: str, resource_type: ResourceType
) -> None:
    name = "users" if resource_type is ResourceType.USER else "groups"
    others: dict[str, Any] = {name: branch}
    error = await refused(Source.of(directory, **others), resource_type)

    assert isinstance(error, SpecError)
    assert (error.path, error.reason) == (f"{name}.{field}", reason)
