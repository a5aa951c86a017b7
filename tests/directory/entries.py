"""Entries of a directory, and their text as LDIF (RFC 2849)."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

Attributes: TypeAlias = Mapping[str, Sequence[str | bytes]]
"""Values by attribute name; text stands for its UTF-8 bytes."""

_SAFE: Final = re.compile(r"(?![ :<])[\x01-\x09\x0b\x0c\x0e-\x7f]*(?<! )")


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry: its DN as text (RFC 4514), and its attributes, with those of the RDN and with `objectClass`."""

    dn: str
    attributes: Attributes

    def text(self, name: str) -> str:
        """The first value of an attribute; KeyError where there is none."""
        value = self.attributes[name][0]
        return value if isinstance(value, str) else value.decode()


def to_ldif(entries: Iterable[Entry]) -> Iterator[str]:
    """One record an entry, each with the empty line that ends it; what is no SAFE-STRING goes as base64."""
    for entry in entries:
        lines = [_line("dn", entry.dn)]
        lines += [_line(name, value) for name, values in entry.attributes.items() for value in values]
        yield "".join(lines) + "\n"


def encoded(values: Sequence[str | bytes]) -> list[bytes]:
    """The values as bytes, as python-ldap takes them."""
    return [value if isinstance(value, bytes) else value.encode() for value in values]


def _line(name: str, value: str | bytes) -> str:
    if isinstance(value, str) and _SAFE.fullmatch(value):
        return f"{name}: {value}\n"
    raw = value if isinstance(value, bytes) else value.encode()
    return f"{name}:: {b64encode(raw).decode('ascii')}\n"
