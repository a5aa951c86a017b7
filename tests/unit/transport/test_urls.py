from __future__ import annotations

import pytest

from usher.core.errors import SpecError
from usher.transport.urls import parse_base_url, parse_directory_url


@pytest.mark.parametrize(
    ("text", "origin", "path"),
    [
        ("https://app.example.com/scim/v2", "https://app.example.com", "/scim/v2"),
        ("https://app.example.com/scim/v2//", "https://app.example.com", "/scim/v2"),
        ("https://App.Example.com:8443", "https://app.example.com:8443", ""),
        ("http://[::1]:8080/", "http://[::1]:8080", ""),
        ("https://app.example.com/t%2F1", "https://app.example.com", "/t%2F1"),
    ],
)
def test_a_base_address_is_origin_and_path(text: str, origin: str, path: str) -> None:
    url = parse_base_url(text)

    assert (url.origin, url.path) == (origin, path)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "app.example.com",
        "ftp://app.example.com",
        "file:///etc/passwd",
        "https://",
        "https://user:pass@app.example.com",
        "https://good.example@evil.example/",
        "https://app.example.com/?tenant=1",
        "https://app.example.com/#x",
        "https://app.example.com:99999/",
        "https://app.example.com:x/",
        "https://app.example.com/\r\nHost: evil",
        "https://app.example.com/a b",
        "https://app.example.com\\@evil.example/",
        "https://app.example.com/scim/../admin",
        "https://app.example.com/scim/%2e%2E/admin",
        "https://[::1",
        "https://[fe80::1%25eth0]/",
        "https://münchen.example/",
        "https://127.1/",
        "https://2130706433/",
        "https://0x7f.0.0.1/",
        "https://0177.0.0.1/",
        "https://a..b/",
        "https://app.example.com/" + "a" * 2000,
    ],
)
def test_what_is_more_or_less_than_a_base_address_is_refused(text: str) -> None:
    with pytest.raises(SpecError):
        parse_base_url(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ldaps://ldap.example.com", ("ldaps", "ldap.example.com", 636)),
        ("ldap://LDAP.example.com/", ("ldap", "ldap.example.com", 389)),
        ("LDAPS://ldap.example.com:3269", ("ldaps", "ldap.example.com", 3269)),
        ("ldap://[::1]:1389", ("ldap", "::1", 1389)),
        ("ldap://192.0.2.1", ("ldap", "192.0.2.1", 389)),
    ],
)
def test_an_address_of_a_directory_is_scheme_host_and_port(text: str, expected: tuple[str, str, int]) -> None:
    url = parse_directory_url(text)

    assert (url.scheme, url.host, url.port) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ldap.example.com",
        "https://ldap.example.com",
        "ldapi://%2Frun%2Fslapd",
        "ldap://",
        "ldap:///dc=example,dc=com",
        "ldap://ldap.example.com/dc=example,dc=com",
        "ldap://ldap.example.com/?uid",
        "ldap://ldap.example.com#x",
        "ldap://reader:secret@ldap.example.com",
        "ldap://good.example@evil.example",
        "ldap://ldap.example.com:99999",
        "ldap://ldap.example.com:0",
        "ldap://127.1",
        "ldap://2130706433",
        "ldap://a b",
        "ldap://a\r\nb",
        "ldap://a ldap://b",
        "ldap://a,b",
    ],
)
def test_what_is_more_or_less_than_an_address_of_a_directory_is_refused_at_its_field(text: str) -> None:
    with pytest.raises(SpecError) as caught:
        parse_directory_url(text)
    assert caught.value.path == "url"
    assert "secret" not in str(caught.value)
