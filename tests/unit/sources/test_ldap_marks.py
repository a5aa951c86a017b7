"""Watermarks by modifyTimestamp: two times, of which no clock of ours is one."""

from __future__ import annotations

import pytest

from usher.contracts.runtime import SecretRef
from usher.contracts.source import Watermark
from usher.core.model.resources import ResourceType
from usher.sources.ldap.marks import Times, newest_of, read_times, searched_time, write_times
from usher.sources.ldap.settings import Branch, Changes, LdapSettings


@pytest.mark.parametrize(
    ("values", "newest"),
    [
        ([b"20260102000000Z"], "20260102000000Z"),
        ([b"20251231235959Z"], "20260101000000Z"),
        ([b"20260102000000.123456Z"], "20260102000000Z"),
        ([b"20260102000000,5Z"], "20260102000000Z"),
        ([b"20260101000000.9Z"], "20260101000000Z"),
        ([b"20260102000000+0100"], "20260101000000Z"),
        ([b"2026010200Z"], "20260101000000Z"),
        ([b"20260102000000Z)(uid=*"], "20260101000000Z"),
        ([b"20260102000000Z\n"], "20260101000000Z"),
        ([b"99999999999999Z(x"], "20260101000000Z"),
        (["２０２６0102000000Z".encode()], "20260101000000Z"),
        ([b""], "20260101000000Z"),
        ([], "20260101000000Z"),
    ],
)
def test_the_newest_time_is_to_the_second_and_never_goes_back(values: list[bytes], newest: str) -> None:
    assert newest_of(values, "20260101000000Z") == newest


def test_a_filter_names_a_time_with_the_fraction_that_active_directory_wants() -> None:
    assert searched_time("20260102030405Z") == "20260102030405.0Z"


def test_times_come_back_for_the_same_search_only() -> None:
    times = Times("20260101000000Z", "20260102000000Z")

    assert read_times(write_times("scope", times), "scope") == times
    assert read_times(write_times("scope", times), "other") == Times("", "")
    assert read_times(None, "scope") == Times("", "")


def settings(**others: object) -> LdapSettings:
    usual: dict[str, object] = {
        "url": "ldaps://a",
        "start_tls": False,
        "ca": None,
        "bind_dn": "cn=r",
        "password": SecretRef("Secret", "a", "b"),
        "users": Branch("ou=p", "(uid=*)"),
        "groups": Branch("ou=g", "(cn=*)"),
        "id_attribute": "entryUUID",
        "member_attribute": "member",
        "page_size": 500,
        "changes": Changes.MODIFY_TIMESTAMP,
    }
    return LdapSettings(**{**usual, **others})  # type: ignore[arg-type]  # fields by name


@pytest.mark.parametrize(
    ("others", "same"),
    [
        ({"page_size": 10}, True),
        ({"bind_dn": "cn=s"}, True),
        ({"start_tls": True}, True),
        ({"groups": None}, True),
        ({"url": "ldaps://b"}, False),
        ({"users": Branch("ou=q", "(uid=*)")}, False),
        ({"users": Branch("ou=p", "(uid=a*)")}, False),
        ({"id_attribute": "uid"}, False),
        ({"changes": Changes.SYNCREPL}, False),
    ],
)
def test_a_watermark_is_that_of_what_is_read_and_how(others: dict[str, object], same: bool) -> None:
    former, now = settings().scope(ResourceType.USER), settings(**others).scope(ResourceType.USER)

    assert (former == now) is same
    assert former != settings().scope(ResourceType.GROUP)


def test_groups_that_are_not_read_have_no_branch() -> None:
    with pytest.raises(ValueError, match="no groups"):
        settings(groups=None).scope(ResourceType.GROUP)


def test_a_watermark_is_text_without_the_search_in_it() -> None:
    assert "ou=p" not in Watermark(write_times(settings().scope(ResourceType.USER), Times("", "")))
