"""From the bytes of a value to its text: which form it has is decided by the attribute's name."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable
from functools import lru_cache
from typing import Final
from unicodedata import normalize
from uuid import UUID

import ldap
from ldap.dn import str2dn

from usher.sources.ldap.names import BINARY, REFERRING

MAX_PARENTS: Final = 4_096
_LOOSE: Final = re.compile(r" [,+=]|[,+=] ")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_PAIR: Final = re.compile(r"\\.", re.DOTALL)
"""An escape. libldap takes a blank behind an escaped backslash for an escaped blank, unless that is written in hex."""
_BITS: Final = re.compile(r"#'[01]*'B\Z")
_SPACES: Final = re.compile(r" {2,}")
_LEVEL: Final = re.compile(r"(?:[^\\,]|\\.)+", re.DOTALL)
_PART: Final = re.compile(r"(?:[^\\+]|\\.)+", re.DOTALL)
_SHORT: Final = {
    "commonname": "cn",
    "2.5.4.3": "cn",
    "surname": "sn",
    "2.5.4.4": "sn",
    "countryname": "c",
    "2.5.4.6": "c",
    "localityname": "l",
    "2.5.4.7": "l",
    "stateorprovincename": "st",
    "2.5.4.8": "st",
    "organizationname": "o",
    "2.5.4.10": "o",
    "organizationalunitname": "ou",
    "2.5.4.11": "ou",
    "userid": "uid",
    "0.9.2342.19200300.100.1.1": "uid",
    "domaincomponent": "dc",
    "0.9.2342.19200300.100.1.25": "dc",
}
"""Other names, and the numbers, of the attributes that entries are named by (RFC 4519 2)."""
_LONG: Final = re.compile(rf"(?<![^,+; ])(?:{'|'.join(map(re.escape, _SHORT))})(?= *=)")
_SPECIAL: Final = re.compile(r"""[\\",+;<>]""")


def decoder(folded: str) -> Callable[[bytes], str]:
    """How values of this attribute are read; its name in lower case, with its options."""
    name = folded.partition(";")[0]
    if folded.endswith(";binary") or name in BINARY:
        return _base64
    return {"objectguid": _guid, "objectsid": _sid}.get(name, read_dn if name in REFERRING else read_text)


def canonical_dn(text: str) -> str:
    """One spelling of a distinguished name (RFC 4514): a directory may escape it here in this way and there in another.

    The case of letters stays. What is no distinguished name stays as it is.
    """
    escapes = "\\" in text or '"' in text or ";" in text
    if not escapes and not (" " in text and _LOOSE.search(text)):
        return text  # one way to write it: nearly all of them
    asked = text if '"' in text else _PAIR.sub(lambda found: r"\5C" if found[0] == r"\\" else found[0], text)
    try:
        parts = str2dn(asked)
    except (ldap.LDAPError, UnicodeDecodeError):
        return text
    if any(flags & ldap.AVA_BINARY for rdn in parts for _, _, flags in rdn):
        return text
    return ",".join("+".join(f"{name}={_escaped(value)}" for name, value, _ in rdn) for rdn in parts)


def _escaped(value: str) -> str:
    text = _CONTROL.sub(lambda found: f"\\{ord(found[0]):02X}", _SPECIAL.sub(r"\\\g<0>", value))
    if text.startswith((" ", "#")):
        text = f"\\{text}"
    return f"{text[:-1]}\\ " if text.endswith(" ") and len(value) > 1 else text


def read_dn(value: bytes) -> str:
    """The distinguished name that a value is."""
    return canonical_dn(read_text(value))


def read_named_dn(value: bytes) -> str:
    """The distinguished name of a Name and Optional UID (RFC 4517 3.3.21), without its bit string."""
    return canonical_dn(_BITS.sub("", read_text(value)))


def compared_dn(text: str) -> str:
    """The same text for two names that a directory takes for one.

    They may differ in case, in how many spaces there are, in the order of the parts of one level, and in which of the
    names of a usual attribute is used. Other rules of comparison (RFC 4517 4.2) are those of attributes by which no
    entry is named in practice.
    """
    canonical = canonical_dn(text)
    first, comma, parent = canonical.partition(",")
    if "\\" in first or not comma:
        return _compared(canonical)
    return f"{_compared(first)},{_compared_parent(parent)}"


def _compared(canonical: str) -> str:
    folded = canonical.lower() if canonical.isascii() else _folded(canonical)
    if "  " in folded:
        folded = _SPACES.sub(" ", folded)
    if "=" in folded:
        folded = _LONG.sub(lambda found: _SHORT[found[0]], folded)
    if "+" not in folded:
        return folded
    levels = _LEVEL.findall(folded)
    return ",".join("+".join(sorted(_PART.findall(level))) for level in levels)


_compared_parent: Final = lru_cache(maxsize=MAX_PARENTS)(_compared)
"""Many entries have few parents."""


def _folded(canonical: str) -> str:
    """Value by value, since what is no comma may become one (RFC 4518 2.3)."""
    try:
        parts = str2dn(canonical)
    except (ldap.LDAPError, UnicodeDecodeError):
        return canonical.casefold()
    return ",".join("+".join(f"{name.lower()}={_escaped(_same(value))}" for name, value, _ in rdn) for rdn in parts)


def _same(value: str) -> str:
    return normalize("NFKC", normalize("NFKC", value).casefold())


def _guid(value: bytes) -> str:
    return str(UUID(bytes_le=value)) if len(value) == 16 else _base64(value)


def _base64(value: bytes) -> str:
    return b64encode(value).decode()


def read_text(value: bytes) -> str:
    """A value as text, and as base64 where it is none."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return _base64(value)


def _sid(value: bytes) -> str:
    """A security identifier as Windows writes it: revision, authority (big-endian), sub-authorities (little-endian)."""
    if len(value) < 8 or len(value) != 8 + 4 * value[1]:
        return _base64(value)
    parts = [int.from_bytes(value[8 + 4 * n : 12 + 4 * n], "little") for n in range(value[1])]
    return "-".join(["S", str(value[0]), str(int.from_bytes(value[2:8], "big")), *map(str, parts)])
