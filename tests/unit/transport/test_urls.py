from __future__ import annotations

import pytest

from usher.core.errors import SpecError
from usher.transport.urls import parse_base_url


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
