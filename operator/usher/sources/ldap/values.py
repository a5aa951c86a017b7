"""From the bytes of a value to its text: which form it has is decided by the attribute's name."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable
from typing import Final
from uuid import UUID

import ldap
from ldap.dn import str2dn

from usher.sources.ldap.names import BINARY, REFERRING

_LOOSE: Final = re.compile(r" [,+=]|[,+=] ")
_BITS: Final = re.compile(r"#'[01]*'B$")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_PAIR: Final = re.compile(r"\\.", re.DOTALL)
"""An escape. libldap takes a blank behind an escaped backslash for an escaped blank, unless that is written in hex."""
_SPECIAL: Final = re.compile(r"""[\\",+;<>]""")


def decoder(folded: str) -> Callable[[bytes], str]:
    """How values of this attribute are read; its name in lower case, with its options."""
    name = folded.partition(";")[0]
    if folded.endswith(";binary") or name in BINARY:
        return _base64
    return {"objectguid": _guid, "objectsid": _sid}.get(name, read_dn if name in REFERRING else _text)


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
    """The distinguished name that a value is, without the bits that may follow one in `uniqueMember` (RFC 4517)."""
    return canonical_dn(_BITS.sub("", _text(value)))


def _guid(value: bytes) -> str:
    return str(UUID(bytes_le=value)) if len(value) == 16 else _base64(value)


def _base64(value: bytes) -> str:
    return b64encode(value).decode()


def _text(value: bytes) -> str:
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
