"""What becomes of an entry: its id, its own attributes, the reference's names, and who is enabled."""

from __future__ import annotations

import pytest

from usher.core.errors import IncompleteRead
from usher.core.model.resources import ResourceType, Value
from usher.sources.ldap.entries import MAX_VALUE, EntryReader, known_names
from usher.sources.ldap.names import BINARY, BOOKKEEPING, GROUP_NAMES, LOCKS, PERSON_NAMES, SECRET, asked_for
from usher.sources.ldap.values import canonical_dn, compared_dn
from usher.transport.ldap.client import Attributes, Entry

GUID = bytes.fromhex("33221100554477668899aabbccddeeff")
SID = bytes.fromhex("010500000000000515000000a065cf7e784b9b5fe77c8770f4010000")


def read(attributes: Attributes, resource_type: ResourceType = ResourceType.USER, **others: str) -> dict[str, Value]:
    """The attributes of a resource, without those that each has."""
    reader = EntryReader(resource_type, others.get("id", "entryUUID"), others.get("member", "member"))
    found = dict(reader.read(Entry("cn=x", {"entryUUID": [b"a"], **attributes})).attributes)
    assert (found.pop("dn"), found.pop("objectId"), found.pop("entryUUID")) == ("cn=x", "a", "a")
    return found


# --- values


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("cn;lang-de", [b"x"], "x"),
        ("x", ["Zoë".encode()], "Zoë"),
        ("x", [b"\xff\xfe"], "//4="),
        ("x", [b"a", b"\xff", b"b"], ("a", "/w==", "b")),
        ("x", [b""], ""),
        ("x", [b"TRUE"], "TRUE"),
        ("x", [b"0042"], "0042"),
        ("x", [b"a\x00b\n"], "a\x00b\n"),
        ("jpegPhoto", [b"plain"], "cGxhaW4="),
        ("JPEGPHOTO", [b"plain", b""], ("cGxhaW4=", "")),
        ("jpegPhoto;x-small", [b"plain"], "cGxhaW4="),
        ("objectGUID", [GUID], "00112233-4455-6677-8899-aabbccddeeff"),
        ("objectGUID", [GUID[1:]], "IhEAVUR3ZoiZqrvM3e7/"),
        ("objectSid", [SID], "S-1-5-21-2127521184-1604012920-1887927527-500"),
        ("objectSid", [SID[:-1]], "AQUAAAAAAAUVAAAAoGXPfnhLm1/nfIdw9AEA"),
        ("objectSid", [SID[:8]], "AQUAAAAAAAU="),
        ("objectSid", [b"\x01\x00" + SID[2:8]], "S-1-5"),
        ("objectSid", [b""], ""),
        ("x", [b"a" * MAX_VALUE], "a" * MAX_VALUE),
    ],
)
def test_a_value_is_text_or_what_its_attribute_says(name: str, values: list[bytes], expected: Value) -> None:
    assert read({name: values})[name] == expected


@pytest.mark.parametrize(
    "attributes",
    [
        {"x": []},
        {"x": [b"a" * (MAX_VALUE + 1)]},
        {"x": [b"a", b"b" * (MAX_VALUE + 1)]},
        {"": [b"a"]},
        *({name: [b"secret"]} for name in sorted({*SECRET, *BOOKKEEPING})),
        {"USERPASSWORD;lang-de": [b"secret"]},
        {"userPassword;binary": [b"secret"]},
    ],
)
def test_what_is_empty_or_long_or_secret_or_bookkeeping_is_left_out_whole(attributes: Attributes) -> None:
    assert read(attributes) == {}


def test_the_option_for_bytes_is_no_part_of_the_name() -> None:
    assert read({"userCertificate;binary": [b"\x30"]}) == {"userCertificate": "MA=="}


def test_part_of_an_attribute_is_never_taken_for_the_whole() -> None:
    with pytest.raises(IncompleteRead):
        read({"member;Range=0-1499": [b"cn=a"]}, ResourceType.GROUP)


# --- ids


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("entryUUID", [b"AD47B982-7d29"], "ad47b982-7d29"),
        ("ENTRYUUID", [b"AD47"], "ad47"),
        ("objectGUID", [GUID], "00112233-4455-6677-8899-aabbccddeeff"),
        ("uid", [b" Ada "], "Ada"),
        ("uid", [b"\xff"], "/w=="),
    ],
)
def test_an_id_is_shown_as_tools_show_it(name: str, values: list[bytes], expected: str) -> None:
    for spelled in (name, name.swapcase()):
        assert EntryReader(ResourceType.USER, spelled, "").read(Entry("cn=x", {name: values})).id == expected


@pytest.mark.parametrize("values", [[], [b""], [b"  "], [b"a", b"b"]])
def test_an_entry_that_nothing_identifies_makes_the_read_void_and_is_named_in_the_detail_only(
    values: list[bytes],
) -> None:
    with pytest.raises(IncompleteRead) as caught:
        EntryReader(ResourceType.USER, "uid", "").read(Entry("cn=Ada", {"uid": values}))

    assert caught.value.reason == "InvalidData"
    assert "uid" in str(caught.value)
    assert "Ada" not in str(caught.value)
    assert caught.value.detail == "cn=Ada"


# --- the reference's names


@pytest.mark.parametrize("resource_type", list(ResourceType))
def test_every_name_of_the_reference_comes_from_each_of_its_attributes(resource_type: ResourceType) -> None:
    names = PERSON_NAMES if resource_type is ResourceType.USER else GROUP_NAMES
    for name, candidates in names.items():
        for candidate in candidates:
            for spelled in (candidate, candidate.lower(), candidate.upper()):
                assert read({spelled: [b"value", b"other"]}, resource_type)[name] == "value"


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize(
    ("attributes", "name", "expected"),
    [
        ({"userPrincipalName": [b"a@x"], "uid": [b"a"]}, "userPrincipalName", "a@x"),
        ({"displayName": [b""], "cn": [b"Ada"]}, "displayName", "Ada"),
        ({"displayName": [b"", b"x"], "cn": [b"Ada"]}, "displayName", "Ada"),
        ({"displayName": [b"a" * (MAX_VALUE + 1)], "cn": [b"Ada"]}, "displayName", "Ada"),
        ({"c": [b"DE"], "co": [b"Germany"]}, "country", "DE"),
        ({"displayName;lang-de": [b"Frau"], "cn": [b"Ada"]}, "displayName", "Ada"),
        ({"street": [b"b"], "streetAddress": [b"a"]}, "streetAddress", "a"),
    ],
)
def test_the_first_attribute_with_a_value_counts_in_whatever_order_they_come(
    attributes: Attributes, name: str, expected: str, turned: bool
) -> None:
    given = dict(reversed(attributes.items())) if turned else attributes

    assert read(given)[name] == expected


def test_several_values_stay_under_the_own_name_where_the_reference_has_another() -> None:
    found = read({"sn": [b"Byron", b"Lovelace"], "mail": [b"a@x", b"b@x"]})

    assert found == {"sn": ("Byron", "Lovelace"), "surname": "Byron", "mail": "a@x"}


def test_an_empty_value_means_nothing() -> None:
    assert read({"cn": [b""]}) == {"cn": ""}


def test_a_group_has_all_of_its_members_even_if_it_has_none() -> None:
    assert read({}, ResourceType.GROUP) == {"members": ()}
    assert read({"Member": [b"cn=a", b"cn=b"]}, ResourceType.GROUP)["members"] == ("cn=a", "cn=b")
    assert read({"memberUid": [b"a"]}, ResourceType.GROUP, member="MEMBERUID") == {"members": ("a",)}
    unique = read({"uniqueMember": [b"cn=a#'0101'B", b"cn=b#''B", b"cn=c"]}, ResourceType.GROUP, member="uniqueMember")
    assert unique == {"members": ("cn=a", "cn=b", "cn=c")}
    assert "members" not in read({"member": [b"cn=a"]})


# --- who is enabled


@pytest.mark.parametrize(
    ("attributes", "enabled"),
    [
        ({}, None),
        ({"userAccountControl": [b"512"]}, True),
        ({"userAccountControl": [b"514"]}, False),
        ({"USERACCOUNTCONTROL": [b"66050"]}, False),
        ({"useraccountcontrol": [b"66048"]}, True),
        ({"userAccountControl": [b"x"]}, None),
        ({"userAccountControl": [b"9" * 5000]}, None),
        ({"userAccountControl": ["²".encode()]}, None),
        ({"userAccountControl": []}, None),
        ({"msDS-UserAccountDisabled": [b"TRUE"]}, False),
        ({"msDS-UserAccountDisabled": [b"FALSE"]}, True),
        ({"nsAccountLock": [b"true"]}, False),
        ({"nsaccountlock": [b" TRUE "]}, False),
        ({"nsAccountLock": [b"false"]}, True),
        ({"msDS-UserAccountDisabled": [b"FALSE"], "nsAccountLock": [b"TRUE"]}, False),
        ({"pwdAccountLockedTime": [b"000001010000Z"]}, False),
        ({"pwdaccountlockedtime": [b"000001010000Z"]}, False),
        ({"pwdAccountLockedTime": [b"20260101000000Z"]}, True),
        ({"userAccountControl": [b"512"], "pwdAccountLockedTime": [b"000001010000Z"]}, True),
        ({"userAccountControl;x-old": [b"514"]}, None),
    ],
)
def test_an_account_is_disabled_where_the_directory_says_so(attributes: Attributes, enabled: bool | None) -> None:
    assert read(attributes).get("accountEnabled") is enabled


def test_the_account_of_a_group_is_not_asked_for() -> None:
    assert "accountEnabled" not in read({"userAccountControl": [b"514"]}, ResourceType.GROUP)


def test_what_locks_an_account_is_asked_for_since_it_may_be_operational() -> None:
    assert set(asked_for("entryUUID")) >= {"*", "entryUUID", "modifyTimestamp", *LOCKS}


def test_no_attribute_is_secret_and_binary_or_bookkeeping_at_once() -> None:
    assert not SECRET & BINARY
    assert not SECRET & BOOKKEEPING


# --- what is known


def test_known_are_the_names_that_somebody_has_and_those_that_the_schema_allows() -> None:
    allowed = frozenset({"cn", "title", "userPassword", "modifyTimestamp", "pwdAccountLockedTime"})
    users = known_names(ResourceType.USER, frozenset({"dn", "own"}), allowed)

    assert list(users) == sorted(users)
    assert set(users) == {
        "dn", "own", "cn", "title", "displayName", "jobTitle", "pwdAccountLockedTime", "accountEnabled",
    }  # fmt: skip
    assert "accountEnabled" not in known_names(ResourceType.GROUP, frozenset(), allowed)
    assert "accountEnabled" not in known_names(ResourceType.USER, frozenset(), frozenset({"cn"}))


# --- distinguished names


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("uid=a,dc=x", "uid=a,dc=x"),
        ("cn=Ada Byron,dc=x", "cn=Ada Byron,dc=x"),
        (r"cn=a\2Cb,dc=x", r"cn=a\,b,dc=x"),
        (r"cn=a\,b,dc=x", r"cn=a\,b,dc=x"),
        (r"cn=a\3Db,dc=x", "cn=a=b,dc=x"),
        ('cn="a,b";dc=x', r"cn=a\,b,dc=x"),
        ("uid = a , dc=x", "uid=a,dc=x"),
        ("a=b + c=d,dc=x", "a=b+c=d,dc=x"),
        (r"cn=\20a\20,dc=x", r"cn=\ a\ ,dc=x"),
        (r"cn=\20,dc=x", r"cn=\ ,dc=x"),
        (r"cn=\23a,dc=x", r"cn=\#a,dc=x"),
        (r"cn=Zo\C3\AB,dc=x", "cn=Zoë,dc=x"),
        (r"cn=a\00b,dc=x", r"cn=a\00b,dc=x"),
        (r"cn=a\5C,dc=x", r"cn=a\\,dc=x"),
        ("cn=#0401ff, dc=x", "cn=#0401ff, dc=x"),
        ("no, name", "no, name"),
        ("", ""),
    ],
)
def test_a_distinguished_name_has_one_spelling(text: str, expected: str) -> None:
    assert canonical_dn(text) == expected


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("uid=ada,ou=People,dc=example,dc=com", "UID=Ada, OU=people , dc=EXAMPLE,dc=com"),
        (r"cn=Byron\, Ada,dc=x", 'CN="byron, ada",DC=X'),
        (r"cn=Byron\2C Ada,dc=x", r"cn=Byron\,  Ada,dc=x"),
        ("cn=ZOË,dc=x", "cn=zoe\u0308,dc=x"),
        (r"cn=Zo\C3\AB,dc=x", "cn=zoë,dc=x"),
        ("cn=a+uid=b,dc=x", "uid=B + cn=A,dc=x"),
        (r"cn=a\+b+uid=b,dc=x", r"uid=b+cn=A\2Bb,dc=x"),
        ("commonName=a,OU=b,DC=x", "cn=a,organizationalUnitName=b,0.9.2342.19200300.100.1.25=x"),
    ],
)
def test_a_distinguished_name_is_the_same_in_another_spelling(one: str, other: str) -> None:
    assert compared_dn(one) == compared_dn(other)
    assert compared_dn(compared_dn(one)) == compared_dn(one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("uid=a,dc=x", "uid=a,dc=y"),
        (r"cn=a\,dc=b,dc=x", "cn=a,dc=b,dc=x"),
        (r"cn=a\+sn=b,dc=x", "cn=a+sn=b,dc=x"),
        ("cn=ab,dc=x", "cn=a b,dc=x"),
        ("cn=commonName,dc=x", "cn=cn,dc=x"),
        ("cn=a,dc=x", "sn=a,dc=x"),
        ("cn=a，dc=b,dc=x", "cn=a,dc=b,dc=x"),
    ],
)
def test_another_distinguished_name_is_another(one: str, other: str) -> None:
    assert compared_dn(one) != compared_dn(other)


def test_names_of_entries_are_spelled_as_the_entries_are() -> None:
    reader = EntryReader(ResourceType.GROUP, "cn", "member")
    group = reader.read(Entry(r"cn=a\2Cb", {"cn": [b"x"], "member": [rb"cn=a\,b", rb"cn=a\2cb"]}))

    assert group.attributes["dn"] == r"cn=a\,b"
    assert group.attributes["members"] == (r"cn=a\,b", r"cn=a\,b")
    assert read({"manager": [rb"cn=a\2Cb"]})["manager"] == r"cn=a\,b"
