"""The base address of an end: parsed once, and nothing in it but scheme, host, port and path."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Final
from urllib.parse import SplitResult, urlsplit

from usher.core.errors import SpecError

MAX_URL_LENGTH: Final = 2_000
_HOST = re.compile(r"[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*\.?")
_LDAP_PORTS: Final = {"ldaps": 636, "ldap": 389}
_NUMBER = re.compile(r"(?:0x[0-9a-f]*|[0-9]+)\.?")


@dataclass(frozen=True, slots=True)
class BaseUrl:
    """`origin` is `scheme://host[:port]`; `path` has no slash at its end and may be empty."""

    scheme: str
    host: str
    origin: str
    path: str


@dataclass(frozen=True, slots=True)
class DirectoryUrl:
    """Where a directory listens."""

    scheme: str
    host: str
    port: int


def parse_base_url(text: str) -> BaseUrl:
    """Raises SpecError unless it is an http(s) URL without user, query and fragment."""
    parts = _split(text)
    if parts.scheme not in ("https", "http"):
        raise _invalid("it has to begin with https:// (or http://, where that is permitted)")
    host = _host_of(parts)
    if any(segment in (".", "..") for segment in parts.path.lower().replace("%2e", ".").split("/")):
        raise _invalid("its path has segments that mean another path")
    shown = f"[{host}]" if ":" in host else host
    origin = f"{parts.scheme}://{shown}" + (f":{parts.port}" if parts.port is not None else "")
    return BaseUrl(parts.scheme, host, origin, parts.path.rstrip("/"))


def parse_directory_url(text: str) -> DirectoryUrl:
    """Raises SpecError unless it is an ldap(s) URL of nothing but a host and perhaps a port."""
    parts = _split(text)
    if parts.scheme not in _LDAP_PORTS:
        raise _invalid("it has to begin with ldaps:// or ldap://")
    host = _host_of(parts)
    if parts.path not in ("", "/"):
        raise _invalid("it ends with the port: what is read stands in users.baseDN and groups.baseDN")
    return DirectoryUrl(parts.scheme, host, parts.port or _LDAP_PORTS[parts.scheme])


def _split(text: str) -> SplitResult:
    if (
        len(text) > MAX_URL_LENGTH
        or not text.isascii()
        or any(character <= " " or character in '\\"<>^`{|}\x7f' for character in text)
    ):
        raise _invalid("it holds characters that a URL can't have (encode them), or is too long")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise _invalid("host or port can't be read") from error
    if port == 0:
        raise _invalid("nothing listens at port 0")
    if "?" in text or "#" in text:
        raise _invalid("a base address has neither query nor fragment")
    return parts


def _host_of(parts: SplitResult) -> str:
    if not parts.hostname or not _is_host(parts.hostname):
        raise _invalid("it names no host, or one in an unusual form")
    if "@" in parts.netloc:
        raise _invalid("credentials belong into a Secret, not into the URL")
    return parts.hostname


def _is_host(host: str) -> bool:
    """A name, or an address in its usual form: one library reads `127.1` or `0177.0.0.1` otherwise than the next."""
    try:
        if ":" in host:
            return IPv6Address(host).scope_id is None
        if _NUMBER.fullmatch(host.rstrip(".").rpartition(".")[2]):
            IPv4Address(host)
    except AddressValueError:
        return False
    return ":" in host or _HOST.fullmatch(host) is not None


def _invalid(problem: str) -> SpecError:
    return SpecError(f"this is no usable base address: {problem}", path="url")
